import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { agentFiles } from '../agent/provisioning/agent-keys.ts';
import { type AgentConfig, type AgentConfigInput, readAgentConfig } from './agent-config.ts';

/** The configuration of a directory that `uketsuke provision` made. Throws for another: a mistyped one stays as it is. */
export const configOfAgentIn = async (directory: string, overrides: AgentConfigInput = {}): Promise<AgentConfig> => {
  if (!existsSync(join(directory, agentFiles.facilityKeys)))
    throw new Error(
      `${directory}: no agent's directory (${agentFiles.facilityKeys} is missing); \`uketsuke provision\` makes one`,
    );
  return readAgentConfig(directory, overrides);
};
