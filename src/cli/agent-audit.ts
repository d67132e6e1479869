import type { Command } from 'commander';
import { openJournal } from '../processes/open-journal.ts';
import { type AuditVerdict, type ExportedLine, verifyExport } from '../storage/audit-chain.ts';
import { readGiven } from '../storage/read-given.ts';

const print = (line: string): boolean => process.stdout.write(`${line}\n`);

const tell = ({ entries, brokenAt }: AuditVerdict): void => {
  if (brokenAt === null) print(`whole: ${entries} entries`);
  else {
    print(`broken at entry ${brokenAt}, after ${entries} that fit`);
    process.exitCode = 1;
  }
};

type Work<T> = (options: T) => Promise<void>;

/** `uketsuke agent audit verify | export`; the agent may run meanwhile. `explain`: a mistake is one line. */
export const addAuditCommands = (agent: Command, explain: <T>(work: Work<T>) => Work<T>): void => {
  const audit = agent
    .command('audit')
    .description('what was accepted, refused, approved and handed over, as a hash chain');
  audit
    .command('verify')
    .description('0: whole; 1: broken, and where')
    .option('--dir <dir>', "the agent's directory")
    .option('--file <file>', 'an export instead')
    .action(
      explain(async ({ dir, file }: { dir?: string; file?: string }) => {
        if (file !== undefined) {
          const lines = readGiven(file).toString('utf8').split('\n');
          return tell(
            verifyExport(lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ExportedLine)),
          );
        }
        if (dir === undefined) throw new Error('--dir or --file is missing');
        const journal = await openJournal(dir, { readOnly: true });
        tell(journal.audit.verify());
        journal.close();
      }),
    );
  audit
    .command('export')
    .description('one JSON line an entry, to standard output: for whoever keeps it longer than the agent does')
    .requiredOption('--dir <dir>', "the agent's directory")
    .action(
      explain(async ({ dir }: { dir: string }) => {
        const journal = await openJournal(dir, { readOnly: true });
        for (const line of journal.audit.lines()) print(JSON.stringify(line));
        journal.close();
      }),
    );
};
