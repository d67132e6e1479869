import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import { daySteps, institutionCode, OqsDay } from '../../src/kit/oqs/oqs-day.ts';
import { decodedOqs, recordsJson } from '../beds/agent-bed.ts';
import { SimulatedClock } from '../beds/simulated-clock.ts';
import { type CheckedKit, defect } from './planted-defect.ts';

/* A small レセコン, as it should be, and with each mistake that the kit for the shared folder knows. */

const defects = [
  defect('name-unknown'),
  defect('kind-unknown'),
  defect('half-written'),
  defect('never-finished', 'not-well-formed'),
  defect('encoding-mismatch'),
  defect('encoding-undeclared'),
  defect('character-code'),
  defect('number-missing', 'not-well-formed'),
  defect('institution-code'),
  defect('identifier-missing'),
  defect('identifier-twice'),
  defect('unknown-element'),
  defect('element-order'),
  defect('insurer-number'),
  defect('insurer-number-with-zeros', 'insurer-number'),
  defect('full-width'),
  defect('lost-character'),
  defect('birthdate-form'),
  defect('nobody-asked'),
  defect('other-patient'),
  defect('chart-missing'),
  defect('chart-changed'),
  defect('one-chart-for-two'),
  defect('two-charts-for-one'),
  defect('chart-too-long'),
  defect('bulk-not-fetched'),
  defect('bulk-other-number'),
  defect('face-file-changed'),
  defect('half-file-taken'),
  defect('stranger-in-face'),
  // of files
  defect('mark-before-shift-jis', 'encoding-mismatch'),
  defect('utf-16', 'encoding-other'),
  defect('euc-jp', 'encoding-other'),
  defect('two-roots', 'not-well-formed'),
  defect('doctype', 'not-well-formed'),
  defect('empty-file', 'not-well-formed'),
  defect('control-character', 'not-well-formed'),
  defect('element-twice', 'not-well-formed'),
  defect('name-reused'),
  defect('temporary-left'),
  defect('answer-changed', 'face-file-changed'),
  // of whom, and how often
  defect('bulk-of-two-patients', 'other-patient'),
  defect('bulk-of-nobody', 'nobody-asked'),
  defect('bulk-person-twice'),
  defect('era-birthdate', 'birthdate-form'),
  defect('impossible-birthdate', 'birthdate-form'),
  defect('number-with-hyphen', 'nobody-asked'),
  defect('symbol-in-number', 'nobody-asked'),
  defect('insurer-of-another', 'nobody-asked'),
  defect('branch-of-one-digit', 'branch-form'),
  defect('chart-blank'),
  defect('character-lost-in-chart', 'lost-character'),
  defect('asked-again'),
  defect('bulk-fetched-again', 'asked-again'),
] as const;
type Defect = (typeof defects)[number]['name'];

type Patient = {
  readonly insurer: string;
  readonly symbol: string;
  readonly number: string;
  readonly birthdate: string;
  chart: string;
};
const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;

/** Reads results, makes charts, asks by number, and fetches what it asked for in one. */
class ReceiptComputer {
  readonly #folder: string;
  readonly #is: (defect: Defect) => boolean;
  readonly #done = new Set<string>();
  readonly #patients = new Map<string, Patient>();
  #files = 0;
  #charts = 500;
  #isAsked = false;
  #isBulkAsked = false;

  constructor(folder: string, is: (defect: Defect) => boolean) {
    this.#folder = folder;
    this.#is = is;
  }

