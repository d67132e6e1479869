import { createSystemClock } from '../../../drivers/host/system-clock.ts';
import { createMqttMessageBus } from '../../../drivers/message-bus/mqtt-message-bus.ts';
import { cachedRsaKey } from '../../../drivers/virtual/test-authority.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import { toBase64url } from '../../../src/protocol/base64url.ts';
import { type ClinicLink, createClinicLink } from '../../../src/terminal/delivery/clinic-link.ts';
import type { CardEvidence } from '../../../src/terminal/delivery/sign-request.ts';
import { readDeviceKeys } from '../../beds/device-keys.ts';
import { certificateFor, pinCard } from '../../beds/evidence-fixtures.ts';
import { MemoryStore } from '../../beds/memory-store.ts';
import { until } from '../../beds/simulated-clock.ts';
import { testRequest } from '../../beds/test-facility.ts';
import type { Order, PlayedVisit, TerminalsStart, Told } from './fleet-messages.ts';
import { servicePersons } from './service-persons.ts';

/*
 * Many terminals in one process: of each the product's own link (`createClinicLink`) over its own mutual TLS, with its own keys. A
 * visit is a lookup, a request that a card and the device sign, its outbox, and the receipt, verified. Each visit has another
 * certificate, issued before anything is timed; a few RSA keys serve for all of them.
 */

type Terminal = { readonly device: string; readonly lane: number; readonly link: ClinicLink; isBusy: boolean };
type Card = { readonly serial: string; readonly certificate: Uint8Array; readonly evidence: CardEvidence };

const keysOfCards = 4;
/** Before it a terminal that heard nothing tries its next visit. ms */
const receiptMs = 120_000;
const nowMs = (): number => performance.timeOrigin + performance.now();
const tell = (told: Told): boolean | undefined => process.send?.(told);

const makeCards = async (count: number): Promise<Card[]> => {
  const folder = new URL('../../../.cache/virtual-card-keys/', import.meta.url).pathname;
  const keys = await Promise.all(
    Array.from({ length: keysOfCards }, (_, index) => cachedRsaKey(`${folder}fleet-${index}.pem`)),
  );
  const serials = servicePersons().map(({ serial }) => serial);
  const made: Card[] = [];
  for (let number = 0; number < count; number += 1) {
    const key = keys[number % keys.length];
    const serial = serials[number % serials.length];
    if (key === undefined || serial === undefined) throw new Error('no key');
    const certificate = await certificateFor(key, Date.now(), { serial, commonName: `UKETSUKETEST${number}` });
    made.push({ serial, certificate, evidence: pinCard(certificate, key) });
  }
  return made;
};

const visits = new Map<string, PlayedVisit>();
const waiting = new Map<string, () => void>();

const open = async (directory: string, host: string, port: number): Promise<Terminal> => {
  const keys = await readDeviceKeys(directory);
  const { device, lane } = keys;
  const bus = createMqttMessageBus({
    ...{ host, port, tls: keys.tls, clientId: device, protocolVersion: 5 },
  });
  const log = createEventLog({ format: 'silent' });
  const link = createClinicLink({ bus, store: new MemoryStore(), clock: createSystemClock(), log, keys });
  link.subscribe((event) => {
    if (event.type !== 'receipt' && event.type !== 'result') return;
    const { requestId } = event.type === 'receipt' ? event.receipt : event.result;
    const visit = visits.get(requestId);
    if (visit === undefined) return;
    if (event.type === 'result') {
      visit.results += 1;
      visit.outcome = event.result.outcome;
      visit.resultMs ??= nowMs();
      link.release(requestId);
      return;
    }
    visit.receipts += 1;
    visit.receiptMs ??= nowMs();
    visit.verdict ??= event.receipt.verdict;
    if (event.receipt.code !== undefined) visit.code ??= event.receipt.code;
    waiting.get(requestId)?.();
  });
  return { device, lane, link, isBusy: false };
};

