import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceMemory } from '../../agent/eligibility/service-memory.ts';
import {
  matches,
  parseServiceRecords,
  type ServiceRecord,
  SimulatedEligibilityService,
} from '../../agent/eligibility/simulated-eligibility-service.ts';
import { Journal } from '../../agent/journal/journal.ts';
import { InquiryDesk } from '../../agent/oqs-folder/answer-inquiries.ts';
import { numberInquiryOf } from '../../agent/oqs-folder/number-inquiry.ts';
import { decodeOqs, encodeOqs } from '../../agent/oqs-folder/oqs-encoding.ts';
import { requestOf } from '../../agent/oqs-folder/request-files.ts';
import { writeOqsFile } from '../../agent/oqs-folder/write-oqs-file.ts';
import { inStaffWords } from '../../catalogue/faults.ts';
import { firstFacilitySettings } from '../../catalogue/first-settings.ts';
import { catalogueAt } from '../../catalogue/load-catalogue.ts';
import type { FailureCode } from '../../core/failure.ts';
import { createEventLog } from '../../log/event-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EncodingSetting } from '../../protocol/oqs/oqs-xml.ts';
import { faceFileName, faceMessage } from '../../protocol/oqs/oqs-xml-face.ts';
import type { SearchInfo } from '../../protocol/oqs/oqs-xml-inquiry.ts';
import { qualificationMessageSchemaOf } from '../../protocol/oqs/oqs-xml-schema.ts';
import { makeFolderSync } from '../../storage/make-folder.ts';
import { makeOwnFolder } from '../../storage/own-folder.ts';
import type { Finding } from '../finding.ts';
import { isWhole, judgeRequest, type ReadRequest } from './judge-request.ts';
import type { OqsRule } from './oqs-rules.ts';

export const institutionCode = '1312345678';
const encoding: EncodingSetting = {
  encoding: 'Shift_JIS',
  label: 'Shift_JIS',
  machineDependent: 'character-reference',
};
const halfName = '.OQSsiquc01res_face_half.xml.writing';

/** A visit of the day, by the persona of the simulated service; `given`: whether consents were. */
type DayVisit = { readonly persona: string; readonly given: boolean; readonly form?: 'electronic' | 'paper' };
type DayStep = {
  readonly about: string;
  readonly visits: readonly DayVisit[];
  readonly does?: 'half' | 'whole' | 'again';
};
const visit = (persona: string, given = true): DayVisit => ({ persona, given, form: 'electronic' });

/** A clinic's day, one step after the other; a レセコン has time between two of them. */
export const daySteps: readonly DayStep[] = [
  { about: '登録済みの患者2人、同意あり（髙﨑・𠮷の字、限度額、特定疾病）', visits: [visit('hanako'), visit('taro')] },
  { about: '新しい患者（照会番号が空）', visits: [visit('unregistered'), visit('revoked')] },
  { about: '同意をすべて断った患者', visits: [visit('near-expiry', false)] },
  { about: '電子証明書の猶予期間の患者', visits: [visit('grace', false)] },
  {
    about: '医療扶助（医療券・調剤券）と、指定が別の医療機関の方',
    visits: [visit('public-assistance'), visit('public-assistance-other-institution')],
  },
  {
    about: '資格が無効・新しい資格がある・該当なし・複数該当',
    visits: [visit('invalid'), visit('invalid-with-new'), visit('no-qualification'), visit('several-insurers')],
  },
  { about: '氏名に ● がある患者（送る側に字がない）', visits: [visit('no-photo')] },
  { about: '訪問・オンライン・救急', visits: [visit('home-visit-lapsed'), visit('online-lapsed'), visit('emergency')] },
  {
    about: '限度額の区分と特定疾病',
    visits: ['limit-a01', 'limit-b10', 'disease-1', 'disease-3'].map((persona) => visit(persona)),
  },
  { about: '結果ファイルを書いている途中', visits: [], does: 'half' },
  { about: '書きおわった（遅れて届いた結果）', visits: [visit('pin-blocked')], does: 'whole' },
  { about: '同じ結果ファイルがもう一度届く（再送）', visits: [], does: 'again' },
];

/** The same question so often in a day of minutes: somebody pressed the button again. */
const timesBorne = 5;
/** A name of passage that lies there for longer was forgotten. ms */
const passingMs = 10_000;

type LaidFile = { readonly bytes: Uint8Array; readonly persona: string; readonly referenceNumber: string };

type DayOptions = {
  readonly folder: string;
  readonly clock: Clock;
  readonly recordsJson: string;
};

