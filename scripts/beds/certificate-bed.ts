import { join } from 'node:path';
import { CertificateDesk } from '../../src/agent/desk/certificate-desk.ts';
import { readAgentKeys, readDeviceRegistry } from '../../src/agent/provisioning/agent-keys.ts';
import type { TrustedTime } from '../../src/core/trusted-time.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { LinkCertificate } from '../../src/processes/link-certificate.ts';
import { readLinkKeys, type TlsFiles } from '../../src/trust/key-files.ts';
import { readTlsPairs } from '../../src/trust/tls-pairs.ts';
import { MemoryBroker } from './memory-bus.ts';

type CertificatePlace = {
  readonly agentDirectory: string;
  readonly deviceDirectory: string;
  readonly device: string;
  /** The link's own state */
  readonly state: string;
};

/** Both ends of a renewal as their processes put them together, with what each has on its disk and nothing else. */
export const openCertificateEnds = async (
  { agentDirectory, deviceDirectory, device, state }: CertificatePlace,
  time: () => TrustedTime,
  /** null: the answer was lost on its way */
  carry: (answer: Uint8Array) => Uint8Array | null = (answer) => answer,
) => {
  const log = createEventLog({ format: 'silent' });
  const adopted: { readonly link: TlsFiles[]; readonly agent: TlsFiles[] } = { link: [], agent: [] };
  const keys = await readAgentKeys(agentDirectory);
  const devices = await readDeviceRegistry(agentDirectory);
  const [agentTls] = await readTlsPairs(agentDirectory, keys.tls);
  const desk = new CertificateDesk({
    directory: agentDirectory,
    context: {
      keys: () => keys,
      devices: () => devices,
      bus: new MemoryBroker().connect('agent-1'),
      time,
      log,
      changed: () => {},
    },
    inForce: agentTls,
    adopt: (tls) => void adopted.agent.push(tls),
  });
  const [linkTls] = await readTlsPairs(state, await readLinkKeys(deviceDirectory));
  const refused: string[] = [];
  const requests: Uint8Array[] = [];
  let answered: Promise<void> = Promise.resolve();
  const link: LinkCertificate = new LinkCertificate({
    ...{ directory: state, facility: keys.facility, device, inForce: linkTls, time, log },
    send: async (request) => {
      requests.push(request);
      const answer = await desk.answer(device, request);
      if (!answer.ok) return void refused.push(`${answer.failure.code} ${answer.failure.detail}`);
      const bytes = carry(new TextEncoder().encode(JSON.stringify(answer.value)));
      if (bytes !== null) answered = link.receive(bytes);
    },
    adopt: (tls) => void adopted.link.push(tls),
  });
  return {
    desk,
    link,
    linkTls,
    agentTls,
    adopted,
    refused,
    requests,
    /** Both look at their certificates, and everything that follows is done. */
    look: async (): Promise<void> => {
      await desk.look();
      await link.look();
      await answered;
    },
  };
};

export const nextKeyFile = (state: string): string => join(state, 'tls-next-key.pem');
