import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { concatBytes, fromAscii, fromHex, toHex, uint16 } from '../../../src/protocol/bytes.ts';
import { encodeCommand, encodeResponse, statusWords } from '../../../src/protocol/card/apdu.ts';
import {
  createTraceRedactor,
  diffTraces,
  formatTrace,
  isSameCommand,
  parseRawTrace,
  parseTrace,
  type TraceLine,
} from '../../../src/protocol/card/card-trace.ts';
import {
  applications,
  files,
  readBinary,
  selectApplication,
  selectFile,
  verify,
} from '../../../src/protocol/card/myna-card.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());
type Step = readonly [
  command: Parameters<typeof encodeCommand>[0],
  answer?: Uint8Array | undefined,
  statusWord?: number,
];

/** The last line of what is kept of these exchanges with one card. */
const lastOf = (...steps: readonly Step[]): TraceLine | null => {
  const redact = createTraceRedactor(sha256);
  const lines = steps.map(([command, answer, statusWord = 0x9000]) =>
    redact({ command: encodeCommand(command), response: encodeResponse(statusWord, answer) }),
  );
  return lines.at(-1) ?? null;
};
const select = (aid: Uint8Array): Step => [selectApplication(aid).apdu];
const file = (fid: number): Step => [selectFile(fid).apdu];
const content = fromAscii('SOMETHING OF A PERSON');
const read: Step = [readBinary(0, 32).apdu, content];
const hashed = { length: content.length, sha256: toHex(sha256(content)) };

