import { type Failure, type FailureCode, failure } from '../../core/failure.ts';
import { formatJapanDate, japanDate } from '../../core/japan-time.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { describeError } from '../../log/event-log.ts';
import { faceFileName, faceMessage, type VisitForFile } from '../../protocol/oqs/oqs-xml-face.ts';
import { qualificationMessageSchemaOf } from '../../protocol/oqs/oqs-xml-schema.ts';
import type { AgentContext } from '../agent-context.ts';
import type { AgentPost } from '../agent-post.ts';
import { keepIfPossible } from '../disk-watch.ts';
import type { CardReference, EligibilityAnswer } from '../eligibility/eligibility-service.ts';
import type { LookupMemory } from '../intake/lookup-memory.ts';
import type { JournalVisit, Personal } from '../journal/journal.ts';
import type { Fresh } from '../journal/journal-schema.ts';
import type { Lease } from '../journal/leases.ts';
import type { DeviceEntry } from '../provisioning/agent-keys.ts';
import { folderTrouble } from './folder-trouble.ts';
import { encodeOqs } from './oqs-encoding.ts';
import { choicesOf, compare, hasFile, outcomeOf } from './outcome-of.ts';
import { askPause, lasting, patienceMs, retryPause, serviceAway, silenceMs } from './patience.ts';
import { putKeptNames } from './put-kept-names.ts';
import { noticesOf, type StaffNotice, soonEndOf } from './staff-notice.ts';
import { onceWriter, removeReady, writeOnce } from './write-once.ts';
import { writeOqsFile } from './write-oqs-file.ts';

/** A shared folder that takes no file, and how many results wait for it; `req`: so many entries are no files. */
export type FolderFault = {
  readonly folder: 'face' | 'req' | 'res';
  readonly code: FailureCode;
  readonly sinceMs: number;
  readonly waiting: number;
};

/**
 * What follows a receipt: ask the national service, compare the person, write the file for the レセコン, tell the
 * terminal. One run a request; after a crash the journal knows what is left, and asking again has the same effect.
 * While the service is down the patient waits a few seconds and is then told so; the question stands, and an answer that
 * comes later is written down, into its file and before the eyes of staff as late.
 * The patient is told as soon as the service has answered; a file whose folder is full waits, and staff see why.
 */
export class HandOver {
  readonly #context: AgentContext;
  readonly #post: AgentPost;
  readonly #memory: LookupMemory;
  readonly #running = new Set<string>();
  readonly #waitingFiles = new Set<string>();
  #folderFault: { code: FailureCode; sinceMs: number } | null = null;
  #looking = false;
  #stopped = false;

  constructor(context: AgentContext, post: AgentPost, memory: LookupMemory) {
    this.#context = context;
    this.#post = post;
    this.#memory = memory;
  }

