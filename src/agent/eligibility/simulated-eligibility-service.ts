import { z } from 'zod';
import { failure } from '../../core/failure.ts';
import { addMonths, formatJapanDate, japanDate, startOfJapanDay } from '../../core/japan-time.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type ServiceBehaviour, serviceBehaviours } from '../../core/service-behaviour.ts';
import { qualificationSchema } from '../../protocol/oqs/oqs-xml-schema.ts';
import { pendingDocumentSchema } from '../../wire/messages.ts';
import type {
  CardReference,
  EligibilityAnswer,
  EligibilityService,
  LookupAnswer,
  NumberInquiry,
  PatientChoices,
} from './eligibility-service.ts';

/** One made-up person as the simulated service knows them; joined to a card by the certificate's serial number. */
const serviceRecordSchema = z.strictObject({
  persona: z.string(),
  note: z.string().optional(),
  certificateSerials: z.array(z.string().regex(/^[0-9A-F]+$/)),
  registered: z.boolean().default(true),
  certificateStatus: z.enum(['good', 'revoked', 'unknown']).default('good'),
  /** Towards this person */
  behaviour: z.enum(serviceBehaviours).default('normal'),
  medicalSubsidy: z.boolean().default(false),
  specificDisease: z.boolean().optional(),
  pendingDocuments: z.array(pendingDocumentSchema).default([]),
  waitingPrescriptions: z.array(pendingDocumentSchema).default([]),
  qualificationValidity: z
    .union([1, 2, 3, 4, 5, 6].map((value) => z.literal(value as 1 | 2 | 3 | 4 | 5 | 6)))
    .default(1),
  consentSituation: z.enum(['at-counter', 'lapsed', 'not-obtainable']).default('at-counter'),
  referenceNumber: z.string().default(''),
  processingResult: z.strictObject({ code: z.string(), message: z.string() }).optional(),
  birthdate: z.string().regex(/^\d{8}$/),
  sex: z.enum(['1', '2', '3']),
  qualifications: z.array(qualificationSchema),
});
export type ServiceRecord = z.infer<typeof serviceRecordSchema>;

/** Dates that must stay true tomorrow: `{today}`, `{today-40y}`, `{today+3m}`, `{month}` (yyyyMM), `{day-6d}` (yyyy-MM-dd, for reading), in Japanese days. */
export const withDates = (text: string, nowMs: number): string =>
  text.replace(/\{(today|month|day)(?:([+-]\d+)([dmy]))?\}/g, (_, what: string, amount?: string, unit?: string) => {
    const step = Number(amount ?? 0);
    const today = japanDate(nowMs);
    const moved =
      unit === 'd'
        ? japanDate(startOfJapanDay({ ...today, day: today.day + step }))
        : addMonths(today, unit === 'y' ? step * 12 : step);
    const digits = formatJapanDate(moved);
    if (what === 'day') return `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`;
    return what === 'month' ? digits.slice(0, 6) : digits;
  });

/** The records of the JSON file beside this module, with today's dates. Throws when the file breaks its schema. */
export const parseServiceRecords = (json: string, nowMs: number): readonly ServiceRecord[] =>
  z.array(serviceRecordSchema).parse(JSON.parse(withDates(json, nowMs)));

/**
 * What the service would remember by itself, over a restart of the agent: the certificate serial number of whoever
 * registered, and `serial/document` for each document that was opened.
 */
export interface ServiceMemory {
  has(entry: string): boolean;
  add(entry: string): void;
  /** What was set last under this key */
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}

type SimulatedServiceOptions = {
  readonly records: readonly ServiceRecord[];
  readonly memory: ServiceMemory;
  /** The real service answers in 3 to 7 s. ms */
  readonly answerDelayMs: number;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** Towards everybody, whoever comes */
  readonly behaviour?: ServiceBehaviour;
};

/** As a phone hands it in: whose it says it is, for which facility, its id, and the signed document itself. */
type LeftPreCheckIn = {
  readonly certificateSerial: string;
  readonly medicalInstitutionCode: string;
  readonly id: string;
  readonly jws: string;
};

