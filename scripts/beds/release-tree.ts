import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot: string = fileURLToPath(new URL('../..', import.meta.url));

/** The release before the first tag. */
const firstRelease = '19854c3';

const git = (...args: readonly string[]): string =>
  execFileSync('git', ['-C', projectRoot, ...args], { encoding: 'utf8' }).trim();

/** Each tag `v…`, oldest first. */
export const tags = (): readonly string[] =>
  git('tag', '--list', 'v*', '--sort=creatordate')
    .split('\n')
    .filter((tag) => tag !== '');

/** Every release, oldest first: the one before the first tag, then each tag. */
export const releases = (): readonly string[] => [firstRelease, ...tags()];

/** null = its code is in this repository's history. */
export const missingRelease = (release: string): string | null =>
  spawnSync('git', ['-C', projectRoot, 'cat-file', '-e', `${release}^{commit}`]).status === 0
    ? null
    : `the code of ${release} is not in this repository (git fetch --unshallow --tags)`;

const link = (target: string, at: string): void => {
  if (existsSync(target) && !existsSync(at)) symlinkSync(target, at);
};

/** What git does not hold and no release changes the meaning of: models, the built page, keys of test cards. */
export const shareBuilt = (tree: string): void => {
  mkdirSync(join(tree, 'dist'), { recursive: true });
  mkdirSync(join(tree, '.cache'), { recursive: true });
  link(join(projectRoot, 'dist/screens'), join(tree, 'dist/screens'));
  for (const name of readdirSync(join(projectRoot, 'models')))
    if (name.endsWith('.onnx')) link(join(projectRoot, 'models', name), join(tree, 'models', name));
  for (const name of ['test-authority', 'card-keys', 'faces']) {
    mkdirSync(join(projectRoot, '.cache', name), { recursive: true });
    link(join(projectRoot, '.cache', name), join(tree, '.cache', name));
  }
};

/**
 * The whole tree of a release, ready to run, below `.cache/releases`; answers its path. Packages are this tree's own
 * where the release names the same versions, else installed from its lockfile.
 */
export const releaseTree = (release: string): string => {
  const missing = missingRelease(release);
  if (missing !== null) throw new Error(missing);
  const commit = git('rev-parse', '--short=12', `${release}^{commit}`);
  const tree = join(projectRoot, '.cache/releases', commit);
  if (existsSync(tree)) return tree;
  const making = `${tree}.${process.pid}`;
  mkdirSync(making, { recursive: true });
  const archive = execFileSync('git', ['-C', projectRoot, 'archive', commit], { maxBuffer: 1 << 30 });
  execFileSync('tar', ['-x', '-C', making], { input: archive });
  const lock = (at: string): string => git('show', `${at}:package-lock.json`);
  if (lock(commit) === lock('HEAD')) link(join(projectRoot, 'node_modules'), join(making, 'node_modules'));
  else {
    // As scripts/setup: `npm ci` fails when a registry lacks an optional package of another platform.
    const install = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    execFileSync('npm', install, { cwd: making, stdio: ['ignore', 'inherit', 'inherit'] });
  }
  shareBuilt(making);
  try {
    renameSync(making, tree);
  } catch (error) {
    // Another process was quicker.
    rmSync(making, { recursive: true, force: true });
    if (!existsSync(tree)) throw error;
  }
  return tree;
};

/** Where a release keeps what others need of it. */
export const placesOf = (tree: string) => {
  const first = (...paths: readonly string[]): string => {
    const found = paths.map((path) => join(tree, path)).find(existsSync);
    if (found === undefined) throw new Error(`${tree}: none of ${paths.join(', ')}`);
    return found;
  };
  return {
    main: first('src/main.ts'),
    journal: first('src/agent/journal/journal.ts', 'src/clinic/journal.ts'),
    store: first('drivers/store/sqlite-store.ts', 'drivers/sqlite-store.ts'),
    demonstration: first('scripts/demonstration'),
  };
};
