import { parseArgs } from 'node:util';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { type Party, parties } from '../../../src/core/party.ts';
import { eventually } from '../eventually.ts';
import { stepsWith } from '../misfortune-steps.ts';
import { MisfortunesBed, reactions } from '../misfortunes-bed.ts';
import { ClinicNetwork, type Plan } from './clinic-network.ts';
import type { PartyFault } from './network-faults.ts';
import { faultsOf } from './party-faults.ts';

/**
 * npm run whose-fault -- [--json] [--only PART] [--plan plain|routed]
 *
 * Faults of a clinic's real parts (mosquitto, agent with the simulated service, link and terminal, each a process; a network
 * of namespaces; a virtual card), one after the other, at the release's delays. `rightParty`, percent: the patient's screen
 * names whose fault it is within 10 s, and the staff page names the same; where the terminal is cut off from the clinic, or
 * the clinic's PC itself is away, the page may say that it does not know (it tells that the terminal's screen does).
 * `wrongParty`: faults in which screen or page named another one at any moment, also after the 10 s. Measured from the fault,
 * or, where it shows in a visit alone, from the card or from the question to the clinic. Needs root, nftables, iproute2.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    only: { type: 'string' },
    plan: { type: 'string', default: 'plain,routed' },
  },
});
const say = (text: string): boolean => process.stderr.write(`${text}\n`);
const limitMs = 10_000;
/** So long it is watched whether another one is named */
const watchedMs = 12_000;

type Named = { readonly party: Party; readonly atMs: number };
type Outcome = {
  readonly name: string;
  readonly party: Party;
  readonly pageCannotTell: boolean;
  readonly screen: readonly Named[];
  readonly page: readonly Named[];
  readonly why?: string;
};

const words = catalogueAt(Date.now()).parties;

/** Whom the screen names: in words, wherever they stand on it. */
const onScreen = (bed: MisfortunesBed): Party | null => {
  const { shown } = bed;
  if (shown === null) return null;
  const text = [shown.note ?? '', ...(shown.body.kind === 'code' ? shown.body.lines : [])].join(' ');
  return parties.find((party) => text.includes(words[party].name)) ?? null;
};
const onPage = (page: string): readonly Party[] => [
  ...new Set(
    [...page.matchAll(/data-party="([a-z-]+)"/g)].flatMap(([, name]) => parties.find((party) => party === name) ?? []),
  ),
];

const watch = (bed: MisfortunesBed, sinceMs: number) => {
  const screen: Named[] = [];
  const page: Named[] = [];
  let ended = false;
  const see = (into: Named[], party: Party): void => {
    if (!into.some((each) => each.party === party)) into.push({ party, atMs: Math.round(performance.now() - sinceMs) });
  };
  const looking = setInterval(() => {
    const party = onScreen(bed);
    if (party !== null) see(screen, party);
  }, 50);
  const reading = (async () => {
    while (!ended) {
      const text = await bed.staffPage().catch(() => '');
      if (!ended) for (const party of onPage(text)) see(page, party);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  })();
  return {
    until: (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, sinceMs + ms - performance.now()))),
    end: async () => {
      ended = true;
      clearInterval(looking);
      await reading;
      return { screen, page };
    },
  };
};

const callsStaff: typeof reactions = (model) =>
  model.screen === 'choose-method' ? { do: 'touch', control: 'call-staff' } : reactions(model);

/** From here on the fault can be known. */
const begin = async (bed: MisfortunesBed, fault: PartyFault): Promise<void> => {
  const { lay, until } = stepsWith(bed);
  if (fault.shows === undefined) return;
  lay(fault.persona);
  if (fault.shows === 'service')
    await until('sending', 'waiting-result', 'accepted', 'desk', 'registering').catch(() => undefined);
  else
    void bed.patient
      .follow(fault.callsStaff ? callsStaff : reactions, ['desk', 'accepted', 'out-of-service'])
      .catch(() => {});
};

