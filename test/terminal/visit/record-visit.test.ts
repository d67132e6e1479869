import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { personaById } from '../../../drivers/virtual/personas.ts';
import { openVisitBed, type VisitBed } from '../../../scripts/beds/visit-bed.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { recordVisits } from '../../../src/terminal/visit/record-visit.ts';
import { formatTape, parseTape, replayTape, type Tape } from '../../../src/terminal/visit/visit-tape.ts';

const main = new URL('../../../src/main.ts', import.meta.url).pathname;
type Hanako = { readonly person: Readonly<Record<string, string>>; readonly serial: string };

let bed: VisitBed;
let folder: string;
beforeEach(async () => {
  bed = await openVisitBed();
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-tape-'));
});
afterEach(async () => {
  await bed.close();
  rmSync(folder, { recursive: true });
});

const recording = () => {
  const written: unknown[] = [];
  const strayed: number[] = [];
  const stop = recordVisits(
    bed.runner,
    catalogueAt,
    (line) => written.push(line),
    (atMs) => strayed.push(atMs),
  );
  return {
    strayed,
    text: () => {
      stop();
      return written.map((line) => `${JSON.stringify(line)}\n`).join('');
    },
  };
};
const replayed = (tape: Tape) => replayTape(tape, catalogueAt(tape.head.dayMs));
const uketsuke = (...args: string[]) => spawnSync(process.execPath, [main, 'visit', ...args], { encoding: 'utf8' });

/** A wrong PIN, the card pulled and put back, the right one, every question answered. */
const tellStory = async (): Promise<string> => {
  const tape = recording();
  await bed.insert('hanako');
  await bed.enterPin('1235');
  await bed.pass(1_000);
  bed.reader.pull();
  await bed.see('card-pulled');
  await bed.pass(2_000);
  await bed.insert('hanako');
  await bed.enterPin('1234');
  await bed.answerAll('agree');
  await bed.see('accepted');
  await bed.takeCard();
  expect(tape.strayed).toEqual([]);
  return tape.text();
};

test('a recorded visit replays to the same states and screens, and holds nothing of the person', async () => {
  const text = await tellStory();
  const tape = parseTape(text);
  expect(formatTape(tape)).toBe(text);
  expect(tape.lines.map(({ state }) => state.split(' ')[0])).toEqual(
    expect.arrayContaining(['readingCard', 'enteringPin', 'interrupted', 'askingConsent', 'sending', 'idle']),
  );
  expect(replayed(tape)).toEqual({ events: tape.lines.length, sameStates: true, sameScreens: true, differs: null });

  const { person, serial } = personaById('hanako') as unknown as Hanako;
  const personal = [...Object.values(person).filter((word) => word.length > 1), serial, '1234', '1235', 'さくら'];
  expect(personal.length).toBeGreaterThan(6);
  const ids = bed.visits().flatMap(({ requestId, session }) => [requestId, session]);
  expect([...personal, ...ids].filter((word) => text.includes(String(word)))).toEqual([]);
  expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-[1-9]/);
  expect(text).not.toMatch(/[A-Za-z0-9+/=_-]{60,}/);
});

test('a machine that does something else than then is told, with the line', async () => {
  const tape = parseTape(await tellStory());
  const index = tape.lines.findIndex(({ event }) => event.type === 'PinRefused');
  const lines = tape.lines.map((line, at) => (at === index ? { ...line, state: 'askingConsent 60000' } : line));
  expect(replayed({ ...tape, lines })).toMatchObject({
    sameStates: false,
    sameScreens: true,
    differs: { line: index + 2, was: 'askingConsent 60000' },
  });
});

test('replay, keep: by command; what is no tape is refused with its line', async () => {
  const file = join(folder, 'visit.jsonl');
  writeFileSync(file, await tellStory());
  const shown = uketsuke('replay', file, '--json');
  expect(shown.stderr).toBe('');
  expect(JSON.parse(shown.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
    sameStates: true,
    sameScreens: true,
  });
  expect(shown.status).toBe(0);

  const [head = '', ...rows] = readFileSync(file, 'utf8').split('\n');
  for (const [wrong, said] of [
    [head.replace('"visitTape":1', '"visitTape":2'), 'line 1'],
    [`${head}\n{"atMs":0}`, 'line 2'],
    [[head, rows[0]?.replace(/"type":"[A-Za-z]+"/, '"type":"Nonsense"')].join('\n'), 'line 2'],
    ['no tape', 'line 1'],
  ] as const) {
    writeFileSync(file, `${wrong}\n`);
    const refused = uketsuke('replay', file);
    expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining(said)]);
  }
});
