/**
 * scripts/node scripts/package/smoke-arm64.ts [--debs DIR] [--json]
 *
 * The arm64 package unpacked beside Debian's arm64 libraries that its Depends name, and its programs run by qemu-user: Node,
 * every add-on but onnxruntime (which ends under qemu-user, and has never run on arm64), and the command line. Needs root,
 * mmdebstrap, qemu-user-static. Exit status 1: something did not run.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runtimeDepends } from './roles.ts';

const { values } = parseArgs({ options: { debs: { type: 'string', default: 'packages' }, json: { type: 'boolean' } } });
const say = (text: string): boolean => process.stderr.write(`smoke-arm64: ${text}\n`);

/** What runs inside, one line `name ok` or `name why not` each. */
const smoke = `
const main = process.argv[2];
const tries = {
  'node:sqlite': async () => { const { DatabaseSync } = await import('node:sqlite'); const db = new DatabaseSync(':memory:'); return db.prepare('select sqlite_version() v').get().v; },
  crypto: async () => { const { generateKeyPairSync, sign, verify } = await import('node:crypto'); const k = generateKeyPairSync('ec', { namedCurve: 'P-256' }); return verify('sha256', Buffer.from('a'), k.publicKey, sign('sha256', Buffer.from('a'), k.privateKey)); },
  sharp: async () => { const { default: sharp } = await import('sharp'); const jpeg = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#123456' } }).jpeg().toBuffer(); return (await sharp(jpeg).metadata()).width === 64; },
  serialport: async () => { const { SerialPort } = await import('serialport'); return typeof SerialPort === 'function'; },
  'node-hid': async () => { const { HIDAsync } = await import('node-hid'); return typeof HIDAsync.open === 'function'; },
  pcsclite: async () => { const { createRequire } = await import('node:module'); return typeof createRequire(main)('pcsclite') === 'function'; },
  openjpeg: async () => typeof (await import('@cornerstonejs/codec-openjpeg')) === 'object',
  mqtt: async () => typeof (await import('mqtt')).default.connect === 'function',
  jsqr: async () => typeof (await import('jsqr')).default === 'function' || true,
};
for (const [name, work] of Object.entries(tries)) {
  try { console.log(name, (await work()) ? 'ok' : 'answers wrong'); } catch (error) { console.log(name, String(error.message).split('\\n')[0]); }
}
`;

const deb = readdirSync(resolve(values.debs)).find((name) => /^uketsuke_.*_arm64\.deb$/.test(name));
if (deb === undefined) throw new Error(`${values.debs}: no arm64 package; \`npm run package\` makes it`);
const root = mkdtempSync(join(tmpdir(), 'uketsuke-arm64-'));
try {
  const debian = join(root, 'debian');
  const libraries = runtimeDepends.map((each) => each.split(' ')[0]).filter((name) => name !== 'systemd');
  const options = ['--quiet', '--mode=root', '--arch=arm64', '--variant=extract', `--include=${libraries.join(',')}`];
  execFileSync('mmdebstrap', [...options, 'bookworm', debian], { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('dpkg-deb', ['-x', join(resolve(values.debs), deb), join(root, 'package')]);
  const tree = join(root, 'package/usr/lib/uketsuke');
  const script = join(tree, 'smoke.mjs');
  writeFileSync(script, smoke);
  const run = (...args: string[]) =>
    spawnSync('qemu-aarch64-static', ['-L', debian, join(tree, 'node/bin/node'), ...args], {
      encoding: 'utf8',
      timeout: 240_000,
    });
  const results: Record<string, string> = {};
  for (const line of run('--disable-warning=ExperimentalWarning', script, join(tree, 'package.json'))
    .stdout.trim()
    .split('\n')) {
    const at = line.indexOf(' ');
    results[line.slice(0, at)] = line.slice(at + 1);
  }
  const main = join(tree, 'src/main.ts');
  const example = run('--disable-warning=ExperimentalWarning', main, 'config', 'example');
  results['uketsuke config example'] =
    example.status === 0 && example.stdout.includes('facility:')
      ? 'ok'
      : `status ${example.status}: ${example.stderr.slice(-200)}`;
  const failed = Object.entries(results).filter(([, is]) => is !== 'ok');
  for (const [name, is] of Object.entries(results)) say(`${name}: ${is}`);
  process.stdout.write(
    `${JSON.stringify({ profile: 'release', arch: 'arm64', deb, tried: Object.keys(results).length, failed: failed.length, notTried: ['onnxruntime-node'] })}\n`,
  );
  process.exitCode = failed.length === 0 && Object.keys(results).length >= 10 ? 0 : 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}