/** A slow answer takes 7/3 of the usual one: 7 s where it is 3 s. */
const slowFactor = 7 / 3;
/** A lookup is a small question: a third of a check. */
const lookupFactor = 1 / 3;

/** The national service, simulated: people out of a file, answers after a set delay, the registrations that were made. */
export class SimulatedEligibilityService implements EligibilityService {
  readonly #options: SimulatedServiceOptions;
  readonly #bySerial = new Map<string, ServiceRecord>();

  constructor(options: SimulatedServiceOptions) {
    this.#options = options;
    for (const record of options.records)
      for (const serial of record.certificateSerials) this.#bySerial.set(serial, record);
  }

  async lookup(card: CardReference): Promise<Result<LookupAnswer>> {
    const record = await this.#answer(this.#bySerial.get(card.certificateSerial), lookupFactor);
    if (!record.ok) return record;
    return ok({
      registered: this.#isRegistered(record.value, card) ? 'yes' : 'no',
      certificateStatus: record.value.certificateStatus,
      medicalSubsidy: record.value.medicalSubsidy,
      ...(record.value.specificDisease === undefined ? {} : { specificDisease: record.value.specificDisease }),
      pendingDocuments: this.#stillOpen(card, record.value.pendingDocuments),
      waitingPrescriptions: this.#stillOpen(card, record.value.waitingPrescriptions),
      person: { birthdate: record.value.birthdate, sex: record.value.sex },
    });
  }

  /** A phone hands in what its owner signed; again = the newest stands. Whoever carries it neither reads nor believes it. */
  leavePreCheckIn({ id, jws, ...addressed }: LeftPreCheckIn): void {
    this.#options.memory.set(preCheckInKey(addressed), `${id} ${jws}`);
  }

