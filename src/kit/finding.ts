/** What a kit says of a stranger's program: the rule, where it was broken, what was seen. No value of a person is in it. */
export type Finding<Rule extends string = string> = {
  readonly rule: Rule;
  /** A file, a message, an APDU by its number */
  readonly where: string;
  /** What was seen there */
  readonly seen: string;
};

/** What a rule asks, and why; in both languages. */
export type RuleWords = {
  readonly wrong: { readonly ja: string; readonly en: string };
  readonly right: { readonly ja: string; readonly en: string };
};

export const rule = (wrongJa: string, wrongEn: string, rightJa: string, rightEn: string): RuleWords => ({
  wrong: { ja: wrongJa, en: wrongEn },
  right: { ja: rightJa, en: rightEn },
});

type Language = 'ja' | 'en';
const heads = {
  ja: { where: '場所', seen: '見えたもの', right: '正しくは', well: '問題は見つかりませんでした。', count: '件の問題' },
  en: { where: 'where', seen: 'seen', right: 'right is', well: 'Nothing wrong was found.', count: 'findings' },
} as const;

/** For a person: what was wrong, where, what is right. The same rule at many places is told once, with its places. */
export const printFindings = <Rule extends string>(
  findings: readonly Finding<Rule>[],
  words: Readonly<Record<Rule, RuleWords>>,
  language: Language,
): string => {
  const head = heads[language];
  if (findings.length === 0) return `${head.well}\n`;
  const byRule = Map.groupBy(findings, ({ rule }) => rule);
  const told = [...byRule].map(([rule, places]) => {
    const { wrong, right } = words[rule];
    const lines = places
      .slice(0, 10)
      .map(({ where, seen }) => `   ${head.where}: ${where}\n   ${head.seen}: ${seen}\n`);
    const more = places.length > 10 ? `   … +${places.length - 10}\n` : '';
    return `✗ ${wrong[language]} [${rule}]\n${lines.join('')}${more}   ${head.right}: ${right[language]}\n`;
  });
  return `${findings.length} ${head.count}\n\n${told.join('\n')}`;
};
