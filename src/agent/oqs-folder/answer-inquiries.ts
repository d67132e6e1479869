import { createHash, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { FailureCode } from '../../core/failure.ts';
import { formatJapanInstant } from '../../core/japan-time.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { describeError } from '../../log/event-log.ts';
import { readOqsXml } from '../../protocol/oqs/oqs-xml.ts';
import {
  type BulkUnit,
  bulkReception,
  bulkResult,
  type InquiryAnswer,
  inquiryResult,
  type SearchInfo,
} from '../../protocol/oqs/oqs-xml-inquiry.ts';
import {
  bulkFetchSchema,
  bulkInquirySchema,
  bulkReceptionSchema,
  bulkResultSchema,
  inquirySchema,
  qualificationMessageSchema,
  searchInfoSchema,
} from '../../protocol/oqs/oqs-xml-schema.ts';
import type { AgentContext } from '../agent-context.ts';
import type { FolderFault } from './hand-over.ts';
import { decodeOqs, encodeOqs } from './oqs-encoding.ts';
import { listShared, readShared, removeShared, renameShared } from './shared-folder.ts';
import { writeOqsFile } from './write-oqs-file.ts';

/** How often `req/` is looked into. ms */
const pollMs = 1_000;
/** A file that does not parse may still be being written; after this it counts as wrong. ms */
const settledMs = 3_000;
/** 5,000 inquiries have about 2 MB. */
const maximumBytes = 4_000_000;
/** While `res/` takes no file, the service is not asked again each time. ms */
const shutFolderMs = 5_000;
/** So many requests are looked at in one round; the rest in the next. */
const maximumNames = 1_000;
/** A 一括照会 that nobody fetches is forgotten after this. ms */
const bulkLifeMs = 24 * 60 * 60_000;

const requestName = /^(OQSsiquc01|OQSmuquc01|OQSmuquc02)req_([\w.-]{1,100})\.xml$/;

/** `atMs`: monotonic */
type Bulk = { readonly atMs: number; readonly units: BulkUnit[]; done: boolean };
/** What goes into `res/`, and what is over once it is there. */
type Answer = { readonly bytes: Uint8Array; readonly written?: () => void };

/**
 * Inquiries by number out of `req/`, answered in `res/` under the same name with res for req; the request file is then
 * deleted, so that its numbers do not lie about. A 一括照会 is received at once, worked off one by one, fetched once; its
 * questions stand in the journal until then, so that it is worked off after a restart, too.
 */
export class InquiryDesk {
  readonly #context: AgentContext;
  readonly #bulks = new Map<string, Bulk>();
  #folderFault: FolderFault | null = null;
  #oddFault: FolderFault | null = null;
  #timer: NodeJS.Timeout | null = null;
  #lookAgainMs = 0;
  #isResumed = false;
  #stopped = false;

  constructor(context: AgentContext) {
    this.#context = context;
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

  /** `res/` takes no answers: the questions wait in `req/`. Or something in `req/` has a request's name and is no file. */
  get folderFault(): FolderFault | null {
    return this.#folderFault ?? this.#oddFault;
  }

  /** One look at `req/`. A folder that is not there has no inquiries. */
  async poll(): Promise<void> {
    if (this.#context.clock.now().monotonicMs < this.#lookAgainMs) return;
    this.#resume();
    const folder = join(this.#context.options.oqsFolder, 'req');
    const names = await listShared(folder, (name) => requestName.test(name), maximumNames).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw error;
      },
    );
    let odd = 0;
    for (const name of names) {
      const match = requestName.exec(name);
      if (match?.[1] === undefined || match[2] === undefined || this.#stopped) continue;
      try {
        if (!(await this.#answer(folder, name, match[1], match[2]))) odd += 1;
      } catch (error) {
        // One request that cannot be read or taken away must not keep the others waiting.
        const { code } = error as NodeJS.ErrnoException;
        this.#context.log.event('store.failed', code === undefined ? {} : { errorCode: code });
      }
    }
    this.#tellOdd(odd);
    const { monotonicMs } = this.#context.clock.now();
    for (const [number, { atMs }] of this.#bulks) if (monotonicMs - atMs > bulkLifeMs) this.#bulks.delete(number);
  }

  /** Once: what stood in the journal when this process began. Asking again has the same effect. */
  #resume(): void {
    if (this.#isResumed) return;
    this.#isResumed = true;
    for (const { receptionNumber, questions } of this.#context.journal.bulkInquiries())
      this.#begin(receptionNumber, z.array(searchInfoSchema).parse(JSON.parse(questions)));
  }

  /** false: it is no file of its own, and stays unread. */
  async #answer(folder: string, name: string, kind: string, identifier: string): Promise<boolean> {
    const file = await readShared(folder, name, maximumBytes);
    if (file.kind === 'odd') return false;
    if (file.kind === 'gone') return true;
    const answer = await this.#answerTo(kind, name, decodeOqs(file.kind === 'file' ? file.bytes : new Uint8Array()));
    if (!answer.ok) {
      // Its date is another machine's, whose clock may be ahead of ours.
      if (Math.abs(Date.now() - file.modifiedMs) < settledMs) return true;
      // Nobody can answer what nobody can read; the file stays under another name for whoever wrote it.
      return renameShared(folder, name, `${name}.unreadable`).then(
        () => true,
        () => false,
      );
    }
    const written = await writeOqsFile(
      join(this.#context.options.oqsFolder, 'res'),
      `${kind}res_${identifier}.xml`,
      answer.value.bytes,
    );
    if (!written.ok) {
      this.#fault(written.failure.code);
      return true;
    }
    this.#folderFault = null;
    await removeShared(folder, name);
    answer.value.written?.();
    return true;
  }

  #tellOdd(count: number): void {
    if (count === (this.#oddFault?.waiting ?? 0)) return;
    const { clock, changed } = this.#context;
    const sinceMs = this.#oddFault?.sinceMs ?? clock.now().wallMs;
    this.#oddFault = count === 0 ? null : { folder: 'req', code: 'files.not-a-file', sinceMs, waiting: count };
    changed();
  }

  #fault(code: FailureCode): void {
    const { clock, changed } = this.#context;
    const sinceMs = this.#folderFault?.sinceMs ?? clock.now().wallMs;
    const known = this.#folderFault?.code === code;
    this.#folderFault = { folder: 'res', code, sinceMs, waiting: 1 };
    this.#lookAgainMs = clock.now().monotonicMs + shutFolderMs;
    if (!known) changed();
  }

  async #answerTo(kind: string, name: string, text: string): Promise<Result<Answer>> {
    if (kind === 'OQSsiquc01') return this.#inquire(text);
    return kind === 'OQSmuquc01' ? this.#receiveBulk(name, text) : this.#giveBulk(text);
  }

  async #inquire(text: string): Promise<Result<Answer>> {
    const read = readOqsXml(inquirySchema, text);
    if (!read.ok) return read;
    const answer = await this.#ask(read.value.MessageBody.QualificationConfirmSearchInfo);
    return this.#encode(qualificationMessageSchema, inquiryResult(read.value, answer, this.#institution, this.#now));
  }

  #receiveBulk(name: string, text: string): Result<Answer> {
    const read = readOqsXml(bulkInquirySchema, text);
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
    if (!this.#bulks.has(receptionNumber)) this.#begin(receptionNumber, questions);
    const identifier = read.value.MessageHeader.ArbitraryFileIdentifier ?? '';
    return this.#encode(bulkReceptionSchema, bulkReception(this.#institution, identifier, receptionNumber, this.#now));
  }

  #begin(receptionNumber: string, questions: readonly SearchInfo[]): void {
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
    const read = readOqsXml(bulkFetchSchema, text);
    if (!read.ok) return read;
    const { ReceptionNumber: receptionNumber } = read.value.MessageBody;
    const { journal } = this.#context;
    const isKnown = journal.bulkInquiries().some((bulk) => bulk.receptionNumber === receptionNumber);
    const bulk = isKnown ? this.#bulks.get(receptionNumber) : undefined;
    const unknown = { code: 'message.stale', message: '受付番号が見つかりません。もう一度照会してください。' };
    const answer = this.#encode(
      bulkResultSchema,
      bulkResult(
        this.#institution,
        receptionNumber,
        bulk?.done ? bulk.units : null,
        this.#now,
        isKnown ? undefined : unknown,
      ),
    );
    if (!answer.ok || !bulk?.done) return answer;
    const written = (): void => {
      journal.forgetBulk(receptionNumber);
      this.#bulks.delete(receptionNumber);
    };
    return ok({ bytes: answer.value.bytes, written });
  }

  async #ask(search: SearchInfo): Promise<InquiryAnswer> {
    const answer = await this.#context.service.inquire({
      insurerNumber: search.InsurerNumber,
      insuredIdentificationNumber: search.InsuredIdentificationNumber,
      ...(search.InsuredCardSymbol !== undefined && { insuredCardSymbol: search.InsuredCardSymbol }),
      ...(search.InsuredBranchNumber !== undefined && { insuredBranchNumber: search.InsuredBranchNumber }),
      ...(search.Birthdate !== undefined && { birthdate: search.Birthdate }),
    });
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

  get #now(): number {
    return this.#context.clock.now().wallMs;
  }
}
