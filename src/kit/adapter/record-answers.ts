import { answerNames } from './adapter-lines.ts';

/** What names a person, or leads to one. Dates and codes say what a case is about and stay. */
const replaced: Readonly<Record<string, (n: number) => string>> = {
  InsuredName: (n) => `記録 ${n}`,
  Name: (n) => `記録 ${n}`,
  NameOfOther: (n) => `記録 ${n}`,
  NameKana: () => 'ｷﾛｸ',
  NameOfOtherKana: () => 'ｷﾛｸ',
  Address: () => '架空県見本市1',
  PostNumber: () => '000-0000',
  InsuredCardSymbol: (n) => `記${n}`,
  InsuredIdentificationNumber: (n) => String(9_000_000 + n),
  insuredCardSymbol: (n) => `記${n}`,
  insuredIdentificationNumber: (n) => String(9_000_000 + n),
  certificateSerial: (n) => (0x7e000000 + n).toString(16).toUpperCase(),
  authCertificate: () => '',
  requestId: (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  referenceNumber: (n) => (n === 0 ? '' : `R${n}`),
  IssueNumber: (n) => String(n),
  InjuryName1: () => '傷病名',
  InjuryName2: () => '傷病名',
  InjuryName3: () => '傷病名',
  Remarks1: () => '備考',
  Remarks2: () => '備考',
  Remarks3: () => '備考',
  DistrictContactName: () => '担当',
  HandlingContactName: () => '担当',
  title: () => '文書',
  from: () => '架空医院',
  detail: () => '',
};
/** Birth dates: the year stays within its decade, so that the case is the same; month and day do not. */
const isBirthdate = (name: string): boolean => /^birthdate$/i.test(name);

/** Of the lines themselves, and of what is asked */
const namesOfLines = ['id', 'given', 'at', 'approvedDocuments', 'insurerNumber', 'insuredBranchNumber'];
const isKnown = (name: string): boolean => answerNames.has(name) || namesOfLines.includes(name);
const shownWhole = ['InsurerName', 'message', 'call', 'code'];

/**
 * Lines of an adapter, kept as fixtures with the persons replaced: the same value by the same other one, in the order of its
 * first coming, so that two people stay two. What the table does not know is replaced, too, unless it is a code under a name
 * of the port: not by a hash, which tells a telephone number to whoever tries them all.
 */
export class AnswerRecorder {
  readonly #numbers = new Map<string, number>();
  readonly lines: string[] = [];

  keep(line: string): void {
    try {
      this.lines.push(JSON.stringify(this.#clean(JSON.parse(line), '')));
    } catch {
      this.lines.push(JSON.stringify({ unreadable: line.length }));
    }
  }

  #clean(value: unknown, name: string): unknown {
    if (Array.isArray(value)) return value.map((one) => this.#clean(one, name));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.#clean(member, key)]));
    if (value === '' || value === null || typeof value === 'boolean') return value;
    const text = String(value);
    if (isBirthdate(name)) return `${text.slice(0, 3)}00101`;
    const other = replaced[name];
    if (other !== undefined) return other(this.#numberOf(`${name} ${text}`));
    const isCode = isKnown(name) && text.length <= 20 && /^[\w. -]*$/.test(text);
    return isCode || shownWhole.includes(name) ? value : `replaced ${this.#numberOf(`${name} ${text}`)}`;
  }

  #numberOf(key: string): number {
    const known = this.#numbers.get(key) ?? this.#numbers.size + 1;
    this.#numbers.set(key, known);
    return known;
  }
}
