import { readFileSync } from 'node:fs';
import { eventually } from './eventually.ts';
import type { MisfortunesBed } from './misfortunes-bed.ts';
import { judge } from './misfortunes-judge.ts';

/* The evidence of a whole clinic of real processes, gathered for misfortunes-judge.ts. */

const records = JSON.parse(
  readFileSync(
    new URL('../../src/agent/eligibility/simulated-eligibility-service.records.json', import.meta.url),
    'utf8',
  ),
) as readonly { persona: string; qualifications: readonly { InsuredIdentificationNumber: string }[] }[];
const numberOf = (persona: string): string =>
  records.find((record) => record.persona === persona)?.qualifications[0]?.InsuredIdentificationNumber ?? 'nobody';

/** Whatever the agent accepted has its file. Throws by name when that takes longer than 30 s. */
export const settledClinic = (bed: MisfortunesBed): Promise<boolean> =>
  eventually('every file', () =>
    bed.rows().every(({ file, verdict }) => file !== null || verdict !== 'accepted') ? true : undefined,
  );

/** Over all visits since the clinic was built. */
export const judgeClinic = (bed: MisfortunesBed): ReturnType<typeof judge> => {
  const log = bed.terminalLog;
  const requestsOf = (event: string) =>
    log.filter((line) => line.event === event).flatMap(({ request }) => request ?? []);
  const expired = new Set(requestsOf('outbox.expired'));
  const accepting = ({ event, verdict }: (typeof log)[number]) =>
    event === 'outbox.receipted' && verdict === 'accepted';
  return judge({
    rows: bed.rows(),
    others: bed.otherRequests(),
    accepted: bed.accepted,
    receipts: log.filter(accepting).flatMap(({ request }) => request ?? []),
    kept: requestsOf('outbox.stored').filter((id) => !expired.has(id)),
    xmlOf: (row) => bed.xmlOf(row),
    numberOf,
    files: bed.files().length,
    uses: bed.uses(),
  });
};
