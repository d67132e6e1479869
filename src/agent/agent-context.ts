import type { ReleasedTexts } from '../catalogue/released-texts.ts';
import type { Catalogue } from '../core/catalogue/catalogue.ts';
import type { TrustedTime } from '../core/trusted-time.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { MessageBus } from '../ports/message-bus.ts';
import type { EncodingSetting } from '../protocol/oqs/oqs-xml.ts';
import type { FacilitySettings } from '../wire/facility-settings.ts';
import type { TopicLeaf } from '../wire/topics.ts';
import type { DiskWatch } from './disk-watch.ts';
import type { EligibilityService } from './eligibility/eligibility-service.ts';
import type { Journal } from './journal/journal.ts';
import type { AgentKeys, DeviceEntry } from './provisioning/agent-keys.ts';
import type { CardTrust } from './provisioning/card-trust.ts';

/** What the parts of the agent share. Functions where the answer may change while it runs (files are watched). */
export type AgentContext = {
  readonly keys: () => AgentKeys;
  readonly devices: () => ReadonlyMap<string, DeviceEntry>;
  readonly settings: () => FacilitySettings;
  readonly catalogues: Catalogues;
  readonly trust: CardTrust;
  readonly bus: MessageBus;
  readonly journal: Journal;
  readonly service: EligibilityService;
  readonly clock: Clock;
  /** How far this machine's time may be trusted now */
  readonly time: () => TrustedTime;
  readonly log: EventLog;
  /** Whether the journal's disk takes what must be kept */
  readonly disk: Pick<DiskWatch, 'fault' | 'failed'>;
  readonly options: AgentOptions;
  /** The release that terminals may follow now, and up to which lane; left out: nothing is said of it */
  readonly release?: () => FacilitySettings['release'];
  /** Tells the staff page that something it shows has changed */
  readonly changed: () => void;
};

/** What of an agent its desk for inquiries needs */
export type InquiryContext = Pick<
  AgentContext,
  'clock' | 'changed' | 'disk' | 'journal' | 'log' | 'service' | 'settings'
> & { readonly options: Pick<AgentOptions, 'oqsFolder' | 'encoding'> };

/** What official notices say, by date or by the version that a request names. */
export type Catalogues = {
  readonly at: (wallMs: number) => Catalogue;
  /** undefined: no file here ever came to it */
  readonly ofVersion: (version: string) => Catalogue | undefined;
  /** What terminals of earlier releases have on their screens */
  readonly released: readonly ReleasedTexts[];
};

export type AgentOptions = {
  /** Folder shared with the レセコン: `face`, `req` and `res` lie below it */
  readonly oqsFolder: string;
  readonly encoding: EncodingSetting;
  readonly publishesSettings: boolean;
  /** A challenge lives so long by this agent's clock */
  readonly challengeLifeMs: number;
  /** Personal data of a request that could not be handed over is deleted after this */
  readonly personalLifeMs: number;
};

/** A message as it came in, its sender known from the registry and not revoked. */
export type Incoming = { readonly leaf: TopicLeaf; readonly device: DeviceEntry; readonly payload: Uint8Array };
