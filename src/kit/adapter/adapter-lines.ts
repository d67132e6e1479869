import { z } from 'zod';
import type {
  CardReference,
  EligibilityAnswer,
  EligibilityService,
  LookupAnswer,
  NumberInquiry,
  PatientChoices,
} from '../../agent/eligibility/eligibility-service.ts';
import { failure, isFailureCode } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { toBase64url } from '../../protocol/base64url.ts';
import { qualificationSchema } from '../../protocol/oqs/oqs-xml-schema.ts';
import { pendingDocumentSchema } from '../../wire/messages.ts';

/*
 * The eligibility-service port for an adapter in a process of its own: JSON, one line a call on its standard input, one line
 * an answer on its standard output, in any order. Standard error is its own. So it can be C# on the 資格確認端末.
 *   {"id":1,"call":"lookup","card":{"certificateSerial":"5E570001","authCertificate":"MIID…","requestId":"…"}}
 *   {"id":1,"ok":true,"value":{…}}        or   {"id":1,"ok":false,"code":"eligibility.not-found"}
 */

const person = { birthdate: z.string().regex(/^\d{8}$/), sex: z.enum(['1', '2', '3']) };
const lookupSchema = z.strictObject({
  registered: z.enum(['yes', 'no', 'unknown']),
  certificateStatus: z.enum(['good', 'revoked', 'unknown']),
  medicalSubsidy: z.boolean(),
  specificDisease: z.boolean().exactOptional(),
  pendingDocuments: z.array(pendingDocumentSchema),
  waitingPrescriptions: z.array(pendingDocumentSchema),
  person: z.strictObject(person),
}) satisfies z.ZodType<LookupAnswer>;
const answerSchema = z.strictObject({
  ...person,
  certificateStatus: z.enum(['good', 'revoked']),
  qualificationValidity: z.union([1, 2, 3, 4, 5, 6].map((value) => z.literal(value as 1 | 2 | 3 | 4 | 5 | 6))),
  consentSituation: z.enum(['at-counter', 'lapsed', 'not-obtainable']),
  referenceNumber: z.string().max(50),
  processingResult: z.strictObject({ code: z.string(), message: z.string() }).optional(),
  qualifications: z.array(qualificationSchema),
}) satisfies z.ZodType<EligibilityAnswer>;
const schemas = {
  lookup: lookupSchema,
  register: z.undefined(),
  check: answerSchema,
  inquire: answerSchema,
  registerReference: z.undefined(),
  isReached: z.boolean().nullable(),
} as const;
type Call = keyof typeof schemas;

const namesIn = (form: object): readonly string[] =>
  Object.entries(form).flatMap(([key, part]) =>
    typeof part !== 'object' || part === null
      ? []
      : [...(key === 'properties' ? Object.keys(part) : []), ...namesIn(part)],
  );
/** Every name that an answer of the port may have, at whatever depth */
export const answerNames: ReadonlySet<string> = new Set(
  [lookupSchema, answerSchema].flatMap((schema) => namesIn(z.toJSONSchema(schema, { unrepresentable: 'any' }))),
);

const lineSchema = z.union([
  z.strictObject({ id: z.int(), ok: z.literal(true), value: z.unknown().optional() }),
  z.strictObject({ id: z.int(), ok: z.literal(false), code: z.string(), detail: z.string().optional() }),
]);

/** What of its lines breaks the form, whoever asked; told by the client as it sees it. */
type LineTrouble = 'not-a-line' | 'byte-order-mark' | 'not-utf8' | 'other-id' | 'form' | 'unknown-code' | 'no-answer';

/** A process, or whatever else takes lines and gives lines */
export type LinePipe = {
  readonly send: (line: string) => void;
  readonly subscribe: (hear: (line: string) => void) => void;
  /** Nothing more is asked. True: it has ended by itself; left out where nothing can tell. */
  readonly end?: () => Promise<boolean>;
};

type ClientOptions = {
  readonly pipe: LinePipe;
  /** ms */
  readonly answerMs: number;
  readonly onTrouble?: (trouble: LineTrouble, seen: string) => void;
};
type Waiting = { readonly call: string; readonly resolve: (answer: Result<unknown>) => void };

