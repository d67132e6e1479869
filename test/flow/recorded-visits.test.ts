import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { parseTape, replayTape } from '../../src/terminal/visit/visit-tape.ts';

const folder = new URL('recorded/', import.meta.url);

/** Kept by `uketsuke visit keep FILE NAME`. What was wrong then and is mended since is recorded anew. */
describe('visits recorded once go as they went', () => {
  test.each(readdirSync(folder).filter((name) => name.endsWith('.jsonl')))('%s', (name) => {
    const tape = parseTape(readFileSync(new URL(name, folder), 'utf8'));
    expect(tape.lines.length).toBeGreaterThan(5);
    expect(replayTape(tape, catalogueAt(tape.head.dayMs))).toMatchObject({
      differs: null,
      sameStates: true,
      sameScreens: true,
    });
  });
});