  /** Known result: told again. Otherwise the work begins, unless it is going on. `fresh`: of a request that was recorded a moment ago */
  start(visit: JournalVisit, device: DeviceEntry, fresh?: Fresh): void {
    if (visit.outcome !== null) this.#tellAgain(visit, device);
    if (visit.handedOverAt !== null || visit.givenUpAt !== null || this.#running.has(visit.requestId)) return;
    const personal = fresh?.personal ?? this.#context.journal.personal(visit.requestId);
    if (personal) void this.#run(visit, personal, device, fresh?.lease);
  }

  /** What a crash, or a disk that was full, left undone; not what came within the last `youngMs`, which is on its way here. */
  resume(youngMs = 0): void {
    const { journal, devices, clock } = this.#context;
    const nowMs = clock.now().wallMs;
    for (const { visit, personal } of journal.unfinished()) {
      const device = devices().get(visit.device);
      const isYoung = Math.abs(nowMs - visit.receivedAt) < youngMs;
      if (device && !isYoung && !this.#running.has(visit.requestId)) void this.#run(visit, personal, device);
    }
  }

  /** What an agent that is there no more has left undone. */
  takeOver(): void {
    const { journal, devices } = this.#context;
    for (const requestId of journal.leases.orphans()) {
      const visit = journal.visit(requestId);
      const device = visit && devices().get(visit.device);
      if (device) this.start(visit, device);
    }
  }

  /** What has had its time goes; a request is given up in the same transaction: nobody would find it afterwards. */
  sweep(): void {
    const { journal, clock, devices, changed } = this.#context;
    const at = clock.now().wallMs;
    const overdue = journal.sweep((requestId) => {
      const visit = journal.visit(requestId);
      if (visit?.outcome === null) journal.finish(requestId, { outcome: 'failed', code: 'delivery.expired', at });
      journal.giveUp(requestId, at);
      if (hasFile(visit)) journal.rememberToday(requestId, { referenceNumber: '', notices: ['file-given-up'] }, at);
    });
    for (const visit of overdue.map((requestId) => journal.visit(requestId))) {
      const device = visit && devices().get(visit.device);
      if (device) this.#tellAgain(visit, device);
    }
    if (overdue.length > 0) changed();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Called now and then: a folder that takes no file is told before a patient's result waits for it. */
  async lookAtFolder(): Promise<void> {
    // A share that hangs holds one of the few threads for files, not one more with each look.
    if (this.#stopped || this.#looking || this.#waitingFiles.size > 0) return;
    this.#looking = true;
    const code = await folderTrouble(`${this.#context.options.oqsFolder}/face`);
    this.#looking = false;
    if (this.#stopped || this.#waitingFiles.size > 0) return;
    if (code !== null) return this.#fault(code);
    if (this.#folderFault === null) return;
    this.#folderFault = null;
    this.#context.changed();
  }

  get folderFault(): FolderFault | null {
    return this.#folderFault && { folder: 'face', ...this.#folderFault, waiting: this.#waitingFiles.size };
  }

  async #run(visit: JournalVisit, personal: Personal, device: DeviceEntry, given?: Lease): Promise<void> {
    const { journal, log, clock } = this.#context;
    const { requestId } = visit;
    const startedMs = clock.now().monotonicMs;
    this.#running.add(requestId);
    try {
      const lease = given ?? journal.leases.take(requestId, this.#context.keys().agent);
      if (lease === null) return;
      const answer = await this.#askUntilAnswered(visit, personal, device, lease);
      if (answer === null || this.#stopped) return;
      const finished = await this.#finish(visit, answer, lease);
      // Another agent has taken it over while this one stood still: it tells, and writes. Or its time ran out meanwhile.
      if (finished === null || finished.visit?.givenUpAt != null || this.#stopped) return;
      if (!finished.failedBefore) await this.#tell(finished.visit, device);
      if (!answer.ok) log.event('agent.service-failed', { request: requestId, code: answer.failure.code });
      const isFileDue = hasFile(finished.visit) && !finished.isAnsweredOtherwise;
      if (!isFileDue) await this.#end(lease, () => journal.handOver(requestId, clock.now().wallMs));
      // What was told before a restart the service does not say again: nobody can write it any more.
      else if (!answer.ok || answer.value === null) await this.#giveUpFile(lease, '', ['file-given-up']);
      else await this.#writeFile(visit, personal, answer.value, lease);
      log.event('agent.result-sent', {
        request: requestId,
        device: device.device,
        ms: clock.now().monotonicMs - startedMs,
      });
    } catch (error) {
      log.event('process.error', describeError(error));
    } finally {
      this.#running.delete(requestId);
      this.#context.changed();
    }
  }

  /**
   * Asks until the service says something that asking again would not change. Once the patient has waited long enough
   * the failure is told. A registration is not asked for any longer than that: its patient has to be there for what
   * follows it. null: the personal data outlived its time meanwhile, or another agent asks by now.
   */
  async #askUntilAnswered(
    visit: JournalVisit,
    personal: Personal,
    device: DeviceEntry,
    lease: Lease,
  ): Promise<Result<EligibilityAnswer | null> | null> {
    const { journal, clock, log } = this.#context;
    const { requestId } = visit;
    const begunMs = clock.now().monotonicMs;
    let isTold = visit.outcome !== null;
    for (let attempt = 0; !this.#stopped; attempt += 1) {
      const askedMs = clock.now().monotonicMs;
      const asked = this.#ask(visit, personal);
      if (!isTold && visit.kind !== 'registration')
        isTold = await this.#tellSilence(visit, device, asked, begunMs, lease);
      const answer = await asked;
      const ms = clock.now().monotonicMs - askedMs;
      log.event('agent.service-asked', { request: requestId, outcome: answer.ok ? 'ok' : 'failed', ms });
      if (answer.ok || !serviceAway.has(answer.failure.code)) return answer;
      // The next answer may take as long as this one. An interruption that the service names does not end in seconds.
      const nowMs = clock.now().monotonicMs;
      const isOverdue =
        lasting.has(answer.failure.code) || nowMs + askPause(attempt) + (nowMs - askedMs) > begunMs + patienceMs;
      if (isOverdue && visit.kind === 'registration') return answer;
      if (isOverdue && !isTold) {
        isTold = true;
        await this.#tellFailed(visit, device, answer.failure, lease);
      }
      await this.#wait(askPause(attempt));
      if (!journal.leases.holds(lease) || journal.personal(requestId) === undefined) return null;
    }
    return null;
  }

  async #tellFailed(visit: JournalVisit, device: DeviceEntry, why: Failure, lease: Lease): Promise<void> {
    const { log, changed } = this.#context;
    const finished = await this.#finish(visit, err(why), lease);
    if (finished === null) return;
    log.event('agent.service-failed', { request: visit.requestId, code: why.code });
    await this.#tell(finished.visit, device);
    changed();
  }

  /** null: another agent has taken it over, and nothing was written. */
  #finish(visit: JournalVisit, answer: Result<EligibilityAnswer | null>, lease: Lease) {
    const { journal, clock } = this.#context;
    const outcome = outcomeOf(visit, answer, clock.now().wallMs);
    return journal.together('soon', () => journal.finish(visit.requestId, outcome, lease));
  }

  /** Waits for the answer, or tells that there is none; true: it was told. Silence is the service's own if its address is reached. */
  async #tellSilence(
    visit: JournalVisit,
    device: DeviceEntry,
    asked: Promise<unknown>,
    begunMs: number,
    lease: Lease,
  ): Promise<boolean> {
    const { clock, service } = this.#context;
    let isAnswered = false;
    const answered = asked.then(() => {
      isAnswered = true;
    });
    await Promise.race([answered, this.#wait(Math.max(0, begunMs + silenceMs - clock.now().monotonicMs))]);
    const isReached = isAnswered || (await service.isReached());
    // It may have come while its address was tried.
    if (isAnswered || this.#stopped) return false;
    const code = isReached === null ? 'no-answer' : isReached ? 'unavailable' : 'line-down';
    await this.#tellFailed(visit, device, failure(`eligibility.${code}`, 'nothing said'), lease);
    return true;
  }

  /** null: there is nothing for a file (a registration, a test). */
  async #ask(visit: JournalVisit, personal: Personal): Promise<Result<EligibilityAnswer | null>> {
    const { service } = this.#context;
    if (visit.kind === 'test') return ok(null);
    const { authCertificate, certificateSerial } = personal;
    if (authCertificate === undefined || certificateSerial === undefined) return err(failure('card.unreadable'));
    const card: CardReference = {
      requestId: visit.requestId,
      certificateSerial,
      authCertificate: new Uint8Array(Buffer.from(authCertificate, 'base64url')),
    };
    const proxy = await this.#comparePerson(card, personal);
    if (!proxy.ok) return proxy;
    if (visit.kind === 'registration') {
      const registered = await service.register(card);
      return registered.ok ? ok(null) : registered;
    }
    const answer = await service.check(card, choicesOf(personal));
    if (!answer.ok) return answer;
    const same = compare(personal, answer.value);
    return same.ok ? answer : same;
  }

  /**
   * Face path: the signed 券面 against the person whom the service knows by this certificate, before the service is asked
   * to register, to keep consents, to open documents or to tell anything. What the visit's lookup told is enough; after
   * a restart it is asked once more.
   */
  async #comparePerson(card: CardReference, personal: Personal): Promise<Result<void>> {
    if (personal.birthdate === undefined) return ok(undefined);
    const known = this.#memory.personOf(card.certificateSerial, this.#context.clock.now().wallMs);
    if (known !== undefined) return compare(personal, known);
    const answer = await this.#context.service.lookup(card);
    return answer.ok ? compare(personal, answer.value.person) : answer;
  }

  /**
   * false: another agent has taken it over, and nothing was written; or we are stopped. Tried until the disk takes it: the file may
   * lie there, and the レセコン have it. Begun anew, the service would be asked again and the file laid there once more.
   */
  async #end(lease: Lease, work: () => void): Promise<boolean> {
    const { journal, disk } = this.#context;
    for (let attempt = 0; !this.#stopped; attempt += 1) {
      try {
        return await journal.together('forgotten', () => {
          const isOurs = journal.leases.holds(lease);
          if (isOurs) work();
          return isOurs;
        });
      } catch (error) {
        disk.failed(error);
        await this.#wait(retryPause(attempt));
      }
    }
    return false;
  }

  async #writeFile(visit: JournalVisit, personal: Personal, answer: EligibilityAnswer, lease: Lease): Promise<void> {
    const { journal, clock, options, settings, catalogues, trust } = this.#context;
    const { requestId, lane, receivedAt } = visit;
    // A consent opens what it opened on the day it was given, though a notice came into force meanwhile.
    const known = personal.catalogueVersion === undefined ? undefined : catalogues.ofVersion(personal.catalogueVersion);
    const rules = (known ?? catalogues.at(receivedAt)).consents;
    const { pendingDocuments } = rules.kinds[settings().institutionType];
    const forFile: VisitForFile = {
      requestId,
      lane,
      confirmedAt: receivedAt,
      medicalInstitutionCode: settings().medicalInstitutionCode,
      ...(trust.isTest && { isTest: true }),
      consents: personal.consentTimes,
      rules,
      ...(personal.limitApplication && { limitApplicationAt: receivedAt }),
      ...(personal.prescriptionForm && { prescriptionForm: personal.prescriptionForm }),
    };
    const { answer: named, open: openNames, differs, isUsed } = putKeptNames(answer, journal.names);
    const encoded = encodeOqs(
      qualificationMessageSchemaOf(rules.prefixes),
      faceMessage(forFile, named),
      options.encoding,
    );
    const notices = noticesOf(answer, choicesOf(personal), encoded.ok ? encoded.value.notes : [], pendingDocuments);
    if (differs) notices.push('kept-name-differs');
    const end = soonEndOf(visit, personal);
    if (end !== null) notices.push(`certificate:${end.state}:${formatJapanDate(japanDate(end.atMs))}`);
    if (!encoded.ok) return await this.#giveUpFile(lease, answer.referenceNumber, [...notices, 'file-not-writable']);
    const name = faceFileName(forFile);
    const written = await this.#writeWhenPossible(lease, name, encoded.value.bytes);
    if (this.#stopped || written === 'lost') return;
    if (written === 'never')
      return await this.#giveUpFile(lease, answer.referenceNumber, [...notices, 'file-given-up']);
    const at = clock.now().wallMs;
    const isOurs = await this.#end(lease, () => {
      journal.handOver(requestId, at, name);
      journal.rememberToday(requestId, { referenceNumber: answer.referenceNumber, notices, openNames }, at);
      if (answer.referenceNumber !== '')
        journal.certificateEnds.see(answer.referenceNumber, end?.atMs ?? null, receivedAt);
    });
    if (!isOurs) return;
    if (isUsed) keepIfPossible(this.#context.disk, () => journal.names.used(answer.referenceNumber));
    this.#context.log.event('agent.file-written', { request: requestId, file: name });
  }

  /** Tries until the folder takes the file; `never` once the personal data of the visit has outlived its time. */
  async #writeWhenPossible(lease: Lease, name: string, bytes: Uint8Array): Promise<'written' | 'lost' | 'never'> {
    const { journal, options } = this.#context;
    const { requestId } = lease;
    const folder = `${options.oqsFolder}/face`;
    this.#waitingFiles.add(requestId);
    const once = onceWriter(journal);
    let written: 'written' | 'lost' | 'never' = 'never';
    for (let attempt = 0; !this.#stopped && written === 'never'; attempt += 1) {
      const result = journal.leases.isShared
        ? await writeOnce(folder, name, bytes, lease, once)
        : await writeOqsFile(folder, name, bytes);
      if (result.ok) written = result.value ?? 'written';
      else {
        this.#fault(result.failure.code);
        await this.#wait(retryPause(attempt));
        if (journal.personal(requestId) === undefined) break;
      }
    }
    if (journal.leases.isShared && written === 'never' && !this.#stopped) await removeReady(folder, lease);
    this.#waitingFiles.delete(requestId);
    if (this.#waitingFiles.size === 0) this.#folderFault = null;
    return written;
  }

  async #giveUpFile(lease: Lease, referenceNumber: string, notices: readonly StaffNotice[]): Promise<void> {
    const { clock, journal } = this.#context;
    const at = clock.now().wallMs;
    await this.#end(lease, () => {
      journal.giveUp(lease.requestId, at);
      journal.rememberToday(lease.requestId, { referenceNumber, notices }, at);
    });
  }

  #fault(code: FailureCode): void {
    const { clock, changed } = this.#context;
    if (this.#folderFault?.code === code) return;
    this.#folderFault = { code, sinceMs: this.#folderFault?.sinceMs ?? clock.now().wallMs };
    changed();
  }

  #wait(milliseconds: number): Promise<void> {
    const { clock } = this.#context;
    return new Promise((resolve) => clock.wakeAt(clock.now().monotonicMs + milliseconds, resolve));
  }

  /** Beside other work; what goes wrong is asked for again by the terminal. */
  #tellAgain(visit: JournalVisit | undefined, device: DeviceEntry): void {
    this.#tell(visit, device).catch((error) => this.#context.log.event('process.error', describeError(error)));
  }

  async #tell(visit: JournalVisit | undefined, device: DeviceEntry): Promise<void> {
    if (visit?.outcome == null) return;
    const { requestId, outcome, code, qualificationValidity } = visit;
    const message = {
      requestId,
      outcome,
      ...(qualificationValidity !== null && { qualificationValidity }),
      ...(code !== null && { code }),
    };
    await this.#post.sealed(device, 'result', message, requestId);
  }
}
