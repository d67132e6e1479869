/**
 * The four Debian packages of a release: the programs (one for each architecture) and three roles that name what a
 * machine of that role needs besides. A role holds its units; nothing of it starts before `uketsuke provision`.
 */
import { madePlaces } from '../../src/cli/provision-places.ts';
import { compiled } from './start-script.ts';

export type Architecture = 'amd64' | 'arm64';

type Role = {
  readonly name: string;
  readonly about: string;
  readonly explained: string;
  readonly depends: readonly string[];
  readonly recommends?: readonly string[];
  /** file of the project → place on the device */
  readonly files: Readonly<Record<string, string>>;
  /** Units that stop when the package goes, in that order. */
  readonly units: readonly string[];
  /** What purge removes, besides the files of the package. */
  readonly purges: readonly string[];
  /** Shell of postinst beside what all have. */
  readonly configure: readonly string[];
};

const units = '/usr/lib/systemd/system';
const unitFiles = (...names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [`systemd/${name}`, `${units}/${name.split('/').at(-1)}`]));

/** Libraries that Node and the add-ons in node_modules are linked with; scripts/test-vm installs them into a blank root. */
export const runtimeDepends = [
  'libc6 (>= 2.36)',
  'libgcc-s1',
  'libpcsclite1',
  'libstdc++6',
  'libudev1',
  'libusb-1.0-0',
  'systemd',
] as const;

export const runtime = {
  name: 'uketsuke',
  about: 'runtime of the face-authenticating card reader at a clinic',
  explained:
    'Programs of terminal and agent, with the Node, the face models and the pages that\n they were tested with. What a machine is for is said by uketsuke-terminal,\n uketsuke-kiosk and uketsuke-agent.',
} as const;

export const roles: readonly Role[] = [
  {
    name: 'uketsuke-terminal',
    about: 'terminal at the counter (card, face, PIN, consent)',
    explained:
      'Units, device rules and all programs of a terminal at the counter of a clinic.\n "uketsuke provision terminal" sets it up.',
    depends: ['pcscd', 'libccid', 'polkitd', 'udev', 'mount', 'ffmpeg', 'alsa-utils', 'espeak-ng'],
    recommends: ['uketsuke-kiosk', 'tpm2-tools'],
    files: {
      ...unitFiles(
        'uketsuke.service',
        'uketsuke-screen.socket',
        'uketsuke-link.service',
        'uketsuke-link.socket',
        'uketsuke-face.service',
        'uketsuke-face.socket',
        'device/uketsuke-update.service',
        'device/uketsuke-trial.service',
        'welcome/uketsuke-welcome.service',
      ),
      'systemd/modules-load/uketsuke.conf': '/usr/lib/modules-load.d/uketsuke.conf',
      'systemd/udev/70-uketsuke.rules': '/usr/lib/udev/rules.d/70-uketsuke.rules',
      'systemd/sysctl/60-uketsuke.conf': '/usr/lib/sysctl.d/60-uketsuke.conf',
      'systemd/polkit/50-uketsuke.rules': '/usr/share/polkit-1/rules.d/50-uketsuke.rules',
      'systemd/rpicam/rpicam.conf': '/usr/share/doc/uketsuke-terminal/examples/rpicam.conf',
      'systemd/uketsuke.example.yaml': '/usr/share/doc/uketsuke-terminal/examples/terminal.yaml',
    },
    units: [
      'uketsuke.service',
      'uketsuke-face.service',
      'uketsuke-link.service',
      'uketsuke-screen.socket',
      'uketsuke-face.socket',
      'uketsuke-link.socket',
      'uketsuke-update.service',
      'uketsuke-welcome.service',
    ],
    purges: madePlaces.terminal,
    configure: [
      'if [ -S /run/udev/control ]; then udevadm control --reload && udevadm trigger; fi',
      'if [ -d /run/systemd/system ]; then /usr/lib/systemd/systemd-sysctl --prefix=/net/ipv4/neigh || true; fi',
      // Up to release 19854c3 all keys lay in one directory, and the store with the terminal.
      'if [ -f /etc/uketsuke/terminal.yaml ] && [ -f /etc/uketsuke/provisioning/tls-key.pem ]; then',
      '  if [ -d /run/systemd/system ]; then systemctl stop uketsuke.service uketsuke-link.service; fi',
      '  uketsuke adopt',
      '  if [ -d /run/systemd/system ]; then systemctl start uketsuke-screen.socket uketsuke-link.socket uketsuke-face.socket uketsuke-link.service uketsuke-face.service uketsuke.service || true; fi',
      'fi',
      // What a machine that nobody has set up does by itself. Enabled once: an administrator may disable it.
      'if [ -z "$2" ]; then',
      '  systemctl --quiet enable uketsuke-welcome.service',
      '  if [ -d /run/systemd/system ]; then systemctl daemon-reload; systemctl start --no-block uketsuke-welcome.service; fi',
      'fi',
    ],
  },
  {
    name: 'uketsuke-kiosk',
    about: "patient's screen of a terminal",
    explained: 'The browser that shows the page of uketsuke-terminal on the touch screen, and nothing\n else.',
    // The cage of Debian 12 ends at once where there is no Xwayland, and does not depend on it.
    depends: ['uketsuke-terminal', 'cage', 'xwayland', 'chromium', 'libpam-modules', 'libpam-systemd'],
    files: {
      ...unitFiles('uketsuke-kiosk.service'),
      'systemd/chromium/uketsuke.json': '/etc/chromium/policies/managed/uketsuke.json',
    },
    units: ['uketsuke-kiosk.service'],
    purges: [],
    configure: [],
  },
  {
    name: 'uketsuke-agent',
    about: "clinic's end (checks requests, writes the files of the receipt computer)",
    explained:
      'Agent and message broker of a clinic, on a machine beside the official terminal. The\n broker is an instance of mosquitto of its own: the one of Debian stays as it is.\n "uketsuke provision clinic" sets it up.',
    depends: ['mosquitto (>= 2.0)', 'nftables', 'procps'],
    files: {
      ...unitFiles(
        'uketsuke-agent.service',
        'mosquitto/uketsuke-broker.service',
        'mosquitto/uketsuke-broker-limits.service',
        'mosquitto/uketsuke-broker-reload.path',
        'mosquitto/uketsuke-broker-reload.service',
      ),
    },
    units: [
      'uketsuke-agent.service',
      'uketsuke-broker-reload.path',
      'uketsuke-broker.service',
      'uketsuke-broker-limits.service',
    ],
    purges: madePlaces.clinic,
    configure: [],
  },
];

