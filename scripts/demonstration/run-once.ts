import { Journal } from '../../src/agent/journal/journal.ts';
import type { ClinicDemo } from './clinic-demo.ts';
import { faultsOfVisit, reportOf, type VisitReport } from './judge-visit.ts';
import { ScriptedPatient } from './scripted-patient.ts';
import { Timeline } from './timeline.ts';
import { type ScriptedVisit, scriptedVisits } from './visits.ts';

/** Plays the visits one after the other and judges each by the agent's journal. */
export const runOnce = async (
  demo: ClinicDemo,
  only: readonly string[] | null,
  follow: (timeline: Timeline) => void,
  write: (text: string) => void,
): Promise<{ readonly ok: boolean; readonly visits: readonly VisitReport[] }> => {
  const visits: readonly ScriptedVisit[] = scriptedVisits.filter(({ name }) => only === null || only.includes(name));
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
        () => null,
        (error: Error) => error.message,
      );
      timeline.print(write);
      const rows = journal.visits().filter((row) => !known.has(row.requestId));
      const report = reportOf(each.name, rows, timeline.times());
      const wrong = faultsOfVisit(report, rows, timeline, each.expects, { trouble, disturbed: false });
      if (wrong.length > 0) timeline.printLog(write);
      for (const line of wrong) write(`  WRONG: ${line}\n`);
      write(
        `  ${wrong.length === 0 ? 'as it should be' : 'NOT as it should be'}: ${report.method ?? '-'}, ${report.outcome}\n`,
      );
      ok &&= wrong.length === 0;
      reports.push(report);
      if (trouble !== null) break;
    }
  } finally {
    patient.leave();
    journal.close();
  }
  return { ok: ok && reports.length === visits.length, visits: reports };
};
