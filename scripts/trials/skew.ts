import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { outboxKind } from '../../drivers/store/outbox-kind.ts';
import { journalKind } from '../../src/agent/journal/journal-kind.ts';
import { newestVersion } from '../../src/storage/store-kind.ts';
import { plantedTree } from '../beds/planted-tree.ts';
import { missingRelease, projectRoot, releases, releaseTree } from '../beds/release-tree.ts';
import type { ClinicDemo } from '../demonstration/clinic-demo.ts';
import { eventually } from './eventually.ts';
import { type JournalRow, type SkewClinic, startSkewClinic } from './skew-bed.ts';

/**
 * npm run skew [-- --json] [-- --pair agent:terminal]
 *
 * Whole visits between an agent and a terminal of different releases, two processes over a real mosquitto: every release
 * (the first, and each tag) against the release to come, which is this tree with a settings key, a key of `state` and a
 * column in either store planted into it; and this tree against the release to come. The clinic is provisioned, and its
 * journal begun, by the older of the two. Visits and patient are those of the terminal's release; what counts is what
 * stands in the agent's journal. `lost`: a visit without an accepted row and an answer. `refused`: a row or a message
 * that either end refused.
 */
const { values } = parseArgs({ options: { json: { type: 'boolean' }, pair: { type: 'string' } } });
const say = (text: string): boolean => process.stderr.write(`${text}\n`);

type Pair = { readonly agent: string; readonly terminal: string; readonly made: string };
type Played = { readonly visits: number; readonly lost: number; readonly refused: number };

/** What a visit must leave in the journal */
const wanted: Readonly<Record<string, { readonly method: string; readonly rows: number }>> = {
  face: { method: 'face', rows: 1 },
  pin: { method: 'pin', rows: 1 },
  staff: { method: 'staff', rows: 1 },
  'first-registration': { method: 'pin', rows: 2 },
};

/** Staff look at card and face and say so on the staff page, as a browser would send it. */
const approveOnStaffPage = async (clinic: SkewClinic): Promise<void> => {
  const page = await eventually('the form of 目視', async () => {
    const text = await (await fetch(clinic.staffPage)).text();
    return text.includes('action="/approve"') ? text : undefined;
  });
  const form = page.slice(page.indexOf('action="/approve"'));
  const field = (name: string): string => new RegExp(`name="${name}" value="([^"]+)"`).exec(form)?.[1] ?? '';
  const { approver, staffCode } = clinic.staff;
  const body = new URLSearchParams({
    ...{ token: field('token'), device: field('device'), session: field('session'), approver, staffCode },
  });
  const answer = await fetch(new URL('/approve', clinic.staffPage), {
    method: 'POST',
    headers: { origin: new URL(clinic.staffPage).origin },
    body,
    redirect: 'manual',
  });
  if (answer.status !== 303) throw new Error(`the staff page answered ${answer.status}`);
};

const staffVisit = async (clinic: SkewClinic): Promise<void> => {
  const { patient } = clinic;
  await patient.see('idle');
  clinic.order({ type: 'insert', persona: 'taro' });
  let approving: Promise<void> | null = null;
  const last = await patient.follow(
    (model) => {
      const has = (id: string): boolean => model.controls.some((control) => control.id === id);
      const touch = (control: string) => ({ do: 'touch', control }) as never;
      if (model.screen === 'staff-check') {
        approving ??= approveOnStaffPage(clinic);
        approving.catch(() => {});
        return { do: 'wait' };
      }
      const order = ['call-staff', 'agree', 'use', 'electronic', 'confirm', 'next'];
      const control = model.screen === 'reading' ? undefined : order.find(has);
      return control === undefined ? { do: 'wait' } : touch(control);
    },
    ['accepted', 'desk', 'out-of-service'],
  );
  await approving;
  clinic.order({ type: 'pull' });
  await patient.see('idle');
  if (last.screen !== 'accepted') throw new Error(`ended at ${last.screen}`);
};