/** A challenge of the stock; null: none came in time. */
const challengeOf = async ({ link }: Terminal) => {
  for (const endsMs = nowMs() + receiptMs; nowMs() < endsMs; ) {
    const challenge = link.takeChallenge(300_000);
    if (challenge !== null) return challenge;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return null;
};

const play = async (terminal: Terminal, card: Card): Promise<void> => {
  const { device, lane, link } = terminal;
  const session = crypto.randomUUID();
  const begunMs = nowMs();
  // Nobody there for the moment: the patient is served all the same.
  await link.lookup(session, card.certificate, AbortSignal.timeout(5_000));
  const challenge = await challengeOf(terminal);
  if (challenge === null) return;
  const signed = await link.sign(
    testRequest({
      ...{ issuedAt: challenge.issuedAt, agent: challenge.agent, challenge: challenge.nonce, session },
      ...{ expiresAt: challenge.expiresAt, authCertificate: toBase64url(card.certificate), device, lane },
    }),
    card.evidence,
  );
  if (!signed.ok) throw new Error(signed.failure.code);
  const { requestId } = signed.value;
  const { serial } = card;
  visits.set(requestId, { requestId, device, serial, begunMs, submittedMs: nowMs(), receipts: 0, results: 0 });
  const received = new Promise<void>((resolve) => {
    waiting.set(requestId, resolve);
    setTimeout(resolve, receiptMs).unref();
  });
  await link.submit(signed.value, 'fleet');
  await received;
  waiting.delete(requestId);
};

const visitsFor = async (
  terminals: readonly Terminal[],
  cards: Card[],
  { seconds, perSecond }: { readonly seconds: number; readonly perSecond: number | null },
): Promise<void> => {
  const endsMs = nowMs() + seconds * 1000;
  const next = (): Card => {
    const card = cards.shift();
    if (card === undefined) throw new Error('more visits than cards were made for');
    return card;
  };
  const one = async (terminal: Terminal): Promise<void> => {
    terminal.isBusy = true;
    await play(terminal, next());
    terminal.isBusy = false;
  };
  if (perSecond === null) {
    await Promise.all(
      terminals.map(async (terminal) => {
        while (nowMs() < endsMs && cards.length > 0) await one(terminal);
      }),
    );
    return;
  }
  const begun: Promise<void>[] = [];
  let turn = 0;
  for (let at = nowMs(); at < endsMs && cards.length > 0; at += 1000 / perSecond) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - nowMs())));
    const free = terminals.findIndex(({ isBusy }, index) => index >= turn && !isBusy);
    const terminal = terminals[free] ?? terminals.find(({ isBusy }) => !isBusy);
    turn = free < 0 ? 0 : free + 1;
    if (terminal !== undefined) begun.push(one(terminal));
  }
  await Promise.all(begun);
};

let terminals: readonly Terminal[] = [];
let cards: Card[] = [];

const begin = async ({ port, hosts, devices, cards: count }: TerminalsStart): Promise<void> => {
  cards = await makeCards(count);
  terminals = await Promise.all(
    devices.map((directory, index) => open(directory, hosts[index % hosts.length] ?? '', port)),
  );
  for (const { device, link } of terminals)
    await until(`challenges of ${device}`, () => link.challengesReady(300_000), 300_000);
  tell({ told: 'ready' });
};

const obey = async (order: Order): Promise<void> => {
  const before = process.cpuUsage();
  if (order.order === 'visits') await visitsFor(terminals.slice(0, order.terminals), cards, order);
  if (order.order === 'settle')
    await until('every receipt', () => terminals.every(({ link }) => link.waiting === 0), 180_000);
  const { user, system } = process.cpuUsage(before);
  tell({ told: 'done', visits: [...visits.values()], cpuMs: (user + system) / 1000 });
  if (order.order === 'end') process.exit(0);
};

process.on('message', (message: TerminalsStart | Order) => {
  ('order' in message ? obey(message) : begin(message)).catch((error) => {
    console.error(error);
    process.exit(1);
  });
});
