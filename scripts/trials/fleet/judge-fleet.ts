import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { decodeOqs } from '../../../src/agent/oqs-folder/oqs-encoding.ts';
import type { Postgres } from '../../beds/postgres.ts';
import type { PlayedVisit } from './fleet-messages.ts';
import { servicePersons } from './service-persons.ts';

/** As a レセコン does: what lies in the folder is taken away at once, so that a second one of its name would be seen. */
export const takeFiles = (oqs: string, into: string) => {
  const taken = new Map<string, number>();
  const take = (): void => {
    for (const name of readdirSync(join(oqs, 'face')).filter((each) => each.endsWith('.xml'))) {
      renameSync(join(oqs, 'face', name), join(into, name));
      taken.set(name, (taken.get(name) ?? 0) + 1);
    }
  };
  const timer = setInterval(take, 100);
  return {
    taken,
    take,
    end: (): void => {
      clearInterval(timer);
      take();
    },
  };
};

type Row = {
  readonly device: string;
  readonly verdict: string;
  readonly outcome: string | null;
  readonly file: string | null;
  readonly ended: boolean;
  /** Entries of the chain that say so */
  readonly handedOver: number;
};

export const journalRows = (server: Postgres, database: string): ReadonlyMap<string, Row> => {
  const { stdout, stderr, status } = server.sql(
    database,
    `SELECT coalesce(json_agg(json_build_array(request_id, device, verdict, outcome, file,
        handed_over_at IS NOT NULL OR given_up_at IS NOT NULL OR verdict = 'refused',
        (SELECT count(*) FROM uketsuke.audit WHERE event = 'handed-over' AND subject = request_id))), '[]') FROM uketsuke.request`,
  );
  if (status !== 0) throw new Error(stderr);
  const rows = JSON.parse(stdout) as [string, string, string, string | null, string | null, boolean, number][];
  return new Map(
    rows.map(([id, device, verdict, outcome, file, ended, handedOver]) => [
      id,
      { device, verdict, outcome, file, ended, handedOver },
    ]),
  );
};

type Verdict = {
  readonly lost: number;
  readonly twice: number;
  readonly mixed: number;
  readonly filesTwice: number;
};

const holdsNumber = (path: string, number: string): boolean => {
  const text = decodeOqs(readFileSync(path));
  return text.ok && text.value.includes(`<InsuredIdentificationNumber>${number}<`);
};

/**
 * `lost`: sent without a receipt, or accepted and not in the journal to its end. `twice`: receipted, handed over or counted
 * more than once. `mixed`: another terminal's row, another's outcome, or a file that holds another person.
 */
export const judge = (
  visits: readonly PlayedVisit[],
  rows: ReadonlyMap<string, Row>,
  counted: number,
  files: { readonly taken: ReadonlyMap<string, number>; readonly folder: string },
): Verdict => {
  const numberOf = new Map(servicePersons().map(({ serial, number }) => [serial, number]));
  const accepted = visits.filter(({ verdict }) => verdict === 'accepted');
  const isLost = ({ requestId, verdict }: PlayedVisit): boolean =>
    verdict === undefined || (verdict === 'accepted' && rows.get(requestId)?.ended !== true);
  const isMixed = ({ requestId, device, outcome, serial }: PlayedVisit): boolean => {
    const row = rows.get(requestId);
    if (row === undefined) return false;
    if (row.device !== device || (outcome !== undefined && outcome !== 'failed' && outcome !== row.outcome))
      return true;
    if (row.file === null || !files.taken.has(row.file)) return false;
    return !holdsNumber(join(files.folder, row.file), numberOf.get(serial) ?? '');
  };
  const named = new Map<string, number>();
  for (const { file } of rows.values()) if (file !== null) named.set(file, (named.get(file) ?? 0) + 1);
  const withOutcome = [...rows.values()].filter(
    ({ outcome, verdict }) => outcome !== null || verdict === 'refused',
  ).length;
  const missing = [...named.keys()].filter((name) => !files.taken.has(name)).length;
  return {
    lost: visits.filter(isLost).length + missing,
    twice:
      accepted.filter(({ requestId, receipts }) => receipts > 1 || (rows.get(requestId)?.handedOver ?? 0) > 1).length +
      Math.max(0, counted - withOutcome),
    mixed: accepted.filter(isMixed).length + [...named.values()].filter((times) => times > 1).length,
    filesTwice:
      [...files.taken.values()].filter((times) => times > 1).length +
      [...files.taken.keys()].filter((name) => !named.has(name)).length,
  };
};

/** Nobody may have noticed the death of an agent so long: what is sent meanwhile may have gone to the dead. ms */
const unnoticedMs = 2_000;

/** Of the visits that were open when an agent died, or were sent just after: how many, and until the last had its result. ms */
export const answeredAfter = (
  visits: readonly PlayedVisit[],
  diedMs: number,
): { readonly open: number; readonly lastMs: number } => {
  const open = visits.filter(
    ({ verdict, submittedMs, resultMs = Number.POSITIVE_INFINITY }) =>
      verdict !== 'refused' && submittedMs < diedMs + unnoticedMs && resultMs > diedMs,
  );
  const late = open.map(
    ({ submittedMs, resultMs = Number.POSITIVE_INFINITY }) => resultMs - Math.max(diedMs, submittedMs),
  );
  return { open: open.length, lastMs: Math.max(0, ...late) };
};