/** The next fault begins with a terminal that serves, and with a screen and a page that name nobody. */
const wellAgain = async (bed: MisfortunesBed): Promise<void> => {
  let seen = '';
  const isWell = async (): Promise<true | undefined> => {
    const report = await bed.health();
    const page = await bed.staffPage().catch(() => null);
    const left = [...[onScreen(bed)].filter((each) => each !== null), ...(page === null ? ['no page'] : onPage(page))];
    seen = [report?.state ?? 'no terminal', report?.agentTrouble?.code ?? 'agent well', ...left].join(' ');
    return report?.state === 'idle' && report.agentTrouble === null && left.length === 0 ? true : undefined;
  };
  await eventually('all is well again', isWell, 90_000).catch((error: Error) => {
    throw new Error(`${error.message} [${seen}]`);
  });
};

const tryFault = async (bed: MisfortunesBed, fault: PartyFault): Promise<Outcome> => {
  const { idle, take } = stepsWith(bed);
  let seen: { screen: readonly Named[]; page: readonly Named[] } = { screen: [], page: [] };
  let why: string | undefined;
  try {
    await idle();
    const harmed = performance.now();
    await fault.harm();
    if (fault.shows === 'service') await idle();
    await begin(bed, fault);
    const watched = watch(bed, fault.shows === undefined ? harmed : performance.now());
    await watched.until(watchedMs);
    seen = await watched.end();
  } catch (error) {
    why = (error as Error).message;
  }
  take();
  await fault.heal();
  await wellAgain(bed);
  return {
    name: fault.name,
    party: fault.party,
    pageCannotTell: fault.pageCannotTell === true,
    ...seen,
    ...(why !== undefined && { why }),
  };
};

const isRight = ({ party, screen, page, pageCannotTell }: Outcome): boolean =>
  screen.some((each) => each.party === party && each.atMs <= limitMs) &&
  (page.some((each) => each.party === party && each.atMs <= limitMs) || (page.length === 0 && pageCannotTell));
const isWrong = ({ party, screen, page }: Outcome): boolean =>
  [...screen, ...page].some((each) => each.party !== party);

const runPlan = async (plan: Plan, outcomes: Outcome[]): Promise<void> => {
  const network = new ClinicNetwork(plan);
  const bed = new MisfortunesBed(network.place(() => bed.directory));
  try {
    network.build();
    await bed.build();
    if ((await stepsWith(bed).visit()) !== 'accepted') throw new Error('nobody is served before the first fault');
    for (const fault of faultsOf(plan, { bed, network })) {
      if (values.only !== undefined && !fault.name.includes(values.only)) continue;
      const outcome = await tryFault(bed, fault);
      outcomes.push(outcome);
      const told = (named: readonly Named[]): string => named.map(({ party, atMs }) => `${party} ${atMs}`).join(', ');
      say(
        `${isWrong(outcome) ? 'WRONG' : isRight(outcome) ? 'right' : 'NOT  '} | ${outcome.name} | ${outcome.party} | screen: ${told(outcome.screen)} | page: ${told(outcome.page)} ${outcome.why ?? ''}`,
      );
    }
  } finally {
    await bed.close().catch((error: Error) => say(error.message));
    network.remove();
  }
};

if (process.getuid?.() !== 0) {
  say('whose-fault: skipped, needs root');
  process.exit(1);
}
const outcomes: Outcome[] = [];
for (const plan of values.plan.split(',') as Plan[]) {
  try {
    await runPlan(plan, outcomes);
  } catch (error) {
    say(`${plan}: ${(error as Error).stack}`);
    process.exitCode = 1;
  }
}
const right = outcomes.filter((each) => isRight(each) && !isWrong(each));
const rightParty = Math.round((right.length * 1_000) / Math.max(1, outcomes.length)) / 10;
const wrongParty = outcomes.filter(isWrong).length;
const firstOf = ({ party, screen }: Outcome): number => screen.find((each) => each.party === party)?.atMs ?? 0;
const max = Math.max(0, ...right.map(firstOf));
process.stdout.write(
  `${JSON.stringify({ profile: 'demo', faults: outcomes.length, rightParty, wrongParty, ms: { max } })}\n`,
);
if (!(outcomes.length >= 40 && rightParty >= 95 && wrongParty === 0 && max <= limitMs)) process.exitCode = 1;
process.exit();
