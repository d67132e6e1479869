/**
 * scripts/node scripts/package/former-packages.ts [--out DIR] [--from COMMIT…]
 *
 * The amd64 packages of every earlier release, a folder each, as `scripts/test-vm --former DIR` takes them: each tag v…, or
 * the commits given, built by the release's own `npm run package` from its own tree and page. A release that is there
 * already is not built again. One whose number is not below this release's gets one that is: `0.1.0~from.COMMIT`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot, releaseTree, tags } from '../beds/release-tree.ts';
import { renumber } from './renumber.ts';

const say = (text: string): boolean => process.stderr.write(`former packages: ${text}\n`);

const versionOf = (tree: string): string =>
  (JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8')) as { version: string }).version;

const isLower = (version: string, than: string): boolean =>
  spawnSync('dpkg', ['--compare-versions', version, 'lt', than]).status === 0;

/** In the release's tree, by its own scripts. Git above it is not the release's own. */
const inTree = (tree: string, ...args: readonly string[]): void => {
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: join(projectRoot, '.cache'), NODE_NO_WARNINGS: '1' };
  execFileSync(process.execPath, args, { cwd: tree, env, stdio: ['ignore', 2, 2], timeout: 900_000 });
};

const build = (release: string, out: string): void => {
  const tree = releaseTree(release);
  say(`${release}: building …`);
  rmSync(join(tree, 'dist/screens'), { recursive: true, force: true });
  inTree(tree, 'scripts/generate/cut-page-fonts.ts', '.cache/page');
  inTree(
    tree,
    'node_modules/vite/bin/vite.js',
    'build',
    '--config',
    'src/screens/vite.config.ts',
    '--logLevel',
    'warn',
  );
  const making = mkdtempSync(`${out}.making-`);
  try {
    const built = join(making, 'built');
    inTree(tree, 'scripts/package/package.ts', '--once', '--arch', 'amd64', '--out', built);
    const version = versionOf(tree);
    const given = isLower(version, versionOf(projectRoot)) ? version : `${version}~from.${release}`;
    const numbered = join(making, 'numbered');
    mkdirSync(numbered);
    for (const name of readdirSync(built)) renumber(join(built, name), numbered, () => given);
    renameSync(numbered, out);
    say(`${release}: ${given} in ${out}`);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
};

/** Builds what is missing below `folder`; answers its releases. */
export const buildFormer = (folder: string, releases: readonly string[]): readonly string[] => {
  mkdirSync(folder, { recursive: true });
  for (const release of releases) if (!existsSync(join(folder, release))) build(release, join(folder, release));
  return releases;
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: '.cache/former-packages' },
      from: { type: 'string', multiple: true },
    },
  });
  const releases = buildFormer(resolve(values.out), values.from ?? tags());
  if (releases.length === 0)
    say('no release is tagged yet (git tag v…): nothing to build. --from COMMIT takes a commit');
}
