/**
 * npm run package:repository -- --debs DIR --out DIR --key FINGERPRINT [--json]
 *
 * An apt repository as a plain folder, for any web server, a stick or a share: `pool/` with the packages (those of earlier
 * releases that lie there stay), `dists/stable` with their lists, signed by gpg with that key (GNUPGHOME as set), and the
 * public key beside it. The same packages make the same lists, byte for byte; a signature carries its own time. Needs dpkg-deb
 * and gpg. docs/release-key.md: who holds the key.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

const { values } = parseArgs({
  options: {
    debs: { type: 'string', default: 'packages' },
    out: { type: 'string', default: 'packages/repository' },
    key: { type: 'string' },
    json: { type: 'boolean' },
  },
});
const architectures = ['amd64', 'arm64'] as const;
const pool = 'pool/main/u/uketsuke';
const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

type Entry = { readonly architecture: string; readonly text: string };

/** A package's own control file, and where and what its file is. */
const entryOf = (out: string, name: string): Entry => {
  const path = join(out, pool, name);
  const control = execFileSync('dpkg-deb', ['--field', path], { encoding: 'utf8' }).trimEnd();
  const [, architecture = ''] = /^Architecture: (.*)$/m.exec(control) ?? [];
  const file = `Filename: ${pool}/${name}\nSize: ${statSync(path).size}\nSHA256: ${sha256(readFileSync(path))}\n`;
  return { architecture, text: `${control}\n${file}` };
};

/** The day of the newest package: a list made again tomorrow is the same list. */
const newestDay = (out: string, names: readonly string[]): Date => {
  const seconds = names.map((name) => {
    const listed = execFileSync('dpkg-deb', ['--contents', join(out, pool, name)], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    const [, day = '1970-01-01', time = '00:00'] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d)/.exec(listed) ?? [];
    return Date.parse(`${day}T${time}:00Z`);
  });
  return new Date(Math.max(...seconds));
};

const makeRepository = (debs: string, out: string, key: string): number => {
  mkdirSync(join(out, pool), { recursive: true });
  for (const name of readdirSync(debs).filter((each) => each.endsWith('.deb'))) {
    const there = join(out, pool, name);
    const isThere = readdirSync(join(out, pool)).includes(name);
    // A version that was given out is that file for ever: apt would call another one damaged.
    if (isThere && sha256(readFileSync(there)) !== sha256(readFileSync(join(debs, name))))
      throw new Error(
        `${name}: another file of that name has been given out already; a changed package needs another version`,
      );
    if (!isThere) copyFileSync(join(debs, name), there);
  }
  const names = readdirSync(join(out, pool))
    .filter((name) => name.endsWith('.deb'))
    .sort();
  if (names.length === 0) throw new Error(`${debs}: no packages`);
  const entries = names.map((name) => entryOf(out, name));
  const dist = join(out, 'dists/stable');
  rmSync(dist, { recursive: true, force: true });
  const lists: string[] = [];
  const list = (name: string, bytes: Buffer): void => {
    mkdirSync(dirname(join(dist, name)), { recursive: true });
    writeFileSync(join(dist, name), bytes);
    lists.push(` ${sha256(bytes)} ${bytes.length} ${name}`);
  };
  for (const architecture of architectures) {
    const here = entries.filter((each) => each.architecture === architecture || each.architecture === 'all');
    const text = Buffer.from(here.map((each) => each.text).join('\n'));
    list(`main/binary-${architecture}/Packages`, text);
    list(`main/binary-${architecture}/Packages.gz`, gzipSync(text, { level: 9 }));
  }
  const release = [
    ...['Origin: Uketsuke', 'Label: Uketsuke', 'Suite: stable', 'Codename: stable'],
    `Date: ${newestDay(out, names).toUTCString().replace('GMT', 'UTC')}`,
    ...[`Architectures: ${architectures.join(' ')}`, 'Components: main', 'SHA256:', ...lists, ''],
  ].join('\n');
  writeFileSync(join(dist, 'Release'), release);
  const gpg = (...args: readonly string[]): void => {
    execFileSync('gpg', ['--batch', '--yes', '--quiet', '--local-user', key, ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  };
  gpg('--clear-sign', '--output', join(dist, 'InRelease'), join(dist, 'Release'));
  gpg('--armor', '--detach-sign', '--output', join(dist, 'Release.gpg'), join(dist, 'Release'));
  gpg('--armor', '--output', join(out, 'uketsuke.asc'), '--export', key);
  return names.length;
};

if (values.key === undefined) {
  process.stderr.write('package:repository: --key FINGERPRINT: the key that signs (docs/release-key.md)\n');
  process.exit(2);
}
const packages = makeRepository(values.debs, values.out, values.key);
process.stdout.write(
  values.json ? `${JSON.stringify({ profile: 'release', packages })}\n` : `${values.out}: ${packages} packages\n`,
);
