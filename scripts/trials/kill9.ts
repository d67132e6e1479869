import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { randomFrom } from '../../drivers/virtual/random-from.ts';
import { eventually } from './eventually.ts';
import { judgeClinic, settledClinic } from './judge-clinic.ts';
import { stepsWith } from './misfortune-steps.ts';
import { MisfortunesBed } from './misfortunes-bed.ts';
import { sparkAtPcscd } from './static-at-pcscd.ts';

/**
 * npm run kill9 -- [--kills 500] [--seed N] [--json]
 *
 * The real processes of one clinic (terminal, face process, link, agent, mosquitto) serve one patient after the other by
 * PIN. At some moment of every visit each of them is killed with SIGKILL and started again, the terminal, whose visit ends with
 * it, in some visits only. `received`: requests that the agent took all the same, in a third of the visits at least. A tenth of
 * the kills are pcscd's, under `uketsuke run` with vpcd's reader (static-at-pcscd.ts). `stuck`: visits after which the terminal
 * did not come back to rest, or a card that was not read; `lost`, `twice`, `falseAccepted`: misfortunes-judge.ts. Needs root.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'boolean' },
  },
});
const say = (text: string): boolean => process.stderr.write(`${text}\n`);
if (process.getuid?.() !== 0) {
  say('kill9: skipped, needs root (disks and namespaces of its own)');
  process.exit(1);
}

/** The same moments for the same seed */
const random = randomFrom(Number(values.seed));

/** A visit takes about 6.5 s without a kill; later ones fall into what comes after it. ms */
const visitMs = 8_000;
const terminalsKilled = 0.4;
const wanted = Number(values.kills);
const ofPcscd = Math.ceil(wanted / 10);
const figures = { seed: Number(values.seed), kills: 0, visits: 0, accepted: 0, received: 0, stuck: 0 };

const bed = new MisfortunesBed();
const steps = stepsWith(bed);
const targets = {
  agent: { kill: async () => bed.agent?.end('SIGKILL'), start: () => bed.startAgent() },
  link: { kill: async () => bed.link?.end('SIGKILL'), start: () => bed.startLink() },
  terminal: { kill: async () => bed.terminal?.end('SIGKILL'), start: () => bed.startTerminal() },
  // It begins again by itself.
  face: { kill: async () => bed.face?.kill(), start: async () => {} },
  mosquitto: { kill: () => bed.mosquitto.kill(), start: () => bed.mosquitto.start() },
};

const killOne = async (name: keyof typeof targets): Promise<void> => {
  await delay(random() * visitMs);
  await targets[name].kill();
  figures.kills += 1;
  await delay(random() * 500);
  await targets[name].start();
};

const visitAmongKills = async (): Promise<void> => {
  figures.visits += 1;
  const names = Object.keys(targets) as (keyof typeof targets)[];
  const kills = names.filter((name) => name !== 'terminal' || random() < terminalsKilled).map(killOne);
  // Its screen may die with the terminal: what became of the visit is judged by what is left of it.
  await steps.visit().catch(() => null);
  // By session: what the screen says may be the end of the visit before, which was cut off.
  figures.accepted = bed.accepted.size;
  await Promise.all(kills);
  steps.take();
  await steps.idle();
};

try {
  await bed.build();
  await bed.startFace();
  while (figures.kills < wanted - ofPcscd) {
    await visitAmongKills().catch((error: unknown) => {
      figures.stuck += 1;
      say(`visit ${figures.visits}: ${error}`);
    });
    say(`${figures.kills} kills, ${figures.visits} visits, ${figures.accepted} of them accepted on their own screen`);
  }
  if ((await steps.visit()) !== 'accepted') figures.stuck += 1;
  steps.take();
  await settledClinic(bed).catch((error: unknown) => say(String(error)));
  await eventually('an empty outbox', () => (bed.outbox() === 0 ? true : undefined), 60_000);
  Object.assign(figures, { received: bed.rows().length, ...judgeClinic(bed) });
} finally {
  await bed.close();
}
const atPcscd = await sparkAtPcscd(ofPcscd * 3);
figures.kills += atPcscd.made.bus;
figures.stuck += atPcscd.stuck;
const { lost, twice, falseAccepted } = { lost: -1, twice: -1, falseAccepted: -1, ...figures };
process.stdout.write(`${JSON.stringify({ profile: 'demo', ...figures })}\n`);
const isTried = figures.kills >= wanted && figures.received >= figures.visits / 3;
process.exit(isTried && figures.stuck === 0 && lost + twice + falseAccepted === 0 ? 0 : 1);
