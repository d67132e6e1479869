import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { faultOf } from '../../src/catalogue/faults.ts';
import { judgeClinic, settledClinic } from './judge-clinic.ts';
import { casesOf } from './misfortune-cases.ts';
import { type Case, stepsWith } from './misfortune-steps.ts';
import { MisfortunesBed } from './misfortunes-bed.ts';

/**
 * npm run misfortunes [-- --json] [-- --only NAME]
 *
 * One misfortune after the other befalls the real processes of one clinic (mosquitto, agent, link, terminal; a PIN visit
 * with a virtual card). `named`: the first place where somebody looks (the terminal's state, the doctor's words, the staff
 * page) says the expected code, whose actor is the expected one in the table of faults. `healed`: a visit passes
 * afterwards. `lost`, `twice`, `falseAccepted`: misfortunes-judge.ts, over all visits of the run. Needs root (disks of its
 * own), strace, faketime and e2fsprogs. `--only`: the cases whose name holds this.
 */
const { values } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' } } });
const say = (text: string): boolean => process.stderr.write(`${text}\n`);
const bed = new MisfortunesBed();

type Outcome = { readonly name: string; readonly named: boolean; readonly healed: boolean; readonly why?: string };
const wordOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const check = async ({ name, word, who, befall }: Case): Promise<Outcome> => {
  let named = false;
  let why = '';
  try {
    named = (await befall()) === word && (word === 'goes-on' ? 'nobody' : faultOf(word).actor) === who;
  } catch (error) {
    why = wordOf(error);
  }
  let healed = false;
  try {
    healed = (await stepsWith(bed).visit()) === 'accepted';
  } catch (error) {
    why = `${why} ${wordOf(error)}`;
  }
  return { name, named, healed, ...(why !== '' && { why }) };
};

if (process.getuid?.() !== 0 || !existsSync('/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1')) {
  say('misfortunes: skipped, needs root and the Debian package faketime');
  process.exit(1);
}
const outcomes: Outcome[] = [];
let verdict = { lost: 0, twice: 0, falseAccepted: 0 };
try {
  await bed.build();
  if ((await stepsWith(bed).visit()) !== 'accepted') throw new Error('nobody is served before the first misfortune');
  for (const one of casesOf(bed)) {
    if (values.only !== undefined && !one.name.includes(values.only)) continue;
    const outcome = await check(one);
    outcomes.push(outcome);
    const marks = `${outcome.named ? 'named ' : 'NOT   '} ${outcome.healed ? 'healed' : 'NOT   '}`;
    say(`${marks}  ${one.word} (${one.who})  ${one.name}  ${outcome.why ?? ''}`);
  }
  await settledClinic(bed).catch(() => {});
  verdict = judgeClinic(bed);
  say(`${bed.rows().length} visits in the journal, ${bed.accepted.size} screens said accepted`);
} finally {
  await bed.close();
}
const figures = {
  profile: 'demo',
  cases: outcomes.length,
  named: outcomes.filter(({ named }) => named).length,
  healed: outcomes.filter(({ healed }) => healed).length,
  ...verdict,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
const { cases, named, healed, lost, twice, falseAccepted } = figures;
const met = named === cases && healed === cases && lost + twice + falseAccepted === 0;
process.exit(met && cases >= 25 ? 0 : 1);
