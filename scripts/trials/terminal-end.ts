import { createInterface } from 'node:readline';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { createSqliteStore } from '../../drivers/store/sqlite-store.ts';
import { createClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import { makeVisitor } from '../beds/delivery-bed.ts';
import { readDeviceKeys } from '../beds/device-keys.ts';

/**
 * The terminal's end of the outage matrix, a process of its own so that it can stand in a network namespace and be
 * killed: real link, bus and store. Each line of standard input is one visit; what the link tells, what became of a
 * submit and each PUBACK (`published`) goes out as JSON lines.
 */
export type TerminalLine =
  | {
      readonly type: 'event';
      readonly event: string;
      readonly requestId?: string;
      readonly documentHash?: string;
      readonly session?: string;
      readonly outcome?: string;
      readonly code?: string;
      readonly ready?: boolean;
    }
  | {
      readonly type: 'submitted';
      readonly visit: string;
      readonly requestId: string;
      readonly documentHash: string;
      readonly session: string;
      readonly code: string;
    }
  | { readonly type: 'no-challenge'; readonly visit: string };

const [directory = '', host = '', port = '', storePath = ''] = process.argv.slice(2);
const say = (line: TerminalLine): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
const keys = await readDeviceKeys(directory);
const bus = createMqttMessageBus({
  host,
  port: Number(port),
  tls: keys.tls,
  clientId: keys.device,
  protocolVersion: 5,
});
const store = createSqliteStore(storePath);
const link = createClinicLink({
  bus,
  store,
  clock: createSystemClock(),
  log: {
    event: (name, fields) => {
      if (name === 'outbox.published' && 'request' in fields)
        say({ type: 'event', event: 'published', requestId: String(fields.request) });
    },
  },
  keys,
});
const visitor = await makeVisitor(Date.now());

link.subscribe((event) => {
  switch (event.type) {
    case 'receipt': {
      const { requestId, documentHash, verdict } = event.receipt;
      return say({
        type: 'event',
        event: 'receipt',
        requestId,
        documentHash,
        session: event.session,
        outcome: verdict,
      });
    }
    case 'result':
      return say({ type: 'event', event: 'result', requestId: event.result.requestId, outcome: event.result.outcome });
    case 'request-expired':
      return say({ type: 'event', event: 'request-expired', requestId: event.requestId, session: event.session });
    case 'disconnected':
      return say({ type: 'event', event: 'disconnected', code: event.failure.code });
    case 'challenges-ready':
      return say({ type: 'event', event: 'challenges-ready', ready: event.ready });
    default:
      return say({ type: 'event', event: event.type });
  }
});

createInterface({ input: process.stdin })
  .on('line', async (visit) => {
    const challenge = link.takeChallenge(300_000);
    if (challenge === null) return say({ type: 'no-challenge', visit });
    const signed = await visitor.sign(link, challenge);
    const { requestId, documentHash, session } = signed;
    const submitted = await link.submit(signed);
    return say({
      type: 'submitted',
      visit,
      requestId,
      documentHash,
      session,
      code: submitted.ok ? '' : submitted.failure.code,
    });
  })
  .on('close', stop);

async function stop(): Promise<void> {
  await link.close();
  await bus.close();
  await store.close();
  process.exit(0);
}
process.once('SIGTERM', stop);
