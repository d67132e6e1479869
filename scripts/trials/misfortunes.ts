import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FaultName, faultOf } from '../../src/catalogue/faults.ts';
import type { ScreenName } from '../../src/core/screen/screen-model.ts';
import { eventually, MisfortunesBed, type Row, reactions, run } from './misfortunes-bed.ts';

/**
 * npm run misfortunes [-- --json] [-- --only NAME]
 *
 * One misfortune after the other befalls the real processes of one clinic (mosquitto, agent, link, terminal; a PIN visit
 * with a virtual card). `named`: the first place where somebody looks (the terminal's state, its doctor's words, the staff
 * page) says the expected code, whose actor is the expected one. `healed`: a visit passes afterwards. `lost`: a durable
 * request without an answer, or a result without its file; `twice`: a second row or file of a visit; `falseAccepted`: a
 * visit accepted without its patient's consent. Needs root (disks of its own), strace and faketime.
 */
const { values } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' } } });
const say = (text: string): boolean => process.stderr.write(`${text}\n`);
const bed = new MisfortunesBed();

type Code = FaultName;

const lay = (persona = 'taro') => bed.order({ type: 'insert', persona });
const take = () => bed.order({ type: 'pull' });
const until = (...screens: ScreenName[]) => bed.patient.follow(reactions, screens);

/** A whole visit; answers its screen. */
const visit = async (): Promise<ScreenName> => {
  await eventually('an idle terminal', async () => ((await bed.health())?.state === 'idle' ? true : undefined), 90_000);
  lay();
  try {
    return (await until('accepted', 'desk', 'out-of-service', 'outage')).screen;
  } finally {
    take();
  }
};
const healthSays = (code: Code, limitMs = 12_000) =>
  eventually(
    `${code} at the terminal`,
    async () => {
      const report = await bed.health();
      const { clock } = { clock: report?.time?.fault ? 'clock.corrected' : undefined };
      const said = [report?.stateFailure?.code, report?.agentTrouble?.code, report?.broker.trouble?.code, clock];
      return said.includes(code) ? code : undefined;
    },
    limitMs,
  );
const staffPageSays = (code: Code, limitMs = 12_000) =>
  eventually(
    `${code} on the staff page`,
    async () => ((await bed.staffPage()).includes(`class="code">${code}`) ? code : undefined),
    limitMs,
  );
const faulty = async (
  work: () => void | Promise<void>,
  named: () => Promise<Code>,
  heal: () => void | Promise<void>,
) => {
  await work();
  try {
    return await named();
  } finally {
    await heal();
  }
};

const clockFile = join(bed.directory, 'clock');
const setClock = (offset: string): void => {
  writeFileSync(`${clockFile}.new`, `${offset}\n`);
  renameSync(`${clockFile}.new`, clockFile);
};
const agentWith = async (clock?: string): Promise<void> => {
  await bed.agent?.end('SIGTERM');
  await bed.startAgent(clock);
};
const terminalWith = async (clock?: string): Promise<void> => {
  await bed.terminal?.end('SIGTERM');
  await bed.link?.end('SIGTERM');
  await bed.startLink(clock);
  await bed.startTerminal(clock);
};
const agentStartsAt = (offset: string) => () =>
  faulty(
    () => agentWith(offset),
    () => staffPageSays('clock.wrong'),
    () => agentWith(),
  );
const agentIsSetTo = (offset: string) => () =>
  faulty(
    async () => {
      setClock('+0');
      await agentWith(clockFile);
      setClock(offset);
    },
    () => staffPageSays('clock.wrong'),
    () => agentWith(),
  );
const terminalStartsAt = (offset: string) => () =>
  faulty(
    () => terminalWith(offset),
    async () => {
      const code = await healthSays('clock.corrected', 20_000);
      if ((await visit()) !== 'accepted') throw new Error('a terminal with a wrong clock does not serve');
      return code;
    },
    () => terminalWith(),
  );

const remount = (disk: string, how: 'ro' | 'rw'): string => run('mount', '-o', `remount,${how}`, disk);
const fill = (disk: string): void =>
  void run('sh', '-c', `dd if=/dev/zero of=${disk}/filler bs=64k 2>/dev/null || true`);
const empty = (disk: string): void => rmSync(join(disk, 'filler'), { force: true });
const oqs = join(bed.disks.oqs, 'oqs');
/** A visit while the shared folder takes no file: accepted, its file there once the folder is back. */
const folderAway = (code: Code, harm: () => void, mend: () => void) => async () => {
  const before = bed.rows().length;
  await faulty(
    harm,
    async () => {
      if ((await visit()) !== 'accepted') throw new Error('the visit was not accepted');
      return staffPageSays(code);
    },
    mend,
  );
  await eventually(
    'the file that waited',
    () =>
      bed
        .rows()
        .slice(before)
        .every(({ file }) => file)
        ? true
        : undefined,
    60_000,
  );
  return code;
};

