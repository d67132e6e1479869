import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createServer, type TLSSocket } from 'node:tls';
import { parseArgs } from 'node:util';
import { Aedes } from 'aedes';
import { decodeJwt } from 'jose';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { createSqliteStore } from '../../drivers/store/sqlite-store.ts';
import { readBrokerFiles } from '../../src/agent/provisioning/facility-authority.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { type ClinicLink, createClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import { sign } from '../../src/trust/seal.ts';
import { commandSchema } from '../../src/wire/messages.ts';
import { parseTopic, publisherOf, topicOf } from '../../src/wire/topics.ts';
import { AgentProcess, furnishAgent, LinkWatch, makeVisitor } from '../beds/delivery-bed.ts';
import { facility, makeTestFacility } from '../beds/test-facility.ts';
import { attacks, giveAttacker, type Loot, type Message, pick } from './attacks.ts';
import { readableIn } from './readable.ts';

/**
 * npm run hostile-broker [-- --messages 100000 --json]
 *
 * A broker with the right certificate and the worst intentions between a real terminal link and the real agent process:
 * it drops, repeats, holds back, rewrites, moves between topics and lanes, injects its own and changes what is retained,
 * while honest visits go on. `messages`: hostile ones handed to either side. `accepted`: forgeries with any effect,
 * counted in the agent's journal and in what the link told (with `--with-agent-key` the attacker holds that key: the count
 * must rise, or it counts nothing). `readable`: messages that showed more than the envelope.
 */
const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    json: { type: 'boolean' },
    'with-agent-key': { type: 'boolean' },
  },
});
const wanted = Number(values.messages);
/** About half go to the agent, which keeps 64 of a terminal waiting and drops what comes on top. */
const batchSize = 100;
const messagesPerVisit = 400;
const say = (text: string): boolean => process.stderr.write(`${text}\n`);

const testFacility = await makeTestFacility();
const { device: keys, other, agent: agentKeys, registry } = testFacility;
await furnishAgent(testFacility.agentDirectory);
const { key, certificate, ca } = await readBrokerFiles(testFacility.directory);

// ── the broker ──
const seen: Message[] = [];
const everSeen: Message[] = [];
const held: Message[] = [];
let hostile = false;
const injected = { count: 0 };
const listeners = new Set<(message: Message) => void>();

const remember = (message: Message): void => {
  everSeen.push(message);
  if (message.topic.endsWith('/state')) return;
  seen.push(message);
  // Enough of the past to choose from; the earliest stay, they are the stalest.
  if (seen.length > 1_500) seen.splice(300 + Math.floor(Math.random() * 800), 1);
};
const forward = ({ topic, payload, retain = false }: Message): void =>
  aedes.publish({ cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, retain, dup: false }, () => {});
