import { execFileSync } from 'node:child_process';

/** A key that signs releases, made in the GNUPGHOME of `environment` and thrown away with it; its fingerprint. */
export const makeOpenpgpKey = (name: string, environment: NodeJS.ProcessEnv): string => {
  const about = `FAKE ${name} <fake@uketsuke.invalid>`;
  const how = ['--batch', '--passphrase', '', '--quick-gen-key', about, 'ed25519', 'sign', '2d'];
  execFileSync('gpg', how, { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
  const listed = execFileSync('gpg', ['--with-colons', '--list-keys', about], { env: environment, encoding: 'utf8' });
  return /^fpr:+([0-9A-F]+):/m.exec(listed)?.[1] ?? '';
};
