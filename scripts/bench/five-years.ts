import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSqliteStore } from '../../drivers/store/sqlite-store.ts';
import { heedAudit, rotateAudit } from '../../src/agent/journal/heed-audit.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { takeAuthorityKeyAway } from '../../src/agent/provisioning/authority-key.ts';
import { addAgent, addDevice, createFacility } from '../../src/agent/provisioning/facility-authority.ts';
import { dayMs } from '../../src/core/time-units.ts';
import type { TrustedTime } from '../../src/core/trusted-time.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { certificateOf, clientChainError } from '../../src/trust/client-chain.ts';
import type { TlsFiles } from '../../src/trust/key-files.ts';
import { certificatesOf } from '../../src/trust/server-chain.ts';
import { createAgentVisits } from '../beds/agent-visits.ts';
import { openCertificateEnds } from '../beds/certificate-bed.ts';

/**
 * npm run five-years [-- --days 1825 --perDay 100 --json]
 *
 * Five years of a clinic in the two real stores, as fast as they go: every write that a visit makes at either end, the
 * sweep of each night, the audit chain. Time is simulated, the journal's age too; the files lie in memory (/dev/shm), so
 * that no fsync is waited for, and are copied to nowhere. `bytesPerVisit`: what the process wrote (wchar of
 * /proc/self/io) for a visit, by end: the most of what the first visits of each year took. `startMs`: both stores open
 * again and have read what waits, the most of what it took after each year. `lostPending`: what nobody answered or took,
 * and is neither waiting nor given up by its time in the end. `flat`: sizes, start and today's list of the staff page (of at most
 * 200 visits) after the last year, to those after the second, the first in which the journal holds all that it keeps: processor
 * time, the least of some, so that a busy machine does not change it. The facility's key is taken away on the first day; each night link and
 * agent look at their certificates, and each month both begin anew with what is on their disks. `certificatesRenewed`: new
 * ones in force whose chain leads to the facility; a night on which one that is in force has ended fails the run.
 */
const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '1825' },
    perDay: { type: 'string', default: '100' },
    json: { type: 'boolean' },
  },
});
const [days, perDay] = [Number(values.days), Number(values.perDay)];
const limits = { terminalKb: 31, agentKb: 55 };
const measured = 300;
/** More than the sealed request of a face visit with every consent has; one by PIN without any has 6,600. */
const sealedBytes = 10_000;
const say = (text: string): boolean => process.stderr.write(`${text}\n`);

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'uketsuke-five-years-'));
const paths = { terminal: join(folder, 'link.sqlite'), agent: join(folder, 'journal.sqlite') };
const log = createEventLog({ format: 'silent' });

let nowMs = Date.UTC(2026, 10, 29);
const startedAtMs = nowMs;
const openJournal = () => new Journal(paths.agent, { steadyMs: () => nowMs - startedAtMs });
let journal = openJournal();
// Visits are minutes apart: each is forgotten by itself.
let store = createSqliteStore(paths.terminal, undefined, 0);

const written = (): number | null => {
  try {
    return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
  } catch {
    return null;
  }
};
type Written = { terminal: number; agent: number; visits: number };
/** By year; measured for its first visits */
const bytes: Written[] = [];
const bytesOf = (year: number): Written => {
  bytes[year] ??= { terminal: 0, agent: 0, visits: 0 };
  return bytes[year];
};
const must = <T>(result: { ok: true; value: T } | { ok: false; failure: { code: string; detail?: string } }): T => {
  if (!result.ok) throw new Error(`${result.failure.code} ${result.failure.detail ?? ''}`);
  return result.value;
};

/** The facility is made now; what is simulated goes on from there. */
const provisionedAtMs = Date.now();
const trustedTime = (): TrustedTime => ({
  ...{ wallMs: provisionedAtMs + nowMs - startedAtMs, floorMs: provisionedAtMs, certainty: 'confirmed' },
  ...{ fault: null, machineAheadMs: 0 },
});
const facility = join(folder, 'facility');
await createFacility(facility, { facility: 'clinic', brokerNames: ['localhost'] });
const certificatePlace = {
  agentDirectory: await addAgent(facility, 'agent-01'),
  deviceDirectory: await addDevice(facility, 'terminal-01', 1),
  ...{ device: 'terminal-01', state: join(folder, 'link') },
};
await takeAuthorityKeyAway(facility, {}, join(folder, 'stick.pem'));
rmSync(join(folder, 'stick.pem'));
const openEnds = () => openCertificateEnds(certificatePlace, trustedTime);
let ends = await openEnds();
const certificates = { link: 0, agent: 0, faults: new Set<string>() };
const endOf = ({ certificate }: TlsFiles): number => certificateOf(certificate)?.validToDate.getTime() ?? 0;
/** A run that reaches the first warning must renew at both ends. */
const firstWarningMs = Math.min(endOf(ends.linkTls), endOf(ends.agentTls)) - 60 * dayMs;

