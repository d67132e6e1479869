import { expect, test } from 'vitest';
import { faultsOfVisit, reportOf } from '../../scripts/demonstration/judge-visit.ts';
import { scriptedVisits } from '../../scripts/demonstration/visits.ts';
import type { JournalVisit } from '../../src/agent/journal/journal.ts';

const expected = scriptedVisits.find(({ name }) => name === 'wrong-pin-then-right')?.expects;
if (expected === undefined) throw new Error('no such visit');
const ms = { total: null, card: null, face: null, sign: null, deliver: null };
const row = (more: Partial<JournalVisit> = {}): JournalVisit =>
  ({
    ...{ kind: 'eligibility', method: 'pin', verdict: 'accepted', outcome: 'eligible', consents: expected.consents },
    ...more,
  }) as JournalVisit;
const faults = (
  rows: readonly JournalVisit[],
  more: { trouble?: string; disturbed?: true; refusedPins?: number } = {},
) =>
  faultsOfVisit(reportOf('it', rows, ms), rows, { refusedPins: more.refusedPins ?? 1, states: [] }, expected, {
    trouble: more.trouble ?? null,
    disturbed: more.disturbed ?? false,
  });

test('a visit is as it should be only where everything that it expects is so', () => {
  expect(faults([row()])).toEqual([]);
  for (const [rows, said] of [
    [[], /method is null/],
    [[row({ method: 'face' })], /method is "face"/],
    [[row({ verdict: 'refused' })], /outcome is "refused"/],
    [[row({ outcome: null })], /has not answered/],
    [[row({ consents: { ...expected.consents, TKK: false } })], /consents/],
    [[row(), row()], /eligibility requests is 2/],
    [[row({ kind: 'registration' }), row()], /registration is true/],
  ] as const)
    expect(faults(rows).join()).toMatch(said);
  expect(faults([row()], { refusedPins: 0 }).join()).toMatch(/refused PINs is 0/);
  expect(faults([row()], { trouble: 'ended at desk' })).toEqual(['ended at desk']);
});

test('an end that was killed meanwhile excuses the screens and a visit without a request, not a wrong request', () => {
  expect(faults([], { disturbed: true, trouble: 'ended at desk', refusedPins: 0 })).toEqual([]);
  expect(faults([row()], { disturbed: true, trouble: 'ended at desk' })).toEqual([]);
  expect(faults([row({ method: 'face' })], { disturbed: true })).toHaveLength(1);
});