/** Killed in the midst of a visit; `when`: what it waits for, and whether the agent may answer before the kill. */
const killedTerminal = (heard: boolean, next: 'same card' | 'another card' | 'no card') => async () => {
  await eventually('an idle terminal', async () => ((await bed.health())?.state === 'idle' ? true : undefined), 90_000);
  const before = bed.rows();
  if (!heard) {
    lay();
    await until('summary');
    bed.agent?.child.kill('SIGSTOP');
    await until('sending', 'desk');
  } else {
    lay();
    await until('sending', 'waiting-result', 'accepted');
  }
  await bed.terminal?.end('SIGKILL');
  bed.agent?.child.kill('SIGCONT');
  await bed.startTerminal();
  if (next === 'same card') {
    lay();
    await bed.patient.see('accepted');
    take();
  }
  if (next === 'another card') lay('hanako');
  const fresh = (): readonly Row[] => bed.rows().filter(({ id }) => !before.some((old) => old.id === id));
  await eventually(
    'the answer',
    () => (fresh().length > 0 && fresh().every(({ outcome }) => outcome) ? true : undefined),
    40_000,
  );
  if (next !== 'same card')
    await eventually('staff told', () => (fresh().some(({ lateAt }) => lateAt !== null) ? true : undefined), 40_000);
  if (next === 'another card') {
    take();
    await eventually('rest', async () => ((await bed.health())?.state === 'idle' ? true : undefined), 60_000);
  }
  if (fresh().length !== 1) throw new Error(`${fresh().length} rows of one visit`);
  if (next !== 'same card') {
    const page = await bed.staffPage();
    if (!page.includes('遅れて届いた結果')) throw new Error('the staff page does not say late');
  }
  return 'delivery.result-late' as const;
};

type Case = { readonly name: string; readonly code: Code; readonly befall: () => Promise<Code> };
const stopped = (what: 'agent' | 'link', code: Code) => () =>
  faulty(
    () => void bed[what]?.child.kill('SIGSTOP'),
    () => healthSays(code),
    () => void bed[what]?.child.kill('SIGCONT'),
  );
const cases: readonly Case[] = [
  { name: "the agent's clock starts in 2020", code: 'clock.wrong', befall: agentStartsAt('-2500d') },
  { name: "the agent's clock starts in 1990", code: 'clock.wrong', befall: agentStartsAt('-13000d') },
  { name: "the agent's clock starts in 2060", code: 'clock.wrong', befall: agentStartsAt('+12500d') },
  { name: "the agent's clock is two months ahead after a night", code: 'clock.wrong', befall: agentStartsAt('+60d') },
  { name: "the agent's clock is set three days ahead", code: 'clock.wrong', befall: agentIsSetTo('+3d') },
  { name: "the agent's clock is set two years ahead", code: 'clock.wrong', befall: agentIsSetTo('+800d') },
  { name: "the agent's clock is set back by an hour", code: 'clock.wrong', befall: agentIsSetTo('-1h') },
  { name: "the terminal's clock starts in 2020", code: 'clock.corrected', befall: terminalStartsAt('-2500d') },
  { name: "the terminal's clock starts at its build date", code: 'clock.corrected', befall: terminalStartsAt('-9d') },
  { name: "the terminal's clock is three years ahead", code: 'clock.corrected', befall: terminalStartsAt('+1100d') },
  { name: 'the agent hangs', code: 'agent.silent', befall: stopped('agent', 'agent.silent') },
  { name: 'the link hangs', code: 'delivery.link-lost', befall: stopped('link', 'delivery.link-lost') },
  {
    name: 'the broker hangs',
    code: 'delivery.offline',
    befall: () =>
      faulty(
        () => bed.mosquitto.signal('SIGSTOP'),
        () => healthSays('delivery.offline'),
        () => bed.mosquitto.signal('SIGCONT'),
      ),
  },
  {
    name: 'the broker is killed',
    code: 'delivery.offline',
    befall: () =>
      faulty(
        () => bed.mosquitto.kill(),
        () => healthSays('delivery.offline'),
        () => bed.mosquitto.start(),
      ),
  },
  {
    name: 'the agent is killed',
    code: 'agent.silent',
    befall: () =>
      faulty(
        () => bed.agent?.end('SIGKILL'),
        () => healthSays('agent.silent'),
        () => bed.startAgent(),
      ),
  },
  {
    name: 'the link is killed',
    code: 'delivery.link-lost',
    befall: () =>
      faulty(
        () => bed.link?.end('SIGKILL'),
        () => healthSays('delivery.link-lost'),
        () => bed.startLink(),
      ),
  },
  {
    name: "the agent's disk is full",
    code: 'agent.disk-full',
    befall: () =>
      faulty(
        () => fill(bed.disks.journal),
        async () => {
          await staffPageSays('agent.disk-full');
          return healthSays('agent.disk-full');
        },
        () => empty(bed.disks.journal),
      ),
  },
  {
    name: "the agent's disk is read-only",
    code: 'agent.disk-read-only',
    befall: () =>
      faulty(
        () => void remount(bed.disks.journal, 'ro'),
        async () => {
          await staffPageSays('agent.disk-read-only');
          return healthSays('agent.disk-read-only');
        },
        () => void remount(bed.disks.journal, 'rw'),
      ),
  },
  {
    name: 'the shared folder is away',
    code: 'files.folder-missing',
    befall: folderAway(
      'files.folder-missing',
      () => renameSync(join(oqs, 'face'), join(oqs, 'face-away')),
      () => renameSync(join(oqs, 'face-away'), join(oqs, 'face')),
    ),
  },
  {
    name: 'the shared folder is full',
    code: 'files.folder-full',
    befall: folderAway(
      'files.folder-full',
      () => fill(bed.disks.oqs),
      () => empty(bed.disks.oqs),
    ),
  },
  {
    name: 'the shared folder is read-only',
    code: 'files.folder-read-only',
    befall: folderAway(
      'files.folder-read-only',
      () => void remount(bed.disks.oqs, 'ro'),
      () => void remount(bed.disks.oqs, 'rw'),
    ),
  },
  {
    name: 'the shared folder is away and the clock jumps by two years',
    code: 'files.folder-missing',
    befall: async () => {
      setClock('+0');
      await agentWith(clockFile);
      const code = await folderAway(
        'files.folder-missing',
        () => renameSync(join(oqs, 'face'), join(oqs, 'face-away')),
        () => {
          setClock('+800d');
          renameSync(join(oqs, 'face-away'), join(oqs, 'face'));
        },
      )();
      await agentWith();
      return code;
    },
  },
  {
    name: 'the terminal is killed while sending; the same card',
    code: 'delivery.result-late',
    befall: killedTerminal(false, 'same card'),
  },
  {
    name: 'the terminal is killed after the receipt; the same card',
    code: 'delivery.result-late',
    befall: killedTerminal(true, 'same card'),
  },
  {
    name: 'the terminal is killed while sending; another card',
    code: 'delivery.result-late',
    befall: killedTerminal(false, 'another card'),
  },
  {
    name: 'the terminal is killed while sending; no card',
    code: 'delivery.result-late',
    befall: killedTerminal(false, 'no card'),
  },
];

