import type { WarningDays } from '../../core/certificate-life.ts';
import type { TerminalFigures } from '../../wire/figures.ts';
import type { StateMessage } from '../../wire/messages.ts';
import type { TerminalAbout } from '../../wire/terminal-about.ts';
import { createStateTeller } from './tell-state.ts';

/** When the device's certificate ends and is warned of */
export type CertificateTeller = (
  listener: (end: { readonly endsMs: number; readonly days: WarningDays | null }) => void,
) => void;

/** What staff are told of at a time; the agent keeps what it was told. */
const mostLate = 8;

/** What the terminal says of itself, with what is true besides the session. */
export const createSelfReport = (
  publish: (payload: Uint8Array) => void,
  subscribeCertificate: CertificateTeller | undefined,
) => {
  const late: string[] = [];
  let settingsVersion: number | undefined;
  let lastAccepted: StateMessage['lastAccepted'];
  let certificateWarning: StateMessage['certificateWarning'];
  let about: StateMessage['about'];
  let figures: StateMessage['figures'];
  let update: StateMessage['update'];
  const stateTeller = createStateTeller(publish, () => ({
    ...(settingsVersion !== undefined && { settingsVersion }),
    ...(lastAccepted !== undefined && { lastAccepted }),
    ...(late.length > 0 && { late: [...late] }),
    ...(certificateWarning !== undefined && { certificateWarning }),
    ...(about !== undefined && { about }),
    ...(figures !== undefined && { figures }),
    ...(update !== undefined && { update }),
  }));
  subscribeCertificate?.(({ endsMs, days }) => {
    const before = certificateWarning;
    certificateWarning = days === null ? undefined : { days, endsAt: endsMs };
    if (before?.days !== certificateWarning?.days || before?.endsAt !== certificateWarning?.endsAt)
      stateTeller.tellNow();
  });
  return {
    stateTeller,
    tellLate: (requestId: string): void => {
      if (!late.includes(requestId)) late.push(requestId);
      if (late.length > mostLate) late.shift();
      stateTeller.tellNow();
    },
    /** Told with whatever is told next: a visit that is accepted goes on. */
    noteAccepted: (last: NonNullable<StateMessage['lastAccepted']>): void => {
      if (last.at >= (lastAccepted?.at ?? 0)) lastAccepted = last;
    },
    tellAbout: (now: TerminalAbout): void => {
      about = now;
      stateTeller.tellNow();
    },
    tellFigures: (measured: TerminalFigures): void => {
      figures = measured;
      stateTeller.tellNow();
    },
    /** What the update process of this device says */
    tellUpdate: (next: StateMessage['update']): void => {
      update = next;
      stateTeller.tellNow();
    },
    tellSettingsVersion: (version: number): void => {
      settingsVersion = version;
      stateTeller.tellNow();
    },
  };
};
