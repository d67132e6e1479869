import { describe, expect, test } from 'vitest';
import { surroundingsOf } from '../../src/processes/update-process.ts';
import { type HealthReport, healthReportSchema } from '../../src/terminal/doctor/health.ts';

const config = {
  lane: 2,
  updates: { closedFrom: '21:00', closedUntil: '07:00', folder: '', status: '', trialMark: '' },
};
const at = (time: string): number => Date.parse(`2026-11-18T${time}:00+09:00`);
const surroundings = (report: HealthReport | null, time = '22:00') => surroundingsOf(report, config, at(time));
const part = { present: true, trouble: null };
const idle: HealthReport = healthReportSchema.parse({
  ...{ version: '0.2.0', profile: 'release', upMs: 1, state: 'idle', stateFailure: null, silentParts: [] },
  ...{ cardReader: part, face: part, keypad: part, statusLight: part, broker: part, store: part },
  ...{ screen: { connected: true, paintedAgoMs: 1 }, agentAnswers: true, settings: true },
  figures: { requests_waiting: 0 },
  release: { version: '0.3.0', lane: 2 },
});

describe('what stands in the way of an update', () => {
  test('nothing: nobody is there, nothing waits to be sent, it is this lane’s turn', () =>
    expect(surroundings(idle)).toMatchObject({ isIdle: true, wave: 'go', agentVersion: '0.3.0' }));

  test.each<[string, Partial<HealthReport>]>([
    ['a visit', { state: 'choosingMethod' }],
    ['something signed that has not been received', { figures: { requests_waiting: 1 } }],
    ['nothing said of what waits', { figures: {} }],
  ])('%s: busy', (_, more) => expect(surroundings({ ...idle, ...more }).isIdle).toBe(false));

  test('another lane’s turn, or nobody’s: it waits', () => {
    expect(surroundings({ ...idle, release: { version: '0.3.0', lane: 1 } }).wave).toBe('wait');
    expect(surroundings({ ...idle, release: { version: '0.3.0', lane: null } }).wave).toBe('wait');
  });

  const time = { certainty: 'confirmed', fault: null, machineAheadMs: 0 } as const;
  test.each([
    ['21:00', 'closed'],
    ['06:30', 'closed'],
    ['06:31', 'open'],
    ['12:00', 'open'],
    ['20:59', 'open'],
  ])('the clinic is closed from 21:00 to 07:00: %s is %s', (now, hours) => {
    expect(surroundings({ ...idle, time }, now).hours).toBe(hours);
    // A machine whose clock is three hours ahead.
    const late = { ...idle, time: { ...time, fault: 'ahead', machineAheadMs: 3 * 3_600_000 } } as const;
    expect(surroundingsOf(late, config, at(now) + 3 * 3_600_000).hours).toBe(hours);
  });

  test('a clock that nothing confirms, or of which nothing is said, knows no hour', () => {
    expect(surroundings({ ...idle, time: { ...time, certainty: 'doubted' } }).hours).toBe('unknown');
    expect(surroundings(idle).hours).toBe('unknown');
  });

  test('a terminal that says nothing: busy, no hour, no turn', () =>
    expect(surroundings(null)).toEqual({
      isIdle: false,
      hours: 'unknown',
      wave: 'wait',
      agentVersion: null,
    }));
});
