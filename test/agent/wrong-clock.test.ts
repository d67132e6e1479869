import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AgentBed, makeAgentBed } from '../../scripts/beds/agent-bed.ts';
import { certificateFor, pinCard } from '../../scripts/beds/evidence-fixtures.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';

const dayMs = 86_400_000;
let bed: AgentBed;
beforeEach(async () => {
  bed = await makeAgentBed();
});
afterEach(() => bed.close());

/** A visit whose file waits: its folder is away. */
const waitingVisit = async () => {
  rmSync(join(bed.oqsFolder, 'face'), { recursive: true });
  await bed.request((await bed.sign(await bed.pin(serial))).sealed);
  expect(bed.journal.unfinished()).toHaveLength(1);
};
const serial = '5E570001';

test.each([1, 30, 800, 4_000, -400])(
  'a clock that jumps by %s days deletes nothing that is not handed over',
  async (days) => {
    await waitingVisit();
    bed.clock.setWall(bed.clock.now().wallMs + days * dayMs);
    bed.restart();
    bed.desk.handOver.sweep();
    expect(bed.journal.unfinished()).toHaveLength(1);
    expect(bed.journal.visits()).toMatchObject([{ handedOverAt: null, givenUpAt: null }]);
    mkdirSync(join(bed.oqsFolder, 'face'));
    bed.desk.handOver.resume();
    await until('the file', () => bed.journal.visits()[0]?.handedOverAt !== null);
    expect(readFileSync(join(bed.oqsFolder, 'face', bed.files()[0] ?? ''), 'latin1')).toContain('XmlMsg');
  },
);

test('what is given up after its time is told as given up, and never called handed over', async () => {
  await waitingVisit();
  bed.restart();
  await bed.clock.advance(bed.options.personalLifeMs + 1);
  bed.desk.handOver.sweep();
  await until('given up', () => bed.journal.visits()[0]?.givenUpAt !== null);
  expect(bed.journal.visits()).toMatchObject([{ handedOverAt: null, file: null }]);
  expect([...bed.journal.todayNotes().values()]).toMatchObject([{ notices: ['file-given-up'] }]);
});

/** Its time is up, and what says so is refused by the disk, or never comes to it: what the next round says. */
test.each(['the disk refuses it once', 'the agent ends before it'])(
  'what had its time is given up though %s',
  async (mishap) => {
    await waitingVisit();
    bed.restart();
    await bed.clock.advance(bed.options.personalLifeMs + 1);
    const refuse = vi.spyOn(bed.journal, 'giveUp').mockImplementation(() => {
      throw Object.assign(new Error('database or disk is full'), { errcode: 13 });
    });
    expect(() => bed.desk.handOver.sweep()).toThrow('full');
    refuse.mockRestore();
    if (mishap === 'the agent ends before it') bed.restart();
    bed.desk.handOver.sweep();
    expect(bed.journal.visits()).toMatchObject([{ handedOverAt: null, givenUpAt: bed.clock.now().wallMs }]);
    expect([...bed.journal.todayNotes().values()]).toMatchObject([{ notices: ['file-given-up'] }]);
    expect(bed.journal.unfinished()).toEqual([]);
  },
);

test('a try that waits for its folder as its time runs out, and ends with the agent, is given up', async () => {
  await waitingVisit();
  await bed.clock.advance(bed.options.personalLifeMs + 1);
  bed.desk.handOver.stop();
  bed.desk.handOver.sweep();
  bed.restart();
  bed.desk.handOver.sweep();
  expect(bed.journal.visits()).toMatchObject([{ handedOverAt: null }]);
  expect(bed.journal.visits()[0]?.givenUpAt).not.toBeNull();
  expect([...bed.journal.todayNotes().values()]).toMatchObject([{ notices: ['file-given-up'] }]);
});

test('the age of the journal outlives restarts, and grows by time off only where two confirmed clocks say so', async () => {
  await bed.clock.advance(3_600_000);
  const before = bed.journal.livedMs;
  bed.restart();
  expect(bed.journal.livedMs).toBe(before);
  bed.journal.countTimeOff(5 * dayMs);
  expect(bed.journal.livedMs).toBe(before + 5 * dayMs);
});

test('a card is refused by its date only while the clock is not doubted; the service then decides', async () => {
  const expired = await certificateFor(bed.keys.auth, bed.clock.now().wallMs - 3_000 * dayMs, { serial });
  const visit = async () => {
    const { sealed } = await bed.sign(pinCard(expired, bed.keys.auth));
    await bed.request(sealed, 'receipted');
    return bed.journal.visits().at(-1)?.code;
  };
  expect(await visit()).toBe('card.certificate-expired');
  bed.setTime({ certainty: 'doubted', fault: 'moved' });
  expect(await visit()).toBeNull();
});
