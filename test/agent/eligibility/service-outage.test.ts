import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { personas } from '../../../drivers/virtual/personas.ts';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { until } from '../../../scripts/beds/simulated-clock.ts';
import { failure } from '../../../src/core/failure.ts';
import { err } from '../../../src/core/result.ts';
import { delays } from '../../../src/core/visit/delays.ts';

/** The national service is down, or comes and goes: what patient, staff and レセコン get. */
let bed: AgentBed;
let asked: number[];
let repair: () => void;
const cardOf = (persona: string) => bed.pin(personas.get(persona)?.serial ?? '');

beforeEach(async () => {
  bed = await makeAgentBed();
  asked = [];
});
afterEach(() => bed.close());

const breakService = (
  code: 'eligibility.unavailable' | 'eligibility.maintenance' = 'eligibility.unavailable',
): void => {
  const { service } = bed.context;
  const [check, register] = [service.check.bind(service), service.register.bind(service)];
  const down = async () => {
    asked.push(bed.clock.now().monotonicMs);
    return err(failure(code));
  };
  service.check = down;
  service.register = down;
  repair = () => {
    service.check = check;
    service.register = register;
  };
};
test('down for three seconds: asked again while the patient waits, nobody notices', async () => {
  breakService();
  const { sealed } = await bed.sign(await cardOf('hanako'));
  await bed.request(sealed, 'receipted');
  await bed.clock.advance(2_900);
  expect(asked).toHaveLength(2);
  expect(bed.broker.passedOn('result')).toHaveLength(0);
  repair();
  await bed.answeredLate();
  expect(await bed.results()).toMatchObject([{ outcome: 'eligible' }]);
  expect(bed.files()).toHaveLength(1);
  expect(bed.journal.usage()).toMatchObject([{ outcome: 'eligible', times: 1 }]);
});

test('asked for its receipt again after the service failed, a visit gets the receipt it had: accepted, without a code', async () => {
  breakService();
  const { sealed } = await bed.sign(await cardOf('hanako'));
  await bed.requestInOutage(sealed);
  await bed.request(sealed, 'receipted');
  const [first, again] = await bed.receipts();
  expect(first).toMatchObject({ verdict: 'accepted' });
  expect(first).not.toHaveProperty('code');
  expect(again).toEqual(first);
});

test('down for longer: the patient is told in time, the answer comes late into journal, file and count, once', async () => {
  breakService();
  const { sealed } = await bed.sign(await cardOf('hanako'));
  await bed.requestInOutage(sealed);
  const [first = 0] = asked;
  expect(bed.clock.now().monotonicMs - first).toBeLessThan(delays.resultMs);
  expect(await bed.results()).toMatchObject([{ outcome: 'failed', code: 'eligibility.unavailable' }]);
  expect(bed.journal.visits()).toMatchObject([{ outcome: 'failed', code: 'eligibility.unavailable' }]);
  expect(bed.journal.usage()).toMatchObject([{ outcome: 'failed', times: 1 }]);

  await bed.clock.advance(10 * 60_000);
  const questions = asked.length;
  expect(questions).toBeGreaterThan(8);
  expect(questions).toBeLessThan(15);
  repair();
  await bed.answeredLate();
  expect(bed.files()).toHaveLength(1);
  expect(bed.journal.visits()).toMatchObject([{ outcome: 'eligible', code: null }]);
  expect(bed.journal.usage()).toMatchObject([{ outcome: 'eligible', times: 1 }]);
  expect(bed.journal.usage()).toHaveLength(1);
  // The terminal was told once; the patient has long left it.
  expect(await bed.results()).toHaveLength(1);
});

test('a service that takes its time to fail: the patient is told while the terminal still waits', async () => {
  const { service } = bed.context;
  service.check = async () => {
    asked.push(bed.clock.now().monotonicMs);
    await new Promise<void>((resolve) => bed.clock.wakeAt(bed.clock.now().monotonicMs + 3_000, resolve));
    return err(failure('eligibility.unavailable'));
  };
  await bed.requestInOutage((await bed.sign(await cardOf('hanako'))).sealed);
  const [first = 0] = asked;
  expect(bed.clock.now().monotonicMs - first).toBeLessThan(delays.resultMs);
  expect(await bed.results()).toMatchObject([{ outcome: 'failed' }]);
});

test('the agent restarts meanwhile: the question stands, the patient is not told twice', async () => {
  breakService();
  await bed.requestInOutage((await bed.sign(await cardOf('hanako'))).sealed);
  bed.restart();
  bed.desk.handOver.resume();
  await bed.clock.advance(5_000);
  repair();
  await bed.answeredLate();
  expect(bed.files()).toHaveLength(1);
  expect(await bed.results()).toHaveLength(1);
});

