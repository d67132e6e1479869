import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeCardTrust } from '../agent/provisioning/card-trust.ts';
import { addAgent, addDevice, createFacility } from '../agent/provisioning/facility-authority.ts';
import { firstFacilitySettings } from '../catalogue/first-settings.ts';
import { catalogueAt } from '../catalogue/load-catalogue.ts';
import { printYaml } from '../config-file/plain-yaml.ts';

const authorityFolder = fileURLToPath(new URL('../../.cache/test-authority', import.meta.url));

/** A facility to try things with, in a new folder: one agent, one terminal, trust in the virtual cards alone. */
export const makeKitFacility = async (directory: string, agent: string): Promise<void> => {
  const { ensureTestAuthority } = await import('../../drivers/virtual/test-authority.ts');
  const { caCertificatePem, cvIssuersJson } = await ensureTestAuthority(authorityFolder);
  await createFacility(directory, { facility: 'kit-clinic', brokerNames: ['localhost', '127.0.0.1'] });
  const folder = await addAgent(directory, agent);
  await writeCardTrust(join(folder, 'card-trust'), { certificateIssuersPem: caCertificatePem, cvIssuersJson });
  const settings = firstFacilitySettings(catalogueAt(Date.now()).consents, 'medical', 'テスト医院', '1310000001');
  await writeFile(join(folder, 'facility-settings.yaml'), printYaml(settings), { mode: 0o600 });
  await addDevice(directory, 'terminal-01', 1);
};
