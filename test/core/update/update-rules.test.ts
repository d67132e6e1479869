import { describe, expect, it } from 'vitest';
import { hoursNow } from '../../../src/core/update/closed-hours.ts';
import { compareVersions } from '../../../src/core/update/compare-versions.ts';
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
  ])('%s against %s', (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b) ?? Number.NaN)).toBe(sign);
    expect(Math.sign(compareVersions(b, a) ?? Number.NaN)).toBe(-sign + 0);
  });

  it.each(['', '1', '1.2', '1.2.3.4', 'v1.2.3', '1.2.x', ' 1.2.3', '1.2.3\n', '9999999999.0.0'])(
    '%j is none',
    (text) => {
      expect(compareVersions(text, '1.0.0')).toBeNull();
    },
  );
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

  it('what failed here is told by why it failed; another file of that version may be tried', () => {
    const failed = { ...known, record: { ...record, failed: [{ id: 'x', reason: 'fell-back' as const }] } };
    expect(refusalOf(good, failed)).toBe('failed-before');
    expect(refusalOf({ ...good, id: 'y' }, failed)).toBeNull();
    const spoiled = { ...known, record: { ...record, failed: [{ id: 'x', reason: 'tampered' as const }] } };
    expect(refusalOf(good, spoiled)).toBe('tampered');
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
