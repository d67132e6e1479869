import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentContext, AgentOptions, Catalogues } from '../../src/agent/agent-context.ts';
import { AgentDesk } from '../../src/agent/desk/agent-desk.ts';
import type { EligibilityService } from '../../src/agent/eligibility/eligibility-service.ts';
import { serviceMemory } from '../../src/agent/eligibility/service-memory.ts';
import {
  parseServiceRecords,
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
import { sayWire } from '../../src/wire/versions.ts';
import { cardKeys, certificateFor, faceCard, pinCard, visualEvidence } from './evidence-fixtures.ts';
import { MemoryBroker } from './memory-bus.ts';
import { quiet } from './quiet.ts';
import { SimulatedClock, until } from './simulated-clock.ts';
import { authority } from './test-cards.ts';
import { facility, makeTestFacility, type TestFacility, testRequest, testSettings } from './test-facility.ts';

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

const must = <T>(result: { ok: true; value: { message: T } } | { ok: false; failure: { detail?: string } }): T => {
  if (!result.ok) throw new Error(result.failure.detail ?? 'not opened');
  return result.value.message;
};

/** The simulated service, answering at once; what it is asked is noted by name. */
const countedService = (
  wallMs: number,
  change: AgentBedOptions['records'],
  asked: string[],
): EligibilityService & Pick<SimulatedEligibilityService, 'leavePreCheckIn'> => {
  const records = parseServiceRecords(recordsJson, wallMs);
  const simulated = new SimulatedEligibilityService({
    records: change?.(records) ?? records,
    memory: serviceMemory(),
    answerDelayMs: 0,
    wait: async () => {},
  });
  const counted =
    <A extends unknown[], T>(name: string, call: (...args: A) => T) =>
    (...args: A): T => {
      asked.push(name);
      return call(...args);
    };
  return {
    lookup: counted('lookup', (card) => simulated.lookup(card)),
    leavePreCheckIn: (left) => simulated.leavePreCheckIn(left),
    preCheckIns: counted('preCheckIns', (card, code) => simulated.preCheckIns(card, code)),
    register: counted('register', (card) => simulated.register(card)),
    check: counted('check', (card, choices) => simulated.check(card, choices)),
    registerReference: counted('registerReference', (inquiry, number) => simulated.registerReference(inquiry, number)),
    inquire: counted('inquire', (inquiry) => simulated.inquire(inquiry)),
    isReached: () => simulated.isReached(),
  };
};

type AgentBedOptions = {
  readonly records?: (records: readonly ServiceRecord[]) => readonly ServiceRecord[];
  readonly catalogueDir?: string;
  readonly startMs?: number;
  readonly settings?: FacilitySettings;
};

/**
 * The agent's desk with everything real but the broker (in memory), the time (simulated) and the national service (the
 * simulated one, answering at once), and a terminal's keys to speak to it with.
 */
export class AgentBed {
  readonly testFacility: TestFacility;
  readonly keys: Awaited<ReturnType<typeof cardKeys>>;
  readonly #device: TestFacility['device'];
  readonly #agent: TestFacility['agent'];
  readonly clock: SimulatedClock;
  readonly broker = new MemoryBroker();
  readonly #terminalBus: ReturnType<MemoryBroker['connect']>;
  readonly oqsFolder: string;
  readonly journalPath: string;
  /** What the national service was asked, by name, in order */
  readonly asked: string[] = [];
  readonly #service: ReturnType<typeof countedService>;
  readonly #settings: FacilitySettings;
  readonly options: AgentOptions;
  readonly #address = { facility, device: 'front-1' };
  readonly #catalogues: Catalogues;
  readonly catalogueVersion: string;
  readonly listeners = new Set<() => void>();
  #timeNow: TrustedTime = { wallMs: 0, floorMs: 0, certainty: 'confirmed', fault: null, machineAheadMs: 0 };
  #said = 0;
  #running: { readonly journal: Journal; readonly context: AgentContext; readonly desk: AgentDesk };

  constructor(testFacility: TestFacility, keys: Awaited<ReturnType<typeof cardKeys>>, more: AgentBedOptions) {
    this.testFacility = testFacility;
    this.keys = keys;
    this.#settings = more.settings ?? testSettings;
    const { directory, device, agent } = this.testFacility;
    this.#device = device;
    this.#agent = agent;
    this.clock = new SimulatedClock(more.startMs);
    this.#terminalBus = this.broker.connect('front-1');
    this.oqsFolder = join(directory, 'oqs');
    for (const name of ['face', 'req', 'res']) mkdirSync(join(this.oqsFolder, name), { recursive: true });
    this.journalPath = join(directory, 'journal.sqlite');
    this.#service = countedService(this.clock.now().wallMs, more.records, this.asked);
    this.options = {
      oqsFolder: this.oqsFolder,
      encoding: { encoding: 'Shift_JIS', label: 'Shift_JIS', machineDependent: 'character-reference' },
      publishesSettings: true,
      challengeLifeMs: 600_000,
      personalLifeMs: 86_400_000,
    };
    const dir = more.catalogueDir ?? catalogueDir;
    this.#catalogues = {
      at: (wallMs: number) => catalogueAt(wallMs, dir),
      ofVersion: (version: string) => catalogueOfVersion(version, dir),
      released: readReleasedTexts(dir),
    };
    this.catalogueVersion = this.#catalogues.at(this.clock.now().wallMs).version;
    this.#running = this.#open();
  }

  get journal() {
    return this.#running.journal;
  }

  /** How far the agent trusts its own clock from now on */
  setTime(time: Partial<TrustedTime>): void {
    this.#timeNow = { ...this.#timeNow, ...time };
  }

  get context() {
    return this.#running.context;
  }

  get desk() {
    return this.#running.desk;
  }

  /** `meanwhile`: what befalls its files while it is off */
  restart(meanwhile: () => void = () => {}) {
    this.#running.desk.close();
    this.#running.journal.close();
    meanwhile();
    this.#running = this.#open();
  }

  send(leaf: Parameters<typeof topicOf>[2], payload: Uint8Array) {
    return this.#terminalBus.publish(topicOf(facility, 'front-1', leaf), payload);
  }

  /** What the terminal says of itself, until it is heard; of this release's wire and idle unless `more` says otherwise */
  async say(more: object = {}): Promise<void> {
    this.#said += 1;
    const state = {
      ...{ device: 'front-1', lane: 1, version: sayWire('0.2.0'), profile: 'release', status: 'idle' },
      ...{ catalogueVersion: '2024-10-07', since: this.#said, ...more },
    };
    await this.send('state', new TextEncoder().encode(JSON.stringify(state)));
    await until('the state', () => this.desk.lanes.all().some(({ state: heard }) => heard?.since === state.since));
  }

  certificate(serial: string, dates: { notAfterMs?: number } = {}) {
    return certificateFor(this.keys.auth, this.clock.now().wallMs, { serial, ...dates });
  }

  async challenge(): Promise<Challenge> {
    const challengeRequestId = crypto.randomUUID();
    const question = { ...this.#address, challengeRequestId, requestedAt: this.clock.now().wallMs, wanted: 1 };
    await this.send('challenge-request', await sign('challenge-request', question, this.#device.signing));
    let answer: Challenge | undefined;
    const answered = this.broker.passedOn('challenge').length + 1;
    await until('a challenge', () => this.broker.passedOn('challenge').length >= answered);
    for (const payload of this.broker.passedOn('challenge').map((one) => one.payload)) {
      const message = must(
        await openSigned('challenge', payload, challengesSchema, this.#device.agents, this.#address),
      );
      if (message.challengeRequestId === challengeRequestId) answer = message.challenges[0];
    }
    if (answer === undefined) throw new Error('no challenge');
    return answer;
  }

  /** A request signed by card and device; `more` changes the payload. */
  async sign(card: CardEvidence, more: Partial<EligibilityRequest> = {}) {
    const challenge = more.challenge === undefined ? await this.challenge() : undefined;
    const issuedAt = this.clock.now().wallMs;
    const request = testRequest({
      issuedAt,
      verificationMethod: card.method,
      ...(card.method === 'pin' && { authCertificate: toBase64url(card.authCertificate) }),
      ...(challenge && { challenge: challenge.nonce, expiresAt: challenge.expiresAt }),
      ...more,
    });
    const facilityKey = this.#device.facilityKeys[0];
    if (facilityKey === undefined) throw new Error('no facility key');
    const signed = await signRequest(request, card, { device: this.#device.signing, facility: facilityKey });
    if (!signed.ok) throw new Error(signed.failure.code);
    return signed.value;
  }

  async pin(serial: string) {
    return pinCard(await this.certificate(serial), this.keys.auth);
  }

  face(birthDate: string, sex: string) {
    return faceCard(visualEvidence(this.keys.visual, { birthDate, sex }), this.keys.visual);
  }

  /** Sends it and waits for all that follows: receipt, result, file (or the fault of its folder). */
  async request(sealed: Uint8Array, awaited: 'handed over' | 'receipted' = 'handed over'): Promise<void> {
    const [receipts, results] = [this.broker.passedOn('receipt').length, this.broker.passedOn('result').length];
    await this.send('request', sealed);
    await until('a receipt', () => this.broker.passedOn('receipt').length > receipts);
    const receipt = (await this.receipts()).at(-1);
    if (awaited === 'receipted' || receipt?.verdict !== 'accepted') return;
    await until('a result', () => this.broker.passedOn('result').length > results);
    await until(
      'the hand-over',
      () =>
        this.#running.journal.visit(receipt.requestId)?.handedOverAt !== null ||
        this.#running.desk.handOver.folderFault !== null,
    );
  }

  /** The same while the service is down: until the patient is told so. */
  async requestInOutage(sealed: Uint8Array): Promise<void> {
    const results = this.broker.passedOn('result').length;
    await this.request(sealed, 'receipted');
    const isAsked = () => this.#running.journal.visits().at(-1)?.outcome === null;
    for (let tries = 0; tries < 60 && isAsked(); tries += 1) await this.clock.advance(500);
    await until('a result', () => this.broker.passedOn('result').length > results);
  }

  /** After the service is back: until the first visit has its answer and its file. */
  async answeredLate(): Promise<void> {
    const before = this.#running.journal.visits()[0]?.finishedAt;
    const isWaiting = () => this.#running.journal.visits()[0]?.finishedAt === before;
    for (let minutes = 0; minutes < 12 && isWaiting(); minutes += 1) await this.clock.advance(60_000);
    await until('the hand-over', () => this.#running.journal.visits()[0]?.handedOverAt !== null);
  }

  async lookup(authCertificate: Uint8Array, session: string = crypto.randomUUID()) {
    const facilityKey = this.#device.facilityKeys[0];
    if (facilityKey === undefined) throw new Error('no facility key');
    const lookup = {
      ...this.#address,
      lookupId: crypto.randomUUID(),
      session,
      requestedAt: this.clock.now().wallMs,
      authCertificate: toBase64url(authCertificate),
    };
    const before = this.broker.passedOn('lookup-result').length;
    await this.send('lookup', await signAndSeal('lookup', lookup, this.#device.signing, facilityKey));
    await until('a lookup result', () => this.broker.passedOn('lookup-result').length > before);
    const payload = this.broker.passedOn('lookup-result').at(-1)?.payload ?? new Uint8Array();
    return must(
      await openSealedAndSigned(
        'lookup-result',
        payload,
        lookupResultSchema,
        [this.#device.sealing],
        this.#device.agents,
        this.#address,
      ),
    );
  }

  receipts(): Promise<Receipt[]> {
    return this.#opened('receipt', async (bytes) =>
      must(await openSigned('receipt', bytes, receiptSchema, this.#device.agents, this.#address)),
    );
  }

  results(): Promise<ResultMessage[]> {
    return this.#opened('result', async (bytes) =>
      must(
        await openSealedAndSigned(
          'result',
          bytes,
          resultSchema,
          [this.#device.sealing],
          this.#device.agents,
          this.#address,
        ),
      ),
    );
  }

  /** What a レセコン would take: not what is being written, nor the look whether the folder takes files. */
  files(): string[] {
    return readdirSync(join(this.oqsFolder, 'face')).filter((name) => !name.startsWith('.'));
  }

  /** A patient's phone hands it to the service. */
  leavePreCheckIn(left: Parameters<SimulatedEligibilityService['leavePreCheckIn']>[0]): void {
    this.#service.leavePreCheckIn(left);
  }

  /** Until nothing has been published for some turns of the event loop: for other parties on this broker. */
  quiet(): Promise<void> {
    return quiet(this.#device.signing, () => this.broker.passed.length, { turns: 15 });
  }

  close(): void {
    this.#running.desk.close();
    this.#running.journal.close();
    this.testFacility.remove();
  }

  /** As after a start of the process: a new desk on the same journal. */
  #open() {
    const journal = new Journal(this.journalPath, { steadyMs: () => this.clock.now().monotonicMs });
    const context: AgentContext = {
      keys: () => this.#agent,
      devices: () => this.testFacility.registry,
      settings: () => this.#settings,
      catalogues: this.#catalogues,
      trust: parseCardTrust(authority.caCertificatePem, authority.cvIssuersJson),
      bus: this.broker.connect('agent-1'),
      journal,
      service: this.#service,
      clock: this.clock,
      time: () => this.#timeNow,
      disk: { fault: null, failed: () => 'agent.disk-failed' },
      log: createEventLog({ format: 'silent' }),
      options: this.options,
      changed: () => {
        for (const listener of this.listeners) listener();
      },
    };
    const texts = new ConsentTextsInForce(context);
    return { journal, context, desk: new AgentDesk(context, () => texts.now()) };
  }

  async #opened<T>(leaf: string, read: (bytes: Uint8Array) => Promise<T>): Promise<T[]> {
    return Promise.all(this.broker.passedOn(leaf).map(({ payload }) => read(payload)));
  }
}

export const makeAgentBed = async (more: AgentBedOptions = {}): Promise<AgentBed> =>
  new AgentBed(await makeTestFacility(), await cardKeys(), more);
