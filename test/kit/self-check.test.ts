import { describe, expect, test } from 'vitest';
import { kits } from '../../scripts/kit/kits.ts';
import { adapterRules } from '../../src/kit/adapter/adapter-rules.ts';
import { busRules } from '../../src/kit/bus/bus-rules.ts';
import { cardRules } from '../../src/kit/card/card-rules.ts';
import { printFindings } from '../../src/kit/finding.ts';
import { oqsRules } from '../../src/kit/oqs/oqs-rules.ts';

describe.each(kits)('the kit $kit', ({ defects, run }) => {
  test('says nothing of a sample as it should be', async () => {
    expect([...(await run(null)).rules]).toEqual([]);
  });

  // At once: a kit waits for what a program with a defect does not do.
  test.concurrent.each(defects)('finds $name', async ({ name, rule }) => {
    expect([...(await run(name)).rules]).toContain(rule);
  });
});

test.each([oqsRules, cardRules, adapterRules, busRules])('no two rules say the same', (rules) => {
  for (const language of ['ja', 'en'] as const)
    for (const part of ['wrong', 'right'] as const) {
      const said = Object.values(rules).map((words) => words[part][language]);
      expect(said.filter((text, at) => text === '' || said.indexOf(text) !== at)).toEqual([]);
    }
});

test('a report says what was wrong, where, what is right, once for many places', () => {
  const findings = [
    { rule: 'insurer-number', where: 'req/a.xml', seen: '6文字' },
    { rule: 'insurer-number', where: 'req/b.xml', seen: '6文字' },
  ] as const;
  const report = printFindings(findings, oqsRules, 'ja');
  expect(report.split(oqsRules['insurer-number'].wrong.ja).length).toBe(2);
  for (const part of ['2 件', 'req/a.xml', 'req/b.xml', oqsRules['insurer-number'].right.ja])
    expect(report).toContain(part);
  expect(printFindings([], oqsRules, 'ja')).toBe('問題は見つかりませんでした。\n');
  expect(printFindings([], cardRules, 'en')).toBe('Nothing wrong was found.\n');
});
