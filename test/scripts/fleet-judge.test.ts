import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PlayedVisit } from '../../scripts/trials/fleet/fleet-messages.ts';
import { answeredAfter, judge, takeFiles } from '../../scripts/trials/fleet/judge-fleet.ts';
import { servicePersons } from '../../scripts/trials/fleet/service-persons.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-fleet-judge-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const [person, another] = servicePersons();
const visit: PlayedVisit = {
  ...{ requestId: 'r1', device: 'front-1', serial: person?.serial ?? '', begunMs: 0, submittedMs: 1, receiptMs: 2 },
  ...{ verdict: 'accepted', receipts: 1, outcome: 'eligible', results: 1 },
};
const row = { device: 'front-1', verdict: 'accepted', outcome: 'eligible', file: 'a.xml', ended: true, handedOver: 1 };
const whole = {
  visit,
  row: row as typeof row | undefined,
  counted: 1,
  taken: { 'a.xml': 1 } as Record<string, number>,
  number: person?.number ?? '',
};

const found = (more: Partial<typeof whole>) => {
  const { visit: played, row: kept, counted, taken, number } = { ...whole, ...more };
  for (const name of Object.keys(taken))
    writeFileSync(
      join(folder, name),
      `<?xml version="1.0"?><InsuredIdentificationNumber>${number}</InsuredIdentificationNumber>`,
    );
  const rows = new Map(kept === undefined ? [] : [['r1', kept]]);
  return judge([played], rows, counted, { taken: new Map(Object.entries(taken)), folder });
};

const none = { lost: 0, twice: 0, mixed: 0, filesTwice: 0 };
test('a visit that is as it should be', () => {
  expect(found({})).toEqual(none);
});

test.each<[string, Partial<typeof whole>, Partial<typeof none>]>([
  ['no receipt', { visit: { ...visit, verdict: undefined } as unknown as PlayedVisit }, { lost: 1 }],
  ['not in the journal', { row: undefined, counted: 0, taken: {} }, { lost: 1 }],
  ['accepted, and left there', { row: { ...row, ended: false } }, { lost: 1 }],
  ['a file that nobody ever saw', { taken: {} }, { lost: 1 }],
  ['two receipts', { visit: { ...visit, receipts: 2 } }, { twice: 1 }],
  ['handed over twice', { row: { ...row, handedOver: 2 } }, { twice: 1 }],
  ['counted twice', { counted: 2 }, { twice: 1 }],
  ["another terminal's", { row: { ...row, device: 'front-2' } }, { mixed: 1 }],
  ['another outcome than was told', { row: { ...row, outcome: 'not-eligible' } }, { mixed: 1 }],
  ["another person's file", { number: another?.number ?? '' }, { mixed: 1 }],
  ['its file twice', { taken: { 'a.xml': 2 } }, { filesTwice: 1 }],
  ['a file of no request', { taken: { 'a.xml': 1, 'b.xml': 1 } }, { filesTwice: 1 }],
])('the judge of the fleet finds: %s', (_what, more, finds) => {
  expect(found(more)).toEqual({ ...none, ...finds });
});

test('a file that comes again under its name is seen twice', () => {
  const [oqs, into] = [join(folder, 'oqs'), join(folder, 'taken')];
  for (const made of [join(oqs, 'face'), into]) mkdirSync(made, { recursive: true });
  const files = takeFiles(oqs, into);
  for (let times = 0; times < 2; times += 1) {
    writeFileSync(join(oqs, 'face', 'a.xml'), '');
    files.take();
  }
  files.end();
  expect([...files.taken]).toEqual([['a.xml', 2]]);
});

test('what was open when an agent died is waited for until its result, and so is what was sent before anybody noticed', () => {
  const sent = (submittedMs: number, resultMs: number | undefined, verdict = 'accepted'): PlayedVisit => {
    const { receiptMs, ...rest } = visit;
    return { ...rest, submittedMs, verdict, ...(resultMs !== undefined && { resultMs }) };
  };
  const [over, open, after, later, refused] = [
    sent(8_000, 9_990),
    sent(9_500, 12_600),
    sent(11_000, 11_020),
    sent(13_000, 90_000),
    sent(9_900, undefined, 'refused'),
  ];
  expect(answeredAfter([over, open, after, later, refused], 10_000)).toEqual({ open: 2, lastMs: 2_600 });
  expect(answeredAfter([over, later], 10_000)).toEqual({ open: 0, lastMs: 0 });
  expect(answeredAfter([sent(9_500, undefined)], 10_000).lastMs).toBe(Number.POSITIVE_INFINITY);
});
