import { describe, expect, test } from 'vitest';
import { surroundingsOf } from '../../src/processes/update-process.ts';
import { type HealthReport, healthReportSchema } from '../../src/terminal/doctor/health.ts';

const config = {
  lane: 2,
  updates: { closedFrom: '00:00', closedUntil: '00:00', folder: '', status: '', trialMark: '' },
};
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
    expect(surroundingsOf(idle, config)).toMatchObject({ isIdle: true, wave: 'go', agentVersion: '0.3.0' }));

  test.each<[string, Partial<HealthReport>]>([
    ['a visit', { state: 'choosingMethod' }],
    ['something signed that has not been received', { figures: { requests_waiting: 1 } }],
  ])('%s: busy', (_, more) => expect(surroundingsOf({ ...idle, ...more }, config).isIdle).toBe(false));

  test('another lane’s turn, or nobody’s: it waits', () => {
    expect(surroundingsOf({ ...idle, release: { version: '0.3.0', lane: 1 } }, config).wave).toBe('wait');
    expect(surroundingsOf({ ...idle, release: { version: '0.3.0', lane: null } }, config).wave).toBe('wait');
  });

  test('a terminal that says nothing: busy, no hour, no turn', () =>
    expect(surroundingsOf(null, config)).toEqual({
      isIdle: false,
      hours: 'unknown',
      wave: 'wait',
      agentVersion: null,
    }));
});
