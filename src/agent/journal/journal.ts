import type { FailureCode } from '../../core/failure.ts';
import { formatJapanDate, japanDate } from '../../core/japan-time.ts';
import type { SqlValue } from '../../storage/sql-engine.ts';
import { bindApproval, useApproval } from './approval-use.ts';
import { BulkInquiries } from './bulk-inquiries.ts';
import { CertificateEnds } from './certificate-ends.ts';
import { CodeGuesses } from './code-guesses.ts';
import { DeskEvents } from './desk-events.ts';
import { FacilityFiles } from './facility-files.ts';
import { JournalAge } from './journal-age.ts';
import {
  type BulkInquiry,
  type Finished,
  type JournalChallenge,
  type JournalVisit,
  type NewRequest,
  type OfficialUsage,
  type Outcome,
  type Personal,
  personalSchema,
  type RecordOutcome,
  type TodayNote,
  type UsageRow,
  visitColumns,
  visitOf,
  visitSchema,
} from './journal-schema.ts';
import { KeptNames } from './kept-names.ts';
import type { LastingRows } from './lasting-rows.ts';
import { type Lease, Leases } from './leases.ts';
import { carriedOver, markLate, requestToFinish } from './one-visit.ts';
import { addChallenges, useChallenge } from './open-challenges.ts';
import { isPreCheckInUsed, usePreCheckIn } from './pre-check-in-use.ts';
import { ReceiptShares } from './receipt-shares.ts';
import { deletionsAt, overdueRequests } from './retention.ts';
import { SelfTests } from './self-tests.ts';
import { issueSettings, learnFloor, raiseAll, type SettingsContent, type SettingsIssue } from './settings-issue.ts';
import { monthOf, TodayNotes } from './today-notes.ts';

export type {
  JournalVisit,
  NewRequest,
  OfficialUsage,
  Outcome,
  Personal,
  TodayNote,
  UsageRow,
} from './journal-schema.ts';

const personalPlace = (requestId: string): string => `personal.content ${requestId}`;

/**
 * The agent's durable memory: what was asked, what was answered, once. SQLite, WAL, synchronous FULL: when a method
 * returns, it is on the disk. Synchronous on purpose and in the agent's own thread: a receipt may not be signed before
 * this write anyway, a commit takes about 1 ms, and no screen hangs on this process.
 */