  work(): void {
    const face = join(this.#folder, 'face');
    for (const name of readdirSync(face).sort()) this.#take(face, name);
    const patients = [...this.#patients.values()];
    const [first, second] = patients;
    if (first !== undefined && second !== undefined && !this.#isAsked) this.#ask(first, second);
    if (patients.length > 3 && !this.#isBulkAsked) this.#askForAll(patients.slice(0, 3));
    this.#fetch();
    if (first !== undefined && this.#is('asked-again'))
      for (let times = 0; times < 10; times += 1) this.#write('OQSsiquc01req', this.#search(first));
    if (this.#is('temporary-left')) writeFileSync(join(this.#folder, 'req', 'OQSsiquc01req_0.xml.tmp'), '<XmlMsg>');
    if (this.#is('stranger-in-face')) writeFileSync(join(face, 'lock.txt'), 'x');
  }

  #take(face: string, name: string): void {
    const path = join(face, name);
    if (name.endsWith('.writing') && this.#is('half-file-taken')) return rmSync(path);
    if (!/^OQSsiquc01res_face_.*\.xml$/.test(name)) return;
    const text = decodedOqs(new Uint8Array(readFileSync(path)));
    const known = this.#done.has(name);
    this.#done.add(name);
    const results = text.split('<ResultOfQualificationConfirmation>').slice(1);
    if (!known || this.#is('two-charts-for-one')) if (results.length === 1) this.#keep(results[0] ?? '');
    if (this.#is('face-file-changed')) writeFileSync(path, 'taken');
    else rmSync(path);
  }

  #keep(result: string): void {
    const value = (name: string): string => new RegExp(`<${name}>([^<]*)<`).exec(result)?.[1] ?? '';
    const number = value('InsuredIdentificationNumber');
    const given = value('ReferenceNumber');
    const known = this.#patients.get(number);
    const patient = known ?? {
      ...{
        insurer: value('InsurerNumber'),
        symbol: value('InsuredCardSymbol'),
        number,
        birthdate: value('Birthdate'),
        chart: given,
      },
    };
    this.#patients.set(number, patient);
    const isChanged = given !== '' && this.#is('chart-changed');
    const isAgain = known !== undefined && this.#is('two-charts-for-one');
    if ((given !== '' && !isChanged) || (known !== undefined && !isAgain)) return;
    if (this.#is('chart-missing')) return;
    if (!this.#is('one-chart-for-two')) this.#charts += 1;
    patient.chart = this.#chart();
    this.#write('OQSsiimm01req', `${this.#search(patient)}${element('ReferenceNumber', patient.chart)}`);
  }

  #chart(): string {
    if (this.#is('chart-too-long')) return '5'.repeat(51);
    if (this.#is('chart-blank')) return '  ';
    return this.#is('character-lost-in-chart') ? `内科?${this.#charts}` : String(this.#charts);
  }

  #search({ insurer, symbol, number, birthdate }: Patient): string {
    const is = this.#is;
    const shown = is('insurer-number')
      ? insurer.trim()
      : is('insurer-number-with-zeros')
        ? insurer.replaceAll(' ', '0')
        : insurer;
    const said = is('lost-character') ? symbol.replace('架', '?') : symbol;
    const digits = is('full-width')
      ? number.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0))
      : number;
    const asked = is('nobody-asked') ? `${digits}9` : digits;
    const day = is('birthdate-form')
      ? `${birthdate.slice(0, 4)}/${birthdate.slice(4, 6)}/${birthdate.slice(6)}`
      : birthdate;
    const parts = [
      element('InsurerNumber', is('insurer-of-another') ? '06999999' : shown),
      ...(is('element-twice') ? [element('InsurerNumber', shown)] : []),
      ...(said === '' ? [] : [element('InsuredCardSymbol', said)]),
      ...(is('number-missing') ? [] : [element('InsuredIdentificationNumber', this.#numberAs(asked, said))]),
      ...(is('branch-of-one-digit') ? [element('InsuredBranchNumber', '1')] : []),
      element('Birthdate', is('era-birthdate') ? 'S550217' : is('impossible-birthdate') ? '19800230' : day),
    ];
    if (is('element-order')) parts.reverse();
    if (is('unknown-element')) parts.push(element('PatientId', '1'));
    return element('QualificationConfirmSearchInfo', parts.join(''));
  }

  #numberAs(number: string, symbol: string): string {
    if (this.#is('number-with-hyphen')) return `${number.slice(0, 3)}-${number.slice(3)}`;
    return this.#is('symbol-in-number') ? `${symbol}${number}` : number;
  }

  #ask(first: Patient, second: Patient): void {
    this.#isAsked = true;
    const about = this.#is('other-patient') ? { ...first, birthdate: second.birthdate } : first;
    this.#write('OQSsiquc01req', this.#search(about));
    if (this.#is('kind-unknown')) this.#write('OQSsihvd01req', this.#search(first));
    if (this.#is('name-unknown')) writeFileSync(join(this.#folder, 'req', '照会.xml'), '<XmlMsg></XmlMsg>');
    if (this.#is('bulk-other-number')) this.#write('OQSmuquc02req', element('ReceptionNumber', '1'));
  }

  #askForAll(patients: readonly Patient[]): void {
    this.#isBulkAsked = true;
    const [first, second] = patients as readonly [Patient, Patient];
    const asked = this.#is('bulk-of-two-patients')
      ? [{ ...first, birthdate: second.birthdate }, second]
      : this.#is('bulk-of-nobody')
        ? [{ ...first, number: '7777777' }, second]
        : this.#is('bulk-person-twice')
          ? [first, first]
          : patients;
    this.#write('OQSmuquc01req', asked.map((patient) => this.#search(patient)).join(''));
  }

  #fetch(): void {
    if (this.#is('bulk-not-fetched')) return;
    const res = join(this.#folder, 'res');
    if (this.#is('answer-changed')) for (const name of readdirSync(res)) writeFileSync(join(res, name), 'read');
    for (const name of readdirSync(res).filter((each) => each.startsWith('OQSmuquc01res'))) {
      if (this.#done.has(name) && !this.#is('bulk-fetched-again')) continue;
      this.#done.add(name);
      const number = /<ReceptionNumber>([^<]+)</.exec(decodedOqs(new Uint8Array(readFileSync(join(res, name)))))?.[1];
      if (number !== undefined) this.#write('OQSmuquc02req', element('ReceptionNumber', number));
    }
  }

  #write(kind: string, body: string): void {
    const is = this.#is;
    this.#files += 1;
    const header = [
      element('MedicalInstitutionCode', is('institution-code') ? institutionCode.slice(3) : institutionCode),
      ...(is('identifier-missing')
        ? []
        : [element('ArbitraryFileIdentifier', is('identifier-twice') ? 'K1' : `K${this.#files}`)]),
      element('CharacterCodeIdentifier', is('character-code') ? '0' : '1'),
    ];
    const declaration = is('encoding-undeclared')
      ? ''
      : '<?xml version="1.0" encoding="Shift_JIS" standalone="no"?>\r\n';
    const text = `${declaration}${element('XmlMsg', element('MessageHeader', header.join('')) + element('MessageBody', body))}`;
    const bytes = is('encoding-mismatch') ? Buffer.from(text) : this.#bytesOf(text);
    const name = is('name-reused') ? `${kind}_1.xml` : `${kind}_${this.#files}.xml`;
    const path = join(this.#folder, 'req', name);
    const isCut = (is('half-written') || is('never-finished')) && kind === 'OQSsiquc01req';
    writeFileSync(path, isCut ? bytes.subarray(0, bytes.length - 40) : bytes);
    if (is('half-written') && isCut) this.#later = () => existsSync(path) && writeFileSync(path, bytes);
  }
  #bytesOf(text: string): Buffer {
    const is = this.#is;
    const shiftJis = (said: string): Buffer => iconv.encode(said, 'cp932');
    if (is('empty-file')) return Buffer.of();
    if (is('mark-before-shift-jis')) return Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), shiftJis(text)]);
    if (is('utf-16')) return iconv.encode(text.replace('Shift_JIS', 'UTF-16'), 'utf16le', { addBOM: true });
    if (is('euc-jp')) return iconv.encode(text.replace('Shift_JIS', 'EUC-JP'), 'euc-jp');
    if (is('two-roots')) return shiftJis(`${text}${text}`);
    if (is('doctype')) return shiftJis(text.replace('<XmlMsg>', '<!DOCTYPE XmlMsg [<!ENTITY k "1">]><XmlMsg>'));
    if (is('control-character')) return shiftJis(text.replace('</InsurerNumber>', '\u0001</InsurerNumber>'));
    return shiftJis(text);
  }
  #later: () => void = () => {};

  goOn(): void {
    this.#later();
    this.#later = () => {};
  }
}

export const oqsKit: CheckedKit = {
  kit: 'oqs',
  defects,
  run: async (planted) => {
    const folder = mkdtempSync(join(tmpdir(), 'uketsuke-kit-oqs-'));
    const clock = new SimulatedClock();
    const day = new OqsDay({ folder, clock, recordsJson });
    const computer = new ReceiptComputer(folder, (name) => name === planted);
    try {
      for (const step of daySteps) {
        await day.play(step);
        computer.work();
        await day.look();
        computer.goOn();
        await day.look();
        computer.work();
        await clock.advance(60_000);
      }
      computer.work();
      const findings = await day.finish();
      return { rules: new Set(findings.map(({ rule }) => rule)) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