const script = (...lines: readonly string[]): string => `#!/bin/sh\nset -e\n${lines.join('\n')}\n`;
const reload = 'if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi';

const started = '/usr/lib/uketsuke/node/bin/node /usr/lib/uketsuke/src/main.ts';

/** Each may run any number of times, with systemd (a device) and without (an image that is being made). */
export const runtimeScripts: Readonly<Record<string, string>> = {
  postinst: script(
    'if [ "$1" = configure ]; then',
    '  systemd-sysusers uketsuke.conf',
    // Not where an image is made without /proc: there the first start does it.
    '  systemd-tmpfiles --create uketsuke.conf || true',
    // Without it a start takes twice its time, and that is all. Node asks of the kind of processor alone whether it is good.
    `  rm -rf ${compiled} && mkdir -p -m 0755 ${compiled}`,
    '  for command in run link face agent doctor; do',
    `    NODE_COMPILE_CACHE=${compiled} ${started} $command --help >/dev/null 2>&1 || true`,
    '  done',
    `  chmod -R a+rX ${compiled}`,
    // Node looks for what its own user made.
    `  for made in $(cd ${compiled} && ls -d -- *-0 2>/dev/null); do`,
    '    for user in uketsuke uketsuke-link uketsuke-face uketsuke-agent; do',
    `      ln -sfn $made ${compiled}/$(basename $made -0)-$(id -u $user)`,
    '    done',
    '  done',
    'fi',
  ),
  postrm: script(
    'if [ "$1" = remove ] || [ "$1" = purge ]; then rm -rf /var/cache/uketsuke; fi',
    'if [ "$1" = purge ]; then',
    '  rmdir --ignore-fail-on-non-empty /etc/uketsuke 2>/dev/null || true',
    'fi',
  ),
};

export const roleScripts = ({ units: names, purges, configure }: Role): Readonly<Record<string, string>> => ({
  postinst: script(
    'if [ "$1" = configure ]; then',
    ...configure.map((line) => `  ${line}`),
    `  ${reload}`,
    // An update: what runs, runs anew. A first installation starts nothing.
    // One that does not come up (a store of a later release) leaves no package half done: whoever mends it needs apt.
    '  if [ -n "$2" ] && [ -d /run/systemd/system ]; then',
    `    systemctl try-restart ${names.join(' ')} || echo 'not everything is up again: uketsuke doctor' >&2`,
    '  fi',
    'fi',
  ),
  prerm: script(
    'if [ "$1" = remove ]; then',
    `  if [ -d /run/systemd/system ]; then systemctl stop ${names.join(' ')}; fi`,
    `  systemctl --quiet disable ${names.join(' ')} 2>/dev/null || true`,
    'fi',
  ),
  postrm: script(
    ...(purges.length === 0 ? [] : ['if [ "$1" = purge ]; then', `  rm -rf ${purges.join(' ')}`, 'fi']),
    reload,
  ),
});
