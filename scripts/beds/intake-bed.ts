import type { AgentContext } from '../../src/agent/agent-context.ts';
import { AgentPost } from '../../src/agent/agent-post.ts';
import type { EligibilityService, LookupAnswer } from '../../src/agent/eligibility/eligibility-service.ts';
import { LookupMemory } from '../../src/agent/intake/lookup-memory.ts';
import type { JournalVisit } from '../../src/agent/journal/journal.ts';
import type { Fresh } from '../../src/agent/journal/journal-schema.ts';
import { parseCardTrust } from '../../src/agent/provisioning/card-trust.ts';
import { catalogueAt, catalogueOfVersion } from '../../src/catalogue/load-catalogue.ts';
import type { Catalogue } from '../../src/core/catalogue/catalogue.ts';
import type { FailureCode } from '../../src/core/failure.ts';
import { ok, type Result } from '../../src/core/result.ts';
import type { TrustedTime } from '../../src/core/trusted-time.ts';
import { toBase64url } from '../../src/protocol/base64url.ts';
import { type CardEvidence, signRequest } from '../../src/terminal/delivery/sign-request.ts';
import { sign } from '../../src/trust/seal.ts';
import type { FacilitySettings } from '../../src/wire/facility-settings.ts';
import { type EligibilityRequest, testApprover } from '../../src/wire/messages.ts';
import type { TopicLeaf } from '../../src/wire/topics.ts';
import { cardKeys, certificateFor, faceCard, pinCard, visualEvidence } from './evidence-fixtures.ts';
import { memoryEngine, memoryJournal } from './memory-journal.ts';
import { SimulatedClock, simulatedStartMs } from './simulated-clock.ts';
import { authority } from './test-cards.ts';
import { facility, makeTestFacility, testRequest, testSettings } from './test-facility.ts';

/** Made once for a process: their making takes longer than all that is tried with them. */
const testFacility = await makeTestFacility();
testFacility.remove();
const keys = await cardKeys();
const certificate = await certificateFor(keys.auth, simulatedStartMs);
const trust = parseCardTrust(authority.caCertificatePem, authority.cvIssuersJson);
const entryOf = (device: string) => {
  const entry = testFacility.registry.get(device);
  if (entry === undefined) throw new Error(`no ${device}`);
  return entry;
};

/** What is asked, in two of the languages: all that can be asked in all of them takes a second to be put together. */
export const fewLanguages = (catalogue: Catalogue): Catalogue => ({
  ...catalogue,
  languages: Object.fromEntries(Object.entries(catalogue.languages).filter(([name]) => ['ja', 'en'].includes(name))),
});

export const fixtures = {
  testFacility,
  keys,
  certificate,
  trust,
  front1: entryOf('front-1'),
  front2: entryOf('front-2'),
};

/** What was to be published, before it is signed. */
type Told = { readonly device: string; readonly leaf: TopicLeaf; readonly correlation: string | undefined } & {
  readonly message: Record<string, unknown>;
};

/** In place of bus and signatures: what is told is noted. `fails`: the broker takes nothing */
class NotingPost extends AgentPost {
  readonly told: Told[] = [];
  fails: Result<never> | null = null;

  #note(device: string, leaf: TopicLeaf, message: object, correlation?: string): Promise<Result<void>> {
    this.told.push({ device, leaf, correlation, message: message as Told['message'] });
    return Promise.resolve(this.fails ?? ok(undefined));
  }

  override signed({ device }: { device: string }, leaf: TopicLeaf, message: object, correlation?: string) {
    return this.#note(device, leaf, message, correlation);
  }

  override sealed({ device }: { device: string }, leaf: TopicLeaf, message: object, correlation: string) {
    return this.#note(device, leaf, message, correlation);
  }
}

export const goodAnswer: LookupAnswer = {
  registered: 'yes',
  certificateStatus: 'good',
  medicalSubsidy: false,
  pendingDocuments: [],
  waitingPrescriptions: [],
  person: { birthdate: '19800217', sex: '1' },
};

type Service = Pick<EligibilityService, 'lookup' | 'preCheckIns'>;

type IntakeBedOptions = {
  readonly shared?: boolean;
  readonly settings?: Partial<FacilitySettings>;
  /** The national service; answers `goodAnswer` where nothing else is said */
  readonly service?: Partial<Service>;
};

/**
 * The gates of the agent's intake with a journal in memory and nothing after them: what they are given is signed and sealed
 * as a terminal does it, what they tell is noted before it would be signed. Milliseconds each.
 */
