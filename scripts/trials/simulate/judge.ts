import type { VirtualCard } from '../../../drivers/virtual/virtual-card.ts';
import type { PatientChoices } from '../../../src/agent/eligibility/eligibility-service.ts';
import type { ScreenModel } from '../../../src/core/screen/screen-model.ts';
import type { ControlId } from '../../../src/core/visit/control-ids.ts';
import type { Session, SessionEvent } from '../../../src/core/visit/session.ts';
import { visitOf } from '../../../src/core/visit/session-steps.ts';
import type { OutboxRow } from '../../../src/ports/store.ts';
import { AuditChain } from '../../../src/storage/audit-chain.ts';
import { sqlOf } from '../../../src/storage/sqlite-engine.ts';
import type { ClinicEvent } from '../../../src/terminal/delivery/clinic-link.ts';
import type { SeenVerify } from './counter.ts';
import type { Kernel } from './stand-ins/kernel.ts';
import type { SimulatedDisk } from './stand-ins/machine-disk.ts';

/** Which promise was broken */
export type Promise_ =
  | 'receipt shown that the agent does not hold'
  | 'lost: neither receipt nor expiry told'
  | 'left without the answer, and staff not told'
  | 'done twice'
  | 'two people mixed'
  | 'consent sent that was not given'
  | 'VERIFY without a submit'
  | 'accepted without a verification'
  | 'records broken or left'
  | 'a visit that does not end'
  | 'not serving after all is well'
  | 'a fault without a name';

export type Violation = { readonly promise: Promise_; readonly what: string; readonly atMs: number };

type Submitted = { readonly row: OutboxRow; told: boolean; accepted: boolean; cancelled: boolean; shown: boolean };
type Row = {
  readonly request_id: string;
  readonly session: string;
  readonly kind: string;
  readonly method: string;
  readonly verdict: string;
  readonly outcome: string | null;
  readonly document_hash: string;
  readonly consents: string;
  readonly file: string | null;
  readonly handed_over_at: number | null;
  readonly given_up_at: number | null;
  readonly late_at: number | null;
};

/** What of the people only whoever stands beside knows; compared with what the machines say and keep. */
export class Judge {
  readonly #kernel: Kernel;
  readonly violations: Violation[] = [];
  /** Whose card a session began with */
  readonly #owners = new Map<string, string>();
  /** What was touched last about each item, by session */
  readonly #answers = new Map<string, Map<string, boolean>>();
  readonly #typed = new Map<VirtualCard, { digits: string; left: number }>();
  /** Wrong tries of each card, and whether its owner said yes to the last */
  readonly #tries = new Map<VirtualCard, { wrong: number; saidYes: boolean }>();
  readonly requests = new Map<string, Submitted>();
  readonly #sessionOf = new Map<string, string>();
  readonly #checked = new Map<string, string>();
  /** How a session's person was verified, as whoever stood beside saw it */
  readonly #proven = new Map<string, Set<string>>();
  #accepted = 0;
  /** The screen of a receipt that was looked into last */
  #toldOf = '';

  /** An agent of the release before cannot be told who left without an answer. */
  readonly #hearsOfLate: boolean;

  constructor(kernel: Kernel, hearsOfLate: boolean) {
    this.#kernel = kernel;
    this.#hearsOfLate = hearsOfLate;
  }

  get visitsAccepted(): number {
    return this.#accepted;
  }