  async preCheckIns(card: CardReference, medicalInstitutionCode: string): Promise<Result<readonly string[]>> {
    const record = await this.#answer(this.#bySerial.get(card.certificateSerial), lookupFactor);
    if (!record.ok) return record;
    const { certificateSerial } = card;
    const left = this.#options.memory.get(preCheckInKey({ certificateSerial, medicalInstitutionCode }));
    const [id = '', jws] = left?.split(' ') ?? [];
    return ok(jws === undefined || this.#options.memory.has(preCheckInUse(id)) ? [] : [jws]);
  }

  async register(card: CardReference): Promise<Result<void>> {
    const record = await this.#answer(this.#bySerial.get(card.certificateSerial));
    if (!record.ok) return record;
    if (record.value.certificateStatus === 'revoked') return err(failure('card.certificate-revoked'));
    this.#options.memory.add(card.certificateSerial);
    return ok(undefined);
  }

  async check(card: CardReference, choices: PatientChoices): Promise<Result<EligibilityAnswer>> {
    const record = await this.#answer(this.#bySerial.get(card.certificateSerial));
    if (!record.ok) return record;
    if (record.value.certificateStatus === 'revoked') return err(failure('card.certificate-revoked'));
    if (!this.#isRegistered(record.value, card)) return err(failure('eligibility.not-registered'));
    for (const { id } of [...record.value.pendingDocuments, ...record.value.waitingPrescriptions])
      if (choices.approvedDocuments.includes(id)) this.#options.memory.add(documentEntry(card, id));
    if (choices.preCheckIn !== undefined) this.#options.memory.add(preCheckInUse(choices.preCheckIn));
    return ok(this.#answerOf(record.value));
  }

  async inquire(inquiry: NumberInquiry): Promise<Result<EligibilityAnswer>> {
    const found = this.#options.records.find((record) => matches(record, inquiry));
    const record = await this.#answer(found);
    return record.ok ? ok(this.#answerOf(record.value)) : record;
  }

  async registerReference(inquiry: NumberInquiry, referenceNumber: string): Promise<Result<void>> {
    const record = await this.#answer(this.#options.records.find((one) => matches(one, inquiry)));
    if (!record.ok) return record;
    this.#options.memory.set(referenceKey(record.value), referenceNumber);
    return ok(undefined);
  }

  async isReached(): Promise<boolean> {
    const { behaviour } = this.#options;
    return behaviour !== 'line-down' && behaviour !== 'line-silent';
  }

  #answerOf(record: ServiceRecord): EligibilityAnswer {
    const registered = this.#options.memory.get(referenceKey(record));
    return { ...answerOf(record), ...(registered !== undefined && { referenceNumber: registered }) };
  }

  /** Opened, or taken by a 薬局: it waits no longer. */
  #stillOpen<T extends { readonly id: string }>(card: CardReference, documents: readonly T[]): T[] {
    return documents.filter(({ id }) => !this.#options.memory.has(documentEntry(card, id)));
  }

  #isRegistered(record: ServiceRecord, card: CardReference): boolean {
    return record.registered || this.#options.memory.has(card.certificateSerial);
  }

  async #answer(record: ServiceRecord | undefined, factor = 1): Promise<Result<ServiceRecord>> {
    const { behaviour: general = 'normal' } = this.#options;
    const behaviour = general === 'normal' ? record?.behaviour : general;
    if (behaviour === 'silent' || behaviour === 'line-silent') return new Promise(() => {});
    const slow = behaviour === 'slow' ? slowFactor : 1;
    await this.#options.wait(this.#options.answerDelayMs * factor * slow);
    if (record === undefined) return err(failure('eligibility.not-found', 'nobody with this card or number'));
    if (behaviour === 'down') return err(failure('eligibility.unavailable', 'no answer'));
    if (behaviour === 'unreadable') return err(failure('eligibility.unavailable', 'answer breaks its schema'));
    if (behaviour === 'in-maintenance') return err(failure('eligibility.maintenance'));
    if (behaviour === 'line-down') return err(failure('eligibility.line-down'));
    if (behaviour === 'jpki-down') return err(failure('eligibility.jpki-unavailable'));
    return ok(record);
  }
}

const preCheckInUse = (id: string): string => `pre-check-in-used/${id}`;

const preCheckInKey = ({
  certificateSerial,
  medicalInstitutionCode,
}: Pick<LeftPreCheckIn, 'certificateSerial' | 'medicalInstitutionCode'>): string =>
  `pre-check-in/${certificateSerial}/${medicalInstitutionCode}`;

const documentEntry = ({ certificateSerial }: CardReference, id: string): string => `${certificateSerial}/${id}`;

const referenceKey = ({ persona }: ServiceRecord): string => `reference/${persona}`;

const answerOf = (record: ServiceRecord): EligibilityAnswer => ({
  certificateStatus: 'good',
  birthdate: record.birthdate,
  sex: record.sex,
  qualificationValidity: record.qualificationValidity,
  consentSituation: record.consentSituation,
  referenceNumber: record.referenceNumber,
  ...(record.processingResult && { processingResult: record.processingResult }),
  qualifications: record.qualifications,
});

/** As the real service compares them: １ and 1 are one digit, blanks and leading zeros of an insurer's number are filling. */
const folded = (value: string | undefined): string => (value ?? '').normalize('NFKC').replace(/\s+/g, '');
const isSame = (known: string | undefined, asked: string | undefined): boolean =>
  asked === undefined || asked === '' || folded(known) === folded(asked);
const insurer = (number: string | undefined): string => folded(number).replace(/^0+/, '');

export const matches = (record: ServiceRecord, inquiry: NumberInquiry): boolean =>
  isSame(record.birthdate, inquiry.birthdate) &&
  record.qualifications.some(
    (one) =>
      insurer(one.InsurerNumber) === insurer(inquiry.insurerNumber) &&
      folded(inquiry.insuredIdentificationNumber) !== '' &&
      folded(one.InsuredIdentificationNumber) === folded(inquiry.insuredIdentificationNumber) &&
      isSame(one.InsuredCardSymbol, inquiry.insuredCardSymbol) &&
      isSame(one.InsuredBranchNumber, inquiry.insuredBranchNumber),
  );
