import { expect, test } from 'vitest';
import { SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import { failure } from '../../../src/core/failure.ts';
import { createAgentWatch } from '../../../src/terminal/delivery/agent-watch.ts';

const watched = () => {
  const clock = new SimulatedClock();
  const told: (string | null)[] = [];
  let asked = 0;
  let [introduced, isKnown] = [0, true];
  let letGo: (() => void)[] | null = null;
  const watch = createAgentWatch({
    clock,
    ask: async () => {
      asked += 1;
      const held = letGo;
      if (held !== null) await new Promise<void>((resolve) => held.push(resolve));
    },
    introduce: () => {
      if (isKnown) introduced += 1;
      return isKnown;
    },
    tell: (trouble) => told.push(trouble?.code ?? null),
  });
  const hang = (): void => {
    letGo = [];
  };
  /** The broker answers for every question that hung. */
  const recover = (): void => {
    for (const resolve of letGo ?? []) resolve();
    letGo = null;
  };
  /** For the oldest alone */
  const recoverOne = (): void => letGo?.shift()?.();
  const know = (known: boolean): void => {
    isKnown = known;
  };
  return { clock, told, watch, asked: () => asked, introduced: () => introduced, know, hang, recover, recoverOne };
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

test('an agent is asked two seconds after its last word and every two again; at the first question six seconds on it is silent', async () => {
  const { clock, told, watch, asked } = watched();
  watch.setConnected(true);
  watch.answered(2, undefined);
  await clock.advance(500);
  watch.heard();
  await clock.advance(1_999);
  expect(asked()).toBe(0);
  await clock.advance(1);
  expect(asked()).toBe(1);
  await clock.advance(5_999);
  expect([asked(), told]).toEqual([3, []]);
  await clock.advance(1);
  expect([asked(), told]).toEqual([4, ['agent.silent']]);
  await clock.advance(20_000);
  expect(told).toEqual(['agent.silent']);
});

test('once an agent has said that it knows the question it is asked, whatever another one says later', async () => {
  const { clock, told, watch, asked, introduced } = watched();
  watch.setConnected(true);
  watch.answered(3, undefined);
  watch.answered(1, undefined);
  watch.heard();
  await clock.advance(2_000);
  expect([asked(), introduced()]).toEqual([1, 0]);
  // A connection anew: it is asked at once.
  watch.setConnected(false);
  watch.setConnected(true);
  expect(asked()).toBe(2);
  expect(told).toEqual([]);
});

test('trouble is told as it is known here: of another release it counts as the disk', () => {
  const { told, watch } = watched();
  watch.setConnected(true);
  watch.answered(2, 'agent.no-such-trouble');
  watch.answered(2, 'files.full-of-eels');
  watch.answered(2, 'agent.disk-full');
  expect(told).toEqual(['agent.disk-failed', 'agent.disk-full']);
});

test('trouble that an agent told of stays through its other words; one that falls silent is that until its next', async () => {
  const { clock, told, watch } = watched();
  watch.setConnected(true);
  watch.answered(2, 'agent.disk-full');
  watch.heard();
  expect(told).toEqual(['agent.disk-full']);
  await clock.advance(9_000);
  watch.heard();
  expect(told).toEqual(['agent.disk-full', 'agent.silent', null]);
});

test('without a connection nothing is known of the agent: its trouble is over, nothing is asked, nothing counts', async () => {
  const { clock, told, watch, asked } = watched();
  // Before the first connection, too.
  watch.answered(2, undefined);
  watch.heard();
  await clock.advance(10_000);
  expect(asked()).toBe(0);
  watch.answered(2, 'agent.disk-full');
  watch.setConnected(true);
  watch.heard();
  await clock.advance(3_000);
  // Told twice it is the same connection.
  watch.setConnected(true);
  expect(told).toEqual(['agent.disk-full']);
  // A moment before it would count as silent.
  await clock.advance(5_500);
  watch.setConnected(false);
  expect(told).toEqual(['agent.disk-full', null]);
  const before = asked();
  await clock.advance(2_000);
  watch.heard();
  watch.refused(failure('delivery.access-refused'));
  await clock.advance(60_000);
  expect([asked(), told]).toEqual([before, ['agent.disk-full', null]]);
  watch.setConnected(false);
  expect(told).toHaveLength(2);
});

test('a link that hung is well again when the broker answers for its last question, not for an earlier one', async () => {
  const { clock, told, watch, hang, recover, recoverOne } = watched();
  watch.setConnected(true);
  watch.answered(2, undefined);
  watch.heard();
  hang();
  await clock.advance(5_000);
  expect(told).toEqual(['delivery.link-lost']);
  recoverOne();
  await clock.advance(500);
  expect(told).toEqual(['delivery.link-lost']);
  recover();
  await clock.advance(0);
  expect(told).toEqual(['delivery.link-lost', null]);
  // The agent itself has still said nothing.
  await clock.advance(3_000);
  expect(told).toEqual(['delivery.link-lost', null, 'agent.silent']);
});

test('it asks nobody once it is closed', async () => {
  const { clock, told, watch, asked } = watched();
  watch.setConnected(true);
  watch.answered(2, undefined);
  watch.heard();
  watch.close();
  await clock.advance(60_000);
  watch.heard();
  await clock.advance(60_000);
  expect([asked(), told]).toEqual([0, []]);
});
