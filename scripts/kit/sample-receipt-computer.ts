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
    patient.chart = this.#is('chart-too-long') ? '5'.repeat(51) : String(this.#charts);
    this.#write('OQSsiimm01req', `${this.#search(patient)}${element('ReferenceNumber', patient.chart)}`);
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
      element('InsurerNumber', shown),
      ...(said === '' ? [] : [element('InsuredCardSymbol', said)]),
      ...(is('number-missing') ? [] : [element('InsuredIdentificationNumber', asked)]),
      element('Birthdate', day),
    ];
    if (is('element-order')) parts.reverse();
    if (is('unknown-element')) parts.push(element('PatientId', '1'));
    return element('QualificationConfirmSearchInfo', parts.join(''));
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
    this.#write('OQSmuquc01req', patients.map((patient) => this.#search(patient)).join(''));
  }

  #fetch(): void {
    if (this.#is('bulk-not-fetched')) return;
    const res = join(this.#folder, 'res');
    for (const name of readdirSync(res).filter((each) => each.startsWith('OQSmuquc01res'))) {
      if (this.#done.has(name)) continue;
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
    const bytes = is('encoding-mismatch') ? Buffer.from(text) : iconv.encode(text, 'cp932');
    const name = `${kind}_${this.#files}.xml`;
    const path = join(this.#folder, 'req', name);
    const isCut = (is('half-written') || is('never-finished')) && kind === 'OQSsiquc01req';
    writeFileSync(path, isCut ? bytes.subarray(0, bytes.length - 40) : bytes);
    if (is('half-written') && isCut) this.#later = () => existsSync(path) && writeFileSync(path, bytes);
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
