import { join } from 'node:path';
import { agentFiles, readAgentKeys, readDeviceRegistry } from '../agent/provisioning/agent-keys.ts';
import { readHeldRollouts } from '../agent/rollout/held-rollouts.ts';
import { withoutOwn } from '../agent/rollout/rollout-settings.ts';
import { readFacilitySettings } from '../agent/settings/facility-settings-file.ts';
import { readStaff } from '../agent/staff-page/staff-codes.ts';
import { WatchedFile } from '../agent/watched-file.ts';
import { sameContent } from '../core/same-content.ts';
import type { FacilitySettings } from '../wire/facility-settings.ts';
import type { AgentConfig } from './agent-config.ts';

/**
 * The facility's file, under what the chain has laid over it. What the chain says keeps nobody from serving: where the two do not go
 * together (another release, a changed file) the facility's own file holds alone.
 */
const settingsIn = async (directory: string, { settingsFile, rollout }: AgentConfig): Promise<FacilitySettings> => {
  if (rollout === undefined) return readFacilitySettings(settingsFile);
  const held = await readHeldRollouts(join(directory, agentFiles.rolloutHeld)).catch(() => null);
  const laid = withoutOwn(held?.laid ?? {}, rollout.ownSettings);
  return readFacilitySettings(settingsFile, laid).catch(() => readFacilitySettings(settingsFile));
};

/** The files that may change while the agent runs; `onChange` hears of every one, `onRegistry` of those terminals must know. */
export const openAgentFiles = async (
  directory: string,
  config: AgentConfig,
  onChange: () => void,
  onRegistry: () => void,
) => {
  const at = (name: string): string => join(directory, name);
  const changed = (): void => {
    onRegistry();
    onChange();
  };
  const { settingsFile, staffFile } = config;
  const keyPaths = [at(agentFiles.facilityKeys), at(agentFiles.agents)];
  const settingsPaths = [settingsFile, ...(config.rollout === undefined ? [] : [at(agentFiles.rolloutHeld)])];
  const keys = await WatchedFile.open(keyPaths, () => readAgentKeys(directory), changed);
  const devices = await WatchedFile.open([at(agentFiles.devices)], () => readDeviceRegistry(directory), changed);
  let told: FacilitySettings | null = null;
  // What was seen of a chain is written every few minutes: terminals hear of it where it changes their settings.
  const settingsChanged = (value: FacilitySettings): void => {
    if (sameContent(value, told)) return onChange();
    told = value;
    changed();
  };
  const settings = await WatchedFile.open(settingsPaths, () => settingsIn(directory, config), settingsChanged);
  told = settings.value;
  const staff = await WatchedFile.open([staffFile], () => readStaff(staffFile), onChange);
  return { keys, devices, settings, staff, all: [keys, devices, settings, staff] };
};
