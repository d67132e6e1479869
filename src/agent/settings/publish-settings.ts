import { createHash } from 'node:crypto';
import type { AgentContext } from '../agent-context.ts';
import type { AgentPost } from '../agent-post.ts';

/**
 * The settings of the facility to every registered terminal, retained. The version rises with the content and lives in
 * the journal, so that it never goes back over a restart; the same content keeps its version.
 */
export const publishSettings = async (context: AgentContext, post: AgentPost): Promise<void> => {
  const { journal, clock, keys, devices, settings, options } = context;
  if (!options.publishesSettings) return;
  const { facilityKeys, facility } = keys();
  const content = { facilitySettings: settings(), facilityKeys };
  const contentHash = createHash('sha256').update(JSON.stringify(content)).digest('base64url');
  const version = journal.settingsVersion(facility, contentHash);
  const message = { version, validFrom: clock.now().wallMs, ...content };
  for (const device of devices().values()) if (!device.revoked) await post.signed(device, 'settings', message);
};
