import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { personas } from '../../drivers/virtual/personas.ts';
import { textEncodings as encodings } from '../../scripts/beds/canary-search.ts';
import { openVisitBed } from '../../scripts/beds/visit-bed.ts';
import { faultNames } from '../../src/catalogue/faults.ts';
import { logEvents } from '../../src/log/log-events.ts';
import { makeSupportBundle } from '../../src/log/support-bundle.ts';

/** A support bundle goes to people who have no business with any patient: nothing of one may be in it, however written. */
const { person, serial, securityCode } = personas.get('hanako') ?? { person: { name: '', address: '', birthDate: '' } };
const canaries = [
  ...[person.name, person.address, person.birthDate, `${serial}`, '123456789012', '06139999', 'カナリヤ花子'],
  ...['yamada.canary@example.net', 'Canary-Hanako', `${person.birthDate}-${securityCode}`],
];

const foundIn = (bytes: Buffer): string[] => {
  const looked = [bytes, Buffer.from(bytes.toString('utf8').normalize('NFKC'))];
  return canaries.flatMap((canary) =>
    Object.entries(encodings).flatMap(([name, encode]) =>
      encode(canary).some((word) => word.length >= 6 && looked.some((text) => text.includes(word)))
        ? [`${canary} in ${name}`]
        : [],
    ),
  );
};

const line = (event: string, more: object): string =>
  JSON.stringify({ level: 'info', time: '2026-11-29T03:00:00.000Z', event, ...more });
/** One canary in one encoding, in every place where a careless program or person could have put it. */
const planted = (word: string) => ({
  about: { version: word, device: 'front-1', [word]: 1, state: word, nested: { status: { text: word } } },
  diagnoses: [
    { check: word, state: word, fault: word, detail: word, cause: word, remedy: word, where: { path: word } },
  ],
  figures: { up_seconds: 1, [word]: 2, text: word },
  configuration: {
    profile: 'release',
    cardReader: { name: word, driver: 'pcsc', serviceRestart: [word] },
    camera: { driver: word, profile: word, level: word, model: word },
    broker: { host: word },
    [word]: { driver: 'x' },
    list: [word, { name: word }],
  },
  log: [
    word,
    `Error: ENOENT: no such file, open '${word}'`,
    line(word, {}),
    line('part.lost', { part: 'screen', code: 'screen.no-page', detail: word, [word]: 1 }),
    line('part.lost', { part: word, code: word }),
    line('session.ended', { session: word, method: 'face', outcome: 'accepted', ms: 5 }),
    line('agent.request-file', { file: `OQSsiquc01req_${word}.xml`, code: 'files.request-unreadable' }),
    line('agent.elements-passed-over', { elements: word }),
    line('message.key-unknown', { key: word, leaf: 'state' }),
    line('message.refused', { leaf: 'state', code: 'message.malformed', field: `a.${word}`, device: word }),
    JSON.stringify({ level: word, time: word, event: 'part.found', part: 'screen' }),
    line('process.error', { error: `${word}Error`, errorCode: word, place: word, message: word }),
  ],
});
const faults = new Set<string>(faultNames);
const opened = (bytes: Uint8Array): Buffer => gunzipSync(bytes);

test('the search finds every canary in each encoding where nothing is kept out', () => {
  expect(Object.keys(encodings).length).toBeGreaterThanOrEqual(12);
  for (const [name, encode] of Object.entries(encodings))
    for (const canary of canaries)
      for (const word of encode(canary))
        if (word.length >= 6)
          expect(
            foundIn(Buffer.concat([Buffer.from('{"x":"'), Buffer.from(word), Buffer.from('"}')])).join(),
            name,
          ).not.toBe('');
});

test.each(Object.keys(encodings))('no canary gets in, whatever place it was put into: %s', (name) => {
  for (const canary of canaries)
    for (const encoded of encodings[name]?.(canary) ?? []) {
      const word = typeof encoded === 'string' ? encoded : encoded.toString('latin1');
      const bytes = makeSupportBundle({ ...planted(word), faults });
      expect([...foundIn(Buffer.from(bytes)), ...foundIn(opened(bytes))]).toEqual([]);
      const text = opened(bytes).toString('utf8');
      expect(text.includes(word)).toBe(false);
      // What it is for is in it all the same.
      expect(JSON.parse(text)).toMatchObject({
        about: { device: 'front-1' },
        configuration: { cardReader: { driver: 'pcsc' } },
      });
    }
});

test('numbers of a person are no settings', () => {
  const bytes = makeSupportBundle({
    ...planted('x'),
    faults,
    configuration: { port: 8883, born: 19_800_217, myNumber: 123_456_789_012, tel: 9_012_345_678 },
  });
  expect(JSON.parse(opened(bytes).toString('utf8')).configuration).toEqual({ port: 8883 });
});

test('after a real visit with a real card: whole, useful, and nothing of its owner', async () => {
  const bed = await openVisitBed();
  await bed.insert('hanako');
  await bed.enterPin('1234');
  await bed.answerAll('agree');
  await bed.see('accepted');
  await bed.takeCard();
  const bytes = makeSupportBundle({
    about: { version: '0.1.0', device: 'front-1' },
    diagnoses: [],
    faults,
    figures: {},
    configuration: {},
    log: bed.logLines,
  });
  await bed.close();
  const bundle = JSON.parse(opened(bytes).toString('utf8')) as { linesLeftOut: number; log: { event: string }[] };
  expect(bundle.linesLeftOut).toBe(0);
  expect(bundle.log.map(({ event }) => event)).toEqual(expect.arrayContaining(['session.ended', 'outbox.receipted']));
  expect(bundle.log.every(({ event }) => event in logEvents)).toBe(true);
  expect(foundIn(opened(bytes))).toEqual([]);
});

test('of a long log the newest lines are kept, and the whole fits into one message', () => {
  const log = Array.from({ length: 60_000 }, (_, index) =>
    line('outbox.stored', { request: crypto.randomUUID(), waiting: index }),
  );
  const bytes = makeSupportBundle({ ...planted('x'), faults, log });
  expect(bytes.length).toBeLessThanOrEqual(44_000);
  const bundle = JSON.parse(opened(bytes).toString('utf8')) as { log: { waiting: number }[] };
  expect(bundle.log.at(-1)?.waiting).toBe(59_999);
  expect(bundle.log.length).toBeGreaterThan(100);
});
