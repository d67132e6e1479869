import { createHash } from 'node:crypto';

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

/**
 * Lines of an adapter, kept as fixtures with the persons replaced: the same value by the same other one, in the order of its
 * first coming, so that two people stay two. What the table does not know and is longer than a code is a hash.
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
    if (typeof value !== 'string' || value === '') return value;
    if (isBirthdate(name)) return `${value.slice(0, 3)}00101`;
    const other = replaced[name];
    if (other !== undefined) return other(this.#numberOf(`${name} ${value}`));
    const isCode = value.length <= 20 && /^[\w. -]*$/.test(value);
    return isCode || name === 'InsurerName' || name === 'message' || name === 'call' || name === 'code'
      ? value
      : createHash('sha256').update(value).digest('hex').slice(0, 16);
  }

  #numberOf(key: string): number {
    const known = this.#numbers.get(key) ?? this.#numbers.size + 1;
    this.#numbers.set(key, known);
    return known;
  }
}
