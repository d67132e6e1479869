import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { LinkWatch, makeVisitor } from '../../../scripts/beds/delivery-bed.ts';
import { MemoryBroker } from '../../../scripts/beds/memory-bus.ts';
import { ScriptedAgent } from '../../../scripts/beds/scripted-agent.ts';
import { SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import { makeTestFacility } from '../../../scripts/beds/test-facility.ts';
import { unhurriedStore } from '../../../scripts/beds/unhurried-store.ts';
import { readableIn } from '../../../scripts/trials/readable.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import { createClinicLink } from '../../../src/terminal/delivery/clinic-link.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Threat 7: whoever carries the terminal away reads nothing of its last patients. */
test('a terminal stolen with visits waiting: its files hold nothing readable of them', async () => {
  const testFacility = await makeTestFacility();
  const directory = mkdtempSync(join(tmpdir(), 'uketsuke-at-rest-'));
  const [clock, broker] = [new SimulatedClock(), new MemoryBroker()];
  new ScriptedAgent(broker.connect('agent-1'), clock, testFacility);
  const store = unhurriedStore(join(directory, 'store.db'));
  const log = createEventLog({ format: 'silent' });
  const link = createClinicLink({ bus: broker.connect('front-1'), store, clock, log, keys: testFacility.device });
  const watch = new LinkWatch(link);
  const visitor = await makeVisitor(clock.now().wallMs);
  await watch.until('challenges', () => (link.challengesReady(300_000) ? true : undefined));
  broker.setConnected('front-1', false);
  const contents: string[] = [];
  for (let visits = 0; visits < 2; visits++) {
    const challenge = link.takeChallenge(300_000);
    if (challenge === null) throw new Error('no challenge');
    const signed = await visitor.sign(link, challenge);
    expect(await link.submit(signed)).toMatchObject({ ok: true });
    const document = JSON.parse(new TextDecoder().decode(signed.document)) as { payload: string };
    // The row names request and session in the clear: random ids, needed to tell whose receipt it is.
    const text = Buffer.from(document.payload, 'base64url').toString();
    contents.push(document.payload, text.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, ''));
  }
  const isReadable = readableIn(visitor.certificate);
  const onDisk = readdirSync(directory).map((name) => readFileSync(join(directory, name)));
  expect(Buffer.concat(onDisk).length).toBeGreaterThan(10_000);
  for (const content of onDisk) {
    // As a plain message, so that words and certificate alone are looked for.
    expect(isReadable({ topic: 'uketsuke/v1/f/d/state', payload: content })).toBe(false);
    for (const text of contents) {
      for (let at = 0; at + 24 <= text.length; at += 24) expect(content.includes(text.slice(at, at + 24))).toBe(false);
    }
  }
  await link.close();
  await store.close();
  testFacility.remove();
  rmSync(directory, { recursive: true, force: true });
});
