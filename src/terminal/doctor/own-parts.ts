import type { FaultName } from '../../catalogue/faults.ts';
import { isFailureCode } from '../../core/failure.ts';
import { dayMs } from '../../core/time-units.ts';
import type { Inspection } from '../visit/session-parts.ts';
import { doctorChecks } from './doctor-checks.ts';
import type { DoctorCheck, Examination } from './examination.ts';
import type { HealthReport } from './health.ts';

/** As the doctor says it: renewed in time nobody ever comes so near. */
const nearExpiryDays = 30;

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

const codeOf = (trouble: HealthReport['face']['trouble'], otherwise: FaultName): FaultName | null => {
  if (trouble === null) return null;
  return isFailureCode(trouble.code) ? trouble.code : otherwise;
};

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
  const { report, wallMs, freeBytes, hasSoundCard, speaker } = known;
  const examination = {
    // Keys are not looked at from here; the clock is judged by the agent's time in the report.
    config: { paths: { provisioning: '/nonexistent', store: '.' } },
    report,
    wallMs,
    freeBytes: () => freeBytes(),
  } as unknown as Examination;
  const fault = async (check: DoctorCheck): Promise<FaultName | null> => {
    const finding = await check(examination);
    return finding.state === 'found' ? finding.fault : null;
  };
  const [clock, disk] = await Promise.all([fault(doctorChecks.clock), fault(doctorChecks.disk)]);
  const isSilent = speaker === 'alsa' && !(await hasSoundCard());
  return {
    speaker: isSilent ? 'speaker.missing' : null,
    keypad: codeOf(report.keypad.trouble, 'keypad.lost'),
    light: codeOf(report.statusLight.trouble, 'light.lost'),
    camera: codeOf(report.face.trouble, 'face.process-lost'),
    reader: codeOf(report.cardReader.trouble, 'reader.lost'),
    certificates: certificateFault(known),
    clock,
    disk: disk ?? codeOf(report.store.trouble, 'storage.unwritable'),
  };
};
