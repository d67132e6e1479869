import { describe, expect, it } from 'vitest';
import { dayOfBootLoader, isBootLoaderTooOld } from '../../../src/core/update/boot-loader.ts';
import { hoursNow, openingHoursOf } from '../../../src/core/update/closed-hours.ts';
import { compareVersions, isAtLeast } from '../../../src/core/update/compare-versions.ts';
import { chooseBundle, refusalOf } from '../../../src/core/update/judge-bundle.ts';
import type { Bundle, UpdateRecord } from '../../../src/core/update/update.ts';
import { laneWhoseTurnItIs, type TerminalRelease } from '../../../src/core/update/wave.ts';
import { autobootBytes, encodeAutoboot, parseAutoboot } from '../../../src/protocol/autoboot.ts';

describe('versions', () => {
  it.each([
    ['0.9.0', '0.10.0', -1],
    ['1.0.0-rc.1', '1.0.0', -1],
    ['1.0.0-rc.2', '1.0.0-rc.10', -1],
    ['1.0.0-1', '1.0.0-rc', -1],
    ['1.0.0-rc', '1.0.0-rc.1', -1],
    ['1.0.0+wire.2', '1.0.0', 0],
    ['2.0.0', '1.99.99', 1],
    ['1.2.3', '1.2.4', -1],
    ['10.20.30', '10.20.30', 0],
    ['1.0.0-alpha', '1.0.0-beta', -1],
    ['1.0.0-rc.2.1', '1.0.0-rc.2', 1],
    ['1.0.0-rc.1', '1.0.0-rc.1', 0],
    ['1.0.0-rc.01', '1.0.0-rc.1', -1],
    ['1.0.0-9', '1.0.0-10', -1],
    ['1.0.0-9a', '1.0.0-10', 1],
    ['1.0.0-a9', '1.0.0-10', 1],
    ['1.0.0-rc.1+a.b-c', '1.0.0-rc.1+d', 0],
  ])('%s against %s', (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b) ?? Number.NaN)).toBe(sign);
    expect(Math.sign(compareVersions(b, a) ?? Number.NaN)).toBe(-sign + 0);
  });

  it.each([
    '',
    '1',
    '1.2',
    '1.2.3.4',
    'v1.2.3',
    '1.2.x',
    ' 1.2.3',
    '1.2.3\n',
    '9999999999.0.0',
    '1.9999999999.0',
    '1.0.0-',
    '1.0.0+',
    '1.0.0-a_b',
    '1.0.0+a_b',
    'x1.0.0-rc',
    '1.0.0-rc+x y',
  ])('%j is none', (text) => {
    expect(compareVersions(text, '1.0.0')).toBeNull();
  });
});

it('a version is at least itself, and never where one of the two is none', () => {
  expect(isAtLeast('1.0.0', '1.0.0')).toBe(true);
  expect(isAtLeast('1.0.0-rc.1', '1.0.0')).toBe(false);
  expect(isAtLeast('newest', '1.0.0')).toBe(false);
  expect(isAtLeast('1.0.0', 'newest')).toBe(false);
});

describe('a boot loader', () => {
  it('of the day from which it surely can start a trial is new enough, and one that nobody knows is not called old', () => {
    const day = Date.parse('2023-01-11T00:00:00Z');
    expect([day - 1, day, null].map(isBootLoaderTooOld)).toEqual([true, false, false]);
    expect(dayOfBootLoader(day)).toBe('2023-01-11');
  });
});

