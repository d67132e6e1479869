/**
 * npm run fuzz -- [--seconds 60] [--seed N] [--json]: changed inputs for everything that reads what others wrote (parsers.ts), for so
 * long. What breaks a parser is kept in test/fuzz/corpus and tried by every run of the tests. `growthMb`: heap after a collection,
 * from the first tenth of the time to the end.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fuzzParsers } from './fuzz-parsers.ts';
import { makeParsers } from './parsers.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    json: { type: 'boolean' },
  },
});
const forMs = Number(values.seconds) * 1_000;
const seed = Number(values.seed);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapMb = (): number => {
  collect();
  return process.memoryUsage().heapUsed / 1e6;
};
/** A heap that is this much larger at the end has kept inputs. */
const mostGrowthMb = 20;

const parsers = await makeParsers();
const first = await fuzzParsers(parsers, { seed, forMs: forMs / 10 });
const beforeMb = heapMb();
const rest = await fuzzParsers(parsers, { seed: seed + 1, forMs: (forMs * 9) / 10 });
const growthMb = Math.round((heapMb() - beforeMb) * 10) / 10;
const crashes = [...first.crashes, ...rest.crashes];
for (const { parser, why, file } of crashes)
  process.stderr.write(`fuzz: ${parser}: ${why}\n  kept as test/fuzz/corpus/${file}\n`);
const figures = {
  seed,
  parsers: parsers.length,
  inputs: first.inputs + rest.inputs,
  crashes: crashes.length,
  growthMb,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit(crashes.length === 0 && growthMb < mostGrowthMb ? 0 : 1);
