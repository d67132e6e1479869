import type { Command } from 'commander';
import { listenForEnrolments } from '../agent/provisioning/enrolment.ts';
import { answerSearches, openOffers } from '../agent/provisioning/enrolment-letters.ts';
import { type AuthorityKeyOptions, authorityKeyAccess, withAuthorityKey } from './authority-key.ts';
import { clinicSystem } from './clinic-system.ts';
import { clinicPlaces, enrolmentPort } from './provision-places.ts';
import { tell } from './say.ts';

type Options = AuthorityKeyOptions & { readonly minutes: string };

/** How late the end is noticed. ms */
const lookEveryMs = 2_000;

/**
 * For so many minutes, and longer while a code counts: a terminal that lost its power after its last question asks again
 * by the same code, and is answered.
 */
const listen = async (options: Options): Promise<void> => {
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
      await clinicSystem.admitTerminal(device, address);
      tell('enrolled: {device}', { device });
    },
  );
  const endMs = performance.now() + Number(options.minutes) * 60_000;
  const look = async (): Promise<void> => {
    if (performance.now() > endMs && (await openOffers(clinicPlaces.facility, Date.now())).length === 0) finish();
  };
  const timer = setInterval(() => void look().catch(finish), lookEveryMs);
  process.once('SIGTERM', finish);
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
    .option('--minutes <minutes>', 'at least so long', '30')
    .action(orExplain(listen));
};
