import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** The package `deb` in folder `to`, its files as they are, under the number that `numberOf` makes of its own. */
export const renumber = (deb: string, to: string, numberOf: (version: string) => string): void => {
  const tree = mkdtempSync(join(tmpdir(), 'uketsuke-renumber-'));
  try {
    const quiet: ExecFileSyncOptions = { stdio: ['ignore', 'ignore', 'inherit'] };
    execFileSync('dpkg-deb', ['--raw-extract', deb, tree], quiet);
    const control = join(tree, 'DEBIAN/control');
    const [, version = ''] = /^Version: (.*)$/m.exec(readFileSync(control, 'utf8')) ?? [];
    // In what it depends on, too: a role belongs to the programs of its own release.
    writeFileSync(control, readFileSync(control, 'utf8').replaceAll(version, numberOf(version)));
    execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, join(to, basename(deb))], quiet);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
};
