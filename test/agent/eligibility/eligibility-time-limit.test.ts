import { expect, test } from 'vitest';
import { SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import type { EligibilityService } from '../../../src/agent/eligibility/eligibility-service.ts';
import { serviceLimitMs, withTimeLimit } from '../../../src/agent/eligibility/eligibility-time-limit.ts';
import { ok } from '../../../src/core/result.ts';
import { delays } from '../../../src/core/visit/delays.ts';

const card = { requestId: 'r1', certificateSerial: '01', authCertificate: new Uint8Array() };
const serviceOf = (register: EligibilityService['register']): EligibilityService => {
  const unused = (): never => {
    throw new Error('not asked for');
  };
  return { lookup: unused, check: unused, inquire: unused, registerReference: unused, isReached: unused, register };
};

test('a service that never answers is unavailable after its limit, and not before', async () => {
  const clock = new SimulatedClock();
  const answers: unknown[] = [];
  void withTimeLimit(
    serviceOf(() => new Promise(() => {})),
    clock,
  )
    .register(card)
    .then((answer) => answers.push(answer));
  await clock.advance(serviceLimitMs - 1);
  expect(answers).toEqual([]);
  await clock.advance(1);
  expect(answers).toMatchObject([{ ok: false, failure: { code: 'eligibility.no-answer' } }]);
});

test('what was signed beforehand is waited for less long than a terminal waits for its lookup', async () => {
  const clock = new SimulatedClock();
  const silent = { ...serviceOf(async () => ok(undefined)), preCheckIns: () => new Promise<never>(() => {}) };
  const answers: unknown[] = [];
  void withTimeLimit(silent, clock)
    .preCheckIns?.(card, '1312345678')
    .then((answer) => answers.push(answer));
  await clock.advance(delays.lookupAfterVerificationMs - 1_000);
  expect(answers).toMatchObject([{ ok: false, failure: { code: 'eligibility.no-answer' } }]);
});

test('an answer in time is the answer; the limit is called off', async () => {
  const clock = new SimulatedClock();
  const answer = await withTimeLimit(
    serviceOf(async () => ok(undefined)),
    clock,
  ).register(card);
  expect(answer).toEqual({ ok: true, value: undefined });
  await clock.advance(2 * serviceLimitMs);
});

test('a service that throws is unavailable, and nothing is thrown on', async () => {
  const failing = serviceOf(async () => {
    throw new Error('a name that must not travel');
  });
  const answer = await withTimeLimit(failing, new SimulatedClock()).register(card);
  expect(answer).toMatchObject({
    ok: false,
    failure: { code: 'eligibility.no-answer', detail: 'the adapter failed' },
  });
});

test('whether its address is reached is told in time, also by an adapter that hangs over it or throws', async () => {
  const clock = new SimulatedClock();
  const answers: unknown[] = [];
  const silent = { ...serviceOf(async () => ok(undefined)), isReached: () => new Promise<never>(() => {}) };
  void withTimeLimit(silent, clock)
    .isReached()
    .then((answer) => answers.push(answer));
  await clock.advance(2_000);
  expect(answers).toEqual([null]);
  expect(
    await withTimeLimit(
      serviceOf(async () => ok(undefined)),
      clock,
    ).isReached(),
  ).toBeNull();
});

test('an adapter that throws as it is asked has not answered', async () => {
  const failing = serviceOf(() => {
    throw new Error('not connected');
  });
  expect(await withTimeLimit(failing, new SimulatedClock()).register(card)).toMatchObject({
    ok: false,
    failure: { code: 'eligibility.no-answer', detail: 'the adapter failed' },
  });
});
