/**
 * In the container, by the Node of the package: the technician's guide command by command, then what happens to a clinic
 * (processes that die or hang, a patient, a broken terminal, a new PC, an update and the way back). Each step is written
 * down in /trial/steps.json as it ends.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { guideAnswers, guideCommands } from './guide.ts';
import { orderTestVisit, seeTestVisit } from './staff-desk.ts';
import { figures, isActive, lettersIn, mainPid, network, pause, recovered, sh, spawn, step, until } from './steps.ts';

const guide = '/project/docs/technician-guide.md';
const terminalUnits = ['uketsuke.service', 'uketsuke-link.service', 'uketsuke-face.service'];
const services = ['uketsuke-broker.service', 'uketsuke-agent.service', ...terminalUnits];
const stick = '/media/usb';

const allActive = (seconds: number): Promise<void> =>
  until(`active: ${services.filter((unit) => !isActive(unit)).join(', ')}`, seconds, () => services.every(isActive));
const isWaiting = (): boolean => isActive('uketsuke-welcome.service');

let letters = 'none';
const commands: string[] = [];

/** What a command of the guide takes besides typing it, and how it is known to have worked. */
const afterwards = async (command: string): Promise<void> => {
  if (command.startsWith('uketsuke provision clinic --answers')) {
    // The one action at the terminal: the stick is in.
    await until(
      'the terminal is set up by its stick alone',
      120,
      () => existsSync('/etc/uketsuke/terminal.yaml') && services.every(isActive),
    );
    rmSync(stick, { recursive: true, force: true });
    mkdirSync(stick);
    await seeTestVisit(60);
  }
  if (command.startsWith('uketsuke provision undo --terminal'))
    await until('it waits for its first steps', 30, isWaiting);
  if (/^uketsuke provision (terminal|restore)/.test(command)) await allActive(60);
};

const runGuide = async (): Promise<void> => {
  for (const written of guideCommands(guide)) {
    const command = written.replace(/^sudo /, '').replace('ABCD-EFGH', () => letters);
    // These were carried out before systemd ran, where there is a network: see machine.ts.
    if (command.startsWith('apt-get install')) {
      commands.push(command);
      continue;
    }
    // A terminal without cameras and a screen is not well, and the doctor says so.
    const isDoctor = command.startsWith('uketsuke doctor');
    if (command.startsWith('uketsuke provision backup'))
      writeFileSync(`${stick}/backup-passphrase`, 'correct horse battery\n');
    const ran = await step(`guide: ${command}`, async () => {
      const told = sh(`${command} 2>&1${isDoctor ? ' || [ $? = 1 ]' : ''}`);
      if (lettersIn(told) !== 'none') letters = lettersIn(told);
      await afterwards(command);
    });
    if (ran) commands.push(command);
  }
  figures.guideCommands = commands.length;
  figures.guideWritten = guideCommands(guide).length;
};

const killed = async (): Promise<void> => {
  let slowest = 0;
  for (const unit of services)
    await step(`${unit} is killed and comes back`, async () => {
      const ms = await recovered(unit, 20, (pid) => process.kill(pid, 'SIGKILL'));
      figures[`kill ${unit.replace('.service', '')}`] = ms;
      slowest = Math.max(slowest, ms);
    });
  figures.killRecoverMs = figures['kill uketsuke'] ?? Number.POSITIVE_INFINITY;
  figures.killSlowestMs = slowest;
  await step('after the kills a test visit is accepted', async () => {
    await allActive(30);
    await orderTestVisit();
  });
};

const hung = async (): Promise<void> => {
  await step('uketsuke.service hangs and comes back by its watchdog', async () => {
    figures.hangRecoverMs = await recovered('uketsuke.service', 90, (pid) => process.kill(pid, 'SIGSTOP'));
  });
  await step('uketsuke-agent.service hangs and comes back by its watchdog', async () => {
    figures.hangAgentMs = await recovered('uketsuke-agent.service', 90, (pid) => process.kill(pid, 'SIGSTOP'));
  });
};

