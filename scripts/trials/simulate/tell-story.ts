import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { recordVisits } from '../../../src/terminal/visit/record-visit.ts';
import type { TapeHead, TapeLine } from '../../../src/terminal/visit/visit-tape.ts';
import type { Ground } from './ground.ts';
import type { Violation } from './judge.ts';
import type { WorldPlan } from './plan.ts';
import { shrink } from './shrink.ts';
import { World } from './world.ts';

export type Story = {
  readonly violations: readonly Violation[];
  readonly visits: number;
  readonly faults: readonly string[];
  /** For `uketsuke visit replay`: the last run of the terminal, as its own recorder writes it */
  readonly tapeFile: string | null;
  readonly lines: readonly string[];
};

/** A world that broke a promise, made as small as it still breaks it, told line by line and as a tape. */
export const tellStory = async (
  ground: Ground,
  plan: WorldPlan,
  violation: Violation,
  folder: string,
): Promise<Story> => {
  const small = await shrink(ground, plan, violation.promise);
  const world = new World(ground, small);
  world.kernel.tape = [];
  let tape: (TapeHead | TapeLine)[] = [];
  world.onRunner = ({ runner }) => {
    const own: (TapeHead | TapeLine)[] = [];
    tape = own;
    recordVisits(
      runner,
      (wallMs) => catalogueAt(wallMs),
      (line) => own.push(line),
      () => {},
    );
  };
  const { violations, tape: told } = await world.run();
  let tapeFile: string | null = null;
  if (tape.length > 0) {
    mkdirSync(folder, { recursive: true });
    tapeFile = join(folder, `${plan.words.replaceAll(/[^A-Za-z0-9-]/g, '-')}.jsonl`);
    writeFileSync(tapeFile, tape.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
  return {
    violations,
    visits: small.visits.length,
    faults: small.visits.flatMap(({ faults }) => faults.map(({ name }) => name)),
    tapeFile,
    lines: told ?? [],
  };
};
