import { isIPv4, isIPv6 } from 'node:net';
import { writeFileAtomically } from '../../trust/write-file.ts';

/*
 * A place at the broker's port for a terminal that was just enrolled: with its one-use code it has proven itself as well
 * as one that was served before, and must not wait for a place among addresses that nobody knows
 * (systemd/mosquitto/limits.nft). Addresses are kept on the disk, for the kernel forgets them when the machine starts.
 */
const table = ['inet', 'uketsuke_broker'] as const;
const knownFile = '/var/lib/uketsuke-broker-limits/known.nft';

/**
 * `address`: as a socket tells it, an IPv4 one also in its IPv6 form. `nft`: runs nft with these arguments and answers
 * what it printed. Throws what that throws: where the limits are not loaded there is no such place.
 */
export const knowAddress = async (
  address: string,
  nft: (args: readonly string[]) => Promise<string>,
  file = knownFile,
): Promise<void> => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
  if (!isIPv4(plain) && !isIPv6(plain)) throw new Error(`${address} is no address`);
  await nft(['add', 'element', ...table, isIPv4(plain) ? 'known4' : 'known6', `{ ${plain} }`]);
  const sets: string[] = [];
  for (const name of ['known4', 'known6']) sets.push(await nft(['list', 'set', ...table, name]));
  await writeFileAtomically(file, sets.join(''));
};