describe('what is kept of an answer', () => {
  test.each([
    ['label of the token', applications.jpki, files.jpki.tokenInformation, true],
    ['issuer’s certificate', applications.jpki, files.jpki.authIssuerCertificate, true],
    ['CV certificate', applications.visual, files.visual.cvCertificate, true],
    ['certificate', applications.jpki, files.jpki.authCertificate, false],
    ['券面', applications.visual, files.visual.record, false],
    ['the file of the same number elsewhere', applications.visual, files.jpki.tokenInformation, false],
    ['the file of the same number elsewhere', applications.jpki, files.visual.cvCertificate, false],
  ])('%s: whole where it is the same on every card, else its hash', (_what, aid, fid, isShared) => {
    expect(lastOf(select(aid), file(fid), read)?.response).toEqual(isShared ? toHex(content) : hashed);
  });

  test('nothing selected, or names and numbers: its length alone, for what is short is found by trying', () => {
    const length = { length: content.length };
    expect(lastOf(read)?.response).toEqual(length);
    expect(lastOf(file(files.jpki.tokenInformation), read)?.response).toEqual(length);
    expect(lastOf(select(applications.text), file(files.text.attributes), read)?.response).toEqual(length);
    expect(lastOf(select(applications.jpki), read)?.response).toEqual(hashed);
  });

  test('a PIN: its length alone, whatever is selected; nothing at all is nothing', () => {
    const line = lastOf(select(applications.jpki), file(files.jpki.authPin), [verify(fromAscii('1234')).apdu]);
    expect(line).toMatchObject({ header: '00200080', body: { length: 4 }, response: '', statusWord: '9000' });
    expect(line?.body).not.toHaveProperty('sha256');
    expect(line).not.toHaveProperty('le');
  });

  test('another application has no file selected; a selection that failed changes nothing', () => {
    const token = files.jpki.tokenInformation;
    const jpki = select(applications.jpki);
    const failed = (step: Step): Step => [step[0], undefined, statusWords.fileNotFound];
    expect(lastOf(jpki, file(token), select(applications.jpki), read)?.response).toEqual(hashed);
    expect(lastOf(jpki, file(token), failed(file(files.jpki.authCertificate)), read)?.response).toBe(toHex(content));
    expect(lastOf(jpki, file(token), failed(select(applications.text)), read)?.response).toBe(toHex(content));
    expect(lastOf(jpki, file(token), file(files.jpki.authCertificate), read)?.response).toEqual(hashed);
    const withByte: Step = [{ ...selectFile(token).apdu, body: concatBytes(uint16(token), Uint8Array.of(0)) }];
    expect(lastOf(jpki, file(token), withByte, read)?.response).toEqual(hashed);
    const path: Step = [{ cla: 0, ins: 0xa4, p1: 0x08, p2: 0, body: fromHex('000006') }];
    expect(lastOf(jpki, file(token), path, read)?.response).toEqual(hashed);
  });

  test('what a command selects is known after its bytes have been overwritten; one that names nothing selects nothing', () => {
    const redact = createTraceRedactor(sha256);
    const exchange = ([command, answer]: Step): TraceLine | null => {
      const bytes = encodeCommand(command);
      const line = redact({ command: bytes, response: encodeResponse(0x9000, answer) });
      bytes.fill(0);
      return line;
    };
    exchange(select(applications.jpki));
    exchange(file(files.jpki.tokenInformation));
    expect(exchange([{ cla: 0, ins: 0xa4, p1: 0x04, p2: 0, le: 256 }])).not.toHaveProperty('body');
    expect(exchange(read)?.response).toBe(toHex(content));
  });

  test('a shared file is kept as it is read alone: what a command that is no READ BINARY says of it is not', () => {
    const other: Step = [{ cla: 0, ins: 0xca, p1: 0, p2: 0, le: 32 }, content];
    const shared = [select(applications.jpki), file(files.jpki.tokenInformation)];
    expect(lastOf(...shared, other)?.response).toEqual(hashed);
    expect(lastOf(...shared, [{ cla: 0x80, ins: 0x2a, p1: 0, p2: 0, body: content, le: 256 }])?.body).toEqual(hashed);
  });

  test('selections whole, with what they answered; the header and what was wanted always', () => {
    const answer = fromHex('6F00');
    expect(lastOf([{ ...selectApplication(applications.text).apdu, le: 256 }, answer])).toEqual({
      header: '00A4040C',
      body: toHex(applications.text),
      le: 256,
      response: '6F00',
      statusWord: '9000',
    });
    expect(lastOf([readBinary(0x102, 7).apdu, undefined, 0x6a82])).toEqual({
      header: '00B00102',
      le: 7,
      response: '',
      statusWord: '6A82',
    });
  });

  test('no APDU, or an answer without a status word: nothing', () => {
    const redact = createTraceRedactor(sha256);
    const whole = encodeCommand(readBinary(0, 1).apdu);
    expect(redact({ command: whole.subarray(0, 3), response: fromHex('9000') })).toBeNull();
    for (const response of ['', '90']) expect(redact({ command: whole, response: fromHex(response) })).toBeNull();
    expect(redact({ command: whole, response: fromHex('9000') })).not.toBeNull();
  });
});

const line: TraceLine = { header: '00B00000', le: 32, response: 'AABB', statusWord: '9000' };
const short = { length: 2 };

test('two commands are the same as far as a trace tells', () => {
  const same = (a: Partial<TraceLine>, b: Partial<TraceLine>): boolean =>
    isSameCommand({ ...line, ...a }, { ...line, ...b });
  expect(same({}, {})).toBe(true);
  expect(same({ body: 'AABB' }, { body: 'AABB' })).toBe(true);
  expect(same({ body: short }, { body: { length: 2, sha256: 'AA' } })).toBe(true);
  expect(same({ body: 'AABB' }, { body: short })).toBe(true);
  expect(same({ body: short }, { body: 'AABB' })).toBe(true);
  expect(same({}, { header: '00B00001' })).toBe(false);
  expect(same({}, { le: 31 })).toBe(false);
  expect(same({ body: 'AABB' }, { body: 'AABC' })).toBe(false);
  expect(same({ body: short }, { body: { length: 3 } })).toBe(false);
  expect(same({ body: 'AA' }, { body: short })).toBe(false);
  expect(same({}, { body: { length: 0 } })).toBe(false);
  expect(same({ body: 'AABB' }, {})).toBe(false);
});

