import type { FaultName } from '../../../src/catalogue/faults.ts';

/** One thing that is wrong with an installed terminal, and what a doctor must say of it. */
export type InjectedFault = {
  readonly name: string;
  /** Codes that are right as the first line; more than one where the same thing has two true names */
  readonly expect: readonly FaultName[];
  readonly actor: 'technician' | 'staff';
  /** Shell, as root */
  readonly inject: string;
  /** What a person does that no command can (a cable, a purchase); then the remedy's commands are not all there is */
  readonly hands?: string;
  /** Whatever the injection changed outside the places that are put back after each fault */
  readonly undo?: string;
};

const etc = '/etc/uketsuke';
const yaml = `${etc}/terminal.yaml`;
const keys = `${etc}/provisioning`;
const store = '/var/lib/uketsuke-link/link.sqlite';
const agent = '/var/lib/uketsuke-agent';
const program = '/usr/lib/uketsuke';
const restart = 'systemctl restart --no-block uketsuke-link uketsuke';
const setting = (path: string, value: string): string =>
  `${program}/node/bin/node --input-type=module -e '
    import { readFileSync, writeFileSync } from "node:fs";
    import { createRequire } from "node:module";
    const yaml = createRequire("${program}/src/main.ts")("yaml");
    const file = "${yaml}";
    const settings = yaml.parse(readFileSync(file, "utf8"));
    const names = "${path}".split(".");
    const last = names.pop();
    let at = settings;
    for (const name of names) at = at[name] ??= {};
    at[last] = ${value};
    writeFileSync(file, yaml.stringify(settings));
  ' && ${restart}`;

const hang = (unit: string): string => `kill -STOP $(systemctl show -p MainPID --value ${unit})`;

const technician = (
  name: string,
  expect: FaultName | readonly FaultName[],
  inject: string,
  more: { readonly hands?: string; readonly undo?: string } = {},
): InjectedFault => ({ name, expect: [expect].flat(), actor: 'technician', inject, ...more });
const staff = (...given: Parameters<typeof technician>): InjectedFault => ({ ...technician(...given), actor: 'staff' });

const processes: readonly InjectedFault[] = [
  technician('the terminal was masked', 'daemon.stopped', 'systemctl mask --now uketsuke'),
  technician('the terminal hangs', 'daemon.hung', hang('uketsuke')),
  technician('the link was stopped', 'delivery.link-lost', 'systemctl stop uketsuke-link.socket uketsuke-link'),
  technician('the link hangs', 'delivery.link-lost', hang('uketsuke-link')),
  technician('the link was masked', 'delivery.link-lost', 'systemctl mask --now uketsuke-link.socket uketsuke-link'),
  technician('the face process was stopped', 'face.process-lost', 'systemctl stop uketsuke-face.socket uketsuke-face'),
  technician('the agent was stopped', 'agent.stopped', 'systemctl stop uketsuke-agent'),
  technician('the agent was masked', 'agent.stopped', 'systemctl mask --now uketsuke-agent'),
  staff('the agent hangs', 'agent.silent', hang('uketsuke-agent')),
  technician('the broker was stopped', 'broker.stopped', 'systemctl stop uketsuke-broker'),
  technician('the broker was masked', 'broker.stopped', 'systemctl mask --now uketsuke-broker'),
  technician('the broker hangs', 'broker.hung', hang('uketsuke-broker')),
  // A terminal that is disabled is begun by the first page that asks for it: nothing is wrong with it.
  technician('the agent was disabled', 'agent.stopped', 'systemctl disable --now uketsuke-agent'),
  technician('the broker was disabled', 'broker.stopped', 'systemctl disable --now uketsuke-broker'),
  technician(
    'polkit was masked',
    'machine.no-polkit',
    'systemctl mask --now polkit && systemctl restart pcscd.socket pcscd && systemctl restart --no-block uketsuke',
    { undo: 'systemctl unmask polkit' },
  ),
  technician('the card service was stopped', 'reader.service-down', 'systemctl stop pcscd.socket pcscd'),
  technician('the card service was masked', 'reader.service-down', 'systemctl mask --now pcscd.socket pcscd'),
  technician('the card service hangs', 'reader.service-hung', hang('pcscd')),
  staff(
    'the card service begins again without its reader',
    'reader.lost',
    'mv /etc/reader.conf.d/vpcd /etc/vpcd.away && systemctl restart pcscd.socket pcscd',
    { undo: 'mv /etc/vpcd.away /etc/reader.conf.d/vpcd; systemctl restart pcscd.socket pcscd', hands: 'the plug' },
  ),
  technician(
    'a folder lies where the health socket must be',
    'socket.place-taken',
    'systemctl stop uketsuke && mkdir -p /run/uketsuke/health.sock/x && systemctl start --no-block uketsuke',
  ),
];

