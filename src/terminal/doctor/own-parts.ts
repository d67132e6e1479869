import type { FaultName } from '../../catalogue/faults.ts';
import type { FailureCode } from '../../core/failure.ts';
import { dayMs } from '../../core/time-units.ts';
import type { Inspection } from '../visit/session-parts.ts';
import { clockByAgent, codeOf, roomOnDisk } from './doctor-checks.ts';
import type { Finding } from './examination.ts';
import type { HealthReport } from './health.ts';
import { nearExpiryDays } from './key-checks.ts';

type Known = {
  readonly report: HealthReport;
  readonly wallMs: number;
  /** Of the device's certificate, as the link process says it; null: not said */
  readonly certificateEndsMs: number | null;
  /** Free where this process keeps its state */
  readonly freeBytes: () => Promise<number>;
  readonly hasSoundCard: () => Promise<boolean>;
  readonly speaker: string;
};

const troubleOf = ({ trouble }: HealthReport['face'], otherwise: FailureCode): FaultName | null =>
  trouble && codeOf(trouble.code, otherwise);

const faultIn = (finding: Finding | null): FaultName | null => (finding?.state === 'found' ? finding.fault : null);

const certificateFault = ({ certificateEndsMs, wallMs }: Known): FaultName | null => {
  // The link has read it or is away: then nothing leaves the terminal.
  if (certificateEndsMs === null) return 'delivery.link-lost';
  const days = (certificateEndsMs - wallMs) / dayMs;
  if (days < 0) return 'certificate.expired';
  return days < nearExpiryDays ? 'certificate.near-expiry' : null;
};

/**
 * What the running terminal knows of its own parts, by the names and the limits of the doctor. It may not look where the
 * doctor may (keys and store of the link process): that is asked of the link.
 */
export const inspectOwnParts = async (known: Known): Promise<Inspection> => {
  const { report, freeBytes, hasSoundCard, speaker } = known;
  const isSilent = speaker === 'alsa' && !(await hasSoundCard());
  return {
    speaker: isSilent ? 'speaker.missing' : null,
    keypad: troubleOf(report.keypad, 'keypad.lost'),
    light: troubleOf(report.statusLight, 'light.lost'),
    camera: troubleOf(report.face, 'face.process-lost'),
    reader: troubleOf(report.cardReader, 'reader.lost'),
    certificates: certificateFault(known),
    clock: faultIn(clockByAgent(known)),
    disk: faultIn(await roomOnDisk(freeBytes)) ?? troubleOf(report.store, 'storage.unwritable'),
  };
};
