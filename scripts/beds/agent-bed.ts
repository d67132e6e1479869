import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentContext, AgentOptions } from '../../src/agent/agent-context.ts';
import { AgentDesk } from '../../src/agent/desk/agent-desk.ts';
import type { EligibilityService } from '../../src/agent/eligibility/eligibility-service.ts';
import {
  parseServiceRecords,
  type ServiceMemory,
  type ServiceRecord,
  SimulatedEligibilityService,
} from '../../src/agent/eligibility/simulated-eligibility-service.ts';
import { ConsentTextsInForce } from '../../src/agent/intake/consent-texts.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { decodeOqs } from '../../src/agent/oqs-folder/oqs-encoding.ts';
import { parseCardTrust } from '../../src/agent/provisioning/card-trust.ts';
import { catalogueAt, catalogueDir, catalogueOfVersion } from '../../src/catalogue/load-catalogue.ts';
import { readReleasedTexts } from '../../src/catalogue/released-texts.ts';
import type { TrustedTime } from '../../src/core/trusted-time.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { toBase64url } from '../../src/protocol/base64url.ts';
import { type CardEvidence, signRequest } from '../../src/terminal/delivery/sign-request.ts';
import { openSealedAndSigned, openSigned, sign, signAndSeal } from '../../src/trust/seal.ts';
import type { FacilitySettings } from '../../src/wire/facility-settings.ts';
import {
  type Challenge,
  challengesSchema,
  type EligibilityRequest,
  lookupResultSchema,
  type Receipt,
  type ResultMessage,
  receiptSchema,
  resultSchema,
} from '../../src/wire/messages.ts';
import { topicOf } from '../../src/wire/topics.ts';
import { cardKeys, certificateFor, faceCard, pinCard, visualEvidence } from './evidence-fixtures.ts';
import { MemoryBroker } from './memory-bus.ts';
import { quiet } from './quiet.ts';
import { SimulatedClock, until } from './simulated-clock.ts';
import { authority } from './test-cards.ts';
import { facility, makeTestFacility, testRequest, testSettings } from './test-facility.ts';

export const recordsJson = readFileSync(
  new URL('../../src/agent/eligibility/simulated-eligibility-service.records.json', import.meta.url),
  'utf8',
);

/** The text of a file for the レセコン. Throws where it cannot be read whole. */
export const decodedOqs = (bytes: Uint8Array): string => {
  const text = decodeOqs(bytes);
  if (!text.ok) throw new Error(text.failure.detail);
  return text.value;
};

/** The service's memory for as long as the bed stands. */
export const serviceMemory = (): ServiceMemory => {
  const entries = new Set<string>();
  const values = new Map<string, string>();
  return {
    has: (entry) => entries.has(entry),
    add: (entry) => void entries.add(entry),
    get: (key) => values.get(key),
    set: (key, value) => void values.set(key, value),
  };
};

/**
 * The agent's desk with everything real but the broker (in memory), the time (simulated) and the national service (the
 * simulated one, answering at once), and a terminal's keys to speak to it with.
 */