/** What happens to an honest message on its way. */
const mistreat = (message: Message): void => {
  const dice = hostile ? Math.random() : 1;
  if (dice < 0.1) return;
  if (dice < 0.2) held.push(message);
  else if (dice < 0.3) {
    forward(message);
    forward(message);
  } else if (dice < 0.4 && message.payload.length > 0) {
    const payload = message.payload.slice();
    payload[Math.floor(Math.random() * payload.length)] = 0x41;
    forward({ ...message, payload });
  } else forward(message);
  if (held.length > 5 || (held.length > 0 && dice > 0.8)) for (const late of held.splice(0).reverse()) forward(late);
};
const aedes = await Aedes.createBroker({
  authorizePublish: (_client, packet, done) => {
    const message = { topic: packet.topic, payload: new Uint8Array(packet.payload as Buffer), retain: packet.retain };
    remember(message);
    for (const listener of listeners) listener(message);
    mistreat(message);
    // The sender has its PUBACK; what is passed on is decided above.
    packet.topic = 'swallowed';
    packet.retain = false;
    done(null);
  },
});
const server = createServer(
  { key, cert: certificate, ca, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' },
  (socket: TLSSocket) => {
    socket.setNoDelay(true);
    aedes.handle(socket);
  },
);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;

// ── the two honest ends ──
const agent = new AgentProcess(testFacility.agentDirectory, `127.0.0.1:${port}`);
const { journal: journalPath } = await agent.start(['--mqtt', '4', '--log', 'silent']);
const logged = { refused: 0 };
const log = createEventLog({
  format: 'json',
  level: 'debug',
  write: (line) => {
    if (line.includes('.refused"')) logged.refused++;
  },
});
const store = createSqliteStore(join(testFacility.directory, 'terminal', 'store.db'));
const terminal = (): { link: ClinicLink; watch: LinkWatch; close: () => Promise<void> } => {
  const bus = createMqttMessageBus({
    host: '127.0.0.1',
    port,
    tls: keys.tls,
    clientId: keys.device,
    protocolVersion: 4,
  });
  const link = createClinicLink({ bus, store, clock: createSystemClock(), log, keys });
  return {
    link,
    watch: new LinkWatch(link),
    close: async () => {
      await link.close();
      await bus.close();
    },
  };
};
let end = terminal();
const visitor = await makeVisitor(Date.now());

/** Everything that was honestly made, to tell the forged from it. */
const honest = { documents: new Map<string, string>(), commands: new Set<string>(), nonces: new Set<string>() };
const told: LinkWatch['events'] = [];
const openVisits = new Set<string>();

const visit = async (): Promise<void> => {
  const challenge = end.link.takeChallenge(60_000);
  if (challenge === null) return;
  honest.nonces.add(challenge.nonce);
  const signed = await visitor.sign(end.link, challenge);
  honest.documents.set(signed.requestId, signed.documentHash);
  openVisits.add(signed.requestId);
  const submitted = await end.link.submit(signed);
  if (!submitted.ok) throw new Error(submitted.failure.code);
  void end.link.lookup(randomUUID(), new Uint8Array(1_200).fill(7), AbortSignal.timeout(3_000));
};
/** Commands come from the staff page; here they are signed with the agent's own key, as its command desk does. */
const command = async (): Promise<void> => {
  const issuedAt = Date.now();
  const message = commandSchema.parse({
    facility,
    device: keys.device,
    commandId: randomUUID(),
    nonce: randomBytes(32).toString('base64url'),
    issuedAt,
    expiresAt: issuedAt + 30_000,
    command: { name: 'restart', part: 'screen' },
  });
  honest.commands.add(message.commandId);
  const payload = await sign('command', message, agentKeys.signing);
  const one = { topic: topicOf(facility, keys.device, 'command'), payload };
  remember(one);
  mistreat(one);
};
/** Lane 2 speaks, too, so that there is something to move between lanes. */
const otherLane = async (): Promise<void> => {
  const message = {
    facility,
    device: other.device,
    challengeRequestId: randomUUID(),
    requestedAt: Date.now(),
    wanted: 1,
  };
  const topic = topicOf(facility, other.device, 'challenge-request');
  const one = { topic, payload: await sign('challenge-request', message, other.signing) };
  remember(one);
  forward(one);
};

if (values['with-agent-key']) giveAttacker(agentKeys.signing.key);
const deviceEntry = registry.get(keys.device);
const [facilityKey] = keys.facilityKeys;
if (deviceEntry === undefined || facilityKey === undefined) throw new Error('no keys');
const { x, y } = agentKeys.facilityKeys.current;
const loot: Loot = {
  seen,
  agentKid: agentKeys.signing.kid,
  agentJwk: { x, y },
  deviceKid: keys.signing.kid,
  facilityKey,
  deviceKey: deviceEntry.sealing,
};

/** The agent works off a lane in order: once it has answered this known request, all before it were looked at. */
const agentHasLooked = async (known: Message): Promise<void> => {
  for (let tries = 0; tries < 20; tries++) {
    const answered = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => done(false), 1_000);
      const done = (answer: boolean): void => {
        clearTimeout(timer);
        listeners.delete(listen);
        resolve(answer);
      };
      const listen = ({ topic }: Message): void => {
        if (topic.endsWith('/receipt')) done(true);
      };
      listeners.add(listen);
    });
    forward(known);
    if (await answered) return;
  }
  throw new Error('the agent no longer answers');
};

const collect = (): void => {
  told.push(...end.watch.events.splice(0));
  for (const event of told) {
    if (event.type === 'receipt') openVisits.delete(event.receipt.requestId);
    if (event.type === 'request-expired') openVisits.delete(event.requestId);
  }
};

const kinds = Object.keys(attacks);
const attackBatch = async (known: Message): Promise<void> => {
  for (let made = 0; made < batchSize; ) {
    const to = Math.random() < 0.5 ? 'agent' : 'device';
    const attack = attacks[pick(kinds) ?? 'rubbish'];
    const message = attack === undefined ? null : await attack(loot, to);
    if (message === null) continue;
    forward(message);
    injected.count++;
    made++;
  }
  await agentHasLooked(known);
  await new Promise((resolve) => setImmediate(resolve));
};

say('honest start');
await end.watch.until('challenges', () => (end.link.challengesReady(60_000) ? true : undefined));
await visit();
await otherLane();
await command();
await end.watch.until('the first visit', (events) => events.find(({ type }) => type === 'result'));
collect();
const known = seen.find(({ topic }) => topic.endsWith('/front-1/request'));
if (known === undefined) throw new Error('the broker saw no request');

