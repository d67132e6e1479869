import { createHash } from 'node:crypto';
import { isAsked } from '../../core/catalogue/consent.ts';
import type { AgentContext } from '../agent-context.ts';
import type { AgentPost } from '../agent-post.ts';
import type { DeviceEntry } from '../provisioning/agent-keys.ts';

/** Terminals whose settings are issued in one transaction: between two of them patients are served. */
const atATime = 16;

/**
 * The settings of the facility to every registered terminal, retained, in the words that it knows. Each terminal's version
 * rises with what it is told and lives in the journal, so that it never goes back over a restart; the same content keeps
 * its version and its instant, and is the same message again. `only`: to this terminal alone.
 */
export const publishSettings = async (context: AgentContext, post: AgentPost, only?: string): Promise<void> => {
  const { journal, clock, keys, devices, settings, options, catalogues } = context;
  if (!options.publishesSettings) return;
  const { facilityKeys, facility } = keys();
  const { consents } = catalogues.at(clock.now().wallMs);
  // Each question by name: a terminal of before knows no defaults.
  const asks = Object.fromEntries(consents.items.map(({ code }) => [code, isAsked(code, consents, settings())]));
  const { release } = context;
  const facilitySettings = {
    ...settings(),
    asks: { ...settings().asks, ...asks },
    ...(release !== undefined && { release: release() }),
  };
  const content = { facilitySettings, facilityKeys };
  const tell = async (device: DeviceEntry): Promise<void> => {
    const told = post.wording(device, 'settings', { ...content, version: 1, validFrom: 0 });
    const contentHash = createHash('sha256').update(JSON.stringify(told)).digest('base64url');
    const nowMs = clock.now().wallMs;
    const issue = await journal.together('now', () =>
      journal.settingsIssue({ facility, device: device.device, contentHash }, nowMs),
    );
    await post.signed(device, 'settings', { ...issue, ...content });
  };
  const told = [...devices().values()].filter(
    ({ device, revoked }) => !revoked && (only === undefined || only === device),
  );
  for (let from = 0; from < told.length; from += atATime) await Promise.all(told.slice(from, from + atATime).map(tell));
};
