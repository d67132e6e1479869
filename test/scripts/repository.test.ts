import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeOpenpgpKey } from '../../scripts/beds/openpgp-key.ts';

const folder = mkdtempSync(join(tmpdir(), 'uketsuke-repository-'));
const script = fileURLToPath(new URL('../../scripts/package/repository.ts', import.meta.url));
const home = join(folder, 'gpg');
const [debs, out] = [join(folder, 'debs'), join(folder, 'repository')];
const environment = { ...process.env, GNUPGHOME: home };
const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const missing = ['gpg', 'apt-get', 'dpkg-deb'].filter((program) => !has(program));
if (missing.length > 0) console.warn(`skipped: an apt repository needs ${missing.join(', ')}`);

const deb = (version: string): void => {
  const tree = mkdtempSync(join(folder, 'tree-'));
  mkdirSync(join(tree, 'DEBIAN'));
  writeFileSync(join(tree, 'a-file'), version);
  const control = `Package: uketsuke\nVersion: ${version}\nArchitecture: all\nMaintainer: nobody <nobody@uketsuke.invalid>\nDescription: stands in\n`;
  writeFileSync(join(tree, 'DEBIAN/control'), control);
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, join(debs, `uketsuke_${version}_all.deb`)], {
    stdio: 'ignore',
  });
};
const make = (key: string) =>
  spawnSync(process.execPath, [script, '--debs', debs, '--out', out, '--key', key, '--json'], {
    env: environment,
    encoding: 'utf8',
  });

/** apt with folders of its own, knowing this repository and this key alone. */
const apt = (...args: readonly string[]) => {
  const root = mkdtempSync(join(folder, 'apt-'));
  for (const each of ['lists/partial', 'cache/archives/partial', 'parts'])
    mkdirSync(join(root, each), { recursive: true });
  writeFileSync(join(root, 'status'), '');
  writeFileSync(join(root, 'sources.list'), `deb [signed-by=${join(folder, 'trusted.asc')}] file:${out} stable main\n`);
  const places = [
    ...[`Dir::State::lists=${join(root, 'lists')}`, `Dir::State::status=${join(root, 'status')}`],
    ...[`Dir::Cache=${join(root, 'cache')}`, `Dir::Etc::sourcelist=${join(root, 'sources.list')}`],
    ...[`Dir::Etc::sourceparts=${join(root, 'parts')}`, 'APT::Sandbox::User=root', 'Acquire::Languages=none'],
  ].flatMap((place) => ['-o', place]);
  const updated = spawnSync('apt-get', [...places, 'update', '-q', '--error-on=any'], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (args.length === 0 || updated.status !== 0) return updated;
  return spawnSync('apt-get', [...places, '-q', ...args], { encoding: 'utf8', cwd: root, timeout: 30_000 });
};

let key = '';
beforeAll(() => {
  if (missing.length > 0) return;
  for (const each of [home, debs]) mkdirSync(each, { mode: 0o700 });
  deb('0.1.0');
  key = makeOpenpgpKey('release key', environment);
  expect(make(key)).toMatchObject({ status: 0 });
  execFileSync('cp', [join(out, 'uketsuke.asc'), join(folder, 'trusted.asc')]);
});
afterAll(() => {
  if (missing.length === 0) spawnSync('gpgconf', ['--kill', 'all'], { env: environment });
  rmSync(folder, { recursive: true });
});

describe.skipIf(missing.length > 0)('an apt repository as a folder', () => {
  it('is taken by apt, with the newest version, and with the one before by its number', () => {
    deb('0.2.0');
    expect(make(key).stdout).toBe('{"profile":"release","packages":2}\n');
    expect(apt('--print-uris', 'download', 'uketsuke').stdout).toContain('uketsuke_0.2.0_all.deb');
    expect(apt('--print-uris', 'download', 'uketsuke=0.1.0').stdout).toContain('uketsuke_0.1.0_all.deb');
  });

  it('made again of the same packages has the same lists', () => {
    const before = readFileSync(join(out, 'dists/stable/Release'), 'utf8');
    make(key);
    expect(readFileSync(join(out, 'dists/stable/Release'), 'utf8')).toBe(before);
  });

  it('of a stranger’s key, or with a list that was changed, is refused by apt', () => {
    make(makeOpenpgpKey('stranger', environment));
    expect(apt().status).not.toBe(0);
    make(key);
    expect(apt().status).toBe(0);
    for (const list of ['Packages', 'Packages.gz']) {
      const path = join(out, 'dists/stable/main/binary-amd64', list);
      writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('\n')]));
    }
    expect(apt().status).not.toBe(0);
    make(key);
  });

  it('gives out no other file under a version that was given out', () => {
    rmSync(join(debs, 'uketsuke_0.1.0_all.deb'));
    writeFileSync(join(folder, 'mark'), 'x');
    const tree = mkdtempSync(join(folder, 'tree-'));
    mkdirSync(join(tree, 'DEBIAN'));
    writeFileSync(join(tree, 'another'), 'y');
    const control =
      'Package: uketsuke\nVersion: 0.1.0\nArchitecture: all\nMaintainer: n <n@uketsuke.invalid>\nDescription: other\n';
    writeFileSync(join(tree, 'DEBIAN/control'), control);
    execFileSync('dpkg-deb', ['--build', tree, join(debs, 'uketsuke_0.1.0_all.deb')], { stdio: 'ignore' });
    expect(make(key)).toMatchObject({ status: 1 });
  });
});
