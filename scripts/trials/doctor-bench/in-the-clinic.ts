/**
 * In the container: a clinic and its terminal, by the packages; then one fault after the other. For each: does the doctor
 * name it first and say who acts, do the remedy's own commands mend it, is a visit taken afterwards?
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { guideAnswers } from '../installed/guide.ts';
import { allActive, services } from '../installed/serve.ts';
import { orderTestVisit } from '../installed/staff-desk.ts';
import { isActive, lettersIn, network, pause, sh, until } from '../installed/steps.ts';
import { type InjectedFault, injectedFaults } from './injected-faults.ts';

type Line = {
  readonly state: string;
  readonly fault?: string;
  readonly actor?: string;
  readonly steps?: readonly string[];
  readonly detail: string;
};
type Told = { readonly lines: readonly Line[]; readonly ms: number };
/** What one fault came to. `remedyProven`: absent where hands are needed */
type Outcome = {
  readonly name: string;
  readonly right: boolean;
  readonly told: readonly string[];
  readonly remedyProven?: boolean;
  readonly why?: string;
  readonly ms: number;
};

const folder = '/trial';
/** Put back after each fault, as they were when all was well. */
const places = [
  '/etc/uketsuke',
  '/etc/mosquitto/uketsuke',
  '/var/lib/uketsuke',
  '/var/lib/uketsuke-link',
  '/var/lib/uketsuke-agent',
  '/var/lib/uketsuke-facility',
  '/etc/systemd/system/uketsuke-link.service.d',
];
const nearMs = 20_000;

const askDoctor = (): Told => {
  const began = performance.now();
  const text = sh('uketsuke doctor --json || [ $? -le 2 ]', 30);
  const ms = Math.round(performance.now() - began);
  const told = JSON.parse(text.split('\n').at(-1) ?? '{}') as { diagnoses?: Line[] };
  return { lines: (told.diagnoses ?? []).filter(({ state }) => state === 'fault' || state === 'warning'), ms };
};
const asked = (): Told => {
  try {
    return askDoctor();
  } catch (error) {
    return { lines: [{ state: 'fault', fault: 'no answer', detail: (error as Error).message.slice(0, 200) }], ms: 0 };
  }
};
const inWords = ({ lines }: Told): string[] =>
  lines.map(({ fault, actor, detail }) => `${fault} (${actor}): ${detail}`.slice(0, 200));

const putBack = async ({ undo }: Pick<InjectedFault, 'undo'>): Promise<void> => {
  sh(
    'systemctl unmask uketsuke uketsuke-link uketsuke-link.socket uketsuke-agent uketsuke-broker pcscd pcscd.socket polkit 2>/dev/null; systemctl enable --quiet uketsuke uketsuke-agent uketsuke-broker; true',
  );
  sh(
    'for unit in uketsuke uketsuke-link uketsuke-face uketsuke-agent uketsuke-broker pcscd uketsuke-kiosk; do kill -CONT $(systemctl show -p MainPID --value $unit) 2>/dev/null; done; true',
  );
  sh(
    'systemctl stop uketsuke-kiosk uketsuke-link.socket uketsuke-face.socket uketsuke-screen.socket uketsuke uketsuke-link uketsuke-face uketsuke-agent uketsuke-broker 2>/dev/null; true',
    60,
  );
  if (undo !== undefined) sh(`${undo} || true`);
  for (const place of places) sh(`rm -rf ${place} && cp -a /good${place} ${place}`);
  sh('rsync -a --delete /good/usr/lib/uketsuke/ /usr/lib/uketsuke/', 120);
  sh(
    'systemctl daemon-reload; systemctl reset-failed; systemctl start --no-block pcscd.socket uketsuke-screen.socket uketsuke-link.socket uketsuke-face.socket uketsuke-broker uketsuke-agent uketsuke-link uketsuke uketsuke-kiosk',
  );
  await until('well again', 90, () => services.every(isActive) && asked().lines.length === 0);
};