/** Where, what is wrong, and what is to be done, as the staff page has it. */
const unwritable = (folder: string, code: FailureCode): string => {
  const { cause = code, remedy = [] } = inStaffWords(code) ?? {};
  return [`${folder}: ${cause}`, ...remedy].join('\n  ');
};

/** Throws where nothing can be written there, before a day is begun. */
const makeWritable = (folder: string): void => {
  makeFolderSync(folder);
  const probe = join(folder, `.uketsuke-${process.pid}`);
  writeFileSync(probe, '');
  rmSync(probe);
};

/**
 * A clinic's day in a folder shared with a レセコン: lays results into `face/`, answers what comes into `req/` with the
 * agent's own desk and the simulated service, and judges everything that the レセコン does there.
 */
export class OqsDay {
  readonly findings: Finding<OqsRule>[] = [];
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #records: readonly ServiceRecord[];
  readonly #service: SimulatedEligibilityService;
  readonly #place: string;
  readonly #journal: Journal;
  readonly #desk: InquiryDesk;
  readonly #laid = new Map<string, LaidFile>();
  readonly #judged = new Map<string, string>();
  readonly #unfinished = new Map<string, number>();
  readonly #identifiers = new Map<string, string>();
  /** Chart numbers by persona, and who has one */
  readonly #charts = new Map<string, string>();
  readonly #owners = new Map<string, string>();
  /** How often the same was asked, by the question */
  readonly #asked = new Map<string, number>();
  /** Since when names that are to be renamed lie in `req/`, ms */
  readonly #passing = new Map<string, number>();
  /** Answers as the desk wrote them */
  readonly #answers = new Map<string, Buffer>();
  readonly #receptions = new Set<string>();
  readonly #fetched = new Set<string>();
  #requests = 0;