/** The port over lines. What breaks the form is `eligibility.unavailable`, silence `eligibility.no-answer`; never throws. */
export class AdapterLines implements EligibilityService {
  readonly #options: ClientOptions;
  readonly #waiting = new Map<number, Waiting>();
  #ids = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    options.pipe.subscribe((line) => this.#hear(line));
  }

  lookup(card: CardReference): Promise<Result<LookupAnswer>> {
    return this.#ask('lookup', { card: withText(card) });
  }
  register(card: CardReference): Promise<Result<void>> {
    return this.#ask('register', { card: withText(card) });
  }
  check(card: CardReference, choices: PatientChoices): Promise<Result<EligibilityAnswer>> {
    return this.#ask('check', { card: withText(card), choices });
  }
  inquire(inquiry: NumberInquiry): Promise<Result<EligibilityAnswer>> {
    return this.#ask('inquire', { inquiry });
  }
  registerReference(inquiry: NumberInquiry, referenceNumber: string): Promise<Result<void>> {
    return this.#ask('registerReference', { inquiry, referenceNumber });
  }
  async isReached(): Promise<boolean | null> {
    const answer = await this.#ask<boolean | null>('isReached', {});
    return answer.ok ? answer.value : false;
  }

  /** A question of a later version: a call, or a member of one, that nobody knows today. */
  askAnything(call: string, args: object): Promise<Result<unknown>> {
    return this.#ask(call, args);
  }

  #ask<T>(call: string, args: object): Promise<Result<T>> {
    this.#ids += 1;
    const id = this.#ids;
    return new Promise((resolve) => {
      const limit = setTimeout(() => {
        this.#waiting.delete(id);
        this.#tell('no-answer', call);
        resolve(err(failure('eligibility.no-answer', call)));
      }, this.#options.answerMs);
      const told = (answer: Result<unknown>): void => {
        clearTimeout(limit);
        resolve(answer as Result<T>);
      };
      this.#waiting.set(id, { call, resolve: told });
      this.#options.pipe.send(JSON.stringify({ id, call, ...args }));
    });
  }

  #tell(trouble: LineTrouble, seen: string): void {
    this.#options.onTrouble?.(trouble, seen);
  }

  #hear(said: string): void {
    if (said.startsWith('\ufeff')) this.#tell('byte-order-mark', 'U+FEFF');
    const line = said.replace(/^\ufeff/, '');
    if (line.includes('\ufffd')) this.#tell('not-utf8', `${line.length} characters`);
    let content: unknown;
    try {
      content = JSON.parse(line);
    } catch {
      return this.#tell('not-a-line', `${line.length} characters`);
    }
    const read = lineSchema.safeParse(content);
    if (!read.success) return this.#tell('not-a-line', read.error.issues[0]?.path.join('.') || 'shape');
    const waiting = this.#waiting.get(read.data.id);
    if (waiting === undefined) return this.#tell('other-id', String(read.data.id));
    this.#waiting.delete(read.data.id);
    waiting.resolve(this.#answerOf(waiting.call, read.data));
  }

  #answerOf(call: string, line: z.infer<typeof lineSchema>): Result<unknown> {
    const unreadable = err(failure('eligibility.unavailable', `${call}: not to be read`));
    if (!line.ok) {
      if (isFailureCode(line.code)) return err(failure(line.code, line.detail));
      // Whatever stands there may name a person.
      this.#tell('unknown-code', /^[\w.-]{1,30}$/.test(line.code) ? line.code : `${line.code.length} characters`);
      return unreadable;
    }
    const schema: z.ZodType = Object.hasOwn(schemas, call) ? schemas[call as Call] : z.unknown();
    const value = schema.safeParse(line.value ?? undefined);
    if (value.success) return ok(value.data);
    // By element names alone: values are a person's.
    this.#tell(
      'form',
      `${call}: ${value.error.issues
        .map(({ path }) => path.join('.') || 'value')
        .slice(0, 3)
        .join(', ')}`,
    );
    return unreadable;
  }
}

const withText = (card: CardReference) => ({ ...card, authCertificate: toBase64url(card.authCertificate) });
