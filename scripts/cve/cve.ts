/**
 * npm run cve -- ID [--advisories FOLDER]
 * npm run cve -- ID --package NAME --fixed VERSION [--introduced VERSION]
 *
 * Names the releases that hold an affected version, offline: from the bills of materials of every release (made from the
 * lockfile at its tag; before the first tag 19854c3; and of this tree), and an advisory in the OSV format that somebody has
 * laid in FOLDER (default .cache/advisories), or its package and versions as they were read. npm packages alone: Node
 * itself, Debian's packages and the models are not in the bills.
 * Exit code 1 when a release is affected, 2 when the advisory is not known.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { billOfMaterials } from '../generate/sbom.ts';
import { type Advisory, affectedReleases, type ReleaseBill } from './affected-releases.ts';

const root = join(import.meta.dirname, '..', '..');
/** What was given out before releases had tags. */
const beforeTags = '19854c3';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    advisories: { type: 'string', default: join(root, '.cache/advisories') },
    package: { type: 'string' },
    introduced: { type: 'string', default: '0' },
    fixed: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const git = (...words: readonly string[]): string =>
  execFileSync('git', words, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'ignore'] });

const billOf = (name: string, lockfile: string): ReleaseBill => ({
  name,
  components: billOfMaterials(JSON.parse(lockfile)).components,
});

const releases = (): readonly ReleaseBill[] => {
  const here = billOf('this tree', readFileSync(join(root, 'package-lock.json'), 'utf8'));
  try {
    const names = [beforeTags, ...git('tag', '--list', 'v*').split('\n').filter(Boolean)];
    return [...names.map((name) => billOf(name, git('show', `${name}:package-lock.json`))), here];
  } catch {
    say('cve: no history here, so only this tree is looked at');
    return [here];
  }
};

const told = (id: string): Advisory | null => {
  const { package: name, introduced, fixed } = values;
  if (name !== undefined) {
    const events = [{ introduced }, ...(fixed === undefined ? [] : [{ fixed }])];
    return { id, affected: [{ package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events }] }] };
  }
  const folder = values.advisories;
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.json')) : [];
  const all = files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Advisory);
  return all.find((advisory) => advisory.id === id || advisory.aliases?.includes(id) === true) ?? null;
};

const [id = ''] = positionals;
const advisory = id === '' ? null : told(id);
if (advisory === null) {
  say(
    `cve: nothing is known of "${id}": lay its OSV file in ${values.advisories}, or say --package NAME --fixed VERSION`,
  );
  process.exit(2);
}
const looked = releases();
const affected = affectedReleases(advisory, looked);
for (const { release, component, version } of affected) say(`${release}: ${component} ${version}`);
const figures = {
  id,
  releases: looked.map(({ name }) => name),
  affected: [...new Set(affected.map((each) => each.release))],
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit(affected.length === 0 ? 0 : 1);