const lookAtCertificates = async (day: number): Promise<void> => {
  await ends.look();
  for (const end of ['link', 'agent'] as const) {
    const adopted = ends.adopted[end].splice(0);
    for (const { certificate, ca } of adopted) {
      const wrong = clientChainError(certificatesOf(certificate), certificatesOf(ca), trustedTime());
      if (wrong === null) certificates[end] += 1;
      else certificates.faults.add(`${end}: ${wrong}`);
    }
    if (adopted.length > 0) say(`day ${day}: the ${end} has a new certificate`);
  }
  if (day % 30 === 0 || ends.link.end.endsMs < trustedTime().wallMs) {
    ends = await openEnds();
    for (const tls of [ends.linkTls, ends.agentTls])
      if (endOf(tls) < trustedTime().wallMs) certificates.faults.add(`day ${day}: a certificate in force has ended`);
  }
};

let number = 0;
/** Requests that nobody answered or took: they must be there in the end. */
const left = { outbox: new Set<string>(), journal: new Set<string>() };
/** Whose personal data had had its time (a day): told to staff, and no more lost than handed over */
const givenUp = new Set<string>();

const atTerminal = async (requestId: string, isLeft: boolean): Promise<void> => {
  const sealed = crypto.getRandomValues(new Uint8Array(sealedBytes));
  const row = { requestId, session: crypto.randomUUID(), documentHash: 'h'.repeat(43), sealed };
  must(await store.addOutboxRow({ ...row, visitMark: null, createdAtMs: nowMs, expiresAtMs: nowMs + 600_000 }));
  if (isLeft) left.outbox.add(requestId);
  else must(await store.removeOutboxRow(requestId, { atMs: nowMs, event: 'receipt-accepted', subject: requestId }));
};

const agentVisit = createAgentVisits(() => nowMs);
const atAgent = (requestId: string, isLeft: boolean): void => {
  agentVisit(journal, requestId, isLeft ? null : `OQSsiquc01res_face_${number}.xml`);
  if (isLeft) left.journal.add(requestId);
};

/** `waits`: the folder that takes its file is shut */
const visit = async (year: number, waits: boolean): Promise<void> => {
  number += 1;
  const requestId = crypto.randomUUID();
  const before = written();
  await atTerminal(requestId, number % 20_000 === 7);
  // What follows an answer (the entry of the stored row, the forgetting) is over with the next but one.
  await store.readSettings();
  await new Promise((resolve) => setImmediate(resolve));
  await store.readSettings();
  const between = written();
  atAgent(requestId, waits);
  const after = written();
  const sum = bytesOf(year);
  if (sum.visits >= measured || before === null || between === null || after === null) return;
  sum.terminal += between - before;
  sum.agent += after - between;
  sum.visits += 1;
};

const night = async (day: number): Promise<void> => {
  for (const requestId of journal.sweep()) {
    journal.giveUp(requestId, nowMs);
    givenUp.add(requestId);
  }
  await lookAtCertificates(day);
  // Each night in the product; each fifth here, for the whole chain is read each time. Not seldomer: old entries go by the
  // thousand at each, and 100 visits a day make as many in five days.
  if (day % 5 !== 0) return;
  if (heedAudit(journal, log, journal.audit.verify())) rotateAudit(journal);
  must(await store.firstBrokenAuditEntry());
};

const sizes = () => ({ terminal: megabytes(paths.terminal), agent: megabytes(paths.agent) });
const megabytes = (path: string): number =>
  Math.round(
    (['', '-wal'].reduce((sum, end) => sum + (existsSync(path + end) ? statSync(path + end).size : 0), 0) / 1e6) * 10,
  ) / 10;

/** Processor time of this process, all threads. ms */
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Both ends begin anew with what is on their disks. */
const startAgain = async (): Promise<{ readonly ms: number; readonly cpu: number }> => {
  await store.close();
  journal.close();
  const [beganMs, cpuBefore] = [performance.now(), cpuMs()];
  journal = openJournal();
  store = createSqliteStore(paths.terminal, undefined, 0);
  must(await store.outboxRows());
  journal.unfinished();
  return { ms: Math.round(performance.now() - beganMs), cpu: cpuMs() - cpuBefore };
};
const starts: number[] = [];

