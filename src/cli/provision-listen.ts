import { execFileSync } from 'node:child_process';
import type { Command } from 'commander';
import { renewMosquittoFiles } from '../agent/provisioning/broker-configuration.ts';
import { listenForEnrolments } from '../agent/provisioning/enrolment.ts';
import { answerSearches, openOffers } from '../agent/provisioning/enrolment-letters.ts';
import { knowAddress } from '../agent/provisioning/known-addresses.ts';
import { type AuthorityKeyOptions, authorityKeyAccess, withAuthorityKey } from './authority-key.ts';
import { clinicPlaces, enrolmentPort, run } from './provision-places.ts';
import { tell } from './say.ts';

/** At the broker's port. Without the limits there is nothing that would keep the terminal out for its address. */
const keepPlace = async (device: string, address: string): Promise<void> => {
  try {
    await knowAddress(address, (args) =>
      execFileSync('nft', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 10_000 }),
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    tell("{device}: not known to the broker's connection limits ({reason})", { device, reason });
  }
};

/** A broker in the agent's own process looks at the registry by itself. */
const tellBroker = async (device: string, address: string): Promise<void> => {
  if (process.platform === 'win32') return;
  await renewMosquittoFiles(clinicPlaces.facility);
  await keepPlace(device, address);
  run('systemctl', 'reload', 'uketsuke-broker.service');
};

/** Until every code has been used or the last has ended. */
const listen = async (options: AuthorityKeyOptions): Promise<void> => {
  const access = await authorityKeyAccess(options);
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const searches = await answerSearches(enrolmentPort, '0.0.0.0', enrolmentPort);
  const listener = await listenForEnrolments(
    clinicPlaces.facility,
    access,
    { host: '0.0.0.0', port: enrolmentPort },
    async (device, address) => {
      await tellBroker(device, address);
      tell('enrolled: {device}', { device });
    },
  );
  const look = async (): Promise<void> => {
    if ((await openOffers(clinicPlaces.facility, Date.now())).length === 0) finish();
  };
  // A code that was used leaves the list once its terminal has been answered.
  const timer = setInterval(() => void look().catch(finish), 2_000);
  process.once('SIGTERM', finish);
  await look();
  await finished;
  clearInterval(timer);
  searches.close();
  listener.close();
};

/** `uketsuke provision listen`: what `provision clinic` leaves running; nobody has to call it. */
export const addListenCommand = (
  provision: Command,
  orExplain: <A extends unknown[]>(work: (...args: A) => Promise<void>) => (...args: A) => Promise<void>,
): void => {
  withAuthorityKey(provision.command('listen'))
    .description('waits for terminals for as long as a code counts; `provision clinic` starts it')
    .action(orExplain(listen));
};