describe('what may be installed', () => {
  const record: UpdateRecord = { floor: '0.4.0', attempt: null, failed: [], last: null };
  const known = { version: '0.3.0', compatible: 'board', record };
  const good: Bundle = { id: 'x', version: '0.5.0', compatible: 'board', signature: 'trusted' };
  it.each([
    ['what is signed, newer, for this device', {}, null],
    ['another key', { signature: 'foreign' }, 'foreign'],
    ['no signature', { signature: 'absent' }, 'foreign'],
    ['other bytes than those signed', { signature: 'broken' }, 'tampered'],
    ['another device', { compatible: 'other' }, 'other-device'],
    ['what runs', { version: '0.3.0' }, 'older'],
    ['newer than what runs, not than what has run', { version: '0.4.0' }, 'older'],
    ['a candidate of the floor', { version: '0.4.0-rc.9' }, 'older'],
    ['no version', { version: 'newest' }, 'no-version'],
    ['a foreign one that says it is newer', { version: '9.0.0', signature: 'foreign' }, 'foreign'],
  ] as const)('%s', (_what, changes, refusal) => {
    expect(refusalOf({ ...good, ...changes }, known)).toBe(refusal);
  });

  it('nothing older than what runs, also where the floor lies below it or tells none', () => {
    const lower = { ...known, record: { ...record, floor: '0.1.0' } };
    expect(['0.2.0', '0.3.0', '0.3.1'].map((version) => refusalOf({ ...good, version }, lower))).toEqual([
      ...['older', 'older', null],
    ]);
    expect(refusalOf(good, { ...known, record: { ...record, floor: 'spoiled' } })).toBe('no-version');
    expect(refusalOf(good, { ...known, version: 'spoiled' })).toBe('no-version');
  });

  it('what failed here is told by why it failed; another file of that version may be tried', () => {
    const failed = { ...known, record: { ...record, failed: [{ id: 'x', reason: 'fell-back' as const }] } };
    expect(refusalOf(good, failed)).toBe('failed-before');
    expect(refusalOf({ ...good, id: 'y' }, failed)).toBeNull();
    const spoiled = { ...known, record: { ...record, failed: [{ id: 'x', reason: 'tampered' as const }] } };
    expect(refusalOf(good, spoiled)).toBe('tampered');
    const foreign = { ...known, record: { ...record, failed: [{ id: 'x', reason: 'foreign' as const }] } };
    expect(refusalOf(good, foreign)).toBe('foreign');
  });
});

describe('of several bundles', () => {
  const record: UpdateRecord = { floor: '0.2.0', attempt: null, failed: [], last: null };
  const known = { version: '0.2.0', compatible: 'board', record };
  const of = (version: string, signature: Bundle['signature'] = 'trusted'): Bundle => ({
    ...{ id: version, version, compatible: 'board', signature },
  });
  it.each([
    ['the newest', [of('0.3.0'), of('0.4.0'), of('0.2.0')], '0.4.0'],
    ['the newest, whatever lies behind it', [of('0.4.0'), of('0.3.0')], '0.4.0'],
    ['the newest, with one of no version between', [of('0.3.0'), of('newest'), of('0.4.0')], '0.4.0'],
    ['the newest that may be installed', [of('0.3.0'), of('0.9.0', 'foreign')], '0.3.0'],
    ['one that is refused, when all are', [of('0.1.0'), of('0.2.0')], '0.2.0'],
    ['none of none', [], null],
  ])('%s', (_what, bundles, version) => {
    expect(chooseBundle(bundles, known)?.version ?? null).toBe(version);
  });
});