const playVisit = async (clinic: SkewClinic, name: string): Promise<string | null> => {
  const known = new Set(clinic.rows().map(({ id }) => id));
  // The terminal's own test before opening, from 07:00 on, may come between two visits: it is nobody's.
  const fresh = (): JournalRow[] => clinic.rows().filter(({ id, kind }) => !known.has(id) && kind !== 'test');
  try {
    if (name === 'staff') await staffVisit(clinic);
    else {
      const visit = clinic.visits.find((each) => each.name === name);
      if (visit === undefined) throw new Error('its release does not play it');
      await visit.play(clinic as unknown as ClinicDemo, clinic.patient);
    }
    const { method, rows: count } = wanted[name] ?? { method: '', rows: 0 };
    await eventually('the rows of the journal', () => {
      const rows = fresh();
      const whole = rows.filter(
        (row) =>
          row.verdict === 'accepted' && row.method === method && row.outcome !== null && row.outcome !== 'failed',
      );
      return rows.length === count && whole.length === count ? true : undefined;
    });
    return null;
  } catch (error) {
    return `${(error as Error).message} ${JSON.stringify(fresh())}`;
  }
};

const nameOf = new Map<string, string>();
const short = (tree: string): string => nameOf.get(tree) ?? tree;

const play = async (pair: Pair): Promise<Played> => {
  say(`agent ${short(pair.agent)}, terminal ${short(pair.terminal)}`);
  const clinic = await startSkewClinic(pair);
  try {
    let lost = 0;
    for (const name of Object.keys(wanted)) {
      const trouble = await playVisit(clinic, name);
      if (trouble !== null) lost += 1;
      say(`  ${name}: ${trouble ?? 'accepted and answered'}`);
    }
    const refusals = (['agent', 'terminal'] as const).flatMap((end) =>
      clinic
        .logOf(end)
        .filter(({ event }) => ['message.refused', 'command.refused', 'agent.request-refused'].includes(event))
        .map((line) => `${end} ${JSON.stringify(line)}`),
    );
    const rows = clinic.rows().filter(({ verdict }) => verdict !== 'accepted');
    for (const line of refusals) say(`  REFUSED ${line}`);
    const named = clinic.logOf('terminal').filter(({ event }) => event === 'message.key-unknown');
    say(`  keys left out by the terminal: ${named.map(({ leaf, key }) => `${leaf} ${key}`).join(', ') || 'none'}`);
    if (lost > 0)
      for (const end of ['agent', 'terminal'] as const)
        say(
          clinic
            .logOf(end)
            .slice(-15)
            .map((line) => `  ${end} ${JSON.stringify(line)}`)
            .join('\n'),
        );
    return { visits: Object.keys(wanted).length, lost, refused: refusals.length + rows.length };
  } finally {
    await clinic.close();
  }
};

const next = plantedTree({ journal: newestVersion(journalKind), outbox: newestVersion(outboxKind) });
process.once('exit', () => rmSync(next, { recursive: true, force: true }));
{
  nameOf.set(projectRoot, 'today').set(next, 'next');
  const today = projectRoot;
  const pairs: Pair[] = [];
  let missing = 0;
  for (const release of releases()) {
    const why = missingRelease(release);
    if (why !== null) {
      missing += 1;
      say(why);
      continue;
    }
    const old = releaseTree(release);
    nameOf.set(old, release);
    pairs.push({ agent: next, terminal: old, made: old }, { agent: old, terminal: next, made: old });
  }
  pairs.push({ agent: next, terminal: today, made: today }, { agent: today, terminal: next, made: today });
  const chosen = pairs.filter(
    ({ agent, terminal }) => values.pair === undefined || values.pair === `${short(agent)}:${short(terminal)}`,
  );
  const played: Played[] = [];
  for (const pair of chosen) played.push(await play(pair));
  const sum = (key: keyof Played): number => played.reduce((total, each) => total + each[key], 0);
  const report = {
    pairs: played.length,
    visits: sum('visits'),
    lost: sum('lost'),
    refused: sum('refused'),
    profile: 'demo',
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = missing === 0 && played.length > 0 && report.lost === 0 && report.refused === 0 ? 0 : 1;
}
