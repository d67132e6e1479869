import { Journal, type JournalVisit } from '../../src/agent/journal/journal.ts';
import type { ClinicDemo } from './clinic-demo.ts';
import { ScriptedPatient } from './scripted-patient.ts';
import { type StageTimes, Timeline } from './timeline.ts';
import { type Expectation, type ScriptedVisit, scriptedVisits } from './visits.ts';

type VisitReport = {
  readonly name: string;
  readonly method: string | null;
  readonly outcome: string;
  readonly code?: string;
  readonly receipt: boolean;
  readonly consents: Readonly<Record<string, boolean>>;
  readonly ms: StageTimes;
};

/** The visit as the agent's journal has it; the script's own opinion does not count. */
const reportOf = (name: string, rows: readonly JournalVisit[], ms: StageTimes): VisitReport => {
  const row = rows.findLast((each) => each.kind === 'eligibility');
  if (row === undefined) return { name, method: null, outcome: 'sent-to-desk', receipt: false, consents: {}, ms };
  const { code, verdict } = row;
  return {
    name,
    method: row.method,
    outcome: verdict,
    ...(code ? { code } : {}),
    receipt: true,
    consents: row.consents,
    ms,
  };
};

/** What is not as it should be, in words; empty = the visit ended as it should. */
const deviations = (
  report: VisitReport,
  rows: readonly JournalVisit[],
  timeline: Timeline,
  expected: Expectation,
): readonly string[] => {
  const wrong: string[] = [];
  const same = (what: string, is: unknown, should: unknown): void => {
    if (JSON.stringify(is) !== JSON.stringify(should))
      wrong.push(`${what} is ${JSON.stringify(is)}, should be ${JSON.stringify(should)}`);
  };
  const sorted = (consents: Readonly<Record<string, boolean>>) => Object.entries(consents).sort();
  same('method', report.method, expected.method);
  same('outcome', report.outcome, expected.outcome);
  same('consents', sorted(report.consents), sorted(expected.consents));
  same('eligibility requests', rows.filter((row) => row.kind === 'eligibility').length, 1);
  const registered = rows.some((row) => row.kind === 'registration' && row.verdict === 'accepted');
  same('registration', registered, expected.registration);
  same('refused PINs', timeline.refusedPins, expected.refusedPins);
  if (expected.through !== undefined && !timeline.states.includes(expected.through))
    wrong.push(`never came through ${expected.through}`);
  if (rows.some((row) => row.outcome === null)) wrong.push('the national service has not answered');
  return wrong;
};

/** Plays the visits one after the other and judges each by the agent's journal. */
export const runOnce = async (
  demo: ClinicDemo,
  only: string | null,
  follow: (timeline: Timeline) => void,
  write: (text: string) => void,
): Promise<{ readonly ok: boolean; readonly visits: readonly VisitReport[] }> => {
  const visits: readonly ScriptedVisit[] = scriptedVisits.filter(({ name }) => only === null || name === only);
  const journal = new Journal(demo.agent.journal);
  const patient = await ScriptedPatient.before(demo.screenPort);
  const reports: VisitReport[] = [];
  let ok = true;
  try {
    for (const each of visits) {
      const known = new Set(journal.visits().map((row) => row.requestId));
      const timeline = new Timeline();
      follow(timeline);
      write(`\n${each.name}\n`);
      const trouble = await each.play(demo, patient).then(
        () => [],
        (error: Error) => [error.message],
      );
      timeline.print(write);
      const rows = journal.visits().filter((row) => !known.has(row.requestId));
      const report = reportOf(each.name, rows, timeline.times());
      const wrong = [...trouble, ...deviations(report, rows, timeline, each.expects)];
      for (const line of wrong) write(`  WRONG: ${line}\n`);
      write(
        `  ${wrong.length === 0 ? 'as it should be' : 'NOT as it should be'}: ${report.method ?? '-'}, ${report.outcome}\n`,
      );
      ok &&= wrong.length === 0;
      reports.push(report);
      if (trouble.length > 0) break;
    }
  } finally {
    patient.leave();
    journal.close();
  }
  return { ok: ok && reports.length === visits.length, visits: reports };
};