type Outcome = { readonly name: string; readonly named: boolean; readonly healed: boolean; readonly why?: string };
const outcomes: Outcome[] = [];
const check = async ({ name, code, befall }: Case): Promise<Outcome> => {
  let named = false;
  let why = '';
  try {
    named = (await befall()) === code;
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  let healed = false;
  try {
    healed = (await visit()) === 'accepted';
  } catch (error) {
    why = `${why} ${error instanceof Error ? error.message : String(error)}`;
  }
  return { name, named, healed, ...(why !== '' && { why }) };
};

let lost = 0;
let twice = 0;
let falseAccepted = 0;
if (process.getuid?.() !== 0 || !existsSync('/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1')) {
  say('misfortunes: skipped, needs root and the Debian package faketime');
  process.exit(1);
}
try {
  mkdirSync(bed.directory, { recursive: true });
  await bed.build();
  await visit();
  for (const one of cases) {
    if (values.only !== undefined && !one.name.includes(values.only)) continue;
    const outcome = await check(one);
    outcomes.push(outcome);
    say(
      `${outcome.named ? 'named ' : 'NOT   '} ${outcome.healed ? 'healed' : 'NOT   '}  ${one.code} (${faultOf(one.code).actor})  ${one.name}  ${outcome.why ?? ''}`,
    );
  }
  await eventually(
    'every file',
    () => (bed.rows().every(({ file, verdict }) => file !== null || verdict !== 'accepted') ? true : undefined),
    30_000,
  ).catch(() => {});
  const rows = bed.rows().filter(({ verdict }) => verdict === 'accepted');
  lost = rows.filter(({ outcome, file }) => outcome === null || file === null).length;
  const sessions = new Set(rows.map(({ session }) => session));
  twice =
    rows.length - sessions.size + Math.abs(bed.files().length - sessions.size) + Math.abs(bed.uses() - sessions.size);
  falseAccepted = rows.filter(({ session }) => session === '').length;
} finally {
  await bed.close();
}
const figures = {
  profile: 'demo',
  cases: outcomes.length,
  named: outcomes.filter(({ named }) => named).length,
  healed: outcomes.filter(({ healed }) => healed).length,
  lost,
  twice,
  falseAccepted,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
const met = figures.named === figures.cases && figures.healed === figures.cases && lost + twice + falseAccepted === 0;
process.exit(met && figures.cases >= 25 ? 0 : 1);