const configuration: readonly InjectedFault[] = [
  technician('no configuration', 'config.missing', `rm ${yaml} && ${restart}`),
  technician('YAML that is none', 'config.invalid', `echo 'broker: [' >> ${yaml} && ${restart}`),
  technician('an unknown key', 'config.invalid', `echo 'brokr: x' >> ${yaml} && ${restart}`),
  technician('a value out of range', 'config.invalid', setting('lane', '0')),
  technician('a word that is no driver', 'config.invalid', setting('keypad.driver', '"usb"')),
  technician('an empty configuration', 'config.invalid', `: > ${yaml} && ${restart}`),
  technician('a placeholder left in', 'config.invalid', setting('broker.host', '"<…>"')),
  technician(
    'nobody but root may read it',
    'config.unreadable',
    `chown root:root ${yaml} && chmod 600 ${yaml} && ${restart}`,
  ),
  technician('another facility', 'keys.of-another-terminal', setting('facility', '"clinic-0002"')),
  technician('another device', 'keys.of-another-terminal', setting('device', '"terminal-77"')),
  technician('another lane', 'keys.of-another-terminal', setting('lane', '7')),
  technician("the broker's name has no address", 'broker.name-unknown', setting('broker.host', '"nobody.invalid"')),
  technician(
    'the name server is silent',
    'broker.name-unknown',
    `cp -a /etc/resolv.conf /etc/resolv.conf.kept && echo nameserver 127.0.0.9 > /etc/resolv.conf && nft add table inet shut && nft 'add chain inet shut in { type filter hook input priority 0; }' && nft add rule inet shut in ip daddr 127.0.0.9 drop && ${setting('broker.host', '"broker.clinic.test"')}`,
    { undo: 'nft delete table inet shut; mv /etc/resolv.conf.kept /etc/resolv.conf' },
  ),
  technician("the broker's port is another", 'broker.port-closed', setting('broker.port', '8899')),
  technician(
    "the broker's certificate has another name",
    'delivery.broker-untrusted',
    setting('broker.serverName', '"other.clinic"'),
  ),
  staff('a keypad that is not there', 'keypad.lost', setting('keypad.driver', '"hid"')),
  staff('a light that is not there', 'light.lost', setting('statusLight.driver', '"serial"')),
  staff(
    'a card camera that is not there',
    ['camera.lost', 'card-camera.missing'],
    setting('cardFrontReader.driver', '"tesseract"'),
  ),
  technician('a loudspeaker that is not there', 'speaker.missing', setting('speaker.driver', '"alsa"')),
  technician('two slots and no name', 'reader.several-unnamed', `sed -i '/^cardReader:/,+1d' ${yaml} && ${restart}`),
  staff('a reader of another name', 'reader.lost', setting('cardReader.name', '"ACME 9000"')),
];