describe('whose turn it is', () => {
  const terminal = (lane: number, version: string | null, isServing = true, fellBackFrom: string | null = null) =>
    ({ device: `d${lane}`, lane, version, isServing, fellBackFrom }) satisfies TerminalRelease;
  it.each([
    ['the first lane begins', [terminal(2, '0.2.0'), terminal(1, '0.2.0')], 1],
    ['the second follows once the first serves', [terminal(1, '0.3.0'), terminal(2, '0.2.0')], 2],
    ['nobody while the first is away', [terminal(1, '0.3.0', false), terminal(2, '0.2.0')], null],
    ['two of a lane go together', [terminal(1, '0.3.0'), terminal(1, '0.2.0'), terminal(2, '0.2.0')], 1],
    ['nobody once one fell back', [terminal(1, '0.2.0', true, '0.3.0'), terminal(2, '0.2.0')], null],
    ['nothing to do with one that fell back from another', [terminal(1, '0.2.0', true, '0.2.9')], 1],
    ['lanes count as numbers', [terminal(10, '0.2.0'), terminal(9, '0.2.0')], 9],
    [
      'one of a lane serves, the other has gone away with it',
      [terminal(1, '0.3.0', false), terminal(1, '0.3.0')],
      null,
    ],
    ['a lane never heard of holds the later ones', [terminal(1, null, false), terminal(2, '0.2.0')], null],
    ['all are through', [terminal(1, '0.3.0'), terminal(2, '0.4.0')], null],
    ['nobody there', [], null],
  ] as const)('%s', (_what, terminals, lane) => {
    expect(laneWhoseTurnItIs('0.3.0', terminals)).toBe(lane);
  });
});

describe('the hour', () => {
  const open = { fromMinute: 7 * 60, untilMinute: 21 * 60 };
  const at = (time: string) => ({ wallMs: Date.parse(`2026-11-18T${time}+09:00`), certainty: 'plausible' as const });
  it.each([
    ['20:59:59', 'open'],
    ['21:00:00', 'closed'],
    ['23:59:00', 'closed'],
    ['00:00:00', 'closed'],
    ['06:30:00', 'closed'],
    ['06:30:01', 'open'],
    ['12:00:00', 'open'],
  ])('at %s, with half an hour needed: %s', (time, hours) => {
    expect(hoursNow(at(time), open, 30 * 60_000)).toBe(hours);
  });

  it.each([
    ['7:00 to midnight', 0, '12:00:00', 'open'],
    ['7:00 to midnight', 0, '23:59:59', 'open'],
    ['7:00 to midnight', 0, '00:00:00', 'closed'],
    ['7:00 to 1:00', 60, '00:30:00', 'open'],
    ['7:00 to 1:00', 60, '01:00:00', 'closed'],
    ['7:00 to 1:00', 60, '06:45:00', 'open'],
    ['always', 7 * 60, '03:00:00', 'open'],
  ])('open %s (%d), at %s: %s', (_what, untilMinute, time, hours) => {
    expect(hoursNow(at(time), { fromMinute: 7 * 60, untilMinute }, 30 * 60_000)).toBe(hours);
  });

  it('is read from the hours in which the clinic is closed', () => {
    expect(openingHoursOf({ closedFrom: '21:05', closedUntil: '07:30' })).toEqual({
      ...{ fromMinute: 7 * 60 + 30, untilMinute: 21 * 60 + 5 },
    });
  });

  it('a clock that nothing confirms knows none', () => {
    expect(hoursNow({ ...at('23:00:00'), certainty: 'doubted' }, open, 0)).toBe('unknown');
  });
});

describe('autoboot.txt', () => {
  it('comes back as it was written, always of one length', () => {
    for (const standard of [2, 3])
      for (const trial of [2, 3]) {
        const text = encodeAutoboot({ standard, trial });
        expect(text.length).toBe(autobootBytes);
        expect(parseAutoboot(text)).toEqual({ standard, trial });
      }
  });

  it.each(['', '\0'.repeat(256), '[tryboot]\nboot_partition=3\n', '[all]\nboot_partition=\n'])(
    '%j leads nowhere',
    (text) => {
      expect(parseAutoboot(text)).toBeNull();
    },
  );

  it('reads what other hands wrote', () => {
    const text = '# image\r\n[all]\r\ntryboot_a_b=1\r\nboot_partition=3\r\n[tryboot]\r\nboot_partition=2\r\n';
    expect(parseAutoboot(text)).toEqual({ standard: 3, trial: 2 });
    expect(parseAutoboot('boot_partition=2')).toEqual({ standard: 2, trial: 2 });
  });
});