test('a journal that refuses as the work begins ends no agent: the next round begins it', async () => {
  breakService();
  await bed.requestInOutage((await bed.sign(await cardOf('hanako'))).sealed);
  bed.restart();
  repair();
  vi.spyOn(bed.journal.leases, 'take').mockImplementationOnce(() => {
    throw Object.assign(new Error('another agent holds it'), { code: 'EDATABASE' });
  });
  bed.desk.handOver.resume();
  bed.desk.handOver.resume();
  await bed.answeredLate();
  expect(bed.files()).toHaveLength(1);
});

test('an announced interruption is told at once, and asked about later', async () => {
  breakService('eligibility.maintenance');
  await bed.requestInOutage((await bed.sign(await cardOf('hanako'))).sealed);
  expect(asked).toHaveLength(1);
  expect(await bed.results()).toMatchObject([{ outcome: 'failed', code: 'eligibility.maintenance' }]);
  repair();
  await bed.answeredLate();
  expect(bed.journal.visits()).toMatchObject([{ outcome: 'eligible' }]);
});

test('back with a refusal: the refusal stands, no file', async () => {
  breakService();
  await bed.requestInOutage((await bed.sign(await cardOf('revoked'))).sealed);
  repair();
  await bed.answeredLate();
  expect(bed.journal.visits()).toMatchObject([{ outcome: 'failed', code: 'card.certificate-revoked' }]);
  expect(bed.journal.usage()).toMatchObject([{ code: 'card.certificate-revoked', times: 1 }]);
  expect(bed.files()).toEqual([]);
});

test('never back: asked until the personal data has had its time, then it is gone and nothing waits', async () => {
  breakService();
  await bed.requestInOutage((await bed.sign(await cardOf('hanako'))).sealed);
  await bed.clock.advance(bed.options.personalLifeMs);
  bed.desk.handOver.sweep();
  await bed.clock.advance(10 * 60_000);
  expect(bed.journal.unfinished()).toEqual([]);
  expect(bed.journal.visits()).toMatchObject([{ outcome: 'failed', code: 'eligibility.unavailable' }]);
  expect(bed.journal.visits()[0]?.givenUpAt).not.toBeNull();
});

test('a registration is not asked for once its patient has been sent away', async () => {
  breakService();
  await bed.requestInOutage(
    (await bed.sign(await cardOf('unregistered'), { kind: 'registration', consents: [] })).sealed,
  );
  const questions = asked.length;
  repair();
  await bed.clock.advance(10 * 60_000);
  expect(asked).toHaveLength(questions);
  expect(bed.journal.visits()).toMatchObject([{ outcome: 'failed', kind: 'registration' }]);
  expect(bed.journal.unfinished()).toEqual([]);
});

test.each([
  [true, 'eligibility.unavailable'],
  [false, 'eligibility.line-down'],
  [null, 'eligibility.no-answer'],
] as const)(
  'a service that says nothing (its address reached: %s) is told while the patient waits, and its answer comes late',
  async (isReached, code) => {
    const { service } = bed.context;
    const check = service.check.bind(service);
    let answer = (): void => {};
    service.check = async (...question) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return check(...question);
    };
    service.isReached = async () => isReached;
    const { sealed } = await bed.sign(await cardOf('hanako'));
    await bed.request(sealed, 'receipted');
    await bed.clock.advance(7_900);
    expect(await bed.results()).toEqual([]);
    await bed.clock.advance(200);
    await until('the patient is told', () => bed.broker.passedOn('result').length === 1);
    expect(await bed.results()).toMatchObject([{ outcome: 'failed', code }]);
    answer();
    await bed.answeredLate();
    expect(bed.journal.visits()).toMatchObject([{ outcome: 'eligible', code: null }]);
    expect(bed.files()).toHaveLength(1);
    expect(await bed.results()).toHaveLength(1);
  },
);

test('an answer that comes while the address of a silent service is tried is told as it is', async () => {
  const { service } = bed.context;
  const check = service.check.bind(service);
  let answer = (): void => {};
  service.check = async (...question) => {
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return check(...question);
  };
  service.isReached = async () => {
    answer();
    return new Promise((resolve) => bed.clock.wakeAt(bed.clock.now().monotonicMs + 900, () => resolve(true)));
  };
  const { sealed } = await bed.sign(await cardOf('hanako'));
  await bed.request(sealed, 'receipted');
  await bed.clock.advance(9_000);
  await until('the patient is told', () => bed.broker.passedOn('result').length === 1);
  expect(await bed.results()).toMatchObject([{ outcome: 'eligible' }]);
});
