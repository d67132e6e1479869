import { chainCommands } from './chain-commands.ts';
import type { Way } from './way.ts';

/**
 * Which test runs each command that the guides tell people to type. test/house/guide-commands.test.ts holds it against the
 * documents, in their order: a command that stands here without its document, or in a document without a line here, fails.
 */
type Command = readonly [written: string, way: Way];

const guide: Way = { way: 'guide' };
const figure: Way = { way: 'figure' };
const named: Way = { way: 'named' };
const installed = (command?: string, status?: number): Way => ({
  way: 'installed',
  ...(command !== undefined && { command }),
  ...(status !== undefined && { status }),
});
const tree = (command?: string, more: { status?: number; prints?: string; until?: string } = {}): Way => ({
  way: 'tree',
  ...(command !== undefined && { command }),
  ...more,
});
const by = (file: string, words: string): Way => ({ way: 'by', file, words });
const drill = (words: string): Way => by('scripts/trials/release-drill.ts', words);
const not = (because: string): Way => ({ way: 'not run', because });

const facility = '/var/lib/uketsuke-facility';
const passphrase = '--ca-passphrase-file /media/usb/ca-passphrase';
const room = 'scripts/clean-room';
const windows = not('PowerShell is not part of Wine; docs/windows.md says where the trial under Wine ends');
const keys = not('no release key and no tag yet (docs/release-key.md)');
const slots = not('needs two slots; scripts/test-update plays them with real RAUC in a virtual machine');
const guided = (...commands: readonly string[]): readonly Command[] => commands.map((command) => [command, guide]);
const ownPackages = not("Debian's packages, which whoever runs the trial has: scripts/debian-packages.txt");
/** Of other languages: test/kit/card.test.ts runs each program of that table */
const runBy = (program: string) => by('scripts/kit/foreign-examples.ts', program);
const selfCheck = by('test/kit/self-check.test.ts', 'describe.each(kits)');
// A container has no stick, and not every kernel has FAT: there the folder where it would be mounted stands for it.
const stick = by('scripts/vm-stick', 'sudo (mkdir|mount|umount) ');
const ownMosquitto = not('for a clinic with a mosquitto of its own; the packages bring uketsuke-broker.service');