const keyFaults: readonly InjectedFault[] = [
  ...['signing-key.jwk.json', 'sealing-key.jwk.json'].map((file) =>
    technician(`${file} is missing`, 'keys.missing', `rm ${keys}/terminal/${file} && ${restart}`),
  ),
  ...['tls-key.pem', 'tls-certificate.pem', 'facility-ca.pem'].map((file) =>
    technician(`${file} is missing`, 'keys.missing', `rm ${keys}/link/${file} && ${restart}`),
  ),
  ...['cv-issuers.json', 'trust.json'].map((file) =>
    technician(`${file} is missing`, 'keys.missing', `rm ${keys}/terminal/${file} && ${restart}`),
  ),
  technician('all keys are missing', 'keys.missing', `rm -r ${keys} && ${restart}`),
  technician('a key was cut', 'keys.missing', `truncate -s 10 ${keys}/terminal/signing-key.jwk.json && ${restart}`),
  technician(
    "the terminal's keys belong to root",
    'files.owner-wrong',
    `chown -R root:root ${keys}/terminal && chmod -R go= ${keys}/terminal && ${restart}`,
  ),
  technician(
    "the link's keys belong to root",
    'files.owner-wrong',
    `chown -R root:root ${keys}/link && chmod -R go= ${keys}/link && ${restart}`,
  ),
  technician(
    'the folder of the keys is shut',
    'keys.shut',
    `chmod 700 ${keys} && chown root:root ${keys} && ${restart}`,
  ),
  technician(
    "everybody may read the terminal's key",
    'keys.exposed',
    `chmod 644 ${keys}/terminal/signing-key.jwk.json`,
  ),
  technician("everybody may read the link's key", 'keys.exposed', `chmod 644 ${keys}/link/tls-key.pem`),
];

const stores: readonly InjectedFault[] = [
  technician(
    // The file alone: a folder that is another's systemd gives back to the unit at its start, with all that is in it.
    'the store belongs to root',
    'files.owner-wrong',
    `systemctl stop uketsuke-link && chown root:root ${store}* && chmod go= ${store}* && ${restart}`,
  ),
  technician(
    'the store is on a read-only file system',
    ['disk.read-only', 'storage.unwritable'],
    `systemctl stop uketsuke-link && mount --bind /var/lib/uketsuke-link /var/lib/uketsuke-link && mount -o remount,ro,bind /var/lib/uketsuke-link && ${restart}`,
    { undo: 'umount /var/lib/uketsuke-link' },
  ),
  technician(
    'the store is of a later release',
    'storage.newer',
    `systemctl stop uketsuke-link && ${program}/node/bin/node --disable-warning=ExperimentalWarning -e 'new (require("node:sqlite").DatabaseSync)("${store}").exec("PRAGMA user_version = 999")' && ${restart}`,
    { hands: 'the later release' },
  ),
  technician(
    'the store is of another program',
    'storage.not-ours',
    `systemctl stop uketsuke-link && rm -f ${store}* && ${program}/node/bin/node --disable-warning=ExperimentalWarning -e 'new (require("node:sqlite").DatabaseSync)("${store}").exec("CREATE TABLE other (a); PRAGMA application_id = 7")' && chown uketsuke-link: ${store} && ${restart}`,
  ),
  technician(
    'the store holds other bytes',
    'storage.damaged',
    `systemctl stop uketsuke-link && head -c 200000 /dev/urandom > ${store} && rm -f ${store}-wal && chown uketsuke-link: ${store} && ${restart}`,
  ),
  technician(
    'the store was zeroed',
    'storage.damaged',
    `systemctl stop uketsuke-link && head -c 65536 /dev/zero > ${store} && rm -f ${store}-wal && ${restart}`,
  ),
  technician(
    'the store is a folder',
    ['storage.unwritable', 'storage.not-ours'],
    `systemctl stop uketsuke-link && rm -f ${store}* && mkdir ${store} && ${restart}`,
  ),
  technician(
    'the disk of the store is full',
    'disk.nearly-full',
    `mount -t tmpfs -o size=300k,mode=700,uid=$(id -u uketsuke-link) tmpfs /var/lib/uketsuke-link && ${restart}`,
    { undo: 'umount /var/lib/uketsuke-link', hands: 'what fills the disk' },
  ),
];