  broken(promise: Promise_, what: string): void {
    this.#kernel.note(`broken: ${promise}: ${what}`);
    this.violations.push({ promise, what, atMs: this.#kernel.nowMs });
  }

  /** Every transition of the terminal. `lying`: whose card lies there */
  followed(session: Session, event: SessionEvent, lying: string | null, disk: SimulatedDisk): void {
    const { state } = session;
    const request = 'requestId' in event ? ` ${event.requestId.slice(0, 8)}` : '';
    this.#kernel.note(
      `${event.type}${request} → ${state.name}${'failure' in state && state.failure ? ` ${state.failure.code}` : ''}`,
    );
    const visit = visitOf(state);
    if (event.type === 'CardRead' && visit !== null && lying !== null && event.insertion === visit.insertion) {
      const owner = this.#owners.get(visit.session);
      if (owner === undefined) this.#owners.set(visit.session, lying);
      else if (owner !== lying) this.broken('two people mixed', `${visit.session} of ${owner} goes on with ${lying}`);
    }
    if (event.type === 'RequestSigned' && !this.requests.has(event.requestId))
      this.broken('lost: neither receipt nor expiry told', `${event.requestId}: signed, and not kept`);
    const isTold = state.name === 'awaitingResult' || state.name === 'showingResult';
    if (isTold && this.#toldOf !== state.visit.requestId + state.name) {
      this.#toldOf = state.visit.requestId + state.name;
      const requestId = state.visit.requestId ?? '';
      const request = this.requests.get(requestId);
      if (this.#verdictOf(requestId, disk) !== 'accepted')
        this.broken('receipt shown that the agent does not hold', requestId);
      if (request !== undefined && state.name === 'showingResult') {
        if (!request.shown) this.#accepted += 1;
        request.shown = true;
      }
    }
  }

  clinicTold(event: ClinicEvent): void {
    const requestId =
      event.type === 'receipt' ? event.receipt.requestId : event.type === 'request-expired' ? event.requestId : null;
    const request = requestId === null ? undefined : this.requests.get(requestId);
    if (request !== undefined) request.told = true;
    if (event.type === 'receipt' && event.receipt.verdict === 'accepted' && request !== undefined)
      request.accepted = true;
    if (event.type === 'receipt' && request !== undefined && request.row.documentHash !== event.receipt.documentHash)
      this.broken('two people mixed', `receipt of another document: ${requestId}`);
  }

  stored(row: OutboxRow): void {
    this.requests.set(row.requestId, { row, told: false, accepted: false, cancelled: false, shown: false });
    this.#sessionOf.set(row.requestId, row.session);
  }
  cancelled(requestId: string): void {
    const request = this.requests.get(requestId);
    if (request !== undefined) request.cancelled = true;
  }

  touched(model: ScreenModel, control: ControlId, session: Session | null, lying: VirtualCard | null): void {
    if (control === 'last-try-yes' && lying !== null) this.#triesOf(lying).saidYes = true;
    const visit = session === null ? null : visitOf(session.state);
    const question = visit?.questions?.[visit.questionIndex];
    if (visit === null || question === undefined || model.session !== visit.session) return;
    if (control !== 'agree' && control !== 'decline') return;
    if (question.kind !== 'consent-bundle' && question.kind !== 'consent-item') return;
    const topics = question.kind === 'consent-bundle' ? question.topics : [question.topic];
    const answers = this.#answers.get(visit.session) ?? new Map<string, boolean>();
    this.#answers.set(visit.session, answers);
    for (const { codes } of topics) for (const code of codes) answers.set(code, control === 'agree');
  }

  /** Digits and 決定, before the card that lies there */
  submitted(card: VirtualCard | null, digits: string): void {
    if (card !== null) this.#typed.set(card, { digits, left: 1 });
  }

  /** A VERIFY of four digits is a PIN's. */
  verified({ card, body }: SeenVerify, secret: string, session: string | null): void {
    if (body.length !== 4) return;
    const typed = this.#typed.get(card);
    if (typed === undefined || typed.left === 0) return this.broken('VERIFY without a submit', card.id);
    if (Buffer.from(body).toString('latin1') !== typed.digits)
      this.broken('VERIFY without a submit', `${card.id}: other digits than were typed`);
    typed.left -= 1;
    const tries = this.#triesOf(card);
    if (tries.wrong >= 2 && !tries.saidYes)
      this.broken('VERIFY without a submit', `${card.id}: the last try, without a yes`);
    const isRight = Buffer.from(body).toString('latin1') === secret;
    tries.wrong = isRight ? 0 : tries.wrong + 1;
    if (isRight) this.proven(session, 'pin');
    tries.saidYes = false;
  }

  /** The face matched, the PIN was right, staff said yes: in this session. */
  proven(session: string | null, method: 'face' | 'pin' | 'staff'): void {
    if (session === null) return;
    const methods = this.#proven.get(session) ?? new Set<string>();
    this.#proven.set(session, methods.add(method));
  }

  #triesOf(card: VirtualCard): { wrong: number; saidYes: boolean } {
    const tries = this.#tries.get(card) ?? { wrong: 0, saidYes: false };
    this.#tries.set(card, tries);
    return tries;
  }

  /** The photo that a face is compared with, or matched by. */
  compared(photoOf: string | null, lying: string | null): void {
    if (photoOf !== null && lying !== null && photoOf !== lying)
      this.broken('two people mixed', `${lying} is compared with the photo of ${photoOf}`);
  }

  /** What the national service is asked, for whom, with what consents. */
  checked(requestId: string, persona: string, choices: PatientChoices): void {
    const session = this.#sessionOf.get(requestId) ?? '';
    const owner = this.#owners.get(session);
    this.#checked.set(requestId, persona);
    if (owner !== undefined && owner !== persona)
      this.broken('two people mixed', `the service is asked about ${persona} in the visit of ${owner}`);
    this.#consentsAsGiven(requestId, session, choices.consents);
  }

  #consentsAsGiven(requestId: string, session: string, consents: readonly { code: string; given: boolean }[]): void {
    const answers = this.#answers.get(session);
    for (const { code, given } of consents)
      if (answers?.get(code) !== given)
        this.broken('consent sent that was not given', `${requestId}: ${code} ${given}, touched ${answers?.get(code)}`);
  }

