/**
 * Some of the worlds of a run, in a process of its own; what is asked comes as JSON. A line of JSON for each world, and the story of
 * the first that breaks a promise, where one is wanted; then it ends.
 */
import { layGroundWith } from './lay-ground.ts';
import { planted } from './planted.ts';

/** `plant`: a fault that is put into the code first; `endsAtMs`: no world begins later, by the wall clock */
export type Share = {
  readonly seed: string;
  readonly sessions: number;
  readonly first: number;
  readonly step: number;
  readonly plant?: string;
  readonly tellsStory: boolean;
  readonly endsAtMs: number | null;
};

const share = JSON.parse(process.argv[2] ?? '') as Share;
const plant = planted.find(({ name }) => name === share.plant);
if (share.plant !== undefined && plant === undefined) throw new Error(`no planted fault is called ${share.plant}`);
const { ground, World, planWorld, visitsOfWorld, tellStory } = await layGroundWith(plant?.changes);

const folder = new URL('../../../.cache/simulate/', import.meta.url).pathname;
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const worlds = Math.ceil(share.sessions / visitsOfWorld);
const isLate = (): boolean => share.endsAtMs !== null && Date.now() >= share.endsAtMs;
for (let world = share.first; world < worlds && !isLate(); world += share.step) {
  const plan = planWorld(share.seed, world, Math.min(visitsOfWorld, share.sessions - world * visitsOfWorld));
  const { hash, accepted, violations } = await new World(ground, plan).run();
  say({ world, hash, visits: plan.visits.length, accepted, violations });
  const [violation] = violations;
  if (violation === undefined) continue;
  if (share.tellsStory) say({ world, story: await tellStory(ground, plan, violation, folder) });
  break;
}
const { user, system } = process.cpuUsage();
say({ cpuMs: Math.round((user + system) / 1_000) });
ground.facility.remove();
