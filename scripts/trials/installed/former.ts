import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tags } from '../../beds/release-tree.ts';
import { buildFormer } from '../../package/former-packages.ts';
import { project } from '../../package/tree.ts';
import { installFormer, makeRoot, purgePackages, readTrial, type Step, say, trialInside } from './root.ts';

/*
 * From every release that was ever tagged to this one, and back: a Debian of its own each, which begins with that release.
 * Without a tag and without `--former` there is none to come from, and that is said.
 */

/** release → folder of its packages */
const foldersOf = (former: string | undefined): readonly (readonly [string, string])[] => {
  const folder = former ?? join(project, '.cache/former-packages');
  const releases = former === undefined ? buildFormer(folder, tags()) : readdirSync(former);
  if (releases.length === 0)
    say('no release is tagged yet (git tag v…): no update from one is tried; --former DIR takes packages of a commit');
  return releases.map((release) => [release, join(folder, release)]);
};

type Tried = { readonly releases: readonly string[]; readonly steps: readonly Step[]; readonly figures: object };

/** `former`: a folder with a folder of packages for each; else every tag, built when it is not. */
export const tryFormer = async (
  suite: string,
  debs: string,
  former: string | undefined,
  keep: boolean,
): Promise<Tried> => {
  const steps: Step[] = [];
  const figures: Record<string, object> = {};
  const folders = foldersOf(former);
  for (const [release, folder] of folders) {
    const root = makeRoot(suite);
    try {
      say(`${release}: installing it …`);
      await installFormer(root, folder, debs);
      say(`${release}: booting it …`);
      const told = trialInside(root, 'inside-former.ts', 1_200);
      steps.push(...told.steps);
      figures[release] = told.figures;
      if (told.steps.every(({ name }) => !name.includes('nothing has been left failed'))) {
        const detail = readTrial(root, 'inside.err').slice(-1_500);
        steps.push({ name: `${release}: the run inside came to its end`, ok: false, ms: 0, detail });
      }
      if (!keep) steps.push(purgePackages(root, `${release}: `));
    } finally {
      if (keep) say(`kept: ${root}`);
      else rmSync(root, { recursive: true, force: true });
    }
  }
  return { releases: folders.map(([release]) => release), steps, figures };
};