  #verdictOf(requestId: string, disk: SimulatedDisk): unknown {
    return disk.prepare('SELECT verdict FROM request WHERE request_id = ?').get(requestId)?.verdict;
  }

  /** Whether anything is still on its way: time must pass before it is judged. */
  isOutstanding(disk: SimulatedDisk): boolean {
    for (const { told, cancelled } of this.requests.values()) if (!told && !cancelled) return true;
    const open = disk
      .prepare(
        "SELECT 1 FROM request WHERE verdict = 'accepted' AND handed_over_at IS NULL AND given_up_at IS NULL LIMIT 1",
      )
      .get();
    return open !== undefined;
  }

  /** When all is over: what is kept against what was told. `birthdates`: by persona, as the service has them */
  settle(disk: SimulatedDisk, folder: string, birthdates: ReadonlyMap<string, string>): void {
    const rows = disk.prepare('SELECT * FROM request').all() as unknown as Row[];
    const byId = new Map(rows.map((row) => [row.request_id, row]));
    for (const [requestId, request] of this.requests) this.#settleRequest(requestId, request, byId.get(requestId));
    this.#settleCounts(rows, disk);
    const { brokenAt } = new AuditChain(sqlOf(() => disk.database)).verify();
    if (brokenAt !== null) this.broken('records broken or left', `audit chain, entry ${brokenAt}`);
    const left =
      'SELECT count(*) AS rows FROM personal JOIN request USING (request_id) WHERE handed_over_at IS NOT NULL';
    const personal = Number(disk.prepare(left).get()?.rows);
    if (personal > 0) this.broken('records broken or left', `personal data of ${personal} that were handed over`);
    this.#settleFiles(rows, disk, folder, birthdates);
  }

  #settleRequest(requestId: string, { row, told, accepted, cancelled, shown }: Submitted, kept: Row | undefined): void {
    if (!told && !cancelled) this.broken('lost: neither receipt nor expiry told', requestId);
    if (accepted && kept?.verdict !== 'accepted')
      this.broken('receipt shown that the agent does not hold', `${requestId}, after all`);
    if (kept === undefined || kept.verdict !== 'accepted') return;
    if (this.#proven.get(kept.session)?.has(kept.method) !== true)
      this.broken('accepted without a verification', `${requestId}: ${kept.method}`);
    if (kept.document_hash !== row.documentHash) this.broken('two people mixed', `${requestId}: another document`);
    if (this.#hearsOfLate && !shown && kept.kind === 'eligibility' && kept.late_at === null)
      this.broken('left without the answer, and staff not told', requestId);
    if (kept.outcome === null) this.broken('a visit that does not end', `${requestId}: the agent has no outcome`);
    else if (kept.handed_over_at === null && kept.given_up_at === null)
      this.broken('a visit that does not end', `${requestId}: ${kept.outcome}, neither handed over nor given up`);
    const consents = JSON.parse(kept.consents) as Record<string, boolean>;
    this.#consentsAsGiven(
      requestId,
      kept.session,
      Object.entries(consents).map(([code, given]) => ({ code, given })),
    );
  }

  #settleCounts(rows: readonly Row[], disk: SimulatedDisk): void {
    const answered = ['eligible', 'not-eligible'];
    const visits = new Set(
      rows
        .filter(({ kind, outcome }) => kind === 'eligibility' && answered.includes(outcome ?? ''))
        .map((row) => row.session),
    );
    const counted = disk
      .prepare(
        "SELECT sum(times) AS times FROM usage WHERE kind = 'eligibility' AND outcome IN ('eligible', 'not-eligible')",
      )
      .get() as { times: number | null };
    if ((counted.times ?? 0) !== visits.size)
      this.broken('done twice', `${counted.times} counted, ${visits.size} visits`);
  }

  #settleFiles(rows: readonly Row[], disk: SimulatedDisk, path: string, birthdates: ReadonlyMap<string, string>): void {
    const files = disk.folder(path)?.now ?? new Map();
    const bySession = new Map<string, number>();
    const named = new Set<string>();
    for (const { request_id: requestId, session, file } of rows) {
      if (file === null) continue;
      named.add(file);
      bySession.set(session, (bySession.get(session) ?? 0) + 1);
      const text = Buffer.from(files.get(file)?.now ?? []).toString('latin1');
      if (!text.trimEnd().endsWith('</XmlMsg>'))
        this.broken('lost: neither receipt nor expiry told', `${file} is not whole`);
      const persona = this.#checked.get(requestId) ?? '';
      const birthdate = birthdates.get(persona);
      if (
        birthdate !== undefined &&
        text !== '' &&
        text.includes('<Birthdate>') &&
        !text.includes(`<Birthdate>${birthdate}<`)
      )
        this.broken('two people mixed', `${file} is not of ${persona}`);
    }
    for (const [session, times] of bySession) if (times > 1) this.broken('done twice', `${times} files of ${session}`);
    for (const name of files.keys())
      if (!name.startsWith('.') && !named.has(name)) this.broken('done twice', `${name}: a file of no visit`);
  }
}
