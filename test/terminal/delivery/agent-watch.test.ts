import { expect, test } from 'vitest';
import { SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import { failure } from '../../../src/core/failure.ts';
import { createAgentWatch } from '../../../src/terminal/delivery/agent-watch.ts';

const watched = () => {
  const clock = new SimulatedClock();
  const told: (string | null)[] = [];
  let asked = 0;
  let [introduced, isKnown] = [0, true];
  let hangs = false;
  const watch = createAgentWatch({
    clock,
    ask: async () => {
      asked += 1;
      if (hangs) await new Promise(() => {});
    },
    introduce: () => {
      if (isKnown) introduced += 1;
      return isKnown;
    },
    tell: (trouble) => told.push(trouble?.code ?? null),
  });
  const hang = (): void => {
    hangs = true;
  };
  const know = (known: boolean): void => {
    isKnown = known;
  };
  return { clock, told, watch, asked: () => asked, introduced: () => introduced, know, hang };
};

test('a hung agent is told within 10 s of its last word, and well again at the next one', async () => {
  const { clock, told, watch } = watched();
  watch.setConnected(true);
  watch.heard();
  watch.answered(2, undefined);
  await clock.advance(10_000);
  expect(told).toEqual(['agent.silent']);
  watch.heard();
  expect(told).toEqual(['agent.silent', null]);
});

test('an agent that answers is asked every 3 s and never called silent', async () => {
  const { clock, told, watch, asked } = watched();
  watch.setConnected(true);
  watch.answered(2, undefined);
  for (let round = 0; round < 20; round += 1) {
    watch.heard();
    await clock.advance(3_000);
  }
  expect(asked()).toBeGreaterThan(15);
  expect(told).toEqual([]);
});

test('of the silence of an agent of the first release nothing is concluded', async () => {
  const { clock, told, watch, asked } = watched();
  watch.setConnected(true);
  watch.heard();
  watch.answered(undefined, undefined);
  await clock.advance(60_000);
  expect([asked(), told]).toEqual([0, []]);
});

test('an agent that says no wire is told who asks, and asked, a few times of each connection', async () => {
  const { clock, watch, asked, introduced, know } = watched();
  // A terminal that starts: nobody has said yet what it does.
  know(false);
  watch.setConnected(true);
  expect(introduced()).toBe(0);
  watch.heard();
  watch.answered(undefined, undefined);
  await clock.advance(30_000);
  know(true);
  await clock.advance(2_000);
  expect(introduced()).toBe(1);
  await clock.advance(60 * 60_000);
  expect([introduced(), asked()]).toEqual([5, 0]);
  watch.setConnected(false);
  watch.setConnected(true);
  watch.heard();
  await clock.advance(2_000);
  expect(introduced()).toBe(6);
  watch.answered(2, undefined);
  watch.heard();
  await clock.advance(2_000);
  expect([introduced(), asked()]).toEqual([6, 1]);
});

test('what the agent says is wrong with it is told until it says otherwise', () => {
  const { told, watch } = watched();
  watch.setConnected(true);
  watch.answered(2, 'agent.disk-full');
  watch.answered(2, 'agent.disk-full');
  watch.answered(2, undefined);
  expect(told).toEqual(['agent.disk-full', null]);
});

test('a question that does not even leave is no silence of the agent: the link hangs', async () => {
  const { clock, told, watch, hang } = watched();
  watch.setConnected(true);
  watch.answered(2, undefined);
  watch.heard();
  hang();
  await clock.advance(9_000);
  expect(told).toEqual(['delivery.link-lost']);
  watch.heard();
  expect(told.at(-1)).toBeNull();
});

test('a broker that refuses the question is told as that, and not as an agent that is silent', async () => {
  const { clock, told, watch } = watched();
  watch.setConnected(true);
  watch.answered(2, undefined);
  watch.refused(failure('delivery.access-refused'));
  await clock.advance(20_000);
  expect(told).toEqual(['delivery.access-refused']);
  watch.heard();
  expect(told.at(-1)).toBeNull();
});