hostile = true;
let nextVisit = 0;
let restarted = false;
const startedMs = performance.now();
while (injected.count < wanted) {
  await attackBatch(known);
  if (injected.count >= nextVisit) {
    nextVisit += messagesPerVisit;
    await visit();
    await command();
    await otherLane();
    collect();
    if (injected.count % 4_000 < batchSize)
      say(
        `${injected.count} of ${wanted}, ${Math.round(injected.count / ((performance.now() - startedMs) / 1000))} a second`,
      );
  }
  if (!restarted && injected.count > wanted / 2) {
    restarted = true;
    say('both ends restarted');
    collect();
    await end.close();
    await agent.kill();
    await agent.start(['--mqtt', '4', '--log', 'silent']);
    end = terminal();
    await end.watch.until('challenges', () => (end.link.challengesReady(60_000) ? true : undefined), 60_000);
  }
}

say('honest end: what is still open must settle');
hostile = false;
for (const late of held.splice(0)) forward(late);
await end.watch
  .until(
    'every visit',
    () => {
      collect();
      return openVisits.size === 0 ? true : undefined;
    },
    120_000,
  )
  .catch(() => undefined);
await agent.kill('SIGTERM');
await end.close();
await store.close();
aedes.close();
server.close();

// ── the count ──
type Row = Record<string, string | number | null>;
const journal = new DatabaseSync(journalPath, { readOnly: true });
const rows = journal.prepare('SELECT request_id, document_hash, outcome FROM request').all() as Row[];
const counted = journal
  .prepare("SELECT coalesce(sum(times), 0) AS times FROM usage WHERE outcome <> 'refused'")
  .get() as Row;
const refusedByAgent = journal.prepare('SELECT coalesce(sum(times), 0) AS times FROM rejection').get() as Row;
journal.close();
const findings: string[] = [];
const find = (what: string, when: boolean): void => {
  if (when) findings.push(what);
};
for (const row of rows)
  find(
    `journal holds a document nobody signed: ${row.request_id}`,
    honest.documents.get(String(row.request_id)) !== row.document_hash,
  );
find('a request was done twice', Number(counted.times) !== rows.filter((row) => row.outcome !== null).length);
const seenOnce = new Set<string>();
let settingsVersion = 0;
for (const event of told) {
  if (event.type === 'receipt') {
    const { requestId, documentHash } = event.receipt;
    find(`receipt for another document: ${requestId}`, honest.documents.get(requestId) !== documentHash);
    find(`receipt without a row: ${requestId}`, !rows.some((row) => row.request_id === requestId));
    find(`receipt told twice: ${requestId}`, seenOnce.has(`receipt ${requestId}`));
    seenOnce.add(`receipt ${requestId}`);
  } else if (event.type === 'result') {
    const row = rows.find((one) => one.request_id === event.result.requestId);
    find(`result that the journal does not know: ${event.result.requestId}`, row?.outcome !== event.result.outcome);
    find(`result told twice: ${event.result.requestId}`, seenOnce.has(`result ${event.result.requestId}`));
    seenOnce.add(`result ${event.result.requestId}`);
  } else if (event.type === 'command') {
    find(`forged command: ${event.message.commandId}`, !honest.commands.has(event.message.commandId));
    find(`command told twice: ${event.message.commandId}`, seenOnce.has(`command ${event.message.commandId}`));
    seenOnce.add(`command ${event.message.commandId}`);
  } else if (event.type === 'settings') {
    find(
      'settings that the agent did not make',
      event.message.version > 100 || event.message.version < settingsVersion,
    );
    settingsVersion = Math.max(settingsVersion, event.message.version);
  }
}
/** Challenges as the agent published them; its journal drops the oldest of those that were never used. */
const published = new Set(
  everSeen
    .filter(({ topic }) => topic.endsWith('/challenge'))
    .flatMap(
      ({ payload }) => decodeJwt<{ challenges: { nonce: string }[] }>(new TextDecoder().decode(payload)).challenges,
    )
    .map(({ nonce }) => nonce),
);
for (const nonce of honest.nonces) find('a visit took a challenge that the agent did not make', !published.has(nonce));

const isReadable = readableIn(visitor.certificate);
const readable = everSeen.filter(isReadable).length;
const unsettled = openVisits.size;
for (const finding of findings.slice(0, 20)) say(finding);
const honestMessages = everSeen.filter(
  ({ topic }) => publisherOf[parseTopic(topic)?.leaf ?? 'state'] !== undefined,
).length;
console.log(
  JSON.stringify({
    messages: injected.count,
    accepted: findings.length,
    readable,
    refused: { byAgent: Number(refusedByAgent.times), byTerminal: logged.refused },
    honest: { visits: honest.documents.size, unsettled, messages: honestMessages },
    seconds: Math.round((performance.now() - startedMs) / 1000),
  }),
);
testFacility.remove();
process.exit(findings.length === 0 && readable === 0 && unsettled === 0 ? 0 : 1);
