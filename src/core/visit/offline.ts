import { partyOf } from '../party.ts';
import { delays } from './delays.ts';
import type { Surroundings } from './session.ts';

/** When a terminal that cannot reach the clinic stops beginning visits, monotonic ms; null: it reaches it. */
export const offlineAtMs = ({ disconnectedSinceMs, disconnection, timeouts }: Surroundings): number | null => {
  if (disconnectedSinceMs === null) return null;
  const isKnown = partyOf(disconnection.code, 'terminal') !== null;
  return disconnectedSinceMs + Math.min(timeouts.offlineMs, isKnown ? delays.knownOutageMs : delays.nobodyAnswersMs);
};
