import type { FaultName } from '../../catalogue/faults.ts';
import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { Terminal } from '../../core/visit/request.ts';
import type { AdjustableLog, EventLog } from '../../log/event-log.ts';
import type { CardFrontReader } from '../../ports/card-front-reader.ts';
import type { CardReader } from '../../ports/card-reader.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FaceVerifier } from '../../ports/face-verifier.ts';
import type { Keypad } from '../../ports/keypad.ts';
import type { Microphone } from '../../ports/microphone.ts';
import type { Screen } from '../../ports/screen.ts';
import type { SmartphoneReader } from '../../ports/smartphone-reader.ts';
import type { Speaker } from '../../ports/speaker.ts';
import type { StatusLight } from '../../ports/status-light.ts';
import type { CardCryptography } from '../../protocol/card/digest-info.ts';
import type { CvIssuer } from '../../protocol/card/visual-ap.ts';
import type { CommandMessage } from '../../wire/messages.ts';
import type { Profile } from '../../wire/profile.ts';
import type { TestedPart } from '../../wire/self-test-report.ts';
import type { ClinicLink } from '../delivery/clinic-link.ts';

type RestartablePart = Extract<CommandMessage['command'], { name: 'restart' }>['part'];

/** What the terminal knows of its parts without trying them out: the fault of each, by the doctor's names; null: well */
export type Inspection = Readonly<Partial<Record<TestedPart, FaultName | null>>>;

type Machine = {
  /** Of this start of the machine (Linux: boot_id) */
  readonly boot?: string;
  readonly reboot?: () => void;
  readonly log?: Pick<AdjustableLog, 'level' | 'setLevel'>;
  /** gzip of one JSON document (src/log/support-bundle.ts) */
  readonly supportBundle?: () => Promise<Uint8Array>;
};

/** What the session runner is given by the composition root. A part that a device does not have is null. */
export type SessionParts = {
  readonly terminal: Terminal & { readonly version: string; readonly profile: Profile };
  readonly clock: Clock;
  /** Whether a date may refuse a card: not while the time is doubted. Default: it may */
  readonly datesCount?: () => boolean;
  readonly log: EventLog;
  readonly cardReader: CardReader;
  readonly cardFrontReader: CardFrontReader | null;
  readonly smartphoneReader: SmartphoneReader | null;
  readonly faceVerifier: FaceVerifier;
  readonly screen: Screen;
  readonly keypad: Keypad | null;
  readonly statusLight: StatusLight | null;
  readonly speaker: Speaker | null;
  /** Left out or null: whether the loudspeaker sounds is asked of a person */
  readonly microphone?: Microphone | null;
  readonly clinic: ClinicLink;
  readonly trustedCvIssuers: readonly CvIssuer[];
  readonly cryptography: CardCryptography;
  /** The catalogue that holds at a wall-clock instant, ms. */
  readonly catalogueAt: (wallMs: number) => Catalogue;
  /** Languages whose signs the screen has no font for; left out: none. */
  readonly undrawable?: ReadonlySet<string>;
  /** Of the panel; left out: not known */
  readonly diagonalInches?: number;
  /** What is known of the parts without trying them; left out: nothing is wrong with any */
  readonly inspect?: () => Promise<Inspection>;
  /** A release that has not proved itself yet: nobody is served, only tested. Left out: it has */
  readonly onTrial?: () => boolean;
  /** A random UUID */
  readonly newId: () => string;
  readonly restart: Readonly<Partial<Record<RestartablePart, () => void>>>;
  /** What orders about the whole machine need; what is left out is refused */
  readonly machine?: Machine;
};