export const makeAgentBed = async (
  more: {
    readonly records?: (records: readonly ServiceRecord[]) => readonly ServiceRecord[];
    readonly catalogueDir?: string;
    readonly startMs?: number;
    readonly settings?: FacilitySettings;
  } = {},
) => {
  const settings = more.settings ?? testSettings;
  const testFacility = await makeTestFacility();
  const { directory, device, agent } = testFacility;
  const clock = new SimulatedClock(more.startMs ?? Date.now());
  const broker = new MemoryBroker();
  const terminalBus = broker.connect('front-1');
  const oqsFolder = join(directory, 'oqs');
  for (const name of ['face', 'req', 'res']) mkdirSync(join(oqsFolder, name), { recursive: true });
  const journalPath = join(directory, 'journal.sqlite');
  const records = parseServiceRecords(recordsJson, clock.now().wallMs);
  const simulated: EligibilityService = new SimulatedEligibilityService({
    records: more.records?.(records) ?? records,
    memory: serviceMemory(),
    answerDelayMs: 0,
    wait: async () => {},
  });
  const asked: string[] = [];
  const counted =
    <A extends unknown[], T>(name: string, call: (...args: A) => T) =>
    (...args: A): T => {
      asked.push(name);
      return call(...args);
    };
  const service: EligibilityService = {
    lookup: counted('lookup', (card) => simulated.lookup(card)),
    register: counted('register', (card) => simulated.register(card)),
    check: counted('check', (card, choices) => simulated.check(card, choices)),
    registerReference: counted('registerReference', (inquiry, number) => simulated.registerReference(inquiry, number)),
    inquire: counted('inquire', (inquiry) => simulated.inquire(inquiry)),
  };
  const options: AgentOptions = {
    oqsFolder,
    encoding: { encoding: 'Shift_JIS', label: 'Shift_JIS', machineDependent: 'character-reference' },
    publishesSettings: true,
    challengeLifeMs: 600_000,
    personalLifeMs: 86_400_000,
  };
  const address = { facility, device: 'front-1' };
  const dir = more.catalogueDir ?? catalogueDir;
  const catalogues = {
    at: (wallMs: number) => catalogueAt(wallMs, dir),
    ofVersion: (version: string) => catalogueOfVersion(version, dir),
    released: readReleasedTexts(dir),
  };
  const catalogueVersion = catalogues.at(clock.now().wallMs).version;

  const listeners = new Set<() => void>();
  let timeNow: TrustedTime = { wallMs: 0, floorMs: 0, certainty: 'confirmed', fault: null, machineAheadMs: 0 };
  /** As after a start of the process: a new desk on the same journal. */
  const open = () => {
    const journal = new Journal(journalPath, { steadyMs: () => clock.now().monotonicMs });
    const context: AgentContext = {
      keys: () => agent,
      devices: () => testFacility.registry,
      settings: () => settings,
      catalogues,
      trust: parseCardTrust(authority.caCertificatePem, authority.cvIssuersJson),
      bus: broker.connect('agent-1'),
      journal,
      service,
      clock,
      time: () => timeNow,
      disk: { fault: null, failed: () => 'agent.disk-failed' },
      log: createEventLog({ format: 'silent' }),
      options,
      changed: () => {
        for (const listener of listeners) listener();
      },
    };
    const texts = new ConsentTextsInForce(context);
    return { journal, context, desk: new AgentDesk(context, () => texts.now()) };
  };
  let running = open();

  const keys = await cardKeys();
  const opened = async <T>(leaf: string, open: (bytes: Uint8Array) => Promise<T>): Promise<T[]> =>
    Promise.all(broker.passedOn(leaf).map(({ payload }) => open(payload)));
  const must = <T>(result: { ok: true; value: { message: T } } | { ok: false; failure: { detail?: string } }): T => {
    if (!result.ok) throw new Error(result.failure.detail ?? 'not opened');
    return result.value.message;
  };

  const bed = {
    testFacility,
    broker,
    clock,
    keys,
    options,
    oqsFolder,
    journalPath,
    /** What the national service was asked, by name, in order */
    asked,
    catalogueVersion,
    get journal() {
      return running.journal;
    },
    listeners,
    /** How far the agent trusts its own clock from now on */
    setTime: (time: Partial<TrustedTime>): void => {
      timeNow = { ...timeNow, ...time };
    },
    get context() {
      return running.context;
    },
    get desk() {
      return running.desk;
    },
    restart: () => {
      running.desk.close();
      running.journal.close();
      running = open();
    },
    send: (leaf: Parameters<typeof topicOf>[2], payload: Uint8Array) =>
      terminalBus.publish(topicOf(facility, 'front-1', leaf), payload),
    certificate: (serial: string, dates: { notAfterMs?: number } = {}) =>
      certificateFor(keys.auth, clock.now().wallMs, { serial, ...dates }),
    challenge: async (): Promise<Challenge> => {
      const challengeRequestId = crypto.randomUUID();
      const question = { ...address, challengeRequestId, requestedAt: clock.now().wallMs, wanted: 1 };
      await bed.send('challenge-request', await sign('challenge-request', question, device.signing));
      let answer: Challenge | undefined;
      const answered = broker.passedOn('challenge').length + 1;
      await until('a challenge', () => broker.passedOn('challenge').length >= answered);
      for (const payload of broker.passedOn('challenge').map((one) => one.payload)) {
        const message = must(await openSigned('challenge', payload, challengesSchema, device.agents, address));
        if (message.challengeRequestId === challengeRequestId) answer = message.challenges[0];
      }
      if (answer === undefined) throw new Error('no challenge');
      return answer;
    },
    /** A request signed by card and device; `more` changes the payload. */
    sign: async (card: CardEvidence, more: Partial<EligibilityRequest> = {}) => {
      const challenge = more.challenge === undefined ? await bed.challenge() : undefined;
      const issuedAt = clock.now().wallMs;
      const request = testRequest({
        issuedAt,
        verificationMethod: card.method,
        ...(card.method === 'pin' && { authCertificate: toBase64url(card.authCertificate) }),
        ...(challenge && { challenge: challenge.nonce, expiresAt: challenge.expiresAt }),
        ...more,
      });
      const facilityKey = device.facilityKeys[0];
      if (facilityKey === undefined) throw new Error('no facility key');
      const signed = await signRequest(request, card, { device: device.signing, facility: facilityKey });
      if (!signed.ok) throw new Error(signed.failure.code);
      return signed.value;
    },
    pin: async (serial: string) => pinCard(await bed.certificate(serial), keys.auth),
    face: (birthDate: string, sex: string) => faceCard(visualEvidence(keys.visual, { birthDate, sex }), keys.visual),
    /** Sends it and waits for all that follows: receipt, result, file (or the fault of its folder). */
    request: async (sealed: Uint8Array, awaited: 'handed over' | 'receipted' = 'handed over'): Promise<void> => {
      const [receipts, results] = [broker.passedOn('receipt').length, broker.passedOn('result').length];
      await bed.send('request', sealed);
      await until('a receipt', () => broker.passedOn('receipt').length > receipts);
      const receipt = (await bed.receipts()).at(-1);
      if (awaited === 'receipted' || receipt?.verdict !== 'accepted') return;
      await until('a result', () => broker.passedOn('result').length > results);
      await until(
        'the hand-over',
        () =>
          running.journal.visit(receipt.requestId)?.handedOverAt !== null || running.desk.handOver.folderFault !== null,
      );
    },
    /** The same while the service is down: until the patient is told so. */
    requestInOutage: async (sealed: Uint8Array): Promise<void> => {
      const results = broker.passedOn('result').length;
      await bed.request(sealed, 'receipted');
      const isAsked = () => running.journal.visits().at(-1)?.outcome === null;
      for (let tries = 0; tries < 60 && isAsked(); tries += 1) await clock.advance(500);
      await until('a result', () => broker.passedOn('result').length > results, 5_000);
    },
    /** After the service is back: until the first visit has its answer and its file. */
    answeredLate: async (): Promise<void> => {
      const before = running.journal.visits()[0]?.finishedAt;
      const isWaiting = () => running.journal.visits()[0]?.finishedAt === before;
      for (let minutes = 0; minutes < 12 && isWaiting(); minutes += 1) await clock.advance(60_000);
      await until('the hand-over', () => running.journal.visits()[0]?.handedOverAt !== null, 5_000);
    },
    lookup: async (authCertificate: Uint8Array, session: string = crypto.randomUUID()) => {
      const facilityKey = device.facilityKeys[0];
      if (facilityKey === undefined) throw new Error('no facility key');
      const lookup = {
        ...address,
        lookupId: crypto.randomUUID(),
        session,
        requestedAt: clock.now().wallMs,
        authCertificate: toBase64url(authCertificate),
      };
      const before = broker.passedOn('lookup-result').length;
      await bed.send('lookup', await signAndSeal('lookup', lookup, device.signing, facilityKey));
      await until('a lookup result', () => broker.passedOn('lookup-result').length > before);
      const payload = broker.passedOn('lookup-result').at(-1)?.payload ?? new Uint8Array();
      return must(
        await openSealedAndSigned(
          'lookup-result',
          payload,
          lookupResultSchema,
          [device.sealing],
          device.agents,
          address,
        ),
      );
    },
    receipts: (): Promise<Receipt[]> =>
      opened('receipt', async (bytes) =>
        must(await openSigned('receipt', bytes, receiptSchema, device.agents, address)),
      ),
    results: (): Promise<ResultMessage[]> =>
      opened('result', async (bytes) =>
        must(await openSealedAndSigned('result', bytes, resultSchema, [device.sealing], device.agents, address)),
      ),
    /** What a レセコン would take: not what is being written, nor the look whether the folder takes files. */
    files: (): string[] => readdirSync(join(oqsFolder, 'face')).filter((name) => !name.startsWith('.')),
    /** Until nothing has been published for some turns of the event loop: for other parties on this broker. */
    quiet: (): Promise<void> => quiet(device.signing, () => broker.passed.length, { turns: 15 }),
    close: (): void => {
      running.desk.close();
      running.journal.close();
      testFacility.remove();
    },
  };
  return bed;
};
export type AgentBed = Awaited<ReturnType<typeof makeAgentBed>>;
