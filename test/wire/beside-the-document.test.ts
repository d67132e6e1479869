import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import {
  bundleRequestSchema,
  bundleTopic,
  decodePiece,
  encodePiece,
  pieceBytes,
} from '../../src/wire/bundle-messages.ts';
import {
  certificateAnswerSchema,
  certificateRequestSchema,
  certificateTopic,
} from '../../src/wire/certificate-messages.ts';
import { figuresSchema, terminalFigures } from '../../src/wire/figures.ts';
import { staffApprovalSchema, testApprover } from '../../src/wire/messages.ts';
import { preCheckInFormSchema, preCheckInSchema, preCheckInType } from '../../src/wire/pre-check-in-messages.ts';
import { markedAsTest } from '../../src/wire/profile.ts';
import { prometheusText, prometheusType } from '../../src/wire/prometheus-text.ts';
import { topicLeaves } from '../../src/wire/topics.ts';
import { takeKnown } from '../../src/wire/translate.ts';
import { bothSpeak, newestWire, releaseOf, sayWire, wireOf } from '../../src/wire/versions.ts';
import { type BoundsCase, describeBounds, ids, instants, names, uuid } from './field-bounds.ts';

/* What goes over the broker, or lies in a message, and does not stand in docs/asyncapi.yaml. */

const certificate = '-----BEGIN CERTIFICATE-----\nMIIB+/a0=\nAA==\n-----END CERTIFICATE-----\n';
const signingRequests = {
  taken: ['A', 'MII+/0==', 'a'.repeat(2_000)],
  refused: ['', ' A', 'A ', 'A\n', '-', '_', 'a'.repeat(2_001)],
};
const noCertificates = [
  certificate.replace('-----BEGIN', 'x-----BEGIN'),
  `${certificate}x`,
  certificate.replaceAll('CERTIFICATE', 'PRIVATE KEY'),
  certificate.replace('MII', 'M-I'),
  certificate.replace('MIIB+/a0=\nAA==', ''),
  certificate.replace('MII', 'A'.repeat(4_000)),
  7,
];
const chains = (least: number, most: number) => ({
  taken: [Array(least).fill(certificate), Array(most).fill(certificate), Array(least).fill(`${certificate}\n\n`)],
  refused: [
    Array(least - 1).fill(certificate),
    Array(most + 1).fill(certificate),
    ...noCertificates.map((pem) => [...Array(least - 1).fill(certificate), pem]),
  ],
});
const consent = {
  ...{ code: 'TKK', given: true, at: 1, catalogueVersion: '2024-10-07', textHash: 'h'.repeat(43), language: 'ja' },
};

const cases: readonly BoundsCase[] = [
  [
    'a request for a piece of a release',
    bundleRequestSchema,
    { compatible: 'rpi', id: null, offset: 0, agent: null },
    {
      compatible: {
        taken: ['a', '0-x', `a${'b'.repeat(60)}`],
        refused: ['', '-a', 'A', ' a', 'a b', 'a\n', `a${'b'.repeat(61)}`],
      },
      id: {
        taken: [null, '0'.repeat(64), 'f'.repeat(64)],
        refused: ['', '0'.repeat(63), '0'.repeat(65), 'F'.repeat(64), 'g'.repeat(64), `${'0'.repeat(64)}\n`],
      },
      offset: { taken: [0, 2 ** 31], refused: [-1, 0.5, 2 ** 31 + 1, '0'] },
      agent: { taken: [null, ...names.taken], refused: names.refused },
    },
  ],
  [
    'a request for a certificate',
    certificateRequestSchema,
    { facility: 'clinic', device: 'front-1', requestId: uuid, chain: [certificate], signingRequest: 'MII' },
    { facility: names, device: names, requestId: ids, chain: chains(1, 3), signingRequest: signingRequests },
  ],
  [
    'a certificate for a device',
    certificateAnswerSchema,
    { facility: 'clinic', device: 'front-1', requestId: uuid, chain: [certificate, certificate] },
    { facility: names, device: names, requestId: ids, chain: chains(2, 3) },
  ],
  [
    'a pre-check-in',
    preCheckInSchema,
    {
      ...{ preCheckIn: 1, id: uuid, medicalInstitutionCode: '1312345678', day: '20260701' },
      ...{ issuedAt: 1, expiresAt: 2, consents: [consent] },
    },
    {
      preCheckIn: { taken: [1], refused: [0, 2, '1'] },
      id: ids,
      medicalInstitutionCode: {
        taken: ['0000000000'],
        refused: ['131234567', '13123456789', '131234567x', ' 1312345678', '1312345678\n'],
      },
      day: { taken: ['20260701'], refused: ['2026070', '202607011', '2026070x', '20260701\n', 'x20260701'] },
      issuedAt: instants,
      expiresAt: instants,
      consents: {
        taken: [Array(8).fill(consent)],
        refused: [[], Array(9).fill(consent), [{ ...consent, given: 'yes' }], [{ ...consent, planted: 1 }]],
      },
    },
  ],
  [
    'an approval by staff',
    staffApprovalSchema,
    { facility: 'clinic', device: 'front-1', session: uuid, approver: 'Sato-1', approvedAt: 1, expiresAt: 2 },
    {
      facility: names,
      device: names,
      session: ids,
      approver: {
        taken: ['a', 'Z', '0', 'a-b', `A${'b'.repeat(19)}`],
        refused: ['', '-a', ' a', 'a b', 'a\n', 'é', `A${'b'.repeat(20)}`],
      },
      approvedAt: instants,
      expiresAt: instants,
    },
  ],
];

