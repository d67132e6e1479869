/** The demands of norms and guidelines, numbered and in our words, each with the test that shows it (sets/*.json). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { faultOf } from '../official/official-rows.ts';

type Demand = {
  /** The source's own number, or ours where it is not to be had */
  readonly n: string;
  /** Our words; the source's are not copied. */
  readonly demand: string;
  /** A test file, and words of its title; '' = all of it */
  readonly test?: string;
  readonly words?: string;
  /** Why nothing shows it */
  readonly gap?: string;
  /** Its wording could not be read. */
  readonly unread?: true;
};
type DemandSet = {
  readonly id: string;
  readonly title: string;
  readonly edition: string;
  /** What was read, and when */
  readonly source: string;
  readonly rows: readonly Demand[];
};

/** What became of a row's test when it ran last: `passed`, or what else; at which commit and day. By `set n`. */
export type LastRuns = Readonly<
  Record<string, { readonly became: string; readonly commit: string; readonly day: string }>
>;

const folder = join(import.meta.dirname, 'sets');
export const demandSets = (): readonly DemandSet[] =>
  readdirSync(folder)
    .toSorted()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as DemandSet);

export const keyOf = (set: DemandSet, { n }: Demand): string => `${set.id} ${n}`;
export const shownOf = ({ test, words = '', gap }: Demand) =>
  test === undefined ? (gap === undefined ? null : { gap }) : { file: test, words };

/** null: green. A row without a green test is red, whatever the reason. */
export const whyRed = (set: DemandSet, demand: Demand, lastRuns: LastRuns): string | null => {
  if (demand.test === undefined) return demand.gap ?? 'no test';
  const last = lastRuns[keyOf(set, demand)];
  const became = last === undefined ? 'its test has not run' : last.became === 'passed' ? null : last.became;
  return faultOf({ shown: shownOf(demand) }) ?? became;
};

export const countsOf = (sets: readonly DemandSet[], lastRuns: LastRuns) => {
  const all = sets.flatMap((set) => set.rows.map((demand) => ({ demand, why: whyRed(set, demand, lastRuns) })));
  return {
    sets: sets.length,
    rows: all.length,
    green: all.filter(({ why }) => why === null).length,
    red: all.filter(({ why }) => why !== null).length,
    notReadable: all.filter(({ demand }) => demand.unread === true).length,
  };
};

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** docs/evidence.md */
export const evidencePage = (sets: readonly DemandSet[], lastRuns: LastRuns): string => {
  const { rows, green, red, notReadable } = countsOf(sets, lastRuns);
  const parts = sets.map((set) => {
    const lines = set.rows.map((demand) => {
      const why = whyRed(set, demand, lastRuns);
      const by = demand.test === undefined ? '–' : `\`${demand.test}\`${demand.words ? `: ${cell(demand.words)}` : ''}`;
      const mark = demand.unread === true ? ' (wording not read)' : '';
      const last = lastRuns[keyOf(set, demand)];
      const when = last === undefined ? '' : `, ${last.day}, ${last.commit}`;
      const result = why === null ? `green${when}` : `**red**: ${cell(why)}`;
      return `| ${demand.n} | ${cell(demand.demand)}${mark} | ${by} | ${result} |`;
    });
    const head = `## ${set.title}\n\n${set.edition}. Source: ${set.source}.`;
    return `${head}\n\n| no. | demand, in our words | test | last result, day, commit |\n|---|---|---|---|\n${lines.join('\n')}\n`;
  });
  return `# Evidence

Made by \`npm run evidence\` from \`scripts/evidence/sets/\`; do not edit. Demands of norms and guidelines, in our own words, each
with the test that shows it. A row without a test that passed is red. This is no certificate, and nobody but us has looked.

${rows} rows: ${green} green, ${red} red; of ${notReadable} the source's wording could not be read.

${parts.join('\n')}`;
};