const programs: readonly InjectedFault[] = [
  technician(
    'a file of the program is gone',
    'program.damaged',
    `rm ${program}/src/terminal/visit/session-runner.ts && ${restart}`,
  ),
  technician('a file of the program was changed', 'program.damaged', `echo ' ' >> ${program}/src/core/failure.ts`),
  technician(
    'Node is gone',
    'program.damaged',
    `mv ${program}/node/bin/node ${program}/node/bin/node-away && ${restart}`,
  ),
  technician('nobody may start Node', 'program.damaged', `chmod a-x ${program}/node/bin/node && ${restart}`),
  technician('a package of the program is gone', 'program.damaged', `rm -r ${program}/node_modules/zod && ${restart}`),
  technician(
    "the reader's driver is gone",
    ['reader.driver-missing', 'program.damaged'],
    `find ${program}/node_modules/pcsclite -name '*.node' -delete && ${restart}`,
  ),
  technician(
    "the patient's page is gone",
    ['screen.not-built', 'program.damaged'],
    `rm -r ${program}/dist/screens/index.html`,
  ),
  technician(
    'a font is gone',
    ['screen.font-missing', 'screen.language-not-drawn', 'program.damaged'],
    `find ${program}/dist/screens -name '*.woff2' | head -n 40 | xargs rm`,
  ),
  technician(
    'a face model is gone',
    ['face.models-missing', 'program.damaged'],
    `rm $(ls ${program}/models/*.onnx | head -n 1)`,
  ),
  technician(
    'a face model was changed',
    ['face.model-unverified', 'program.damaged'],
    `printf x >> $(ls ${program}/models/*.onnx | head -n 1)`,
  ),
  technician(
    'the manifest of the models is gone',
    ['face.models-missing', 'program.damaged'],
    `rm ${program}/models/manifest.json`,
  ),
  technician(
    'a notice of the catalogue is gone',
    'program.damaged',
    `rm ${program}/src/catalogue/failures/*.json && ${restart}`,
  ),
];

const line: readonly InjectedFault[] = [
  technician(
    "the broker's port is shut by a firewall",
    'delivery.port-silent',
    `nft add table inet shut && nft 'add chain inet shut out { type filter hook output priority -10; }' && nft add rule inet shut out tcp dport 8883 drop && systemctl restart uketsuke-link`,
    { undo: 'nft delete table inet shut', hands: 'the firewall' },
  ),
  technician(
    "the broker's certificate is another facility's",
    'delivery.broker-untrusted',
    `openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -days 2 -keyout /etc/mosquitto/uketsuke/tls-key.pem -out /etc/mosquitto/uketsuke/tls-certificate.pem 2>/dev/null; systemctl restart --no-block uketsuke-broker`,
  ),
  technician(
    'the access rules deny the terminal',
    'delivery.access-refused',
    `sed -i '/terminal-01/d' $(ls /etc/mosquitto/uketsuke/acl* | head -n 1) && systemctl restart --no-block uketsuke-broker`,
  ),
  technician(
    'the access rules are empty',
    'delivery.access-refused',
    `: > $(ls /etc/mosquitto/uketsuke/acl* | head -n 1) && systemctl restart --no-block uketsuke-broker`,
  ),
  technician(
    "the broker's configuration is broken",
    'broker.cannot-start',
    `echo 'listner 1' >> $(systemctl cat uketsuke-broker | sed -n 's/^ExecStart=.* -c \\([^ ]*\\).*/\\1/p') && systemctl restart --no-block uketsuke-broker`,
  ),
  technician(
    "the broker's key is gone",
    'broker.cannot-start',
    `rm /etc/mosquitto/uketsuke/tls-key.pem && systemctl restart --no-block uketsuke-broker`,
  ),
  technician(
    "the broker's files belong to root",
    ['files.owner-wrong', 'broker.cannot-start'],
    `chown -R root:root /etc/mosquitto/uketsuke && chmod -R go= /etc/mosquitto/uketsuke && systemctl restart --no-block uketsuke-broker`,
  ),
  technician(
    "somebody else has the broker's port",
    'broker.cannot-start',
    `systemctl stop uketsuke-broker && systemd-run --unit=taker --quiet ${program}/node/bin/node -e 'require("node:net").createServer().listen(8883, "0.0.0.0")' && sleep 1 && systemctl start --no-block uketsuke-broker`,
    { undo: 'systemctl stop taker', hands: 'the other program' },
  ),
  technician(
    'the link may not reach this broker',
    'link.broker-not-allowed',
    `echo '[Service]\nIPAddressAllow=\nIPAddressAllow=203.0.113.9' > /etc/systemd/system/uketsuke-link.service.d/broker.conf && systemctl daemon-reload && systemctl restart uketsuke-link`,
  ),
];