export class Journal extends JournalAge {
  /** Wrong staff codes */
  readonly guesses = new CodeGuesses(this.engine);
  readonly deskEvents = new DeskEvents(this.engine, () => this.livedMs);
  readonly receiptShares = new ReceiptShares(this.engine);
  readonly selfTests = new SelfTests(this.engine, () => this.livedMs);
  readonly #lastingRows: LastingRows = {
    ...this.engine,
    atOnce: (work) => this.transaction(work),
    livedMs: () => this.livedMs,
    deleted: () => {
      this.deletedSinceForgotten = true;
    },
  };
  readonly names = new KeptNames(this.#lastingRows);
  readonly certificateEnds = new CertificateEnds(this.#lastingRows);
  /** What several agents have in common */
  readonly facilityFiles = new FacilityFiles(this.#lastingRows);
  /** Which of several agents finishes what */
  readonly leases = new Leases(this.engine, (work) => this.transaction(work));
  readonly #today = new TodayNotes(this.#lastingRows);
  readonly #bulks = new BulkInquiries(this.#lastingRows);

  /**
   * Of many more than `keep` open ones of this device the oldest are dropped. What a power cut takes is refused like any that is
   * not ours: the next start calls those of before void (`knowsNothingBefore`).
   */
  addChallenges(device: string, challenges: readonly JournalChallenge[], keep: number): void {
    this.soonDurable(() => addChallenges(this.engine, device, { challenges, keep, livedMs: this.livedMs }));
  }

  /** Not the journal that ran here last. Of what it handed out nobody knows whether it was used: it is void, and counted beyond. */
  noteRolledBack(atMs: number): void {
    this.isRolledBack = true;
    this.knowsNothingBefore = Math.round(atMs);
    this.transaction(() => {
      this.noteMishap('storage.rolled-back', atMs);
      this.run('DELETE FROM challenge WHERE request_id IS NULL');
      raiseAll(this.engine, atMs);
    });
  }

  visit(requestId: string): JournalVisit | undefined {
    return this.#visits('WHERE request_id = ?', requestId)[0];
  }

  /** Oldest first; from `fromMs` on where given. */
  visits(fromMs = 0): JournalVisit[] {
    return this.#visits('WHERE received_at >= ? ORDER BY received_at, rowid', fromMs);
  }

  /** The newest of those since `fromMs`, newest first, at most `most`. */
  newestVisits(fromMs: number, most: number): JournalVisit[] {
    return this.#visits('WHERE received_at >= ? ORDER BY received_at DESC, rowid DESC LIMIT ?', fromMs, most);
  }

  /** Of before `atMs`, at most `most`: what staff are still to know of (one-visit.ts). */
  carriedOver = (atMs: number, most: number): JournalVisit[] => this.#visits(carriedOver, atMs, most);

  /**
   * Writes a request with its verdict and uses up its challenge, in one transaction. An accepted one whose challenge is
   * unknown, of another device, used or expired, or that would outlive it, becomes refused (`message.stale`), as does one
   * whose staff approval (`useApproval`) or pre-check-in was used. The same id and hash again changes nothing and gives the first row.
   */
  record(request: NewRequest): RecordOutcome {
    this.mustBeInPlace();
    return this.transaction(() => {
      const known = this.visit(request.requestId);
      if (known !== undefined)
        return known.documentHash === request.documentHash && known.device === request.device
          ? { kind: 'repeated', visit: known }
          : { kind: 'other-document' };
      const code = this.#refusalOf(request);
      this.engine.write(
        `INSERT INTO request (request_id, device, lane, session, kind, document_hash, method, consents, verdict, code,
          issued_at, received_at, expires_at, lived_at, certificate) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[request.requestId, request.device, request.lane, request.session, request.kind, request.documentHash],
        ...[request.method, JSON.stringify(request.consents), code ? 'refused' : 'accepted', code ?? null],
        ...[request.issuedAt, request.receivedAt, request.expiresAt, this.livedMs, request.certificateState ?? null],
      );
      const content = JSON.stringify(request.personal);
      if (code === undefined)
        this.engine.write(
          'INSERT INTO personal (request_id, content, delete_at) VALUES (?, ?, ?)',
          ...[
            request.requestId,
            this.engine.cells.seal(personalPlace(request.requestId), content),
            this.livedMs + request.personalLifeMs,
          ],
        );
      else this.#count(request, 'refused', code, request.receivedAt);
      const { requestId, recordedBy } = request;
      const isGoneOnWith = code === undefined && recordedBy !== undefined;
      const lease = isGoneOnWith ? this.leases.give(requestId, recordedBy) : null;
      const event = code === undefined ? 'request-accepted' : 'request-refused';
      this.audit.append({ atMs: request.receivedAt, event, subject: requestId, ...(code && { code }) });
      return { kind: 'recorded', visit: visitOf(request, code), lease };
    });
  }

  #refusalOf(request: NewRequest): FailureCode | undefined {
    if (!useChallenge(this.engine, request, this.livedMs)) return request.code ?? 'message.stale';
    if (request.code !== undefined) return request.code;
    const use = { ...request, livedMs: this.livedMs };
    const refusal = request.method === 'staff' ? useApproval(this.engine, use) : undefined;
    return refusal ?? usePreCheckIn(this.engine, use);
  }

  isPreCheckInUsed(preCheckIn: string): boolean {
    return isPreCheckInUsed(this.engine, preCheckIn);
  }

  /** Accepted and not handed over: what a crash or a full folder left undone, oldest first. */
  unfinished(): { visit: JournalVisit; personal: Personal }[] {
    return this.all(
      `SELECT ${visitColumns}, (SELECT content FROM personal WHERE personal.request_id = request.request_id) AS content
        FROM request WHERE handed_over_at IS NULL AND request_id IN (SELECT request_id FROM personal)
        ORDER BY received_at, rowid`,
    ).flatMap((row) => {
      const visit = visitSchema.parse(row);
      const personal = this.#opened(visit.requestId, row.content);
      return personal === undefined ? [] : [{ visit, personal }];
    });
  }

  /** undefined once it is handed over, its time is up or nobody can read it any more. */
  personal(requestId: string): Personal | undefined {
    return this.#opened(requestId, this.get('SELECT content FROM personal WHERE request_id = ?', requestId)?.content);
  }

  #opened(requestId: string, cell: unknown): Personal | undefined {
    const content = cell == null ? null : this.engine.cells.open(personalPlace(requestId), String(cell));
    return content === null ? undefined : personalSchema.parse(JSON.parse(content));
  }

  /**
   * What the service said, counted once, for the month in which it was first told. The first answer stands, but for a
   * failure that is still being asked about (not handed over): what comes after it takes its place. What a power cut takes back
   * is asked once more, counts included. null: `lease` is another agent's by now, and nothing was written.
   */
  finish(requestId: string, { outcome, code, qualificationValidity, at }: Outcome, lease?: Lease): Finished | null {
    return this.soonDurable(() => {
      const {
        visit: before,
        isAnsweredOtherwise = false,
        isHeld,
      } = requestToFinish(this.engine, requestId, lease) ?? {};
      if (lease !== undefined && this.leases.isShared && !isHeld) return null;
      const failedBefore = before?.outcome === 'failed' && before.handedOverAt === null && before.givenUpAt === null;
      if (before === undefined || (before.outcome !== null && !failedBefore))
        return { failedBefore: false, visit: before, isAnsweredOtherwise };
      this.engine.write(
        'UPDATE request SET outcome = ?, code = ?, qualification_validity = ?, finished_at = ? WHERE request_id = ?',
        ...[outcome, code ?? null, qualificationValidity ?? null, at, requestId],
      );
      const countedAt = before.finishedAt ?? at;
      if (failedBefore) this.#count(before, 'failed', before.code ?? '', countedAt, -1);
      // What may be taken back later is counted whatever else the visit has: only so do taking back and counting agree.
      if (outcome === 'failed' || !isAnsweredOtherwise) this.#count(before, outcome, code ?? '', countedAt);
      const told = {
        outcome,
        code: code ?? null,
        qualificationValidity: qualificationValidity ?? null,
        finishedAt: at,
      };
      return { failedBefore, visit: { ...before, ...told }, isAnsweredOtherwise };
    });
  }

  /** The end of our part: the file is there, or there is none to write. Personal data of the request is deleted. */
  handOver(requestId: string, at: number, file?: string): void {
    this.atOnceAndForgotten(() => {
      this.engine.write(
        'UPDATE request SET handed_over_at = ?, file = ? WHERE request_id = ?',
        at,
        file ?? null,
        requestId,
      );
      this.engine.write('DELETE FROM personal WHERE request_id = ?', requestId);
      this.leases.release(requestId);
      this.audit.append({ atMs: at, event: 'handed-over', subject: requestId });
    });
  }

  markLate = (requestId: string, device: string, at: number) => markLate(this.engine, requestId, device, at);

  /** What was left to do will not be done: its personal data has had its time, or no file can say it. Again: no effect */
  giveUp(requestId: string, at: number): void {
    this.atOnceAndForgotten(() => {
      if (this.visit(requestId)?.givenUpAt != null) return;
      this.engine.write(
        'UPDATE request SET given_up_at = ? WHERE request_id = ? AND handed_over_at IS NULL',
        at,
        requestId,
      );
      this.engine.write('DELETE FROM personal WHERE request_id = ?', requestId);
      this.leases.release(requestId);
      this.audit.append({ atMs: at, event: 'given-up', subject: requestId });
    });
  }

  /** What staff need of a visit on its day (照会番号, notices, names with ●), and that this chart's card was seen this month. */
  rememberToday(requestId: string, note: TodayNote, at: number): void {
    this.transaction(() => this.#today.remember(requestId, note, at));
  }

  /** Answers the number under which it stands: the one given before where this source was received already. */
  receiveBulk(inquiry: BulkInquiry, lifeMs: number): string {
    return this.transaction(() => this.#bulks.receive(inquiry, lifeMs));
  }

  bulkInquiries = (): BulkInquiry[] => this.#bulks.all;
  forgetBulk = (receptionNumber: string): void => this.#bulks.forget(receptionNumber);
  todayNotes = (requestIds?: readonly string[]): Map<string, TodayNote> => this.#today.of(requestIds);
  cardSeen = (referenceNumber: string, at: number): boolean => this.#today.cardSeen(referenceNumber, at);

  /** Messages that nobody can answer (unknown sender, unreadable): counted per day, device and code. */
  reject(device: string, code: FailureCode, times: number, at: number): void {
    this.run(
      `INSERT INTO rejection (day, device, code, times, last_at, lived_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
        SET times = rejection.times + excluded.times, last_at = excluded.last_at, lived_at = excluded.lived_at`,
      ...[formatJapanDate(japanDate(at)), device, code, times, at, this.livedMs],
    );
  }

  rejections(): { day: string; device: string; code: string; times: number; lastAt: number }[] {
    return this.all('SELECT day, device, code, times, last_at AS lastAt FROM rejection ORDER BY last_at DESC') as never;
  }

  addApproval(approval: {
    session: string;
    device: string;
    approver: string;
    approvedAt: number;
    expiresAt: number;
    /** Hash of the certificate that the visit began with, where a lookup has told it */
    certificate?: string;
  }): void {
    const { session, device, approver, approvedAt, expiresAt, certificate } = approval;
    this.transaction(() => {
      this.audit.append({ atMs: approvedAt, event: `approved-by ${approver}`, subject: session });
      this.run(
        'INSERT OR IGNORE INTO approval (session, device, approver, approved_at, expires_at) VALUES (?, ?, ?, ?, ?)',
        ...[session, device, approver, approvedAt, expiresAt],
      );
      if (certificate !== undefined) bindApproval(this.engine, { session, certificate, livedMs: this.livedMs });
    });
  }

  approvals(): { session: string; device: string; approver: string; approvedAt: number }[] {
    return this.all(
      'SELECT session, device, approver, approved_at AS approvedAt FROM approval ORDER BY approved_at',
    ) as never;
  }

  usage(): UsageRow[] {
    return this.all(
      'SELECT month, lane, kind, method, outcome, code, times FROM usage ORDER BY month, lane, kind, method, outcome, code',
    ) as unknown as UsageRow[];
  }

  /** 利用件数 of the month of `at`: visits that the national service answered for. */
  cardUses(at: number): number {
    const row = this.get(
      "SELECT sum(times) AS uses FROM usage WHERE month = ? AND kind = 'eligibility' AND outcome IN ('eligible', 'not-eligible')",
      monthOf(at),
    );
    return Number(row?.uses ?? 0);
  }

  setOfficialUsage({ month, cardUses, confirmations }: OfficialUsage, at: number): void {
    this.run(
      'INSERT OR REPLACE INTO official_usage (month, card_uses, confirmations, entered_at) VALUES (?, ?, ?, ?)',
      month,
      cardUses,
      confirmations,
      at,
    );
  }

  officialUsage(): OfficialUsage[] {
    return this.all('SELECT month, card_uses AS cardUses, confirmations FROM official_usage ORDER BY month') as never;
  }

  /** Since when staff have called this clinic's area designated (災害救助法の適用地域); null: it is not. */
  disasterSince(): number | null {
    const row = this.get('SELECT since FROM disaster_area');
    return row === undefined ? null : Number(row.since);
  }

  setDisasterArea(since: number | null): void {
    this.transaction(() => {
      this.run('DELETE FROM disaster_area');
      if (since !== null) this.run('INSERT INTO disaster_area (since) VALUES (?)', since);
    });
  }

  /** Version and instant of the settings that a terminal is told; `settings-issue.ts` says how they rise. */
  settingsIssue(content: SettingsContent, nowMs: number): SettingsIssue {
    return this.transaction(() => {
      const { version, validFrom, isNew } = issueSettings(this.engine, content, nowMs);
      if (isNew) this.audit.append({ atMs: nowMs, event: 'settings-issued', subject: `${content.device} ${version}` });
      return { version, validFrom };
    });
  }

  /** A terminal holds settings of a later version than this journal knows: the next issue goes beyond it. true = so it was. */
  learnSettingsFloor(device: string, version: number): boolean {
    return learnFloor(this.engine, device, version);
  }

  /**
   * Deletes what has had its time by the journal's own age: no wall clock has a word in it, and a request that is neither
   * handed over nor given up stays. Returns the requests whose personal data went before they were handed over; `overdue` is
   * called for each, in the same transaction.
   */
  sweep(overdue: (requestId: string) => void = () => {}): string[] {
    const nowMs = this.livedMs;
    const given = this.transaction(() => {
      const requestIds = this.all(overdueRequests, nowMs).map((row) => String(row.request_id));
      for (const requestId of requestIds) overdue(requestId);
      for (const [sql, beforeMs] of deletionsAt(nowMs, this.engine.rowAddress))
        if (this.run(sql, beforeMs) > 0) this.deletedSinceForgotten = true;
      this.keepAge();
      return requestIds;
    });
    this.forgetDeleted();
    return given;
  }

  #count(row: Pick<JournalVisit, 'lane' | 'kind' | 'method'>, outcome: string, code: string, at: number, by = 1): void {
    if (row.kind === 'test') return;
    this.engine.write(
      'INSERT INTO usage (month, lane, kind, method, outcome, code, times) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET times = usage.times + excluded.times',
      ...[monthOf(at), row.lane, row.kind, row.method, outcome, code, by],
    );
    if (by < 0) this.run('DELETE FROM usage WHERE month = ? AND times = 0', monthOf(at));
  }

  #visits(condition: string, ...values: SqlValue[]): JournalVisit[] {
    return this.all(`SELECT ${visitColumns} FROM request ${condition}`, ...values).map((row) => visitSchema.parse(row));
  }
}
