/**
 * npm run kit -- self-check --json: each kit for whoever builds on this finds the mistakes that are planted, one at a time, in a
 * sample of such a program: a レセコン, a card client, an adapter of the official software, a terminal and an agent. A sample
 * as it should be is told nothing.
 */
import { parseArgs } from 'node:util';
import { kits } from './kits.ts';

/** So many at least, or the kits look at too little. */
const leastPlanted = 60;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});
if (positionals[0] !== 'self-check')
  throw new Error('kit self-check is what there is here; the kits themselves: uketsuke kit');

const say = (line: string): void => void process.stderr.write(`kit: ${line}\n`);
let [planted, found, falseAlarms] = [0, 0, 0];
for (const { kit, defects, run } of kits) {
  const clean = await run(null);
  falseAlarms += clean.rules.size;
  for (const rule of clean.rules) say(`${kit}: a sample as it should be is told ${rule}`);
  for (const { name, rule } of defects.filter((each) => each.name.includes(options.only))) {
    planted += 1;
    const { rules } = await run(name);
    if (rules.has(rule)) found += 1;
    else say(`${kit}: ${name}: not found; told was ${[...rules].join(', ') || 'nothing'}`);
  }
  say(`${kit}: ${defects.length} mistakes planted`);
}
const report = { kits: kits.length, defectsPlanted: planted, found };
process.stdout.write(`${JSON.stringify(report, null, options.json ? undefined : 2)}\n`);
process.exitCode = found === planted && planted >= leastPlanted && falseAlarms === 0 ? 0 : 1;