export class IntakeBed {
  readonly clock = new SimulatedClock();
  readonly journal;
  readonly memory = new LookupMemory();
  readonly post: NotingPost;
  readonly context: AgentContext;
  readonly logged: { readonly name: string; readonly fields: object }[] = [];
  readonly started: { readonly visit: JournalVisit; readonly device: string; readonly fresh: Fresh | undefined }[] = [];
  readonly diskErrors: unknown[] = [];
  diskFault: FailureCode | null = null;
  /** How durable each transaction of the journal was to be */
  readonly committed: string[] = [];
  changes = 0;
  time: TrustedTime = { wallMs: 0, floorMs: 0, certainty: 'confirmed', fault: null, machineAheadMs: 0 };
  settings: FacilitySettings;
  service: Service;

  constructor({ shared = false, settings = {}, service = {} }: IntakeBedOptions = {}) {
    const engine = memoryEngine({ shared, committed: this.committed, nowMs: () => this.nowMs });
    this.journal = memoryJournal(engine, () => this.clock.now().monotonicMs);
    this.settings = { ...testSettings, ...settings };
    this.service = { lookup: async () => ok(goodAnswer), ...service };
    const bed = this;
    this.context = {
      keys: () => testFacility.agent,
      devices: () => testFacility.registry,
      settings: () => this.settings,
      catalogues: { at: catalogueAt, ofVersion: catalogueOfVersion, released: [] },
      trust,
      // What the gates ask of the rest goes by the post, and no further.
      bus: null as never,
      journal: this.journal,
      get service() {
        return bed.service as EligibilityService;
      },
      clock: this.clock,
      time: () => this.time,
      disk: {
        get fault() {
          return bed.diskFault;
        },
        failed: (error) => {
          this.diskErrors.push(error);
          this.diskFault = 'agent.disk-failed';
          return this.diskFault;
        },
      },
      log: { event: (name, fields) => void this.logged.push({ name, fields }) },
      options: {
        oqsFolder: '',
        encoding: { encoding: 'Shift_JIS', label: 'Shift_JIS', machineDependent: 'character-reference' },
        publishesSettings: false,
        challengeLifeMs: 600_000,
        personalLifeMs: 86_400_000,
      },
      changed: () => {
        this.changes += 1;
      },
    };
    this.post = new NotingPost(this.context, () => 1);
  }

  get nowMs(): number {
    return this.clock.now().wallMs;
  }

  get told(): readonly Told[] {
    return this.post.told;
  }

  afterReceipt = {
    start: (visit: JournalVisit, { device }: { device: string }, fresh?: Fresh): void =>
      void this.started.push({ visit, device, fresh }),
  };

  /** One that this agent handed out to front-1, good for `lifeMs` */
  challenge(lifeMs = 600_000): { readonly challenge: string; readonly expiresAt: number } {
    const nonce = toBase64url(crypto.getRandomValues(new Uint8Array(32)));
    const expiresAt = this.nowMs + lifeMs;
    this.journal.addChallenges('front-1', [{ nonce, issuedAt: this.nowMs, expiresAt }], 48);
    return { challenge: nonce, expiresAt };
  }

  pin(der = certificate): CardEvidence {
    return pinCard(der, keys.auth);
  }

  face(): CardEvidence {
    return faceCard(visualEvidence(keys.visual), keys.visual);
  }

  /** Signed by card and device, sealed to the facility; right in everything but what `more` says. */
  async request(card: CardEvidence, more: Partial<EligibilityRequest> = {}, by = testFacility.device) {
    const request = testRequest({
      issuedAt: this.nowMs,
      verificationMethod: card.method,
      ...(card.method === 'pin' && { authCertificate: toBase64url(card.authCertificate) }),
      ...(card.method === 'face' && { authCertificate: toBase64url(certificate) }),
      ...(more.challenge === undefined && this.challenge()),
      ...more,
    });
    const [facilityKey] = testFacility.device.facilityKeys;
    if (facilityKey === undefined) throw new Error('no facility key');
    const made = await signRequest(request, card, { device: by.signing, facility: facilityKey });
    if (!made.ok) throw new Error(made.failure.detail);
    return { ...made.value, request };
  }

  /** As the desk signs it when staff press the button; by `testApprover` when they order a test */
  async approval(session: string, approver = 'nurse-1'): Promise<string> {
    const approvedAt = this.nowMs;
    const approval = { facility, device: 'front-1', session, approver, approvedAt, expiresAt: approvedAt + 600_000 };
    return new TextDecoder().decode(await sign('staff-approval', approval, testFacility.agent.signing));
  }

  /** A test visit, as staff order it */
  async testVisit(more: Partial<EligibilityRequest> = {}) {
    const session = crypto.randomUUID();
    const staffApproval = await this.approval(session, testApprover);
    return this.request({ method: 'staff' }, { kind: 'test', session, staffApproval, consents: [], ...more });
  }

  close(): void {
    this.journal.close();
  }
}
