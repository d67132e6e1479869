import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { LinkWatch, makeVisitor } from '../../../scripts/beds/delivery-bed.ts';
import type { Passing } from '../../../scripts/beds/memory-bus.ts';
import { MemoryStore } from '../../../scripts/beds/memory-store.ts';
import { until } from '../../../scripts/beds/simulated-clock.ts';
import { facility } from '../../../scripts/beds/test-facility.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import { type ClinicLink, createClinicLink } from '../../../src/terminal/delivery/clinic-link.ts';
import { sign } from '../../../src/trust/seal.ts';
import { topicOf } from '../../../src/wire/topics.ts';

vi.setConfig({ testTimeout: 120_000 });

const dayMs = 24 * 3_600_000;

/** Threat 4: whoever recorded every message of a day plays them all again. */
describe('replayed messages', () => {
  let bed: Awaited<ReturnType<typeof makeAgentBed>>;
  let link: ClinicLink;
  let watch: LinkWatch;
  let recorded: readonly Passing[];
  const store = new MemoryStore();
  const openLink = (): void => {
    const log = createEventLog({ format: 'silent' });
    const bus = bed.broker.connect('front-1');
    link = createClinicLink({ bus, store, clock: bed.clock, log, keys: bed.testFacility.device });
    watch = new LinkWatch(link);
  };
  const ready = () => watch.until('challenges', () => (link.challengesReady(300_000) ? true : undefined));
  const done = () => ({
    visits: bed.journal.visits(),
    usage: bed.journal.usage(),
    files: bed.files(),
    personal: bed.journal.unfinished().length,
  });
  const told = () => watch.events.filter(({ type }) => type === 'receipt' || type === 'result' || type === 'command');

  beforeAll(async () => {
    bed = await makeAgentBed();
    openLink();
    const visitor = await makeVisitor(bed.clock.now().wallMs);
    for (let visits = 0; visits < 3; visits++) {
      await ready();
      const challenge = link.takeChallenge(300_000);
      if (challenge === null) throw new Error('no challenge');
      const signed = await visitor.sign(link, challenge);
      await link.submit(signed);
      await watch.result(signed.requestId);
    }
    await link.lookup(randomUUID(), visitor.certificate, new AbortController().signal);
    const issuedAt = bed.clock.now().wallMs;
    const command = {
      facility,
      device: 'front-1',
      commandId: randomUUID(),
      nonce: randomBytes(32).toString('base64url'),
      issuedAt,
      expiresAt: issuedAt + 2 * 365 * dayMs,
      command: { name: 'restart', part: 'screen' },
    };
    const topic = topicOf(facility, 'front-1', 'command');
    const payload = await sign('command', command, bed.testFacility.agent.signing);
    bed.broker.passed.push({ from: 'agent-1', topic, payload });
    bed.broker.deliver(topic, payload);
    await watch.until('the command', (events) => events.find(({ type }) => type === 'command'));
    // A file on its way is no message: the day ends when the last one lies there.
    await until('the last file', () => bed.journal.unfinished().length === 0);
    await bed.quiet();
    recorded = [...bed.broker.passed];
  });
  afterAll(async () => {
    await link.close();
    bed.close();
  });

  const replay = async (): Promise<void> => {
    const [before, heard] = [done(), told().length];
    for (const { topic, payload } of recorded) bed.broker.deliver(topic, payload);
    await bed.quiet();
    expect(done()).toEqual(before);
    expect(told().length).toBe(heard);
  };

  test('at once: nothing is done again, nothing is told again', replay);

  test('after both ends were restarted', async () => {
    await link.close();
    bed.restart();
    openLink();
    await ready();
    await replay();
    expect(told()).toEqual([]);
  });

  test('after a year', async () => {
    await link.close();
    await bed.clock.advance(365 * dayMs);
    bed.restart();
    openLink();
    await ready();
    await replay();
    expect(told()).toEqual([]);
  });
});