export const guides: Readonly<Record<string, readonly Command[]>> = {
  'README.md': [
    ['./scripts/demo', by(room, './scripts/demo --once --json')],
    ['./scripts/test', by(room, './scripts/test')],
    ['./scripts/demo --once --json', by(room, './scripts/demo --once --json')],
    ['npm run playground -- build', by('test/scripts/playground/playground.test.ts', 'playground')],
    ['scripts/uketsuke.mjs kit oqs --dir FOLDER', by('test/kit/oqs.test.ts', "'kit', 'oqs', '--dir'")],
    [
      'scripts/uketsuke.mjs kit card -- python3 docs/examples/read-card.py',
      runBy("['/usr/bin/python3', 'read-card.py']"),
    ],
    [
      'scripts/uketsuke.mjs kit adapter --people docs/examples/adapter-people.json -- scripts/node docs/examples/adapter.mjs',
      by('test/kit/adapter.test.ts', "'kit', 'adapter', '--people', 'docs/examples/adapter-people.json'"),
    ],
    ['scripts/uketsuke.mjs kit bus --facility-dir FOLDER', by('test/kit/bus.test.ts', "'kit', 'bus'")],
    [
      'scripts/node docs/examples/terminal-on-the-bus.mjs FOLDER',
      by('scripts/kit/examples.ts', '[name, folder, port]'),
    ],
    ['scripts/node docs/examples/read-virtual-card.mjs', tree(undefined, { prints: 'my-number-card' })],
    ['npm run kit -- self-check', selfCheck],
    ['uketsuke visit record', named],
  ],
  'docs/CONTRIBUTING.md': [
    ['./scripts/setup', by('scripts/demo', 'scripts/setup')],
    ['npm run check', by('scripts/test', 'scripts/check')],
    ['./scripts/test [test/core]', by(room, './scripts/test')],
    ['./scripts/dev', tree(undefined, { until: 'http://127.0.0.1' })],
    ['uketsuke visit record', named],
    ['npm run mutation -- --folder NAME', by(room, 'npm run --silent mutation -- --gate')],
    ['npm run house -- --long', tree()],
  ],
  'docs/debugging.md': [
    ['uketsuke doctor', installed(undefined, 1)],
    [
      'uketsuke visit record FILE',
      installed(
        'systemctl stop uketsuke.service && { timeout --preserve-status --signal INT 15 uketsuke visit record /trial/visits.jsonl; systemctl start uketsuke.service; }',
      ),
    ],
    ['uketsuke visit replay FILE', tree('uketsuke visit replay $ROOM/visits.jsonl')],
    ['uketsuke visit keep FILE name-of-the-story', tree('uketsuke visit keep $ROOM/visits.jsonl name-of-the-story')],
    [
      './scripts/demo --record FILE',
      tree('./scripts/demo --once --record $ROOM/demo.jsonl --json && uketsuke visit replay $ROOM/demo.jsonl'),
    ],
    ['uketsuke trace record FILE', named],
    ['uketsuke trace replay FILE', named],
    ['npm run simulate', tree('npm run simulate -- --sessions 20 --seed 7')],
    ['uketsuke visit replay', named],
    ['uketsuke preview', tree('uketsuke preview --port 0', { until: 'http://127.0.0.1' })],
    ['./scripts/dev', named],
    [
      'scripts/node --inspect-brk src/main.ts run --config FILE',
      tree('scripts/node --inspect-brk src/main.ts run --config $ROOM/terminal.yaml', { until: 'Debugger listening' }),
    ],
    ['scripts/node --import ./scripts/house/visit-prompt.ts', { way: 'prompt' }],
    ['> story.present(); story.name', { way: 'prompt' }],
    ["> story.enterPin(); story.answerAll('agree'); story.deliver(); story.name", { way: 'prompt' }],
    ['npm run house -- --long', named],
  ],
  'docs/virtual-card.md': [
    ['uketsuke virtual-card', named],
    ['apt-get install -y --no-install-recommends pcscd vsmartcard-vpcd opensc opensc-pkcs11', ownPackages],
    [
      "unshare -n bash -c 'ip link set lo up\nfor net in 127.0.0.0/8 127.0.0.1; do\nip route change table local local $net dev lo proto kernel scope host src 127.0.0.1 quickack 1\ndone\nmkdir -p /run/pcscd; exec pcscd --foreground' &\nuntil [ -S /run/pcscd/pcscd.comm ]; do sleep 0.2; done\nnsenter -t $! -n scripts/node src/main.ts virtual-card --persona hanako --vpcd 127.0.0.1:35963 &",
      tree(undefined, { until: 'inserted' }),
    ],
    [
      'OPENSC_DRIVER=jpki pkcs15-tool --wait --list-pins --list-keys --list-certificates',
      tree(undefined, { prints: 'Digital Signature' }),
    ],
    ['scripts/uketsuke.mjs kit card -- pkcs15-tool --list-certificates', tree(undefined, { prints: '"findings":[]' })],
    [
      'scripts/uketsuke.mjs kit card -- python3 docs/examples/read-card.py',
      runBy("['/usr/bin/python3', 'read-card.py']"),
    ],
    ['scripts/uketsuke.mjs kit card -- perl docs/examples/read-card.pl', runBy("['perl', 'read-card.pl']")],
    ['scripts/uketsuke.mjs kit card -- java docs/examples/ReadCard.java', runBy("['java', 'ReadCard.java']")],
    ['mcs -out:ReadCard.exe docs/examples/ReadCard.cs', runBy("['mcs', '-warnaserror', 'ReadCard.cs']")],
    ['scripts/uketsuke.mjs kit card -- mono ReadCard.exe', runBy("['mono', 'ReadCard.exe']")],
    ['uketsuke kit card', named],
    ['uketsuke trace', named],
    [
      'scripts/node src/main.ts trace record card.trace',
      tree('scripts/node src/main.ts trace record $ROOM/card.trace'),
    ],
    [
      'scripts/node src/main.ts trace redact other.jsonl out.trace',
      tree('scripts/node src/main.ts trace redact $ROOM/other.jsonl $ROOM/out.trace'),
    ],
    [
      'scripts/node src/main.ts trace replay card.trace',
      tree('scripts/node src/main.ts trace replay $ROOM/card.trace'),
    ],
    [
      'scripts/node src/main.ts trace diff a.trace b.trace --ignore-answers',
      tree('scripts/node src/main.ts trace diff $ROOM/card.trace $ROOM/card.trace --ignore-answers'),
    ],
    ['npm run card-physics', figure],
    ['npm run bench:card', figure],
    ['npm run card-face-eval', figure],
  ],
  'docs/clinic.md': [
    ['uketsuke agent', named],
    [
      'uketsuke provision --dir FACILITY --facility clinic-0001 --name さくら内科クリニック --institution-code 1310000001 --kind medical --terminals 2 --card-trust ANCHORS',
      tree(
        `uketsuke provision --dir $ROOM/FACILITY --facility clinic-0001 --name さくら内科クリニック --institution-code 1310000001 --kind medical --terminals 2 --card-trust .cache/test-authority --test | tee $ROOM/made && sed 's/.*"caPassphrase":"//; s/".*//' $ROOM/made >$ROOM/ca-passphrase`,
      ),
    ],
    [
      'echo CODE | uketsuke agent staff add nurse-1 --dir FACILITY/agents/agent-1 --label 看護師A',
      tree('echo 58210467 | uketsuke agent staff add nurse-1 --dir $ROOM/FACILITY/agents/agent-1 --label 看護師A'),
    ],
    ['install -d -o mosquitto -m 0700 /etc/mosquitto/uketsuke', tree('install -d -m 0700 $ROOM/mosquitto')],
    [
      'uketsuke broker --facility-dir FACILITY --out /etc/mosquitto/uketsuke',
      tree('uketsuke broker --facility-dir $ROOM/FACILITY --out $ROOM/mosquitto'),
    ],
    [
      'uketsuke agent --dir FACILITY/agents/agent-1',
      tree('uketsuke agent --dir $ROOM/FACILITY/agents/agent-1', { until: '"ready":true' }),
    ],
    ['./scripts/demo', named],
    ['uketsuke broker', named],
    [
      'uketsuke agent device list --facility-dir FACILITY',
      tree('uketsuke agent device list --facility-dir $ROOM/FACILITY'),
    ],
    [
      'uketsuke agent device revoke terminal-02 --facility-dir FACILITY --ca-passphrase-file FILE',
      tree(
        'uketsuke agent device revoke terminal-02 --facility-dir $ROOM/FACILITY --ca-passphrase-file $ROOM/ca-passphrase',
      ),
    ],
    ['systemctl reload mosquitto', ownMosquitto],
    ['npm run oqs-corpus -- --json', figure],
    [
      'uketsuke agent usage import --dir DIR figures.csv',
      tree('uketsuke agent usage import --dir $ROOM/FACILITY/agents/agent-1 $ROOM/figures.csv'),
    ],
    ['scripts/test-windows --smb', figure],
  ],
  'docs/technician-guide.md': [
    ['npm run package', figure],
    ['scripts/test-vm', figure],
    ...guided('sudo apt-get update', 'sudo apt-get install ./uketsuke_*_amd64.deb ./uketsuke-agent_*_all.deb'),
    ...guided('sudo mkdir -p /media/usb'),
    ['sudo mount /dev/sda1 /media/usb', stick],
    ['sudo umount /media/usb', stick],
    ...guided(
      'sudo uketsuke provision clinic --answers clinic.yaml --card-trust card-trust --codes-to /media/usb',
      'sudo apt-get install ./uketsuke_*_amd64.deb ./uketsuke-terminal_*_all.deb ./uketsuke-kiosk_*_all.deb',
      'sudo uketsuke doctor',
      'sudo uketsuke provision terminal --parts',
      'sudo uketsuke config check',
      'sudo uketsuke provision backup /media/usb/clinic.uketsuke --passphrase-file /var/lib/uketsuke-facility/ca-passphrase',
      'sudo rm -f /media/usb/uketsuke-terminal-*.json',
      'sudo mv /var/lib/uketsuke-facility/ca-passphrase /media/usb/',
      'sudo uketsuke agent device list --facility-dir /var/lib/uketsuke-facility',
      'sudo uketsuke provision clinic --replace terminal-01 --ca-passphrase-file /media/usb/ca-passphrase',
      'sudo uketsuke provision undo --terminal --yes',
      'sudo uketsuke provision terminal ABCD-EFGH',
      'sudo cp /media/usb/ca-passphrase .',
      'sudo uketsuke provision backup /media/usb/move.uketsuke --passphrase-file ca-passphrase',
      'sudo uketsuke provision undo --clinic --yes',
      'sudo rm ca-passphrase',
      'sudo uketsuke provision restore /media/usb/move.uketsuke --passphrase-file ca-passphrase',
    ),
    ['apt-get purge', by('scripts/trials/installed/root.ts', 'apt-get purge')],
    ...guided(
      'sudo systemctl stop uketsuke-agent',
      "sudo sh -c 'cd /var/lib/uketsuke-agent && if ls journal.sqlite.before-migration-*; then cp -p journal.sqlite.before-migration-* journal.sqlite && rm -f journal.sqlite-wal journal.sqlite-shm; fi'",
      'sudo apt-get install --allow-downgrades ./uketsuke_*_amd64.deb ./uketsuke-agent_*_all.deb',
      'sudo systemctl start uketsuke-agent',
      'sudo apt-get install --allow-downgrades ./uketsuke_*_amd64.deb ./uketsuke-terminal_*_all.deb ./uketsuke-kiosk_*_all.deb',
    ),
    [`uketsuke agent ca-key state --facility-dir ${facility}`, installed()],
    [
      `uketsuke agent ca-key take-away /media/usb/ca.pem --facility-dir ${facility} ${passphrase}`,
      installed(
        // On a copy: the clinic that is tried goes on with its own.
        `rm -rf /trial/facility && cp -a ${facility} /trial/facility && uketsuke agent ca-key take-away /trial/ca.pem --facility-dir /trial/facility ${passphrase}`,
      ),
    ],
    [`uketsuke agent issuer renew --facility-dir ${facility} ${passphrase}`, installed()],
    ['systemctl restart uketsuke-broker uketsuke-agent', installed()],
    [
      'uketsuke agent staff add nurse-1 --dir /var/lib/uketsuke-agent --label 看護師A',
      installed('echo 58210467 | uketsuke agent staff add nurse-1 --dir /var/lib/uketsuke-agent --label 看護師A'),
    ],
    ['uketsuke doctor', named],
    ['journalctl -u uketsuke -o cat', installed()],
    ['uketsuke metrics', installed()],
    ['uketsuke support-bundle', installed()],
    [
      'uketsuke agent journal move --dir DIR --to postgres://USER@HOST:PORT/DATABASE',
      by('scripts/trials/journal-move.ts', "uketsuke('journal', 'move', '--dir', directory, '--to', address)"),
    ],
    [
      'uketsuke agent audit verify --dir DIR',
      by('scripts/trials/journal-move.ts', "uketsuke('audit', 'verify', '--dir', directory)"),
    ],
    ['uketsuke provision', named],
    [
      'uketsuke broker --kind rabbitmq --facility-dir FACILITY --out /etc/rabbitmq/uketsuke --node rabbit@node-1 --node rabbit@node-2 --node rabbit@node-3',
      by('test/cli/broker.test.ts', "broker('--kind', 'rabbitmq', ...nodes(3))"),
    ],
    ['rpicam-vid --list-cameras', not('a program of Raspberry Pi OS, for its own camera: neither is at hand')],
    ['uketsuke erase --config --yes', by('scripts/trials/erase-check.ts', "'--yes'")],
    [
      'uketsuke erase --agent-dir DIR --facility-dir DIR --yes',
      by('scripts/trials/erase-check.ts', "'--facility-dir'"),
    ],
    ['systemctl restart uketsuke', installed()],
    ['uketsuke attest', installed()],
    [
      'uketsuke attest --verify FILE --devices AGENT-DIRECTORY',
      installed(
        'uketsuke attest 2>/dev/null | grep ^ey >/trial/attested && uketsuke attest --verify /trial/attested --devices /var/lib/uketsuke-agent',
      ),
    ],
    ['uketsuke attest --seal', by('scripts/package/package.ts', "'--seal'")],
  ],
  'docs/bring-up.md': [
    ['systemctl stop uketsuke uketsuke-face', installed()],
    // Without a reader and cards it ends with 1, and names what is missing.
    ['uketsuke bench device --cards 10 --json', installed('timeout 60 uketsuke bench device --cards 0 --json', 1)],
    ['systemctl start uketsuke-face uketsuke', installed()],
    ['uketsuke doctor', named],
    ['uketsuke doctor --qr', installed(undefined, 1)],
  ],
  'docs/updating.md': [
    ['npm run skew', figure],
    ['uketsuke provision clinic --test', by('scripts/trials/installed/inside.ts', 'uketsuke provision clinic --test')],
    ['uketsuke provision clinic', named],
    ['apt install ./uketsuke*.deb', by('scripts/trials/installed/inside-former.ts', 'apt-get install')],
    ['uketsuke adopt', installed()],
    ['uketsuke update check /persistent/updates/NAME.raucb', slots],
    ['uketsuke update status', slots],
    ['uketsuke doctor', named],
    ['journalctl -u uketsuke-update', installed('journalctl -u uketsuke-update')],
    ['systemctl kill --signal=SIGHUP uketsuke-update', slots],
    ['rauc status', slots],
    ['npm run update-sim', figure],
    ['scripts/test-update', figure],
    ['npm run image -- --arch arm64 --kiosk --debs packages --keyring authority.pem', figure],
    ['npm run image:boot', figure],
    ...chainCommands,
    ['npm run migrations', figure],
    ['scripts/node scripts/generate/stored-release.ts TAG', keys],
  ],
  'docs/release-key.md': [
    ['npm run package', figure],
    ['npm run release-drill -- --debs packages --json', figure],
    ['npm run skew', figure],
    ['npm run migrations', figure],
    ['npm run update-sim -- --json', figure],
    ['scripts/test-update --json', figure],
    ['git tag --sign v0.2.0', drill("'--sign', '--message'")],
    ['scripts/node scripts/generate/stored-release.ts v0.2.0', keys],
    ['npm run package:repository -- --debs packages --out REPOSITORY --key FINGERPRINT', figure],
    ['rauc bundle --cert … --key … DIR uketsuke-0.2.0.raucb', by('scripts/trials/update-vm/releases.ts', "'bundle'")],
    ['install -m 644 uketsuke.asc /etc/apt/keyrings/uketsuke.asc', drill('install -m 644 uketsuke')],
    [
      "echo 'deb [signed-by=/etc/apt/keyrings/uketsuke.asc] file:/srv/uketsuke stable main' >/etc/apt/sources.list.d/uketsuke.list",
      drill('signed-by='),
    ],
  ],
  'docs/windows.md': [
    [
      'scripts/node scripts/package/windows.ts --out DIR',
      by('scripts/trials/windows/test-windows.ts', 'package/windows.ts'),
    ],
    ['scripts/test-windows --json', figure],
    ['scripts/test-windows --smb', figure],
  ],
  'docs/windows-guide.md': [
    ['scripts/test-windows', figure],
    ['scripts/node scripts/package/windows.ts --out DIR', named],
    [
      'powershell -ExecutionPolicy Bypass -File .\\install.ps1 -Answers .\\answers.yaml -CardTrust D:\\card-trust -CodesTo E:\\',
      windows,
    ],
    ['install.ps1 -CaPassphraseFile E:\\ca-passphrase', windows],
    ['install.ps1 -Replace terminal-01 -CaPassphraseFile E:\\ca-passphrase', windows],
    [
      "& 'C:\\Program Files\\Uketsuke\\uketsuke.cmd' provision backup E:\\clinic.uketsuke --passphrase-file F:\\passphrase.txt",
      by('scripts/trials/windows/moved-clinic.ts', "uketsuke('provision', 'backup', backup, '--passphrase-file'"),
    ],
    ['Stop-Service UketsukeAgent', windows],
    [
      'powershell -ExecutionPolicy Bypass -File .\\install.ps1 -Restore E:\\clinic.uketsuke -PassphraseFile F:\\passphrase.txt',
      windows,
    ],
    ['Restart-Service UketsukeAgent', windows],
    ["& 'C:\\Program Files\\Uketsuke\\uketsuke.cmd' broker --facility-dir C:\\ProgramData\\Uketsuke", windows],
    ['netsh advfirewall firewall show rule name="Uketsuke broker"', windows],
    ['install.ps1 -Remove', windows],
    ["& 'C:\\Program Files\\Uketsuke\\uketsuke.cmd' erase --help", windows],
    ['uketsuke provision clinic', named],
  ],
  'docs/SECURITY.md': [
    ['uketsuke trace redact', named],
    ['uketsuke visit record', named],
    ['npm run cve -- ID', by('test/scripts/cve.test.ts', 'affectedReleases')],
    ['uketsuke agent device revoke', named],
  ],
  'docs/notices.md': [
    ['npm run catalogue -- check FILE', by('test/catalogue/notices.test.ts', 'check-notice.ts')],
    ['./scripts/setup-voice && npm run make-speech', not('makes the sound files anew, once for a change of words')],
    ['npm run words', figure],
    ['npm run notice-day -- --json', figure],
  ],
  'docs/privacy.md': [
    ['uketsuke agent journal move', by('scripts/trials/journal-move.ts', "uketsuke('journal', 'move'")],
    ['uketsuke agent audit verify', installed('uketsuke agent audit verify --dir /var/lib/uketsuke-agent')],
    ['uketsuke agent audit export', installed('uketsuke agent audit export --dir /var/lib/uketsuke-agent')],
    ['uketsuke agent staff remove', installed('uketsuke agent staff remove nurse-1 --dir /var/lib/uketsuke-agent')],
  ],
  'test/README.md': [
    ['scripts/test [vitest arguments]', named],
    ['npx vitest run test/core', by('scripts/test', 'vitest')],
    ['npm run walls', figure],
    ['scripts/test-vm', figure],
    ['scripts/setup-trials', not('installs the Debian packages of the trials on the machine it runs on')],
    ['npm run simulate -- --sessions 50000', named],
    ['scripts/vm-camera', by('test/README.md', 'V4L2 test in a virtual machine')],
    ['scripts/vm-power-cut', figure],
    ['scripts/vm-stick', by('test/README.md', 'real FAT stick on a USB port')],
    ['scripts/clean-room trixie ./scripts/test test/contract', figure],
  ],
  'models/README.md': [
    ['scripts/setup-models', by('scripts/setup', 'scripts/setup-models')],
    ['npm run face-eval -- --images <folder> [--pairs <tsv>] [--card-photo] [--model <id>] --json', figure],
    ['npm run face-eval -- --images <folder> --groups <folder> --card-photo --json', figure],
    [
      "uketsuke models add own.onnx --source 'who gives it, version' --licence '…' --training-data '…' [--licence-clear] [--channels RGB|BGR] [--mean 127.5] [--scale 127.5]",
      by('test/cli/models.test.ts', "'add'"),
    ],
    [
      "uketsuke models calibrate own --images DIR [--pairs FILE] [--groups DIR] [--called 'what these pictures are']",
      by('test/cli/models.test.ts', "'calibrate'"),
    ],
    ['npm run pad-eval', figure],
    ['npm run living', figure],
  ],
  'systemd/README.md': [
    ['npm run package', figure],
    ['uketsuke broker', named],
    ['uketsuke broker --kind rabbitmq', named],
    ['uketsuke provision clinic', named],
    ['npm run walls', figure],
    ['uketsuke provision terminal', named],
  ],
};
