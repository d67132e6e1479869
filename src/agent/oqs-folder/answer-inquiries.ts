import { createHash, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { type Failure, type FailureCode, failure } from '../../core/failure.ts';
import { formatJapanInstant } from '../../core/japan-time.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { dayMs } from '../../core/time-units.ts';
import { describeError } from '../../log/event-log.ts';
import { readForeignOqsXml } from '../../protocol/oqs/oqs-xml.ts';
import {
  type BulkUnit,
  bulkReception,
  bulkResult,
  type InquiryAnswer,
  inquiryResult,
  plainResult,
  type SearchInfo,
} from '../../protocol/oqs/oqs-xml-inquiry.ts';
import {
  bulkFetchSchema,
  bulkInquirySchema,
  bulkReceptionSchema,
  bulkResultSchema,
  inquirySchema,
  plainResultSchema,
  qualificationMessageSchema,
  searchInfoSchema,
} from '../../protocol/oqs/oqs-xml-schema.ts';
import type { InquiryContext } from '../agent-context.ts';
import { keepIfPossible, unlessDiskRefuses } from '../disk-watch.ts';
import type { FolderFault } from './hand-over.ts';
import { HeldRequests } from './held-requests.ts';
import { namePassedOver } from './name-passed-over.ts';
import { numberInquiryOf } from './number-inquiry.ts';
import { decodeOqs, encodeOqs } from './oqs-encoding.ts';
import { putKeptNames } from './put-kept-names.ts';
import { registerReferences } from './register-references.ts';
import {
  asideName,
  isBrokenName,
  isStrange,
  isUnreadable,
  type RequestFile,
  requestOf,
  requestsInTurn,
  strangersIn,
} from './request-files.ts';
import { isFolderShared, listShared, readShared, removeShared, renameShared } from './shared-folder.ts';
import { folderFailureOf, writeOqsFile } from './write-oqs-file.ts';

/** How often `req/` is looked into. ms */
const pollMs = 1_000;
/** A file that does not parse may still be being written; after this it counts as wrong. ms */
const settledMs = 3_000;
/** 5,000 inquiries have about 2 MB. */
const maximumBytes = 4_000_000;
/** While `res/` takes no file, the service is not asked again each time. ms */
const shutFolderMs = 5_000;
/** So many requests are looked at in one round, of so many that are listed: links must hide none that can be answered. */
const [maximumNames, maximumListed] = [1_000, 50_000];
/** So many entries that are no request's are looked at in one round: enough to be told of. */
const maximumStrangers = 50;
/** A 一括照会 that nobody fetches is forgotten after this. ms */
const bulkLifeMs = dayMs;

type LyingCode = Extract<
  FailureCode,
  'files.in-use' | 'files.not-a-file' | 'files.request-unreadable' | 'files.request-unknown'
>;

/** `atMs`: monotonic */
type Bulk = { readonly atMs: number; readonly units: BulkUnit[]; done: boolean };
/** What goes into `res/`. `over`: once its request is gone, for whoever begins anew before that answers it once more. */
type Answer = { readonly bytes: Uint8Array; readonly over?: () => void };

/**
 * Inquiries by number out of `req/`, answered in `res/` under the same name with res for req; the request file is then
 * deleted, so that its numbers do not lie about. A 一括照会 is received at once, worked off one by one, fetched once; its
 * questions stand in the journal until then, so that it is worked off after a restart, too. Of several agents one answers.
 */
export class InquiryDesk {
  readonly #context: InquiryContext;
  readonly #isOurs: () => boolean;
  readonly #bulks = new Map<string, Bulk>();
  #folderFault: FolderFault | null = null;
  /** `req/` itself cannot be looked into: nobody's inquiry is seen. */
  #requestsFault: FolderFault | null = null;
  readonly #held = new HeldRequests();
  readonly #lying = new Map<string, FolderFault>();
  readonly #passOver: ReturnType<typeof namePassedOver>;
  readonly #odd = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #lookAgainMs = 0;
  #wasOurs = false;
  #stopped = false;

  constructor(context: InquiryContext, isOurs = () => true) {
    this.#context = context;
    this.#isOurs = isOurs;
    this.#passOver = namePassedOver(context.log);
  }

  start(): void {
    const next = async (): Promise<void> => {
      await this.poll().catch((error: NodeJS.ErrnoException) => {
        this.#context.log.event('store.failed', error.code === undefined ? {} : { errorCode: error.code });
      });
      if (!this.#stopped) this.#timer = setTimeout(() => void next(), pollMs);
    };
    void next();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  /**
   * `req/` is away or a link: questions are not seen. `res/` takes no answers: the questions wait in `req/`. Or something
   * in `req/` has a request's name and is no file.
   */
  get folderFaults(): readonly FolderFault[] {
    return [this.#requestsFault, this.#folderFault, ...this.#lying.values()].filter((fault) => fault !== null);
  }

  /** One look at `req/`. A folder that cannot be looked into has no inquiries, and is told. */
  async poll(): Promise<void> {
    if (this.#monotonicMs < this.#lookAgainMs || !this.#isOurTurn()) return;
    const folder = join(this.#context.options.oqsFolder, 'req');
    // Each kind by itself: whatever else lies there takes no request's place.
    const found = await Promise.all([
      listShared(folder, (name) => requestOf(name) !== null, maximumListed),
      listShared(folder, isUnreadable, maximumNames),
      listShared(folder, isStrange, maximumStrangers),
    ]).then(
      (lists) => {
        this.#tellRequests(null);
        return lists;
      },
      (error: unknown) => {
        this.#tellRequests(folderFailureOf(error));
        return [];
      },
    );
    const [names = [], unreadable = [], strange = []] = found;
    let blocked = 0;
    for (const request of requestsInTurn(names, this.#odd, maximumNames)) {
      if (this.#stopped || !this.#held.isDue(request.name, this.#monotonicMs)) continue;
      try {
        if (await this.#isBlocked(request)) blocked += 1;
        else if (await this.#answer(folder, request)) this.#odd.delete(request.name);
        else this.#odd.add(request.name);
      } catch (error) {
        if (this.#held.hold(request.name, error, this.#monotonicMs)) continue;
        // One request that cannot be read or taken away must not keep the others waiting.
        const { code } = error as NodeJS.ErrnoException;
        this.#context.log.event('store.failed', code === undefined ? {} : { errorCode: code });
        this.#odd.add(request.name);
      }
    }
    this.#tellLying('req', 'files.in-use', this.#held.count(new Set(names), this.#monotonicMs));
    this.#tellLying('req', 'files.not-a-file', this.#odd.size);
    this.#tellLying('res', 'files.not-a-file', blocked);
    this.#tellLying('req', 'files.request-unreadable', unreadable.length);
    this.#tellLying('req', 'files.request-unknown', await strangersIn(folder, strange, settledMs));
    for (const [number, { atMs }] of this.#bulks) if (this.#monotonicMs - atMs > bulkLifeMs) this.#bulks.delete(number);
  }

  /** As a turn begins, what stands in the journal: whoever received it may be gone. Asking again has the same effect. */
  #isOurTurn(): boolean {
    const isOurs = this.#isOurs();
    for (const { receptionNumber, questions } of isOurs && !this.#wasOurs ? this.#context.journal.bulkInquiries() : [])
      this.#begin(receptionNumber, z.array(searchInfoSchema).parse(JSON.parse(questions)));
    this.#wasOurs = isOurs;
    return isOurs;
  }

  /** A folder lies in `res/` under the answer's name: nobody is asked for an answer that cannot be put there. */
  async #isBlocked({ resultName }: RequestFile): Promise<boolean> {
    const res = join(this.#context.options.oqsFolder, 'res');
    return isFolderShared(res, resultName).catch(() => false);
  }

  /** false: it is no file of its own, and stays unread. */
  async #answer(folder: string, request: RequestFile): Promise<boolean> {
    const file = await readShared(folder, request.name, maximumBytes);
    if (file.kind === 'odd') return false;
    if (file.kind === 'gone') return !isBrokenName(request.name);
    const what = file.kind === 'file' ? createHash('sha256').update(file.bytes).digest('hex') : `${file.modifiedMs}`;
    if (this.#held.hasAnswer(request.name, `${what} read`)) return this.#takeAway(folder, request, true);
    if (this.#held.hasAnswer(request.name, `${what} unread`)) return this.#takeAway(folder, request, false);
    const text = file.kind === 'file' ? decodeOqs(file.bytes) : err(failure('message.malformed', 'OQS XML: too long'));
    const { disk } = this.#context;
    // What our own disk refuses is no fault of the request: it waits, and staff see why.
    const answer = text.ok ? await unlessDiskRefuses(disk, () => this.#answerTo(request, text.value)) : text;
    if (answer === null) return true;
    // It may still be being written. Its date is another machine's, whose clock may be ahead of ours.
    if (!answer.ok && Math.abs(Date.now() - file.modifiedMs) < settledMs) return true;
    const result = answer.ok ? answer.value : this.#faultAnswer(request, answer.failure);
    if (result === null) return true;
    const res = join(this.#context.options.oqsFolder, 'res');
    const written = await writeOqsFile(res, request.resultName, result.bytes);
    if (!written.ok) {
      // An older answer of that name is open somewhere, or a folder came under it: the other answers find their place.
      if (written.failure.code === 'files.in-use') this.#held.wait(request.name, this.#monotonicMs);
      else if (written.failure.code !== 'files.not-a-file') this.#fault(written.failure.code);
      return true;
    }
    this.#folderFault = null;
    this.#held.answered(request.name, `${what} ${answer.ok ? 'read' : 'unread'}`, result.over);
    return this.#takeAway(folder, request, answer.ok);
  }

  /** Answered: it goes, or is kept under another name for whoever has to see why it could not be read. Throws. */
  async #takeAway(folder: string, { name }: RequestFile, wasRead: boolean): Promise<true> {
    if (wasRead) await removeShared(folder, name);
    else await renameShared(folder, name, asideName(name));
    keepIfPossible(this.#context.disk, this.#held.free(name));
    return true;
  }

  /** What cannot be read is answered all the same: with the fault by element names, never with a value. */
  #faultAnswer({ kind, known }: RequestFile, { detail }: Failure): Answer | null {
    const about = { institutionCode: this.#institution, identifier: '', kind };
    const reason = `${known === null ? 'この種類の照会には対応していません。' : '照会ファイルを読み取れません。'}${detail ?? ''}`;
    const code = known === null ? 'files.request-unknown' : 'files.request-unreadable';
    this.#context.log.event('agent.request-file', { code });
    const message = plainResult(about, [], this.#now, { code, message: reason.slice(0, 400) });
    const encoded = this.#encode(plainResultSchema, message);
    return encoded.ok ? encoded.value : null;
  }

  /**
   * What lies in `req/` and is no request, or was none that anybody could read, or in `res/` in an answer's place: told as
   * long as it lies there.
   */
  #tellLying(folder: 'req' | 'res', code: LyingCode, count: number): void {
    const key = `${folder} ${code}`;
    const known = this.#lying.get(key);
    if (count === (known?.waiting ?? 0)) return;
    const { clock, changed, log } = this.#context;
    if (count === 0) this.#lying.delete(key);
    else this.#lying.set(key, { folder, code, sinceMs: known?.sinceMs ?? clock.now().wallMs, waiting: count });
    if (count > 0 && code === 'files.request-unknown') log.event('agent.request-file', { code });
    changed();
  }

  #tellRequests(code: FailureCode | null): void {
    const known = this.#requestsFault;
    if (code === (known?.code ?? null)) return;
    const { clock, changed, log } = this.#context;
    const sinceMs = known?.sinceMs ?? clock.now().wallMs;
    this.#requestsFault = code && { folder: 'req', code, sinceMs, waiting: 0 };
    if (code) log.event('agent.request-file', { code });
    changed();
  }

  #fault(code: FailureCode): void {
    const { clock, changed } = this.#context;
    const sinceMs = this.#folderFault?.sinceMs ?? clock.now().wallMs;
    const known = this.#folderFault?.code === code;
    this.#folderFault = { folder: 'res', code, sinceMs, waiting: 1 };
    this.#lookAgainMs = this.#monotonicMs + shutFolderMs;
    if (!known) changed();
  }

  async #answerTo({ name, known }: RequestFile, text: string): Promise<Result<Answer>> {
    switch (known) {
      case 'OQSsiquc01':
        return this.#inquire(text);
      case 'OQSmuquc01':
        return this.#receiveBulk(name, text);
      case 'OQSmuquc02':
        return this.#giveBulk(text);
      case 'OQSsiimm01':
      case 'OQSmuimm01':
        return this.#register(known, text);
      case null:
        return err(failure('message.malformed'));
    }
  }

  async #register(kind: 'OQSsiimm01' | 'OQSmuimm01', text: string): Promise<Result<Answer>> {
    const registered = await registerReferences(text, kind === 'OQSmuimm01', this.#context.service);
    if (!registered.ok) return registered;
    const { identifier, units, unknown } = registered.value;
    this.#passOver(unknown);
    const about = { institutionCode: this.#institution, identifier, kind };
    const failed = kind === 'OQSsiimm01' ? units[0]?.failure : undefined;
    return this.#encode(plainResultSchema, plainResult(about, units, this.#now, failed));
  }

  async #inquire(text: string): Promise<Result<Answer>> {
    const read = this.#read(inquirySchema, text);
    if (!read.ok) return read;
    const { names } = this.#context.journal;
    const answer = await this.#ask(read.value.MessageBody.QualificationConfirmSearchInfo);
    const filled = answer.ok ? putKeptNames(answer.value, names) : null;
    const told = filled === null ? answer : ok(filled.answer);
    const result = this.#encode(
      qualificationMessageSchema,
      inquiryResult(read.value, told, this.#institution, this.#now),
    );
    if (!result.ok || !filled?.isUsed) return result;
    return ok({ ...result.value, over: () => names.used(filled.answer.referenceNumber) });
  }

  #read<S extends z.ZodObject>(schema: S, text: string): Result<z.infer<S>> {
    const read = readForeignOqsXml(schema, text);
    if (!read.ok) return read;
    this.#passOver(read.value.unknown);
    return ok(read.value.value);
  }

  #receiveBulk(name: string, text: string): Result<Answer> {
    const read = this.#read(bulkInquirySchema, text);
    if (!read.ok) return read;
    const questions = read.value.MessageBody.QualificationConfirmSearchInfo;
    const receptionNumber = this.#context.journal.receiveBulk(
      {
        receptionNumber: `${formatJapanInstant(this.#now)}${randomInt(1e6).toString().padStart(6, '0')}`,
        source: `${name} ${createHash('sha256').update(text).digest('base64url')}`,
        questions: JSON.stringify(questions),
      },
      bulkLifeMs,
    );
    this.#begin(receptionNumber, questions);
    const identifier = read.value.MessageHeader.ArbitraryFileIdentifier ?? '';
    return this.#encode(bulkReceptionSchema, bulkReception(this.#institution, identifier, receptionNumber, this.#now));
  }

  #begin(receptionNumber: string, questions: readonly SearchInfo[]): void {
    if (this.#bulks.has(receptionNumber)) return;
    const bulk: Bulk = { atMs: this.#context.clock.now().monotonicMs, units: [], done: false };
    this.#bulks.set(receptionNumber, bulk);
    this.#workOff(bulk, questions).catch((error) => {
      this.#context.log.event('process.error', describeError(error));
      this.#bulks.delete(receptionNumber);
    });
  }

  async #workOff(bulk: Bulk, questions: readonly SearchInfo[]): Promise<void> {
    for (const search of questions) {
      if (this.#stopped) return;
      bulk.units.push({ search, answer: await this.#ask(search) });
    }
    bulk.done = true;
  }

  #giveBulk(text: string): Result<Answer> {
    const read = this.#read(bulkFetchSchema, text);
    if (!read.ok) return read;
    const { ReceptionNumber: receptionNumber } = read.value.MessageBody;
    const { journal } = this.#context;
    const isKnown = journal.bulkInquiries().some((bulk) => bulk.receptionNumber === receptionNumber);
    const bulk = isKnown ? this.#bulks.get(receptionNumber) : undefined;
    const units = bulk?.done ? bulk.units : null;
    const unknown = { code: 'message.stale', message: '受付番号が見つかりません。もう一度照会してください。' };
    const fault = isKnown ? undefined : unknown;
    const result = bulkResult(this.#institution, receptionNumber, units, this.#now, fault);
    const answer = this.#encode(bulkResultSchema, result);
    if (!answer.ok || !bulk?.done) return answer;
    const over = (): void => {
      journal.forgetBulk(receptionNumber);
      this.#bulks.delete(receptionNumber);
    };
    return ok({ bytes: answer.value.bytes, over });
  }

  async #ask(search: SearchInfo): Promise<InquiryAnswer> {
    const answer = await this.#context.service.inquire(numberInquiryOf(search));
    if (answer.ok) return answer;
    // Nobody with this number is an answer, not a fault: 4 該当資格なし.
    if (answer.failure.code === 'eligibility.not-found')
      return { ok: true, value: { qualificationValidity: 4, qualifications: [], referenceNumber: '' } };
    const { code } = answer.failure;
    return { ok: false, failure: { code, message: '資格を確認できませんでした。' } };
  }

  #encode<S extends z.ZodObject>(
    schema: S,
    message: z.infer<S> & { MessageHeader: { CharacterCodeIdentifier?: string | undefined } },
  ): Result<Answer> {
    const encoded = encodeOqs(schema, message, this.#context.options.encoding);
    return encoded.ok ? ok({ bytes: encoded.value.bytes }) : err(encoded.failure);
  }

  get #institution(): string {
    return this.#context.settings().medicalInstitutionCode;
  }

  get #monotonicMs(): number {
    return this.#context.clock.now().monotonicMs;
  }

  get #now(): number {
    return this.#context.clock.now().wallMs;
  }
}
