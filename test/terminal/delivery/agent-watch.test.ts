import { expect, test } from 'vitest';
import { SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import { createAgentWatch } from '../../../src/terminal/delivery/agent-watch.ts';

const watched = () => {
  const clock = new SimulatedClock();
  const told: (string | null)[] = [];
  let asked = 0;
  const watch = createAgentWatch({
    clock,
    ask: () => {
      asked += 1;
    },
    tell: (trouble) => told.push(trouble?.code ?? null),
  });
  return { clock, told, watch, asked: () => asked };
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

test('what the agent says is wrong with it is told until it says otherwise', () => {
  const { told, watch } = watched();
  watch.setConnected(true);
  watch.answered(2, 'agent.disk-full');
  watch.answered(2, 'agent.disk-full');
  watch.answered(2, undefined);
  expect(told).toEqual(['agent.disk-full', null]);
});
