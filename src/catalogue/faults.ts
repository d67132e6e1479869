import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { deskToken } from '../core/catalogue/desk-order.ts';
import { type Actor, type FailureCode, failureRules, isFailureCode } from '../core/failure.ts';
import { type Party, partyOf, type Teller } from '../core/party.ts';
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
    'a terminal that had one: `uketsuke config restore`',
    "a new one: uketsuke provision terminal, with a code of the clinic's PC; by hand: uketsuke config example, fill in every <…>, uketsuke config check",
  ),
  'config.invalid': fault(
    'technician',
    'the configuration breaks its form: the line and what is right there stand beside it',
    'correct that line; or the last one that was good: `uketsuke config restore`',
  ),
  'config.unreadable': fault(
    'technician',
    'the terminal may not read its configuration',
    '`chmod a+rX {path}`; `systemctl restart uketsuke-link uketsuke`',
  ),
  'daemon.not-running': fault(
    'technician',
    'the terminal itself does not answer on its health socket',
    'begin it; what it says of its end is in its log',
  ),
  'daemon.stopped': fault(
    'technician',
    'somebody stopped the terminal: its service does not run',
    '`systemctl unmask uketsuke`; `systemctl enable --now uketsuke`',
  ),
  'daemon.cannot-start': fault(
    'technician',
    'the terminal ends again and again; its last words stand beside it',
    'mend what they say; journalctl -u uketsuke -n 50; `systemctl restart uketsuke`',
  ),
  'daemon.hung': fault(
    'technician',
    'the terminal runs and answers nothing; its watchdog restarts it within 30 s',
    '`systemctl restart uketsuke`',
  ),
  'daemon.part-silent': fault(
    'technician',
    'a vital part gives no sign of life; the watchdog restarts the terminal',
    'wait a minute; if it comes back, keep the event log and report it',
  ),
  'link.without-terminal': fault(
    'technician',
    'the link process runs, and the terminal has no connection to its socket',
    '`systemctl restart uketsuke-link.socket uketsuke-link uketsuke`; the two must have the same link.socket',
  ),
  'socket.place-taken': fault(
    'technician',
    'a directory or a file lies where a socket of the terminal must be; nothing that somebody put there is deleted',
    '`test ! -e {path} || mv {path} {path}.moved-away`; `systemctl restart uketsuke-link uketsuke`',
  ),
  'keys.missing': fault(
    'technician',
    'keys or certificates of this terminal are missing or unreadable',
    "at the clinic's PC `uketsuke provision clinic --replace {device}` tells a new code; here `uketsuke provision terminal CODE`",
  ),
  'keys.of-another-terminal': fault(
    'technician',
    'the keys belong to another terminal than the configuration names',
    'correct facility, device and lane in terminal.yaml, or the last one that was good: `uketsuke config restore`; else uketsuke provision terminal, with a new code',
  ),
  'keys.shut': fault(
    'technician',
    'the folder of the keys is shut to the processes whose they are',
    '`chmod 755 {path}`; `systemctl restart uketsuke-link uketsuke`',
  ),
  'keys.exposed': fault(
    'technician',
    'others on this machine may read a secret key of the terminal',
    '`chmod 600 {path}`; who had an account here may have it: a new code, and revoke this terminal',
  ),
  'files.owner-wrong': fault(
    'technician',
    'files belong to another user than the process whose they are',
    '`chown -R {user}: {path}`; `chmod -R u+rwX {path}`; `systemctl restart {unit}`',
  ),
  'program.damaged': fault(
    'technician',
    'files of the installed program are missing or not as they were installed',
    '`chmod -R a+rX /usr/lib/uketsuke`; `apt-get install --reinstall -y {packages}`; `systemctl restart {units}`',
    'where apt has no source of them: apt-get install --reinstall with the .deb files of {packages}, of the version that is installed',
  ),
  'certificate.expired': fault(
    'technician',
    "the terminal's or the facility CA's certificate has expired",
    "at the clinic's PC `uketsuke provision clinic --replace {device}` tells a new code; here `uketsuke provision terminal CODE`",
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
  'boot-loader.old': warning(
    'technician',
    "the board's boot loader (EEPROM) is too old to start a release once on trial: no update is installed",
    'in Raspberry Pi OS, from a card (the image has no such program): rpi-eeprom-update -a, then restart the board; it needs a boot loader of 2023-01-11 or later',
  ),
  'disk.nearly-full': fault(
    'technician',
    'less than 200 MB are free where requests are stored',
    'journalctl --vacuum-size=100M; find what fills the disk',
  ),
  'disk.store-missing': fault(
    'technician',
    'the directory of the store is missing',
    '`systemctl restart uketsuke-link` makes it; check paths.store',
  ),
  'disk.read-only': fault(
    'technician',
    'the store lies on a file system that takes no writes',
    '`mount -o remount,rw {path}`; `systemctl restart uketsuke-link uketsuke`; dmesg: a disk with errors is made read-only',
  ),
  'card-camera.missing': fault(
    'staff',
    'the camera above the card bed is not found; there is no face path, PIN and staff check (目視) still work',
    'plug its cable in again, then restart the terminal',
    'where this counter is to have none: `uketsuke provision terminal --parts` looks for the parts again',
  ),
  'broker.name-unknown': fault(
    'technician',
    "the broker's name has no address",
    "check broker.host and the clinic's name server; the last configuration that was good: `uketsuke config restore`",
  ),
  'broker.stopped': fault(
    'technician',
    'somebody stopped the broker on this machine',
    '`systemctl unmask uketsuke-broker`; `systemctl enable --now uketsuke-broker`',
  ),
  'broker.cannot-start': fault(
    'technician',
    'the broker on this machine ends again and again; its last words stand beside it',
    '`uketsuke provision clinic`; `systemctl restart uketsuke-broker`',
  ),
  'broker.hung': fault(
    'technician',
    'the broker takes connections and answers nothing',
    "at the clinic's PC: `systemctl kill --kill-whom=main -s SIGKILL uketsuke-broker`; `systemctl restart uketsuke-broker`",
  ),
  'agent.stopped': fault(
    'technician',
    'somebody stopped the agent on this machine',
    '`systemctl unmask uketsuke-agent`; `systemctl enable --now uketsuke-agent`',
  ),
  'agent.cannot-start': fault(
    'technician',
    'the agent on this machine ends again and again; its last words stand beside it',
    'mend what they say; `systemctl restart uketsuke-agent`',
    'where they name agent.yaml: `mv /var/lib/uketsuke-agent/agent.yaml /var/lib/uketsuke-agent/agent.yaml.set-aside`; `uketsuke provision clinic` makes it anew',
  ),
  'link.broker-not-allowed': fault(
    'technician',
    'the link may reach another address than that of the broker',
    '`uketsuke provision terminal` allows the one of the configuration',
  ),
  'speaker.missing': fault(
    'technician',
    'the loudspeaker is to be a sound card, and this machine has none',
    'plug it in',
    'or let the screen speak: `uketsuke provision terminal --parts` looks for the parts again',
  ),
  'speaker.refuses': fault(
    'technician',
    'the sound card takes no note: what it says stands beside it',
    'by its name: aplay -L lists them, speaker.device must be one; the last configuration that was good: `uketsuke config restore`',
    'held by another program: fuser -v /dev/snd/*; plug it in again; `systemctl restart uketsuke`',
  ),
  'machine.no-polkit': fault(
    'technician',
    'polkit is missing or does not run: the card service refuses the terminal, which may not restart anything either',
    '`systemctl unmask polkit`; `systemctl restart polkit`; `systemctl restart pcscd.socket`; `systemctl restart uketsuke`',
    'where it is not installed: `apt-get install -y polkitd`; `systemctl restart uketsuke`',
  ),
  'reader.several-unnamed': warning(
    'technician',
    'several readers or slots are there and the configuration names none: a card on any of them begins a visit',
    'set cardReader.name to a part of the name beside it that only the right ones have; where it was set before: `uketsuke config restore`',
  ),
  'speaker.silent': fault(
    'staff',
    'the loudspeaker makes no sound that the microphone or the receptionist hears',
    'turn up its volume; plug its cable in again; restart the terminal, and test once more',
  ),
  'keypad.key-dead': fault(
    'staff',
    'keys of the keypad give no sign when they are pressed',
    'press each of them once more; plug its cable in again, and test once more; until it is replaced patients type on the screen',
  ),
  'light.dark': fault(
    'staff',
    'the status light is connected, and nobody sees it change',
    'plug its cable in again, restart the terminal, and test once more; the screen says the same',
  ),
  'broker.port-closed': fault(
    'technician',
    "nothing listens on the broker's port",
    'is the broker running? check broker.port and the firewall of the clinic terminal; the last configuration that was good: `uketsuke config restore`',
  ),
  'screen.not-built': fault(
    'technician',
    "the page of the patient's screen is missing",
    '`apt-get install --reinstall -y uketsuke` (in a working tree: scripts/setup); check paths.screens',
  ),
  'screen.font-missing': fault(
    'technician',
    "a font of the patient's screen is missing or damaged: Japanese cannot be drawn",
    '`apt-get install --reinstall -y uketsuke`; in a working tree: scripts/setup',
  ),
  'screen.language-not-drawn': warning(
    'technician',
    "a font of the patient's screen is missing or damaged: the languages named are not offered",
    '`apt-get install --reinstall -y uketsuke`; in a working tree: scripts/setup',
  ),
  'screen.frozen': fault('technician', 'the page does not paint any more', '`systemctl restart uketsuke-kiosk`'),
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

/** A remedy with the places of this machine in it: its commands can be run word for word. */
export const filledIn = (remedy: string, where: Readonly<Record<string, string>> = {}): string =>
  remedy.replaceAll(/\{(\w+)\}/g, (whole, name: string) => where[name] ?? whole);

/** A code of what runs, in the words that staff read (Japanese); null: only a doctor finds it. */
export const inStaffWords = (
  name: FaultName,
): { readonly cause: string; readonly remedy: readonly string[] } | null => {
  if (!isFailureCode(name)) return null;
  const found = newestWords()[name]?.staff;
  // The order at the desk is told where there is a desk (desk-order-view), not of a machine.
  if (found === undefined) return null;
  return { cause: `${found.summary}（${found.cause}）`, remedy: found.steps.filter((step) => step !== deskToken) };
};

/** What only a doctor can find is of the machine that it looks at, but for these. */
const foundElsewhere: readonly (readonly [RegExp, Party | null])[] = [
  [/^broker\.name-unknown$|^check\./, null],
  [/^broker\./, 'broker'],
  [/^agent\./, 'clinic-pc'],
];

/** Whose fault it is; null: not known. `teller`: at whose end it was found */
export const partyOfFault = (name: FaultName, teller: Teller = 'terminal'): Party | null => {
  if (isFailureCode(name)) return partyOf(name, teller);
  const elsewhere = foundElsewhere.find(([pattern]) => pattern.test(name));
  if (elsewhere !== undefined) return elsewhere[1];
  return teller === 'agent' ? 'clinic-pc' : 'terminal';
};

/** The whole table: what runs first, then what only a doctor finds. */
export const faultNames = [...Object.keys(failureRules), ...Object.keys(foundByDoctor)] as readonly FaultName[];
