/**
 * npm run production-size -- [--json]: installs what a terminal needs (no tool of development) into a folder of its own,
 * as set-up does, and says how much of a disk it takes. Exit status 1 above the target.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const targetMb = 200;
const folder = mkdtempSync(join(tmpdir(), 'uketsuke-production-'));

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 600_000,
  });

const bytesOf = (path: string): number =>
  readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);

try {
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) copyFileSync(file, join(folder, file));
  run('node', resolve('scripts/packages/write-shrinkwrap.mjs'), run('npm', 'config', 'get', 'registry').trim());
  run('npm', 'install', '--omit=dev', '--no-save', '--ignore-scripts', '--prefer-offline', '--loglevel=error');
  run('node', resolve('scripts/packages/prune.mjs'));
  const modules = join(folder, 'node_modules');
  const sizes = readdirSync(modules).flatMap((name) =>
    name.startsWith('@')
      ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`)
      : name.startsWith('.')
        ? []
        : [name],
  );
  const megabytes = Math.round(bytesOf(modules) / 1e6);
  const largest = sizes
    .map((name) => [name, Math.round(bytesOf(join(modules, name)) / 1e6)] as const)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 8);
  const ok = megabytes <= targetMb;
  for (const [name, size] of largest) process.stdout.write(`${String(size).padStart(5)} MB  ${name}\n`);
  process.stdout.write(
    process.argv.includes('--json')
      ? `${JSON.stringify({ ok, megabytes, packages: sizes.length, largest: Object.fromEntries(largest) })}\n`
      : `${megabytes} MB in ${sizes.length} packages (at most ${targetMb})\n`,
  );
  process.exitCode = ok ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