/** Today's visits as the staff page reads them. ms of processor time */
const readPage = (): number => {
  const before = cpuMs();
  const visits = journal.newestVisits(nowMs - dayMs, 200);
  journal.todayNotes(visits.map(({ requestId }) => requestId));
  return cpuMs() - before;
};
type Year = { readonly terminalMb: number; readonly agentMb: number; readonly start: number; readonly page: number };
const years: Year[] = [];
const atYearsEnd = async (): Promise<Year> => {
  const { terminal: terminalMb, agent: agentMb } = sizes();
  const page = Math.min(...Array.from({ length: 50 }, readPage));
  const each: Awaited<ReturnType<typeof startAgain>>[] = [];
  for (let times = 0; times < 5; times += 1) each.push(await startAgain());
  starts.push(Math.min(...each.map(({ ms }) => ms)));
  return { terminalMb, agentMb, page, start: Math.min(...each.map(({ cpu }) => cpu)) };
};
/** A year's figures to those of another */
const ratiosOf = (year: Year, to: Year): Record<keyof Year, number> =>
  Object.fromEntries(
    Object.entries(year).map(([what, value]) => [what, Math.round((value / to[what as keyof Year]) * 100) / 100]),
  ) as Record<keyof Year, number>;
const flatLimits: Record<keyof Year, number> = { terminalMb: 1.1, agentMb: 1.1, start: 1.3, page: 1.5 };

try {
  const beganMs = performance.now();
  for (let day = 1; day <= days; day += 1) {
    for (let each = 0; each < perDay; each += 1) {
      // On the last afternoon the folder is shut: what comes waits.
      await visit(Math.floor((day - 1) / 365), day === days && each >= perDay * 0.6);
      nowMs += Math.round((9 * 3_600_000) / perDay);
    }
    nowMs += 15 * 3_600_000;
    await night(day);
    if (day % 365 === 0) {
      const year = await atYearsEnd();
      years.push(year);
      const spent = Math.round((performance.now() - beganMs) / 1000);
      say(
        `year ${years.length}: ${number} visits, terminal ${year.terminalMb} MB, agent ${year.agentMb} MB, today's list ${year.page.toFixed(2)} ms, start ${Math.round(year.start)} ms of processor time, ${spent} s`,
      );
      const [, second = year] = years;
      say(`  to the second year: ${JSON.stringify(ratiosOf(year, second))}`);
    }
  }
  starts.push((await startAgain()).ms);
  const start = Math.max(...starts);
  const waiting = new Set(must(await store.outboxRows()).map(({ requestId }) => requestId));
  const unfinished = new Set(journal.unfinished().map(({ visit: { requestId } }) => requestId));
  const lost = [...left.outbox].filter((id) => !waiting.has(id)).length;
  const lostPending = lost + [...left.journal].filter((id) => !unfinished.has(id) && !givenUp.has(id)).length;
  say(`left: ${left.outbox.size} in the outbox, ${left.journal.size} in the journal, ${givenUp.size} given up in all`);
  const brokenAt = must(await store.firstBrokenAuditEntry());
  const verdict = journal.audit.verify();
  const auditVerified = verdict.brokenAt === null && brokenAt === null && verdict.entries > 0;
  const measuredYears = bytes.filter(({ visits }) => visits > 0);
  const most = (end: 'terminal' | 'agent'): number =>
    Math.max(...measuredYears.map(({ visits, ...sum }) => Math.round((sum[end] / visits / 1024) * 10) / 10));
  const [, second] = years;
  const last = years.at(-1);
  const flat = second === undefined || last === undefined || years.length < 3 ? null : ratiosOf(last, second);
  const isFlat = flat === null || Object.entries(flatLimits).every(([what, most]) => flat[what as keyof Year] <= most);
  const kb = { terminal: most('terminal'), agent: most('agent') };
  await store.close();
  journal.close();
  const report = {
    visits: number,
    databaseMb: sizes(),
    startMs: start,
    lostPending,
    certificatesRenewed: certificates.link + certificates.agent,
    auditVerified,
    ...(measuredYears.length > 0 ? { bytesPerVisit: { terminal: kb.terminal * 1024, agent: kb.agent * 1024 } } : {}),
    ...(flat === null ? {} : { flat }),
    profile: 'release',
  };
  say(
    `written a visit: terminal ${kb.terminal} KiB (at most ${limits.terminalKb}), agent ${kb.agent} KiB (at most ${limits.agentKb})`,
  );
  process.stdout.write(`${JSON.stringify(report)}\n`);
  const within = kb.terminal <= limits.terminalKb && kb.agent <= limits.agentKb;
  for (const fault of certificates.faults) say(fault);
  const mustRenew = trustedTime().wallMs > firstWarningMs + dayMs;
  const renewed = !mustRenew || (certificates.link > 0 && certificates.agent > 0);
  const certified = renewed && certificates.faults.size === 0;
  process.exitCode = lostPending === 0 && auditVerified && certified && within && isFlat ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