test('traces differ line by line, each difference by its name', () => {
  const other: TraceLine = { ...line, header: '00B00100' };
  const of = (a: readonly Partial<TraceLine>[], b: readonly Partial<TraceLine>[]) =>
    diffTraces(
      a.map((each) => ({ ...line, ...each })),
      b.map((each) => ({ ...line, ...each })),
    );
  expect(of([{}, other], [{}, other])).toEqual([]);
  expect(of([{}, {}], [{}])).toEqual([{ line: 2, what: 'missing' }]);
  expect(of([], [{}])).toEqual([{ line: 1, what: 'added' }]);
  expect(of([{}, {}], [{}, other])).toEqual([{ line: 2, what: 'command' }]);
  expect(of([{}], [{ statusWord: '6A82', response: '' }])).toEqual([{ line: 1, what: 'status word' }]);
  for (const response of ['AABC', '', short]) expect(of([{}], [{ response }])).toEqual([{ line: 1, what: 'answer' }]);
  expect(of([{ response: short }], [{ response: { length: 2 } }])).toEqual([]);
  // As long as a text of its length: what was kept whole is still no hash.
  expect(of([{ response: { length: 4 } }], [{ response: 'AABB' }])).toEqual([{ line: 1, what: 'answer' }]);
  expect(of([{ response: 'AABB' }], [{ response: { length: 4 } }])).toEqual([{ line: 1, what: 'answer' }]);
  for (const response of [{ length: 3 }, { length: 2, sha256: 'AA' }, 'AABB'])
    expect(of([{ response: short }], [{ response }])).toEqual([{ line: 1, what: 'answer' }]);
});

test('a file of a trace has these fields and no other, each in its bounds; blank lines are none', () => {
  const reads = (more: object): boolean => {
    try {
      return parseTrace(JSON.stringify({ ...line, ...more })).length === 1;
    } catch {
      return false;
    }
  };
  for (const good of [
    {},
    { le: 1 },
    { le: 256 },
    { body: '' },
    { body: { length: 0 } },
    { body: { length: 256, sha256: 'AA' } },
  ])
    expect(reads(good), JSON.stringify(good)).toBe(true);
  for (const wrong of [
    ...[{ planted: 1 }, { header: '00B000' }, { header: '00B0000000' }, { header: '00b00000' }, { header: ' 0B00000' }],
    ...[{ le: 0 }, { le: 257 }, { le: 1.5 }, { statusWord: '90' }, { statusWord: '900000' }, { statusWord: 'xx00' }],
    ...[{ body: 'A' }, { body: 'AAx' }, { body: 'xAA' }, { body: { length: -1 } }, { body: { length: 257 } }],
    ...[
      { body: { length: 1, sha256: 'A' } },
      { body: { length: 1, planted: 1 } },
      { response: undefined },
      { body: {} },
    ],
  ])
    expect(reads(wrong), JSON.stringify(wrong)).toBe(false);
  expect(parseTrace(`\n  \n${formatTrace([line, line])}\n`)).toEqual([line, line]);
  const raw = '{"command":"00B0000001","response":"AA9000"}';
  expect(parseRawTrace(`\n ${raw}\n \t\n${raw}\n`).map(({ response }) => toHex(concatBytes(response)))).toEqual([
    'AA9000',
    'AA9000',
  ]);
});

test.each(['0', '0G', 'GG', '00 0', 'x00', '00x', '0x00'])('a raw trace with %j is refused by its line', (wrong) => {
  const raw = '{"command":"00b0 000001","response":"AA 90 00"}';
  expect(parseRawTrace(raw).map(({ command, response }) => [toHex(command), toHex(response)])).toEqual([
    ['00B0000001', 'AA9000'],
  ]);
  for (const field of ['command', 'response'])
    expect(() => parseRawTrace(`${raw}\n${JSON.stringify({ ...JSON.parse(raw), [field]: wrong })}`)).toThrow(
      new Error(`line 2: ${field}: not hexadecimal`),
    );
});
