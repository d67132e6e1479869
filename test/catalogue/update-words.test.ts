import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { wordsOfStatus } from '../../src/catalogue/update-status.ts';
import { updateRefusalWords, updateStateWords, updateWaitWords } from '../../src/catalogue/update-words.ts';

const document = readFileSync(new URL('../../docs/updating.md', import.meta.url), 'utf8');
const [, table = ''] = document.split('|---|---|\n');
const told = table
  .slice(0, table.indexOf('\n\n'))
  .split('\n')
  .flatMap((row) => (row.split('|')[1] ?? '').trim().split('／'));
const texts = [updateStateWords, updateWaitWords, updateRefusalWords].flatMap((words) =>
  Object.values(words).map(({ ja }) => ja),
);

describe('what an update is about', () => {
  it('is explained by docs/updating.md in the words that are shown', () => {
    expect(told.length).toBeGreaterThan(8);
    expect(told.filter((text) => !texts.some((shown) => shown.startsWith(text.replace('…', ''))))).toEqual([]);
  });

  it('says how a technician has it tried once more as docs/updating.md does', () => {
    const [command] = /systemctl kill \S+ \S+/.exec(updateRefusalWords['failed-before'].en) ?? [];
    expect(document).toContain(`\`${command}\``);
  });

  it('tells of the last one with its day, by Japanese time', () => {
    const last = { version: '0.3.0', outcome: 'installed', at: Date.parse('2026-11-29T23:30:00Z') } as const;
    const lines = wordsOfStatus({ version: '0.3.0', slot: 'b', state: 'current', last }, 'en');
    expect(lines.at(-1)).toBe('2026-11-30 08:30 0.3.0: installed');
  });
});
