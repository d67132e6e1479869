/**
 * npm run grants -- --kind hospital --given 2 --uses 700 --json: 増設補助; npm run grants -- --kind clinic --share 2.9
 * --increase 30 --table 2024-05 --json: 一時金. Kinds clinic, pharmacy, hospital, small; tables 2024-05, 2024-08. Both are
 * closed: the tables stand in the catalogue with their dates.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { type GrantKind, grantedReaders, lumpSumYen } from '../../src/core/catalogue/grants.ts';

const { grants } = catalogueAt(Date.now());
const whole = (text: string): number => {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError('a whole number');
  return Number(text);
};
const percent = (text: string): number => {
  if (!/^\d{1,3}(\.\d+)?$/.test(text) || Number(text) > 100) throw new InvalidArgumentError('per cent, 0 to 100');
  return Number(text);
};
const command = new Command('grants')
  .addOption(new Option('--kind <kind>').choices(['clinic', 'pharmacy', 'hospital', 'small']).makeOptionMandatory())
  .addOption(new Option('--given <readers>', 'readers given free before (hospital)').choices(['1', '2', '3']))
  .option('--uses <uses>', 'uses in the best month', whole)
  .option('--share <percent>', 'share of October 2023, per cent', percent)
  .option('--increase <people>', 'how many more people since', whole)
  .addOption(new Option('--table <table>', 'which 一時金').choices(Object.keys(grants.lumpSums)))
  .option('--json', 'one JSON object as the last line')
  .parse();
const options = command.opts<{
  kind: GrantKind;
  given?: string;
  uses?: number;
  share?: number;
  increase?: number;
  table?: string;
}>();

const answer = (): object => {
  const { kind, given, uses, share, increase, table } = options;
  if (uses !== undefined) {
    if (kind === 'hospital' && given === undefined) return command.error('a hospital says how many were --given');
    return grantedReaders(grants, { kind, given: Number(given ?? '1'), uses });
  }
  const sum = table === undefined ? undefined : grants.lumpSums[table];
  if (sum === undefined || share === undefined || increase === undefined)
    return command.error('either --uses, or --share, --increase and --table');
  return { yen: lumpSumYen(sum, { kind, sharePercent: share, increase }) };
};
process.stdout.write(`${JSON.stringify(answer())}\n`);