const commandsIn = (step: string): readonly string[] =>
  [...step.matchAll(/`([^`]+)`/g)].map(([, command = '']) => command);

/** Its commands word for word; CODE is what whoever sits here reads of the clinic's PC and types. */
const takeStep = (step: string): void => {
  let letters = '';
  for (const command of commandsIn(step)) {
    const told = sh(`{ ${command.replaceAll('CODE', letters)}; } 2>&1`, 90);
    if (lettersIn(told) !== 'none') letters = lettersIn(told);
  }
};

/** One step after the other, the next where the one before did not help. null = mended; else why not */
const mends = async (first: Line | undefined): Promise<string | null> => {
  const steps = (first?.steps ?? []).filter((step) => commandsIn(step).length > 0);
  if (steps.length === 0) return 'the remedy has no command';
  let why = '';
  for (const [index, step] of steps.entries()) {
    try {
      takeStep(step);
      await until('the doctor is content', index === steps.length - 1 ? 40 : 15, () => asked().lines.length === 0);
      await orderTestVisit();
      return null;
    } catch (error) {
      why = `${(error as Error).message.slice(0, 300)} [${inWords(asked()).join('; ').slice(0, 300)}]`;
    }
  }
  return why;
};

const tryFault = async (fault: InjectedFault): Promise<Outcome> => {
  sh(fault.inject, 60);
  const began = performance.now();
  let told = asked();
  let longest = told.ms;
  const isRight = ({ lines }: Told): boolean => {
    const [first] = lines;
    return (
      first?.fault !== undefined &&
      fault.expect.some((each) => each === first.fault) &&
      first.actor === fault.actor &&
      lines.length <= 3
    );
  };
  while (!isRight(told) && performance.now() - began < nearMs) {
    await pause(500);
    told = asked();
    longest = Math.max(longest, told.ms);
  }
  const why = fault.hands === undefined ? await mends(told.lines[0]) : undefined;
  return {
    name: fault.name,
    right: isRight(told),
    told: inWords(told),
    ...(why !== undefined && { remedyProven: why === null }),
    ...(why !== undefined && why !== null && { why }),
    ms: longest,
  };
};

const provision = (): void => {
  writeFileSync('clinic.yaml', guideAnswers('/project/docs/technician-guide.md'));
  const letters = lettersIn(
    sh('uketsuke provision clinic --test --card-trust /trial/cache/test-authority --answers clinic.yaml 2>&1', 240),
  );
  sh(`uketsuke provision terminal ${letters} 2>&1`, 240);
};

const setUp = async (): Promise<void> => {
  network();
  // A root that was kept is set up already.
  if (existsSync('/good')) return putBack({});
  if (!existsSync('/etc/uketsuke/terminal.yaml')) provision();
  await allActive(90);
  // Of the two slots of the virtual reader the technician names the one that holds cards, as the doctor asks.
  sh(
    `sed -i 's/^broker:/cardReader:\\n  name: "Virtual PCD 00 00"\\nbroker:/' /etc/uketsuke/terminal.yaml && uketsuke config check --keep && systemctl restart uketsuke-link uketsuke`,
  );
  // In place of the kiosk's browser, which this machine has no display for.
  writeFileSync(
    '/etc/systemd/system/uketsuke-kiosk.service',
    `[Unit]
JoinsNamespaceOf=uketsuke-screen.socket
[Service]
PrivateNetwork=yes
Restart=always
ExecStart=/usr/lib/uketsuke/node/bin/node --disable-warning=ExperimentalWarning /project/scripts/trials/doctor-bench/page.ts
`,
  );
  sh('systemctl daemon-reload; systemctl start uketsuke-kiosk');
  await until('all is well', 60, () => asked().lines.length === 0);
  await orderTestVisit();
  sh('systemctl stop uketsuke uketsuke-link uketsuke-face uketsuke-agent uketsuke-broker', 60);
  for (const place of [...places, '/usr/lib/uketsuke'])
    sh(`mkdir -p $(dirname /good${place}) && cp -a ${place} /good${place}`, 120);
  await putBack({});
};

const only = existsSync(`${folder}/only`) ? readFileSync(`${folder}/only`, 'utf8').trim().split('|') : [];
/** Those of a run that was cut are there, too (`--resume`). */
const kept = existsSync(`${folder}/doctor.json`)
  ? (JSON.parse(readFileSync(`${folder}/doctor.json`, 'utf8')) as { outcomes: Outcome[]; falseAlarms: string[] })
  : { outcomes: [], falseAlarms: [] };
const outcomes: Outcome[] = [...kept.outcomes];
let falseAlarms: string[] = [...kept.falseAlarms];
const keep = (): void => writeFileSync(`${folder}/doctor.json`, JSON.stringify({ outcomes, falseAlarms }));

process.chdir('/root');
try {
  await setUp();
  for (let looks = 0; looks < (only.length === 0 ? 5 : 1); looks += 1) {
    falseAlarms = [...falseAlarms, ...inWords(asked())];
    await pause(2_000);
  }
  const isTried = new Set(kept.outcomes.map(({ name }) => name));
  for (const fault of injectedFaults.filter(
    ({ name }) => !isTried.has(name) && (only.length === 0 || only.some((part) => name.includes(part))),
  )) {
    try {
      outcomes.push(await tryFault(fault));
    } catch (error) {
      outcomes.push({
        name: fault.name,
        right: false,
        told: [`not injected: ${(error as Error).message.slice(0, 300)}`],
        ms: 0,
      });
    }
    appendFileSync(`${folder}/progress.txt`, `${JSON.stringify(outcomes.at(-1))}\n`);
    keep();
    await putBack(fault);
  }
} catch (error) {
  falseAlarms.push(`the bed: ${(error as Error).message} [${inWords(asked()).join('; ')}]`);
}
keep();
