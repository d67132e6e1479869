import type { Actor } from '../../core/failure.ts';

type Fault = {
  readonly actor: Actor;
  /** `warning`: serves patients still, but not for long or not in every way. */
  readonly weight: 'fault' | 'warning';
  readonly cause: string;
  readonly remedy: string;
};

const fault = (actor: Actor, cause: string, remedy: string): Fault => ({ actor, weight: 'fault', cause, remedy });
const warning = (actor: Actor, cause: string, remedy: string): Fault => ({ actor, weight: 'warning', cause, remedy });

/** Everything the doctor can find: its name, who must act, why it is so and what helps. */
export const doctorFaults = {
  'check.unfinished': fault(
    'technician',
    'a check of the doctor gave no answer in time',
    'run uketsuke doctor again; if it stays so, report it',
  ),
  'config.missing': fault(
    'technician',
    'this machine has no configuration yet; what needs none was checked',
    'uketsuke config example > /etc/uketsuke/terminal.yaml, set facility, device and broker.host',
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
  'link.not-running': fault(
    'technician',
    'the process that keeps the outbox and speaks with the broker does not answer on its health socket',
    'systemctl status uketsuke-link.socket uketsuke-link; journalctl -u uketsuke-link -n 50',
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
    "copy the device directory that `uketsuke agent device add` made, readable for the terminal's user alone",
  ),
  'keys.of-another-terminal': fault(
    'technician',
    'the keys belong to another terminal than the configuration names',
    'copy the right device directory, or correct facility, device and lane',
  ),
  'certificate.expired': fault(
    'technician',
    "the terminal's or the facility CA's certificate has expired",
    'issue a new one at the clinic terminal: uketsuke agent device add',
  ),
  'certificate.near-expiry': warning(
    'technician',
    'a certificate expires within 30 days',
    'issue a new one at the clinic terminal before that day',
  ),
  'clock.wrong': fault(
    'technician',
    "the clock contradicts what is known of the time, and the clinic's agent has not told a time that holds",
    'start the agent, which serves the time; or set the clock: timedatectl; replace the battery of the clock',
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
  'store.unwritable': fault(
    'technician',
    "the terminal's store cannot be opened or written",
    'owner and mode of the directory of paths.store; is the file system mounted read-only? (findmnt, dmesg)',
  ),
  'store.newer': fault(
    'technician',
    "the terminal's store was written by a later release",
    'install that release again, or put the copy *.before-migration-* in its place',
  ),
  'store.damaged': warning(
    'technician',
    "the terminal's store was damaged; it was set aside, and what could be read was taken over",
    'check the disk (dmesg, smartctl); keep the file aside until nobody needs it, then delete it',
  ),
  'models.missing': fault(
    'technician',
    'a face model is missing',
    'run scripts/setup-models, or install the package again',
  ),
  'models.changed': fault(
    'technician',
    'a face model is not the one the manifest names',
    'run scripts/setup-models, or install the package again; ask who changed it',
  ),
  'pcscd.not-running': fault(
    'technician',
    'the card service pcscd does not answer',
    'systemctl restart pcscd.socket; where it is not installed: apt-get install pcscd libccid',
  ),
  'pcscd.hung': fault(
    'technician',
    'the card service pcscd takes connections and answers nothing; the terminal restarts it',
    'wait half a minute; systemctl kill -s SIGKILL pcscd, systemctl restart pcscd.socket',
  ),
  'reader.missing': fault(
    'staff',
    'the card reader is not found',
    'plug its cable in again; if that does not help, restart the terminal; then change cable or reader',
  ),
  'reader.driver-missing': fault(
    'technician',
    'the reader driver was not compiled',
    'scripts/setup compiles it and proves it, and names what is missing for that',
  ),
  'camera.missing': fault(
    'staff',
    'the face camera is not found; PIN and staff check (目視) still work',
    'plug its cable in again, then restart the terminal',
  ),
  'camera.blind': fault(
    'staff',
    'the face camera gives a black or frozen picture; PIN and staff check (目視) still work',
    'look at the lens and its cover, then restart the terminal',
  ),
  'card-camera.missing': fault(
    'staff',
    'the camera above the card bed is not found; there is no face path, PIN and staff check (目視) still work',
    'plug its cable in again, then restart the terminal',
  ),
  'face.not-running': fault(
    'technician',
    'the face process does not answer on its socket; its watchdog begins it anew, PIN and staff check remain',
    'systemctl status uketsuke-face.socket uketsuke-face; journalctl -u uketsuke-face -n 50',
  ),
  'face.not-working': fault(
    'technician',
    'the face process does not work; PIN and staff check (目視) still work',
    'systemctl restart uketsuke; keep the event log',
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
  'broker.unreachable': fault(
    'staff',
    'the broker does not answer',
    "check network cable, switch and that the clinic's terminal is switched on",
  ),
  'broker.untrusted': fault(
    'technician',
    "the broker's certificate is not one this terminal trusts (other CA, other name, expired, TLS below 1.3)",
    'check broker.host, broker.serverName and the facility CA; if nothing was changed, suspect a foreign broker',
  ),
  'broker.refuses-us': fault(
    'technician',
    'the broker refuses this terminal (certificate revoked, or the access rules)',
    'uketsuke agent device list; render the access rules again and reload the broker',
  ),
  'agent.silent': fault(
    'staff',
    'the broker is there, but the agent on the clinic terminal (資格確認端末) does not answer',
    'switch the clinic terminal on; systemctl restart uketsuke-agent',
  ),
  'agent.disk-full': fault(
    'technician',
    'the disk of the clinic terminal (資格確認端末) is full: the agent can keep nothing, and nobody is asked for consent',
    'on that machine: df -h; make room; it goes on by itself within seconds',
  ),
  'agent.disk-read-only': fault(
    'technician',
    "the folder of the agent's journal on the clinic terminal cannot be written",
    'on that machine: mount and dmesg (a disk with errors is remounted read-only); rights of the folder',
  ),
  'agent.disk-failed': fault(
    'technician',
    "a write of the agent's journal failed on the clinic terminal",
    'on that machine: dmesg, smartctl; replace the disk, restore the folder of the agent',
  ),
  'files.folder-full': warning(
    'technician',
    'the folder that the clinic terminal shares with the レセコン is full: results wait, none is lost',
    'make room there; what waits is written by itself',
  ),
  'files.folder-read-only': warning(
    'technician',
    'the folder shared with the レセコン cannot be written: results wait, none is lost',
    'check its rights and its mount; what waits is written by itself',
  ),
  'files.in-use': warning(
    'staff',
    'another program of the clinic holds a file of the folder for the レセコン open: results wait, none is lost',
    'close the file there; what waits is written by itself',
  ),
  'files.folder-missing': warning(
    'technician',
    'the folder shared with the レセコン is away: results wait, none is lost',
    'switch its machine on, mount it again; what waits is written by itself',
  ),
  'settings.missing': fault(
    'technician',
    "the facility's settings have not arrived",
    'start the agent; check the device is registered: uketsuke agent device list',
  ),
  'screen.not-built': fault(
    'technician',
    "the page of the patient's screen is missing",
    'run scripts/setup; check paths.screens',
  ),
  'screen.font-missing': fault(
    'technician',
    "a font of the patient's screen is missing or damaged: Japanese cannot be drawn",
    'scripts/setup',
  ),
  'screen.language-not-drawn': warning(
    'technician',
    "a font of the patient's screen is missing or damaged: the languages named are not offered",
    'scripts/setup',
  ),
  'screen.no-page': fault(
    'staff',
    'no browser shows the page',
    'restart the terminal; systemctl status uketsuke-kiosk',
  ),
  'screen.frozen': fault('technician', 'the page does not paint any more', 'systemctl restart uketsuke-kiosk'),
  'keypad.missing': warning('staff', 'the keypad is not found; the touch pad still works', 'plug its cable in again'),
  'light.missing': warning('staff', 'the status light is not found', 'plug its cable in again'),
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof doctorFaults;
