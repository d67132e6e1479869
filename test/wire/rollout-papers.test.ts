import { expect, test } from 'vitest';
import {
  rolloutConsentSchema,
  rolloutContentSchema,
  rolloutFileOf,
  rolloutFileSchema,
  rolloutKinds,
  rolloutOrderSchema,
  rolloutTrustSchema,
  rolloutWordSchema,
} from '../../src/wire/rollout-papers.ts';
import { describeBounds, instants, names } from './field-bounds.ts';

/* What a chain's operator signs once may lie in a folder for days: whoever reads it takes these forms and no other. */

const counts = { taken: [1, 2 ** 31 - 1], refused: [0, -1, 1.5, 2 ** 31, '1'] };
const kinds = { taken: rolloutKinds, refused: ['', 'releases', 'Release', 7] };
const fileHashes = {
  taken: ['0'.repeat(64), 'f'.repeat(64)],
  refused: ['', 'f'.repeat(63), 'f'.repeat(65), 'F'.repeat(64), 'g'.repeat(64), ` ${'f'.repeat(64)}`],
};
const orderHashes = {
  taken: ['h'.repeat(43), `-_09AZ${'z'.repeat(37)}`],
  refused: ['', 'h'.repeat(42), 'h'.repeat(44), `${'h'.repeat(42)}=`, `${'h'.repeat(43)}\n`, `.${'h'.repeat(43)}`],
};
const signed = {
  taken: ['a', 'e30.e30.-_9', 'a'.repeat(1_000_000)],
  refused: ['', 'a b', 'a\n', '\na', 'a=', 'a/b', 'a'.repeat(1_000_001), 7],
};

const about = { chain: 'midori', kind: 'release', number: 7 };
const life = { issuedAt: 1, expiresAt: 2 };
const aboutBounds = { chain: names, kind: kinds, number: counts, issuedAt: instants, expiresAt: instants };
const content = { name: 'uketsuke-terminal-arm64.raucb', sha256: 'ab'.repeat(32), bytes: 1 };
const key = { kty: 'EC', crv: 'P-256', x: 'x'.repeat(43), y: 'y'.repeat(43), kid: 'k'.repeat(43) };
const brokenKeys = [
  { ...key, kty: 'RSA' },
  { ...key, crv: 'P-384' },
  { ...key, x: 'x'.repeat(42) },
  { ...key, y: 'y'.repeat(44) },
  { ...key, kid: '+'.repeat(43) },
  // A private part has no business here.
  { ...key, d: 'd'.repeat(43) },
];

describeBounds([
  [
    'a file of a rollout',
    rolloutContentSchema,
    content,
    {
      name: {
        taken: ['a', '0', 'a.b-c', `a${'b'.repeat(79)}`],
        refused: ['', '.a', '-a', 'A', 'a/b', '../a', 'a\n', ' a', `a${'b'.repeat(80)}`],
      },
      sha256: fileHashes,
      bytes: { taken: [1, 16e9], refused: [0, -1, 1.5, 16e9 + 1, '1'] },
    },
  ],
  [
    'an order',
    rolloutOrderSchema,
    {
      ...{ ...about, ...life, version: '0.3.0', content: [content], waves: [['minato']], paceMs: 0, watch: key },
    },
    {
      ...aboutBounds,
      version: {
        taken: [undefined, '0', '1.2.3-rc.1+B7', `1${'a'.repeat(39)}`],
        refused: ['', 'v1', '1 2', '1_2', '1\n', ' 1', `1${'a'.repeat(40)}`, 7],
      },
      content: {
        taken: [Array(8).fill(content)],
        refused: [[], Array(9).fill(content), [{ ...content, planted: 1 }], content],
      },
      waves: {
        taken: [Array(99).fill(['minato']), [['minato', 'aoi'], ['midori']]],
        refused: [[], Array(100).fill(['minato']), [[]], [['minato'], []], [['Minato']], ['minato']],
      },
      paceMs: { taken: [0, 30 * 86_400_000], refused: [-1, 0.5, 30 * 86_400_000 + 1, '0'] },
      watch: { taken: [key], refused: [null, {}, ...brokenKeys] },
    },
  ],
  [
    'a word of the watch',
    rolloutWordSchema,
    { ...about, ...life, order: 'h'.repeat(43), sequence: 1, wave: 0, stopped: false },
    {
      ...aboutBounds,
      order: orderHashes,
      sequence: counts,
      wave: { taken: [0, 99], refused: [-1, 0.5, 100, '1'] },
      stopped: { taken: [true, false], refused: [0, 'no', null] },
    },
  ],
  [
    'a consent to go on',
    rolloutConsentSchema,
    { ...about, ...life, order: 'h'.repeat(43), lifts: 1 },
    { ...aboutBounds, order: orderHashes, lifts: counts },
  ],
  [
    'the file that is published',
    rolloutFileSchema,
    { order: 'a.b.c', word: 'd.e.f', consent: null },
    { order: signed, word: signed, consent: { taken: [null, ...signed.taken], refused: signed.refused } },
  ],
  [
    'whom a facility believes',
    rolloutTrustSchema,
    { chain: 'midori', keys: [key] },
    {
      chain: names,
      keys: { taken: [Array(4).fill(key)], refused: [[], Array(5).fill(key), ...brokenKeys.map((one) => [one])] },
    },
  ],
]);

test('each kind is published in a file of its own, and under none of the names of what it orders', () => {
  const files = rolloutKinds.map(rolloutFileOf);
  expect(new Set(files).size).toBe(rolloutKinds.length);
  for (const [index, kind] of rolloutKinds.entries()) expect(files[index]?.startsWith(`${kind}.`)).toBe(true);
  for (const file of files) expect(file.endsWith('.json')).toBe(true);
});
