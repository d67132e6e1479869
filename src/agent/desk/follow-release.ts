import { laneWhoseTurnItIs, type TerminalRelease } from '../../core/update/wave.ts';
import type { FacilitySettings } from '../../wire/facility-settings.ts';
import type { Lane } from './lanes.ts';

/**
 * Which lane's turn it is to follow this agent's release. A terminal that has served with it once counts as through: a
 * reader that is unplugged later stops nobody.
 */
export const followRelease = (version: string, lanes: () => readonly Lane[]) => {
  const through = new Set<string>();
  const told = ({ device, lane, state }: Lane): TerminalRelease => {
    const key = `${device} ${state?.version}`;
    if (state?.status === 'idle' || state?.status === 'busy') through.add(key);
    const fellBackFrom = state?.update?.last?.outcome === 'fell-back' ? state.update.last.version : null;
    return { device, lane, version: state?.version ?? null, isServing: through.has(key), fellBackFrom };
  };
  return (): FacilitySettings['release'] => ({ version, lane: laneWhoseTurnItIs(version, lanes().map(told)) });
};