  constructor({ folder, clock, recordsJson }: DayOptions) {
    this.#folder = folder;
    this.#clock = clock;
    const { wallMs } = clock.now();
    this.#records = parseServiceRecords(recordsJson, wallMs);
    this.#service = new SimulatedEligibilityService({
      records: this.#records,
      memory: serviceMemory(),
      answerDelayMs: 0,
      wait: async () => {},
    });
    for (const name of ['face', 'req', 'res']) makeWritable(join(folder, name));
    this.#place = makeOwnFolder('uketsuke-kit-oqs');
    this.#journal = new Journal(join(this.#place, 'journal.sqlite'), { steadyMs: () => clock.now().monotonicMs });
    const { consents } = catalogueAt(wallMs);
    const settings = firstFacilitySettings(consents, 'medical', '適合性確認', institutionCode);
    this.#desk = new InquiryDesk({
      ...{ clock, journal: this.#journal, service: this.#service, settings: () => settings, changed: () => {} },
      log: createEventLog({ format: 'silent' }),
      disk: { fault: null, failed: () => 'agent.disk-failed' },
      options: { oqsFolder: folder, encoding },
    });
  }

  get requests(): number {
    return this.#requests;
  }

  async play({ visits, does }: DayStep): Promise<void> {
    const face = join(this.#folder, 'face');
    if (does === 'half')
      writeFileSync(join(face, halfName), Buffer.from('<?xml version="1.0" encoding="Shift_JIS"?><XmlMsg>'));
    if (does === 'whole') {
      if (!existsSync(join(face, halfName))) this.#tell('half-file-taken', halfName, '消えた');
      else rmSync(join(face, halfName));
    }
    if (does === 'again')
      for (const [name, { bytes }] of [...this.#laid].slice(0, 4)) await writeOqsFile(face, name, bytes);
    for (const each of visits) await this.#lay(each);
  }

  async #lay({ persona, given, form }: DayVisit): Promise<void> {
    const record = this.#records.find((one) => one.persona === persona);
    if (record === undefined) throw new Error(`no record of ${persona}`);
    const { wallMs } = this.#clock.now();
    const { consents: rules } = catalogueAt(wallMs);
    const consents = rules.items.map(({ code }) => ({ code, given, at: wallMs }));
    const { qualificationValidity, consentSituation, qualifications, processingResult } = record;
    const referenceNumber = this.#charts.get(persona) ?? record.referenceNumber;
    const forFile = {
      ...{
        requestId: crypto.randomUUID(),
        lane: 1,
        confirmedAt: wallMs,
        medicalInstitutionCode: institutionCode,
        consents,
        rules,
      },
      ...{ limitApplicationAt: wallMs, isTest: true, ...(form && { prescriptionForm: form }) },
    };
    // ● stands where the service has no code for a character of the name.
    const sent = qualifications.map((one) =>
      persona === 'no-photo' ? { ...one, Name: one.Name.replace('見', '●') } : one,
    );
    const message = faceMessage(forFile, {
      qualificationValidity,
      consentSituation,
      qualifications: sent,
      processingResult,
      referenceNumber,
    });
    const encoded = encodeOqs(qualificationMessageSchemaOf(rules.prefixes), message, encoding);
    if (!encoded.ok) throw new Error(encoded.failure.detail);
    const { bytes } = encoded.value;
    const name = faceFileName(forFile);
    const written = await writeOqsFile(join(this.#folder, 'face'), name, bytes);
    if (!written.ok) throw new Error(unwritable(join(this.#folder, 'face'), written.failure.code));
    this.#laid.set(name, { bytes, persona, referenceNumber });
  }

  /** What the レセコン has done since the last look: judged, then answered. */
  async look(): Promise<void> {
    this.#lookAtResults();
    const req = join(this.#folder, 'req');
    for (const name of readdirSync(req)) {
      if (name.endsWith('.unreadable')) continue;
      if (/^[.~]|\.tmp$/i.test(name)) {
        this.#passing.set(name, this.#passing.get(name) ?? this.#clock.now().monotonicMs);
        continue;
      }
      const bytes = new Uint8Array(readFileSync(join(req, name)));
      const before = this.#unfinished.get(name);
      if (requestOf(name) !== null && !isWhole(bytes) && before === undefined) {
        this.#unfinished.set(name, bytes.length);
        continue;
      }
      if (before !== undefined && before !== bytes.length) {
        this.#unfinished.delete(name);
        this.#tell('half-written', `req/${name}`, `${before} → ${bytes.length} バイト`);
      }
      this.#judge(name, bytes);
    }
    await this.#desk.poll();
    this.#lookAtReceptions();
    this.#keepAnswers();
  }

  #judge(name: string, bytes: Uint8Array): void {
    const content = Buffer.from(bytes).toString('base64');
    const before = this.#judged.get(name);
    if (before === content) return;
    const answer = requestOf(name)?.resultName ?? '';
    if (before !== undefined && this.#answers.has(answer) && existsSync(join(this.#folder, 'res', answer)))
      this.#tell('name-reused', `req/${name}`, `res/${answer}`);
    this.#judged.set(name, content);
    this.#requests += 1;
    const { problems, request } = judgeRequest(name, bytes, institutionCode);
    for (const { rule, seen } of problems) this.#tell(rule, `req/${name}`, seen);
    if (request !== null) this.#judgeContent(`req/${name}`, request);
  }

  #judgeContent(where: string, request: ReadRequest): void {
    const { identifier, searches, registrations, isBulk, fetches } = request;
    const other = this.#identifiers.get(identifier);
    if (identifier !== '' && other !== undefined && other !== where) this.#tell('identifier-twice', where, other);
    this.#identifiers.set(identifier, where);
    if (fetches !== null && !this.#receptions.has(fetches))
      this.#tell('bulk-other-number', where, `${fetches.length}桁`);
    if (fetches !== null) this.#fetched.add(fetches);
    for (const search of searches) this.#judgeOwner(where, search);
    if (isBulk && new Set(searches.map((search) => JSON.stringify(search))).size < searches.length)
      this.#tell('bulk-person-twice', where, `${searches.length}行`);
    this.#judgeRepetition(where, request);
    for (const { search, referenceNumber } of registrations) this.#register(where, search, referenceNumber);
  }

  /** Once for each question, however often it comes. */
  #judgeRepetition(where: string, { searches, registrations, fetches }: ReadRequest): void {
    if (registrations.length > 0) return;
    const question = JSON.stringify([searches, fetches]);
    const times = (this.#asked.get(question) ?? 0) + 1;
    this.#asked.set(question, times);
    if (times === timesBorne + 1) this.#tell('asked-again', where, `${times}回目`);
  }

  /** Whose numbers these are. Told where they are nobody's, or a birth date is another one's. */
  #judgeOwner(where: string, search: SearchInfo): void {
    const { birthdate, ...numbers } = numberInquiryOf(search);
    const found = this.#records.filter((record) => matches(record, numbers));
    if (found.length === 0) this.#tell('nobody-asked', where, '番号が模擬データと一致しない');
    else if (birthdate !== undefined && !found.some((record) => matches(record, { ...numbers, birthdate })))
      this.#tell('other-patient', where, '生年月日が別の人');
  }

  #register(where: string, search: SearchInfo, referenceNumber: string): void {
    const persona = this.#records.find(({ qualifications }) =>
      qualifications.some(
        ({ InsuredIdentificationNumber: number }) => number === search.InsuredIdentificationNumber.normalize('NFKC'),
      ),
    )?.persona;
    if (persona === undefined) return;
    const laid = [...this.#laid.values()].find((file) => file.persona === persona);
    const before = this.#charts.get(persona);
    if (before !== undefined && before !== referenceNumber) this.#tell('two-charts-for-one', where, '2つめの番号');
    if (laid !== undefined && laid.referenceNumber !== '' && laid.referenceNumber !== referenceNumber)
      this.#tell('chart-changed', where, '結果にある番号と違う');
    const owner = this.#owners.get(referenceNumber);
    if (owner !== undefined && owner !== persona) this.#tell('one-chart-for-two', where, 'ほかの患者の番号');
    this.#charts.set(persona, referenceNumber);
    this.#owners.set(referenceNumber, persona);
  }

  #lookAtResults(): void {
    const face = join(this.#folder, 'face');
    for (const [name, { bytes }] of this.#laid) {
      const path = join(face, name);
      if (existsSync(path) && !Buffer.from(bytes).equals(readFileSync(path))) {
        this.#tell('face-file-changed', `face/${name}`, '中身が違う');
        this.#laid.delete(name);
      }
    }
    for (const [name, bytes] of this.#answers) {
      const path = join(this.#folder, 'res', name);
      if (!existsSync(path) || bytes.equals(readFileSync(path))) continue;
      this.#tell('face-file-changed', `res/${name}`, '中身が違う');
      this.#answers.delete(name);
    }
    const ours = (name: string): boolean => this.#laid.has(name) || name === halfName || name.startsWith('.uketsuke-');
    for (const folder of ['face', 'res'])
      for (const name of readdirSync(join(this.#folder, folder)))
        if (!ours(name) && !/^OQS\w+res/i.test(name) && !this.#judged.has(`${folder}/${name}`)) {
          this.#judged.set(`${folder}/${name}`, '');
          this.#tell('stranger-in-face', `${folder}/${name}`, name);
        }
  }

  /** Reception numbers that the desk has given, out of its answers. */
  #lookAtReceptions(): void {
    const res = join(this.#folder, 'res');
    for (const name of readdirSync(res).filter((each) => /^OQSmuquc01res/i.test(each))) {
      const text = decodeOqs(new Uint8Array(readFileSync(join(res, name))));
      const number = text.ok ? /<ReceptionNumber>([^<]+)</.exec(text.value)?.[1] : undefined;
      if (number !== undefined) this.#receptions.add(number);
    }
  }

  #keepAnswers(): void {
    const res = join(this.#folder, 'res');
    for (const name of readdirSync(res).filter((each) => /^OQS\w+res.*\.xml$/i.test(each)))
      this.#answers.set(name, readFileSync(join(res, name)));
  }

  /** The day is over: what should have come and did not. */
  async finish(): Promise<readonly Finding<OqsRule>[]> {
    await this.look();
    for (const name of this.#unfinished.keys())
      this.#tell('not-well-formed', `req/${name}`, '終わりの </XmlMsg> がない');
    const { monotonicMs } = this.#clock.now();
    for (const [name, sinceMs] of this.#passing)
      if (monotonicMs - sinceMs >= passingMs && existsSync(join(this.#folder, 'req', name)))
        this.#tell('temporary-left', `req/${name}`, `${Math.round((monotonicMs - sinceMs) / 1_000)} 秒`);
    for (const [name, { persona, referenceNumber }] of this.#laid) {
      const { qualifications = [] } = this.#records.find((one) => one.persona === persona) ?? {};
      if (referenceNumber === '' && qualifications.length === 1 && !this.#charts.has(persona))
        this.#tell('chart-missing', `face/${name}`, 'OQSsiimm01req が来ていない');
    }
    for (const number of this.#receptions)
      if (!this.#fetched.has(number))
        this.#tell('bulk-not-fetched', `受付番号 ${number.slice(0, 8)}…`, 'OQSmuquc02req が来ていない');
    this.#journal.close();
    rmSync(this.#place, { recursive: true, force: true });
    return this.findings;
  }

  #tell(rule: OqsRule, where: string, seen: string): void {
    this.findings.push({ rule, where, seen });
  }
}
