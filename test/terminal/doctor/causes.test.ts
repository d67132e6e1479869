import { expect, test } from 'vitest';
import type { FaultName } from '../../../src/catalogue/faults.ts';
import { causesFirst, follows } from '../../../src/terminal/doctor/causes.ts';
import type { Diagnosis } from '../../../src/terminal/doctor/examination.ts';

const told = (...faults: FaultName[]): string[] =>
  causesFirst(
    faults.map((fault, index) => ({ check: `check-${index}`, state: 'fault', fault }) as unknown as Diagnosis),
  ).flatMap((each) => ('fault' in each ? [each.fault] : []));

test('what follows from a cause is no fault of its own, and the cause comes first', () => {
  expect(told('storage.unwritable', 'disk.nearly-full')).toEqual(['disk.nearly-full']);
});

test.each(['storage.damaged', 'storage.taken-away'] as const)('a full or shut disk does not explain %s', (fault) => {
  for (const cause of ['disk.nearly-full', 'disk.read-only', 'files.owner-wrong', 'disk.store-missing'] as const)
    expect(told(fault, cause)).toEqual([cause, fault]);
});

test('by a wrong clock every certificate is wrong, and by one that has ended nobody is let in', () => {
  expect(told('delivery.broker-untrusted', 'certificate.expired', 'clock.wrong')).toEqual(['clock.wrong']);
  expect(told('delivery.access-refused', 'certificate.expired')).toEqual(['certificate.expired']);
});

test('what somebody stopped follows from nothing, and an agent that cannot start from no broker', () => {
  for (const [cause, effects] of follows) {
    expect(
      effects.filter((each) => each.endsWith('.stopped')),
      cause,
    ).toEqual([]);
    if (/^(broker|delivery)\./.test(cause))
      expect(told('agent.cannot-start', cause)).toEqual([cause, 'agent.cannot-start']);
  }
  expect(told('agent.stopped', 'broker.stopped')).toEqual(['broker.stopped', 'agent.stopped']);
  for (const cause of ['program.damaged', 'files.owner-wrong', 'disk.read-only'] as const)
    expect(told('agent.cannot-start', cause)).toEqual([cause]);
  // What is read of this machine's own broker or store is no work of the agent's.
  for (const fault of ['broker.port-closed', 'storage.newer'] as const)
    expect(told('agent.cannot-start', fault)).toEqual([fault, 'agent.cannot-start']);
});

test('every entry counts: with both there, the effect is not told', () => {
  for (const [cause, effects] of follows)
    for (const effect of effects) expect(told(effect, cause), `${effect} from ${cause}`).toEqual([cause]);
});
