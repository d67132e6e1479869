import { join } from 'node:path';
import type { AgentContext } from '../agent/agent-context.ts';
import type { Lane } from '../agent/desk/lanes.ts';
import { agentFiles } from '../agent/provisioning/agent-keys.ts';
import { RolloutDesk, type RolloutStand } from '../agent/rollout/rollout-desk.ts';
import { withoutOwn } from '../agent/rollout/rollout-settings.ts';
import { readFacilitySettings } from '../agent/settings/facility-settings-file.ts';
import { needsSomebody, rolloutWords } from '../catalogue/rollout-words.ts';
import { type RolloutKind, rolloutFileOf } from '../wire/rollout-papers.ts';
import type { AgentConfig } from './agent-config.ts';

type Release = ReturnType<NonNullable<AgentContext['release']>>;

/** What an agent of a chain has besides; null for a facility that is in none. */
export const startRollout = async (
  directory: string,
  config: AgentConfig,
  context: Pick<AgentContext, 'clock' | 'time' | 'log' | 'changed' | 'keys'>,
) => {
  const { rollout, bundles, settingsFile } = config;
  if (rollout === undefined) return null;
  const { folder, trust, ownSettings } = rollout;
  const desk = await RolloutDesk.open(
    { ...context, facility: () => context.keys().facility },
    { folder, trust, held: join(directory, agentFiles.rolloutHeld), bundles },
    rollout,
    (laid) => readFacilitySettings(settingsFile, withoutOwn(laid, ownSettings)),
  );
  const placeOf = (kind: RolloutKind): string => join(folder, rolloutFileOf(kind));
  return {
    look: () => void desk.look(),
    stands: (lanes: readonly Lane[]): readonly RolloutStand[] => desk.stands(lanes),
    withholds: (sha256: string): boolean => desk.withholds(sha256),
    /** Whose turn it is, but nobody's while the chain's release is stopped. */
    release: (turn: Release): Release =>
      turn !== undefined && desk.holdsBack(turn.version) ? { ...turn, lane: null } : turn,
    /** What somebody has to see to, in staff's words */
    problems: (): readonly string[] =>
      desk
        .stands([])
        .flatMap(({ kind, why }) =>
          why !== null && needsSomebody(why) ? [`${placeOf(kind)}: ${rolloutWords[why].ja}`] : [],
        ),
  };
};
