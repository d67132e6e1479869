import { isFailureCode } from '../../core/failure.ts';
import { dayMs } from '../../core/time-units.ts';
import { answerNames } from './adapter-lines.ts';

/** The number under which an insurer is recorded keeps its length, its filling and the two digits of its kind of law. */
const otherInsurer = (n: number, text: string): string => {
  const digits = text.normalize('NFKC').trim();
  const kind = /^\d{8}$/.test(digits) ? digits.slice(0, 2) : '';
  return `${kind}${String(n).padStart(6, '9')}`.padStart(8);
};

/** What names a person, or leads to one, and what stands in its place: the nth of its name, told otherwise. */
const replaced: Readonly<Record<string, (n: number, text: string) => string>> = {
  insuredname: (n) => `記録 ${n}`,
  name: (n) => `記録 ${n}`,
  nameofother: (n) => `記録 ${n}`,
  namekana: () => 'ｷﾛｸ',
  nameofotherkana: () => 'ｷﾛｸ',
  address: () => '架空県見本市1',
  postnumber: () => '000-0000',
  insurername: (n) => `保険者 ${n}`,
  insurernumber: otherInsurer,
  insuredcardsymbol: (n) => `記${n}`,
  insuredidentificationnumber: (n) => String(9_000_000 + n),
  insuredbranchnumber: (n) => String(n % 100).padStart(2, '0'),
  certificateserial: (n) => (0x7e000000 + n).toString(16).toUpperCase(),
  authcertificate: () => '',
  requestid: (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  referencenumber: (n) => `R${n}`,
  issuenumber: (n) => String(n),
  specificdiseasesselfpay: () => '10000',
  selfpayamount: () => '10000',
  title: () => '文書',
  from: () => '架空医院',
  detail: () => '',
};

/** Of the lines themselves, and of what is asked; the rest is the port's. */
const namesOfLines = [
  ...['id', 'ok', 'value', 'call', 'card', 'certificateSerial', 'authCertificate', 'requestId', 'detail'],
  ...['choices', 'consents', 'given', 'at', 'approvedDocuments', 'medicalSubsidyUse', 'inquiry', 'insurerNumber'],
  ...['insuredCardSymbol', 'insuredIdentificationNumber', 'insuredBranchNumber'],
];
/** Different elements that name people: one person is the same in all of them, and two stay two. */
const sameKind: Readonly<Record<string, string>> = { insuredname: 'name', nameofother: 'name' };
const isKnown = (name: string): boolean => answerNames.has(name) || namesOfLines.includes(name);

const isBirthdate = (name: string): boolean => /^birthdate$/i.test(name);
const dateForm = /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/;

/** What says what a case is about and is too short, or one of too few, to say who it was; by the name that it stands under. */
const told: readonly (readonly [RegExp, RegExp])[] = [
  [/^(?!InjuryName|Remarks|message)/, /^[0-9A-Z]{1,2}$/],
  [/Date$|^date$/, dateForm],
  [/^MedicalTreatmentMonth$/, /^(?:19|20)\d\d(?:0[1-9]|1[0-2])$/],
  [/ContributionRatio$/, /^(?:0\d0|100)$/],
  [/ClassificationFlag$/, /^[AB]\d\d$/],
  [/^registered$|^certificateStatus$/, /^(?:yes|no|unknown|good|revoked)$/],
  [/^consentSituation$/, /^(?:at-counter|lapsed|not-obtainable)$/],
  [/^call$/, /^(?:lookup|register|check|inquire|registerReference|isReached)$/],
  [/^code$/, /^(?:TKK|YZK|SRJ|SHJ|TSR)$/],
];
const isTold = (name: string, text: string): boolean =>
  told.some(([names, values]) => names.test(name) && values.test(text)) || (name === 'code' && isFailureCode(text));

/** Before the system began nobody consented: a birthday, perhaps. ms */
const firstConsentMs = Date.UTC(2021, 0);
/** Month and day of a date, and of its neighbours: insurance begins and ends on birthdays. */
const daysAround = (date: string): readonly string[] => {
  const at = Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6)));
  return [-1, 0, 1].map((days) => new Date(at + days * dayMs).toISOString().slice(5, 10).replace('-', ''));
};

const membersOf = (value: unknown): readonly (readonly [string, unknown])[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, member]) => [[name, member] as const, ...membersOf(member)]);

/**
 * Lines of an adapter, kept as fixtures with the persons replaced: the same value by the same other one, in the order of its
 * first coming, so that two people stay two, and an answer stays that of its question. Nothing is kept because it looks
 * harmless: a value stays where its name is one of the port's and it is one of the few that this name may have, or a date that
 * is no birthday. Names that the port does not know are replaced as well; not by hashes, which tell a telephone number to
 * whoever tries them all.
 */
export class AnswerRecorder {
  readonly #numbers = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  readonly lines: string[] = [];

  keep(line: string): void {
    try {
      const content: unknown = JSON.parse(line);
      const birthdays = membersOf(content).flatMap(([name, value]) =>
        isBirthdate(name) && dateForm.test(String(value)) ? daysAround(String(value)) : [],
      );
      const clean = this.#clean(content, '', new Set(birthdays));
      // Of the line alone: below it an `id` is somebody's.
      const { id } = (content ?? {}) as { id?: unknown };
      const kept = Number.isInteger(id) && Number(id) < 100_000 ? { ...(clean as object), id } : clean;
      this.lines.push(JSON.stringify(kept));
    } catch {
      this.lines.push(JSON.stringify({ unreadable: line.length }));
    }
  }

  #clean(value: unknown, name: string, birthdays: ReadonlySet<string>): unknown {
    if (Array.isArray(value)) return value.map((one) => this.#clean(one, name, birthdays));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(
        Object.entries(value).map(([key, member]) => [
          isKnown(key) ? key : `replaced${this.#numberOf('', key)}`,
          this.#clean(member, key, birthdays),
        ]),
      );
    if (value === '' || value === null || typeof value === 'boolean') return value;
    // The day of a consent is enough.
    if (name === 'at' && typeof value === 'number' && value > firstConsentMs) return Math.floor(value / dayMs) * dayMs;
    return this.#other(String(value), name, birthdays) ?? value;
  }

  /** null: it may stay. */
  #other(text: string, name: string, birthdays: ReadonlySet<string>): string | null {
    const isBirthday = dateForm.test(text) && birthdays.has(text.slice(4));
    // The year stays within its decade, so that the case is the same; month and day do not.
    if (isBirthdate(name) || isBirthday) return dateForm.test(text) ? `${text.slice(0, 3)}00101` : '19000101';
    const key = name.toLowerCase();
    const folded = text.normalize('NFKC').trim().replace(/^0+/, '');
    if (Object.hasOwn(replaced, key)) return replaced[key]?.(this.#numberOf(sameKind[key] ?? key, folded), text) ?? '';
    return isKnown(name) && isTold(name, text) ? null : `replaced ${this.#numberOf('', text)}`;
  }

  /** 1 for the first value of this kind, 2 for the second … */
  #numberOf(name: string, text: string): number {
    const key = `${name}\0${text}`;
    const count = (this.#counts.get(name) ?? 0) + 1;
    const known = this.#numbers.get(key) ?? count;
    if (known === count) this.#counts.set(name, count);
    this.#numbers.set(key, known);
    return known;
  }
}
