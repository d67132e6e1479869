import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Actor, type FailureCode, failureRules } from '../core/failure.ts';
import { catalogueDir, readCatalogueFile } from './catalogue-files.ts';
import { failuresSchema } from './catalogue-schemas.ts';

/*
 * One table of everything that can be wrong, for whoever looks after a clinic: what runs names it by its failure code (who
 * acts: core/failure.ts; the words: failures/*.json, beside those for patient and staff), and what only a doctor can find
 * stands here. The doctor, docs/faults.md and the trials read it; no fault has two names.
 */

type Fault = {
  readonly actor: Actor;
  /** `warning`: serves patients still, but not for long or not in every way. */
  readonly weight: 'fault' | 'warning';
  readonly cause: string;
  /** One step after the other, the likeliest first */
  readonly remedy: readonly string[];
};

const fault = (actor: Actor, cause: string, ...remedy: readonly string[]): Fault => ({
  actor,
  weight: 'fault',
  cause,
  remedy,
});
const warning = (actor: Actor, cause: string, ...remedy: readonly string[]): Fault => ({
  ...fault(actor, cause, ...remedy),
  weight: 'warning',
});

/** What no program says of itself while it runs: files, services and clocks as a doctor finds them. */
const foundByDoctor = {
  'check.unfinished': fault(
    'technician',
    'a check of the doctor gave no answer in time',
    'run uketsuke doctor again; if it stays so, report it',
  ),
  'config.missing': fault(
    'technician',
    'this machine has no configuration yet; what needs none was checked',
    "uketsuke provision terminal, with a code of the clinic's PC; by hand: uketsuke config example, fill in every <…>, uketsuke config check",
  ),
  'daemon.not-running': fault(
    'technician',
    'the terminal itself does not answer on its health socket',
    'systemctl status uketsuke; journalctl -u uketsuke -n 50',
  ),
  'daemon.part-silent': fault(
    'technician',
    'a vital part gives no sign of life; the watchdog restarts the terminal',
    'wait a minute; if it comes back, keep the event log and report it',
  ),
  'link.without-terminal': fault(
    'technician',
    'the link process runs, and the terminal has no connection to its socket',
    'systemctl restart uketsuke-link uketsuke; the two must have the same link.socket',
  ),
  'socket.place-taken': fault(
    'technician',
    'a directory or a file lies where a socket of the terminal must be; nothing that somebody put there is deleted',
    'ls -ld the path named; move it away; systemctl restart uketsuke-link uketsuke',
  ),
  'keys.missing': fault(
    'technician',
    'keys or certificates of this terminal are missing or unreadable',
    "uketsuke provision terminal, with a new code of the clinic's PC (there: revoke this terminal, then uketsuke provision clinic)",
  ),
  'keys.of-another-terminal': fault(
    'technician',
    'the keys belong to another terminal than the configuration names',
    'correct facility, device and lane in terminal.yaml; or uketsuke provision terminal, with a new code',
  ),
  'certificate.expired': fault(
    'technician',
    "the terminal's or the facility CA's certificate has expired",
    "at the clinic's PC: revoke this terminal, then uketsuke provision clinic; here: uketsuke provision terminal, with the new code",
  ),
  'certificate.near-expiry': warning(
    'technician',
    'a certificate expires within 30 days',
    "it is renewed by itself while the clinic's PC is reached: see agent and broker; else as for one that has expired",
  ),
  'clock.corrected': warning(
    'technician',
    "this machine's own clock is wrong; the terminal serves by the agent's time, logs carry the wrong one",
    'timedatectl set-ntp true, or replace the battery of the clock',
  ),
  'disk.nearly-full': fault(
    'technician',
    'less than 200 MB are free where requests are stored',
    'journalctl --vacuum-size=100M; find what fills the disk',
  ),
  'disk.store-missing': fault(
    'technician',
    'the directory of the store is missing',
    'systemctl restart uketsuke makes it; check paths.store',
  ),
  'card-camera.missing': fault(
    'staff',
    'the camera above the card bed is not found; there is no face path, PIN and staff check (目視) still work',
    'plug its cable in again, then restart the terminal',
  ),
  'broker.name-unknown': fault(
    'technician',
    "the broker's name has no address",
    "check broker.host and the clinic's name server",
  ),
  'broker.port-closed': fault(
    'technician',
    "nothing listens on the broker's port",
    'is the broker running? check broker.port and the firewall of the clinic terminal',
  ),
  'screen.not-built': fault(
    'technician',
    "the page of the patient's screen is missing",
    'apt-get install --reinstall uketsuke (in a working tree: scripts/setup); check paths.screens',
  ),
  'screen.font-missing': fault(
    'technician',
    "a font of the patient's screen is missing or damaged: Japanese cannot be drawn",
    'apt-get install --reinstall uketsuke; in a working tree: scripts/setup',
  ),
  'screen.language-not-drawn': warning(
    'technician',
    "a font of the patient's screen is missing or damaged: the languages named are not offered",
    'apt-get install --reinstall uketsuke; in a working tree: scripts/setup',
  ),
  'screen.no-page': fault(
    'staff',
    'no browser shows the page',
    'restart the terminal; systemctl status uketsuke-kiosk',
  ),
  'screen.frozen': fault('technician', 'the page does not paint any more', 'systemctl restart uketsuke-kiosk'),
} as const satisfies Record<string, Fault>;

export type FaultName = FailureCode | keyof typeof foundByDoctor;

/** Codes with which patients are served still. */
const stillServing: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'keypad.lost',
  'light.lost',
  'storage.damaged',
  'storage.taken-away',
  'storage.rolled-back',
  'storage.audit-broken',
  'files.folder-full',
  'files.folder-read-only',
  'files.folder-missing',
  'files.in-use',
  'files.write-failed',
  'files.request-unreadable',
  'files.request-unknown',
  'files.not-a-file',
]);

const isFailureCode = (name: FaultName): name is FailureCode => name in failureRules;

type Told = { readonly cause: string; readonly steps: readonly string[] };
type Words = Readonly<
  Record<string, { readonly staff: Told & { readonly summary: string }; readonly technician: Told }>
>;
let words: Words | null = null;

/** These words do not wait for a notice's day, nor for a right clock: those of the newest file. */
const newestWords = (): Words => {
  if (words === null) {
    const newest = readdirSync(join(catalogueDir, 'failures')).sort().at(-1) ?? '';
    const read = readCatalogueFile(failuresSchema, join(catalogueDir, 'failures', newest));
    words = 'value' in read ? read.value.failures : {};
  }
  return words;
};

const techniciansWords = (code: FailureCode): Told => newestWords()[code]?.technician ?? { cause: code, steps: [code] };

/** One entry of the table. */
export const faultOf = (name: FaultName): Fault => {
  if (!isFailureCode(name)) return foundByDoctor[name];
  const { cause, steps } = techniciansWords(name);
  const weight = stillServing.has(name) ? 'warning' : 'fault';
  return { actor: failureRules[name].actor, weight, cause, remedy: steps };
};

/** A code of what runs, in the words that staff read (Japanese); null: only a doctor finds it. */
export const inStaffWords = (
  name: FaultName,
): { readonly cause: string; readonly remedy: readonly string[] } | null => {
  if (!isFailureCode(name)) return null;
  const found = newestWords()[name]?.staff;
  return found === undefined ? null : { cause: `${found.summary}（${found.cause}）`, remedy: found.steps };
};

/** The whole table: what runs first, then what only a doctor finds. */
export const faultNames = [...Object.keys(failureRules), ...Object.keys(foundByDoctor)] as readonly FaultName[];