describeBounds(cases);

test('a pre-check-in of a form that is not known yet is told from what is none', () => {
  for (const form of [1, 2, 999])
    expect(preCheckInFormSchema.safeParse({ preCheckIn: form, later: 'things' }).success, `${form}`).toBe(true);
  for (const form of [0, 1_000, 1.5, '1', undefined])
    expect(preCheckInFormSchema.safeParse({ preCheckIn: form }).success, `${form}`).toBe(false);
});

test('every figure of a terminal is a number in bounds, or left out', () => {
  expect(figuresSchema.parse({})).toEqual({});
  expect(figuresSchema.safeParse({ planted: 1 }).success).toBe(false);
  for (const name of Object.keys(terminalFigures)) {
    for (const figure of [-1e15, -0.5, 1e15]) expect(figuresSchema.safeParse({ [name]: figure }).success).toBe(true);
    for (const figure of [-1.1e15, 1.1e15, Number.NaN, '1', null])
      expect(figuresSchema.safeParse({ [name]: figure }).success, `${name} ${figure}`).toBe(false);
  }
});

test('on the broker, certificates and pieces go by topics of their own', () => {
  const all = [
    ...(['request', 'answer'] as const).map((leaf) => certificateTopic('clinic', 'front-1', leaf)),
    ...(['request', 'answer'] as const).map((leaf) => bundleTopic('clinic', 'front-1', leaf)),
  ];
  // Devices of other releases publish and subscribe to these.
  expect(all.map((topic) => topic.replace('uketsuke/v1/clinic/front-1/', ''))).toEqual([
    'certificate-request',
    'certificate',
    'bundle-request',
    'bundle-piece',
  ]);
});

describe('a piece of a release', () => {
  const head = { agent: 'agent-1', id: 'ab'.repeat(32), bytes: 70_000, offset: 65_536 };
  const textOf = (text: string): Uint8Array => new TextEncoder().encode(text);

  test('comes out as it went in, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(2 ** 31), (bytes, offset) => {
        const piece = decodePiece(encodePiece({ ...head, offset }, bytes));
        expect(piece).toEqual({ head: { ...head, offset }, bytes });
      }),
      { numRuns: 50 },
    );
    expect(decodePiece(encodePiece(head, new Uint8Array(pieceBytes)))?.bytes).toHaveLength(pieceBytes);
    expect(decodePiece(encodePiece({ ...head, bytes: 0, offset: 0 }, new Uint8Array()))?.bytes).toHaveLength(0);
  });

  test('is none without its line, with another line, or longer than a piece may be', () => {
    const line = `${JSON.stringify(head)}\n`;
    const [atMost, over] = [pieceBytes + 300 - line.length, pieceBytes + 301 - line.length];
    expect(decodePiece(encodePiece(head, new Uint8Array(atMost)))).not.toBeNull();
    for (const no of [
      '',
      line.trimEnd(),
      'no JSON\n',
      '{}\n',
      `\n${line}`,
      `${JSON.stringify({ ...head, planted: 1 })}\n`,
      `${JSON.stringify({ ...head, offset: -1 })}\n`,
      `${JSON.stringify({ ...head, offset: 2 ** 31 + 1 })}\n`,
      `${JSON.stringify({ ...head, bytes: -1 })}\n`,
      `${JSON.stringify({ ...head, bytes: 2 ** 31 + 1 })}\n`,
      `${JSON.stringify({ ...head, id: 'short' })}\n`,
      `${JSON.stringify({ ...head, agent: '' })}\n`,
      `${' '.repeat(300 - line.length + 1)}${line}`,
      line + 'x'.repeat(over),
    ])
      expect(decodePiece(textOf(no)), no.slice(0, 400)).toBeNull();
    expect(decodePiece(textOf(`${' '.repeat(300 - line.length)}${line}`))).toEqual({ head, bytes: new Uint8Array() });
  });

  test('names the longest agent there may be', () => {
    const longest = { ...head, agent: 'a'.repeat(63), bytes: 2 ** 31, offset: 2 ** 31 };
    expect(decodePiece(encodePiece(longest, Uint8Array.of(1)))).toEqual({ head: longest, bytes: Uint8Array.of(1) });
  });
});

