/**
 * In the container, by the Node of the package: the technician's guide command by command, then what happens to a clinic
 * (processes that die or hang, a patient, a broken terminal, a new PC, an update and the way back). Each step is written
 * down in /trial/steps.json as it ends.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { guides } from '../guides/register.ts';
import { guideAnswers, guideCommands, wayBackSection } from './guide.ts';
import { allActive, servePatient, services, setUpByStick, stick, terminalUnits } from './serve.ts';
import { orderTestVisit, pageText, seeTestVisit } from './staff-desk.ts';
import { figures, isActive, lettersIn, mainPid, network, pause, recovered, sh, step, until } from './steps.ts';

const guide = '/project/docs/technician-guide.md';
/** Where the guide has left it: the stick for the safe is in. */
const passphrase = `--ca-passphrase-file ${stick}/ca-passphrase`;
const isWaiting = (): boolean => isActive('uketsuke-welcome.service');

let letters = 'none';
const commands: string[] = [];

/** What a command of the guide takes besides typing it, and how it is known to have worked. */
const afterwards = async (command: string): Promise<void> => {
  if (command.startsWith('uketsuke provision clinic --answers')) {
    await setUpByStick();
    rmSync(stick, { recursive: true, force: true });
    mkdirSync(stick);
    await seeTestVisit(60);
  }
  if (command.startsWith('uketsuke provision undo --terminal'))
    await until('it waits for its first steps', 30, isWaiting);
  if (/^uketsuke provision (terminal|restore)/.test(command)) await allActive(60);
};

/** What inside-former.ts runs, which begins with an earlier release. */
const elsewhere = guideCommands(guide, wayBackSection);
const written = guideCommands(guide).filter((command) => !elsewhere.includes(command));

const runGuide = async (): Promise<void> => {
  for (const line of written) {
    const command = line.replace(/^sudo /, '').replace('ABCD-EFGH', () => letters);
    // These were carried out before systemd ran, where there is a network: see machine.ts.
    if (command.startsWith('apt-get ')) {
      commands.push(command);
      continue;
    }
    // A terminal without cameras and a screen is not well, and the doctor says so.
    const isDoctor = command.startsWith('uketsuke doctor');
    const ran = await step(`guide: ${command}`, async () => {
      const told = sh(`${command} 2>&1${isDoctor ? ' || [ $? = 1 ]' : ''}`);
      if (lettersIn(told) !== 'none') letters = lettersIn(told);
      await afterwards(command);
    });
    if (ran) commands.push(command);
  }
  figures.guideCommands = commands.length;
  figures.guideWritten = written.length;
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
    sh(`uketsuke agent device revoke terminal-01-2 --facility-dir /var/lib/uketsuke-facility ${passphrase}`);
    letters = lettersIn(
      sh(`uketsuke provision clinic --test --card-trust /trial/cache/test-authority ${passphrase} 2>&1`),
    );
    sh('uketsuke provision undo --terminal --yes');
    sh(`uketsuke provision terminal ${letters}`);
    await allActive(60);
    if (!readFileSync('/etc/uketsuke/terminal.yaml', 'utf8').includes('profile: test'))
      throw new Error('the profile is not test');
    await orderTestVisit();
  });
  await step('a patient with a PIN, all the way', servePatient);
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

/** What an older release does with the file of a newer one, by this release and a file of a later form. */
const laterForm = async (): Promise<void> => {
  const journal = '/var/lib/uketsuke-agent/journal.sqlite';
  await step('a journal of a later form is refused by name, and used again without a restart', async () => {
    sh('systemctl stop uketsuke-agent.service');
    const database = new DatabaseSync(journal);
    const form = database.prepare('PRAGMA user_version').get()?.user_version;
    database.exec('PRAGMA user_version = 999');
    sh('systemctl start uketsuke-agent.service');
    await until('what the staff page says', 30, async () => (await pageText()).includes('storage.newer'));
    if (!isActive('uketsuke-agent.service')) throw new Error('its unit is not up while the page serves');
    database.exec(`PRAGMA user_version = ${form}`);
    database.close();
    await allActive(30);
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

/** What the other documents tell people to type on an installed machine: scripts/trials/guides/register.ts. */
const typed = async (): Promise<void> => {
  let ran = 0;
  for (const [document, list] of Object.entries(guides))
    for (const [line, way] of list) {
      if (way.way !== 'installed') continue;
      const done = await step(`${document}: ${line}`, () => {
        sh(`{ ${way.command ?? line.replace(/^sudo /, '')}; } 2>&1${way.status ? ` || [ $? = ${way.status} ]` : ''}`);
      });
      if (done) ran += 1;
    }
  figures.documentCommands = ran;
  await step('after them everything is up, each file has its owner, and a test visit is accepted', async () => {
    await allActive(90);
    const told = sh('uketsuke doctor 2>&1 || [ $? = 1 ]');
    if (!/^OK +owners/m.test(told)) throw new Error(told);
    await orderTestVisit();
  });
};

/** In this order; one of them alone goes on from what the boot before left. */
const parts = { guided, killed, hung, wholeVisit, typed, updates, laterForm, adopted, withoutPage };
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