/** A terminal of a facility that takes test cards, and one patient with a PIN before a real pcscd. */
const wholeVisit = async (): Promise<void> => {
  await step('a clinic that takes test cards says so', async () => {
    sh(
      'uketsuke agent device revoke terminal-01-2 --facility-dir /var/lib/uketsuke-facility --ca-passphrase-file /var/lib/uketsuke-facility/ca-passphrase',
    );
    letters = lettersIn(sh('uketsuke provision clinic --test --card-trust /trial/cache/test-authority 2>&1'));
    sh('uketsuke provision undo --terminal --yes');
    sh(`uketsuke provision terminal ${letters}`);
    await allActive(60);
    if (!readFileSync('/etc/uketsuke/terminal.yaml', 'utf8').includes('profile: test'))
      throw new Error('the profile is not test');
    await orderTestVisit();
  });
  await step('a patient with a PIN, all the way', async () => {
    const node = '/usr/lib/uketsuke/node/bin/node';
    const patient = spawn(
      'nsenter',
      ['-t', String(mainPid('uketsuke.service')), '-n', node, '/project/scripts/trials/installed/patient.ts'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let told = '';
    patient.stdout.on('data', (part) => {
      told += String(part);
    });
    await until('the idle screen', 60, () => told.includes('"idle"'));
    const card = spawn(
      node,
      ['/project/src/main.ts', 'virtual-card', '--persona', 'hanako', '--cache', '/trial/cache'],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    await until('the last screen', 60, () => patient.exitCode !== null);
    card.kill('SIGTERM');
    writeFileSync('/trial/patient.json', told);
    if (!told.includes('"accepted"')) throw new Error(`the patient saw ${told}`);
    if (!told.includes('【テスト】')) throw new Error('the screen does not say that test cards are taken');
    await until('the file for the レセコン', 30, () =>
      readdirSync('/srv/oqs/face').some((name) => name.startsWith('OQSsiquc01res_face_TEST')),
    );
  });
  await step('release refuses the chain of test cards', async () => {
    const refusal = sh('uketsuke provision clinic --card-trust /trial/cache/test-authority 2>&1 || true');
    if (!/test cards/.test(refusal)) throw new Error(`not refused: ${refusal}`);
    sh("sed -i 's/profile: test/profile: release/' /etc/uketsuke/terminal.yaml");
    sh('systemctl restart --no-block uketsuke.service');
    await until('the refusal in the journal', 30, () =>
      /trust anchors of test cards/.test(sh('journalctl -u uketsuke.service -n 50 --no-pager')),
    );
    sh("sed -i 's/profile: release/profile: test/' /etc/uketsuke/terminal.yaml");
    await until('uketsuke.service', 30, () => isActive('uketsuke.service'));
  });
};

const updates = async (): Promise<void> => {
  const visits = (): string =>
    sh('sqlite=$(ls -l /var/lib/uketsuke-agent/journal.sqlite) && echo "$sqlite" | awk \'{print $5}\'');
  for (const release of readdirSync('/trial/former'))
    await step(`the way back to an earlier release (${release}), and the update`, async () => {
      const before = visits();
      sh(`dpkg -i /trial/former/${release}/*.deb`);
      await allActive(60);
      sh('dpkg -i /trial/debs/*.deb');
      await allActive(60);
      if (Number(visits()) < Number(before)) throw new Error('the journal is smaller than before');
      await orderTestVisit();
    });
};

const adopted = async (): Promise<void> => {
  await step('a terminal of the first release is taken over by the update', async () => {
    sh(`systemctl stop ${terminalUnits.join(' ')}`);
    sh(
      'cd /etc/uketsuke/provisioning && mv terminal/* link/* . && rmdir terminal link && chown -R uketsuke:uketsuke . && mv /var/lib/uketsuke-link/link.sqlite /var/lib/uketsuke/terminal.sqlite',
    );
    sh('dpkg -i /trial/debs/*.deb');
    await allActive(60);
    if (!existsSync('/etc/uketsuke/provisioning/link/tls-key.pem')) throw new Error('the keys are where they were');
    await orderTestVisit();
  });
};

const withoutPage = async (): Promise<void> => {
  await step('a terminal without a page is not started anew for ever', async () => {
    const pid = mainPid('uketsuke.service');
    const since = performance.now();
    await until('125 s without a page', 140, () => performance.now() - since > 125_000);
    if (mainPid('uketsuke.service') !== pid) throw new Error('it was');
  });
};

const guided = async (): Promise<void> => {
  // A run before this one may have left its clinic.
  if (existsSync('/etc/uketsuke/terminal.yaml') || existsSync('/var/lib/uketsuke-facility/facility.json'))
    sh('uketsuke provision undo --yes');
  cpSync('/trial/issuers', 'card-trust', { recursive: true });
  writeFileSync('clinic.yaml', guideAnswers(guide));
  await step('a terminal that nobody has set up waits', () => until('uketsuke-welcome.service', 30, isWaiting));
  await runGuide();
  await step('answers that were refused are not kept for the next run', async () => {
    writeFileSync('another.yaml', guideAnswers(guide).replace('clinic-0001', 'clinic-0002'));
    const refusal = sh('uketsuke provision clinic --answers another.yaml 2>&1 || true');
    if (!/holds the facility clinic-0001/.test(refusal)) throw new Error(`not refused: ${refusal}`);
  });
  await step('a second run of both commands changes nothing', async () => {
    const told = sh('uketsuke provision clinic');
    if (!told.includes('"waiting":[]')) throw new Error(told);
    sh('uketsuke provision terminal');
    await allActive(60);
  });
  await step('what was set by hand stays with a new search for parts', async () => {
    sh("sed -i 's/^\\.\\.\\.$/screen:\\n  diagonalInches: 13.3\\n.../' /etc/uketsuke/terminal.yaml");
    sh('uketsuke provision terminal --parts');
    if (!readFileSync('/etc/uketsuke/terminal.yaml', 'utf8').includes('diagonalInches: 13.3'))
      throw new Error(readFileSync('/etc/uketsuke/terminal.yaml', 'utf8'));
    await allActive(60);
  });
};

/** In this order; one of them alone goes on from what the boot before left. */
const parts = { guided, killed, hung, wholeVisit, updates, adopted, withoutPage };
const only = existsSync('/trial/only') ? readFileSync('/trial/only', 'utf8').trim().split(',') : Object.keys(parts);

process.chdir('/root');
network();
mkdirSync(stick, { recursive: true });
if (only[0] !== 'guided') await step('every service is up after the boot', () => allActive(90));
for (const [name, work] of Object.entries(parts)) if (only.includes(name)) await work();
sh(
  "stat -c '%U %a %n' /var/lib/uketsuke-agent /etc/mosquitto/uketsuke/tls-key.pem /etc/uketsuke/provisioning/link/tls-key.pem /etc/uketsuke/provisioning/terminal/signing-key.jwk.json /srv/oqs/face > /trial/owners.txt",
);
sh('journalctl --no-pager -b > /trial/journal.txt');
await pause(100);