const agents: readonly InjectedFault[] = [
  technician(
    "the agent's configuration is broken",
    'agent.cannot-start',
    `echo 'jornal: x' >> ${agent}/agent.yaml && systemctl restart --no-block uketsuke-agent`,
  ),
  technician(
    "the agent's keys are gone",
    'agent.cannot-start',
    `rm ${agent}/*key*.json && systemctl restart --no-block uketsuke-agent`,
    { hands: 'the backup' },
  ),
  technician(
    "the agent's trust anchors are gone",
    'agent.cannot-start',
    `rm -r ${agent}/card-trust && systemctl restart --no-block uketsuke-agent`,
    { hands: 'the anchors' },
  ),
  technician(
    "the agent's journal belongs to root",
    'files.owner-wrong',
    `systemctl stop uketsuke-agent && chown root:root ${agent}/journal.sqlite* && chmod go= ${agent}/journal.sqlite* && systemctl start --no-block uketsuke-agent`,
  ),
  technician(
    "somebody else has the staff page's port",
    'agent.cannot-start',
    `systemctl stop uketsuke-agent && systemd-run --unit=taker --quiet ${program}/node/bin/node -e 'require("node:net").createServer().listen(8490, "127.0.0.1")' && sleep 1 && systemctl start --no-block uketsuke-agent`,
    { undo: 'systemctl stop taker', hands: 'the other program' },
  ),
  technician(
    "the agent's journal holds other bytes",
    'storage.damaged',
    `systemctl stop uketsuke-agent && head -c 200000 /dev/urandom > ${agent}/journal.sqlite && rm -f ${agent}/journal.sqlite-wal && systemctl start --no-block uketsuke-agent`,
  ),
  technician(
    "the agent's journal is of a later release",
    'storage.newer',
    `systemctl stop uketsuke-agent && ${program}/node/bin/node --disable-warning=ExperimentalWarning -e 'new (require("node:sqlite").DatabaseSync)("${agent}/journal.sqlite").exec("PRAGMA user_version = 999")' && systemctl start --no-block uketsuke-agent`,
    { hands: 'the later release' },
  ),
  technician('the folder of the レセコン is gone', 'files.folder-missing', 'mv /srv/oqs /srv/oqs-away', {
    undo: 'rm -rf /srv/oqs; mv /srv/oqs-away /srv/oqs',
  }),
  technician(
    'the folder of the レセコン belongs to somebody else',
    'files.folder-read-only',
    'chown -R root:root /srv/oqs && chmod -R go-w /srv/oqs',
    { undo: 'chown -R uketsuke-agent: /srv/oqs' },
  ),
  technician(
    'the folder of the レセコン is full',
    'files.folder-full',
    'mount -t tmpfs -o size=64k,mode=777 tmpfs /srv/oqs && mkdir -m 777 /srv/oqs/face /srv/oqs/req /srv/oqs/res && chown uketsuke-agent: /srv/oqs/* && head -c 60000 /dev/zero > /srv/oqs/res/full',
    { undo: 'umount /srv/oqs', hands: 'room' },
  ),
  technician(
    'the terminal was revoked',
    'delivery.access-refused',
    `uketsuke agent device revoke terminal-01 --facility-dir /var/lib/uketsuke-facility --ca-passphrase-file /var/lib/uketsuke-facility/ca-passphrase`,
  ),
  technician('the agent does not know the terminal', 'delivery.access-refused', `echo '[]' > ${agent}/devices.json`),
];

const screens: readonly InjectedFault[] = [
  staff('no page comes', 'screen.no-page', 'systemctl stop uketsuke-kiosk'),
  technician('the page does not paint any more', 'screen.frozen', hang('uketsuke-kiosk')),
];

export const injectedFaults: readonly InjectedFault[] = [
  ...processes,
  ...configuration,
  ...keyFaults,
  ...stores,
  ...programs,
  ...line,
  ...agents,
  ...screens,
];