test('Prometheus reads a family back: its kind, its labels with whatever signs, one sample a line; none without samples', () => {
  const help = 'first\\second\nthird "quoted"';
  const text = prometheusText([
    { name: 'none', help, type: 'gauge', samples: [] },
    { name: 'one', help, type: 'counter', samples: [{ value: 1.5 }] },
    {
      ...{ name: 'two', help: 'h', type: 'gauge' },
      samples: [
        { labels: {}, value: 1 },
        { labels: { device: 'a"b\\c\nd"', lane: '1' }, value: -2 },
      ],
    },
  ]);
  expect(text.split('\n')).toEqual([
    '# HELP one first\\\\second\\nthird "quoted"',
    '# TYPE one counter',
    'one 1.5',
    '# HELP two h',
    '# TYPE two gauge',
    'two 1',
    'two{device="a\\"b\\\\c\\nd\\"",lane="1"} -2',
    '',
  ]);
  expect(prometheusText([])).toBe('');
  // By which Prometheus tells the format.
  expect(prometheusType).toMatch(/^text\/plain; *version=0\.0\.4\b/);
});

test('a figure that only rises is named as Prometheus names such, and any other is not', () => {
  for (const [name, { type, help }] of Object.entries(terminalFigures)) {
    expect(type, name).toBe(name.endsWith('_total') ? 'counter' : 'gauge');
    expect(help, name).toMatch(/\S+ \S+/);
  }
});

test('what a patient signs beforehand is taken for no message of a terminal', () => {
  expect(preCheckInType).toMatch(/^uketsuke-[a-z]/);
  expect(topicLeaves.map((leaf) => `uketsuke-${leaf}`)).not.toContain(preCheckInType);
});

test('who approves a test is an approver, and none of the staff, whose ids are lower case', () => {
  const approval = { facility: 'clinic', device: 'front-1', session: uuid, approvedAt: 1, expiresAt: 2 };
  expect(staffApprovalSchema.safeParse({ ...approval, approver: testApprover }).success).toBe(true);
  expect(testApprover).not.toBe(testApprover.toLowerCase());
});

test('a facility of a test chain says so, once', () => {
  const marked = markedAsTest('みなと医院');
  expect(marked).not.toBe('みなと医院');
  expect(marked.endsWith('みなと医院')).toBe(true);
  expect(markedAsTest(marked)).toBe(marked);
  expect(markedAsTest(`みなと${marked}`)).not.toBe(`みなと${marked}`);
});

test('a wire is said at the end of a version, in at most three digits, and taken no higher or lower than ours', () => {
  for (const [version, wire] of [
    ...[['1.0', 1] as const, ['1.0+wire.', 1] as const, ['1.0+wire.2x', 1] as const, ['1.0+wire.2000', 1] as const],
    ...[['1.0xwire.2', 1] as const, ['1.0+wirex2', 1] as const, ['1.0+wire.999', newestWire] as const],
  ])
    expect(wireOf(version), version).toBe(wire);
  expect(releaseOf('1.0+wire.2+more')).toBe('1.0+wire.2+more');
  expect(releaseOf('1.0+wire.123')).toBe('1.0');
  expect([0, 1, newestWire, newestWire + 1].map(bothSpeak)).toEqual([1, 1, newestWire, newestWire]);
  expect(wireOf(sayWire('x'))).toBe(newestWire);
});

test('unknown keys within unknown keys end somewhere', () => {
  // A schema that complains anew each time stands for messages nested without end.
  let round = 0;
  const endless = {
    safeParse: () => {
      round += 1;
      return { success: false, error: { issues: [{ code: 'unrecognized_keys', path: [], keys: [`k${round}`] }] } };
    },
  } as unknown as z.ZodType<object>;
  expect(takeKnown(endless, {})).toBeNull();
  expect(round).toBeLessThan(20);
});
