import { randomInt } from 'node:crypto';
import { readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { FailureCode } from '../core/failure.ts';
import { formatJapanInstant } from '../core/japan-time.ts';
import { err, ok, type Result } from '../core/result.ts';
import { readOqsXml } from '../protocol/oqs-xml.ts';
import {
  type BulkUnit,
  bulkReception,
  bulkResult,
  type InquiryAnswer,
  inquiryResult,
  type SearchInfo,
} from '../protocol/oqs-xml-inquiry.ts';
import {
  bulkFetchSchema,
  bulkInquirySchema,
  bulkReceptionSchema,
  bulkResultSchema,
  inquirySchema,
  qualificationMessageSchema,
} from '../protocol/oqs-xml-schema.ts';
import type { AgentContext } from './agent-context.ts';
import type { FolderFault } from './hand-over.ts';
import { decodeOqs, encodeOqs } from './oqs-encoding.ts';
import { writeOqsFile } from './write-oqs-file.ts';

/** How often `req/` is looked into. ms */
const pollMs = 1_000;
/** A file that does not parse may still be being written; after this it counts as wrong. ms */
const settledMs = 3_000;
/** 5,000 inquiries have about 2 MB. */
const maximumBytes = 4_000_000;
/** The result of a 一括照会 that nobody fetches is forgotten after this. ms */
const bulkLifeMs = 24 * 60 * 60_000;

const requestName = /^(OQSsiquc01|OQSmuquc01|OQSmuquc02)req_([\w.-]{1,100})\.xml$/;

type Bulk = { readonly atMs: number; readonly units: BulkUnit[]; done: boolean };

/**
 * Inquiries by number out of `req/`, answered in `res/` under the same name with res for req; the request file is then
 * deleted, so that its numbers do not lie about. A 一括照会 is received at once, worked off one by one, fetched once.
 */
export class InquiryDesk {
  readonly #context: AgentContext;
  readonly #bulks = new Map<string, Bulk>();
  #folderFault: FolderFault | null = null;
  #timer: NodeJS.Timeout | null = null;
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

  /** `res/` takes no answers: the questions wait in `req/`. */
  get folderFault(): FolderFault | null {
    return this.#folderFault;
  }

  /** One look at `req/`. A folder that is not there has no inquiries. */
  async poll(): Promise<void> {
    const folder = join(this.#context.options.oqsFolder, 'req');
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    for (const name of names.sort()) {
      const match = requestName.exec(name);
      if (match?.[1] !== undefined && match[2] !== undefined && !this.#stopped)
        await this.#answer(folder, name, match[1], match[2]);
    }
    const now = this.#context.clock.now().wallMs;
    for (const [number, { atMs }] of this.#bulks) if (now - atMs > bulkLifeMs) this.#bulks.delete(number);
  }

  async #answer(folder: string, name: string, kind: string, identifier: string): Promise<void> {
    const path = join(folder, name);
    const { size, mtimeMs } = await stat(path);
    const bytes = size > maximumBytes ? new Uint8Array() : await readFile(path);
    const encoded = await this.#encodedAnswer(kind, decodeOqs(bytes));
    if (!encoded.ok) {
      if (Date.now() - mtimeMs < settledMs) return;
      // Nobody can answer what nobody can read; the file stays under another name for whoever wrote it.
      await writeOqsFile(folder, `${name}.unreadable`, bytes);
      await unlink(path);
      return;
    }
    const written = await writeOqsFile(
      join(this.#context.options.oqsFolder, 'res'),
      `${kind}res_${identifier}.xml`,
      encoded.value,
    );
    if (written.ok) {
      this.#folderFault = null;
      await unlink(path);
    } else this.#fault(written.failure.code);
  }

  #fault(code: FailureCode): void {
    const { clock, changed } = this.#context;
    const sinceMs = this.#folderFault?.sinceMs ?? clock.now().wallMs;
    const known = this.#folderFault?.code === code;
    this.#folderFault = { folder: 'res', code, sinceMs, waiting: 1 };
    if (!known) changed();
  }

  async #encodedAnswer(kind: string, text: string): Promise<Result<Uint8Array>> {
    if (kind === 'OQSsiquc01') return this.#inquire(text);
    return kind === 'OQSmuquc01' ? this.#receiveBulk(text) : this.#giveBulk(text);
  }

  async #inquire(text: string): Promise<Result<Uint8Array>> {
    const read = readOqsXml(inquirySchema, text);
    if (!read.ok) return read;
    const answer = await this.#ask(read.value.MessageBody.QualificationConfirmSearchInfo);
    return this.#encode(qualificationMessageSchema, inquiryResult(read.value, answer, this.#institution, this.#now));
  }

  async #receiveBulk(text: string): Promise<Result<Uint8Array>> {
    const read = readOqsXml(bulkInquirySchema, text);
    if (!read.ok) return read;
    const receptionNumber = `${formatJapanInstant(this.#now)}${randomInt(1e6).toString().padStart(6, '0')}`;
    const bulk: Bulk = { atMs: this.#now, units: [], done: false };
    this.#bulks.set(receptionNumber, bulk);
    void this.#workOff(bulk, read.value.MessageBody.QualificationConfirmSearchInfo);
    const identifier = read.value.MessageHeader.ArbitraryFileIdentifier ?? '';
    return this.#encode(bulkReceptionSchema, bulkReception(this.#institution, identifier, receptionNumber, this.#now));
  }

  async #workOff(bulk: Bulk, searches: readonly SearchInfo[]): Promise<void> {
    for (const search of searches) {
      if (this.#stopped) return;
      bulk.units.push({ search, answer: await this.#ask(search) });
    }
    bulk.done = true;
  }

  async #giveBulk(text: string): Promise<Result<Uint8Array>> {
    const read = readOqsXml(bulkFetchSchema, text);
    if (!read.ok) return read;
    const { ReceptionNumber: receptionNumber } = read.value.MessageBody;
    const bulk = this.#bulks.get(receptionNumber);
    const unknown = { code: 'message.stale', message: '受付番号が見つかりません。もう一度照会してください。' };
    const encoded = this.#encode(
      bulkResultSchema,
      bulkResult(
        this.#institution,
        receptionNumber,
        bulk?.done ? bulk.units : null,
        this.#now,
        bulk === undefined ? unknown : undefined,
      ),
    );
    if (encoded.ok && bulk?.done) this.#bulks.delete(receptionNumber);
    return encoded;
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
  ): Result<Uint8Array> {
    const encoded = encodeOqs(schema, message, this.#context.options.encoding);
    return encoded.ok ? ok(encoded.value.bytes) : err(encoded.failure);
  }

  get #institution(): string {
    return this.#context.settings().medicalInstitutionCode;
  }

  get #now(): number {
    return this.#context.clock.now().wallMs;
  }
}
