import type {
  CardReference,
  EligibilityAnswer,
  EligibilityService,
} from '../../src/agent/eligibility/eligibility-service.ts';
import { serviceMemory } from '../../src/agent/eligibility/service-memory.ts';
import {
  parseServiceRecords,
  SimulatedEligibilityService,
} from '../../src/agent/eligibility/simulated-eligibility-service.ts';
import type { LinePipe } from '../../src/kit/adapter/adapter-lines.ts';
import { type AdapterPeople, checkAdapter } from '../../src/kit/adapter/check-adapter.ts';
import { recordsJson } from '../beds/agent-bed.ts';
import { type CheckedKit, defect } from './planted-defect.ts';

/* An adapter as somebody would write it around the official software, and each mistake that its kit knows. */

const defects = [
  defect('logs-to-output', 'not-a-line'),
  defect('other-id'),
  defect('answers-twice', 'other-id'),
  defect('form'),
  defect('unknown-element', 'form'),
  defect('unknown-code'),
  defect('no-answer'),
  defect('lookup-changes'),
  defect('not-registered-checked'),
  defect('register-no-effect'),
  defect('register-twice'),
  defect('check-differs'),
  defect('nobody-found'),
  defect('other-birthdate'),
  defect('numbers-unfolded'),
  defect('reference-lost'),
  defect('persons-mixed'),
  defect('waits-for-others'),
  defect('reached-slow'),
  defect('ends-on-junk'),
  // as a program of another language, or another system, makes them
  defect('byte-order-mark'),
  defect('shift-jis', 'not-utf8'),
  defect('question-marks', 'reference-lost'),
  defect('zeros-lost', 'reference-lost'),
  defect('id-as-text', 'not-a-line'),
  defect('capital-names', 'not-a-line'),
  defect('many-lines-an-answer', 'not-a-line'),
  defect('null-for-nothing', 'form'),
  defect('numbers-as-text', 'form'),
  defect('long-line-lost', 'no-answer'),
  defect('unknown-call-unanswered', 'unknown-call'),
  defect('unknown-member-refused', 'unknown-member'),
  defect('lost-when-many', 'no-answer'),
  // of whom
  defect('other-insurer'),
  defect('number-begins-so', 'nobody-found'),
  defect('check-of-another', 'persons-mixed'),
  defect('checks-mixed', 'persons-mixed'),
  defect('inquiry-of-another', 'persons-mixed'),
  defect('nobody-registered', 'nobody-found'),
  defect('reference-for-nobody', 'nobody-found'),
  defect('reference-for-everybody', 'reference-of-other'),
  defect('registered-unknown', 'registered-untrue'),
  defect('stays-after-input'),
] as const;
type Defect = (typeof defects)[number]['name'];
type Is = (defect: Defect) => boolean;

const wallMs = Date.UTC(2026, 10, 30, 1);
const records = parseServiceRecords(recordsJson, wallMs);
const personOf = (persona: string) => {
  const record = records.find((one) => one.persona === persona);
  const [one] = record?.qualifications ?? [];
  return {
    certificateSerial: record?.certificateSerials[0] ?? '',
    birthdate: record?.birthdate ?? '',
    inquiry: {
      insurerNumber: one?.InsurerNumber ?? '',
      insuredIdentificationNumber: one?.InsuredIdentificationNumber ?? '',
      ...(one?.InsuredCardSymbol !== undefined && { insuredCardSymbol: one.InsuredCardSymbol }),
    },
  };
};
const samplePeople: AdapterPeople = {
  registered: personOf('hanako'),
  other: personOf('taro'),
  unregistered: personOf('unregistered'),
  nobody: 'FFFFFFFF',
};

type Asked = {
  readonly id: number;
  readonly call: string;
  readonly card: CardReference;
  readonly choices: Parameters<EligibilityService['check']>[1];
  readonly inquiry: Parameters<EligibilityService['inquire']>[0];
  readonly referenceNumber: string;
};
type Answer = { ok: boolean; value?: unknown; failure?: { code: string } };

const unavailable: Answer = { ok: false, failure: { code: 'eligibility.unavailable' } };
const portCalls: readonly string[] = ['lookup', 'register', 'check', 'inquire', 'registerReference', 'isReached'];

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

class SampleAdapter implements LinePipe {
  readonly #service: SimulatedEligibilityService;
  readonly #is: Is;
  #hear: (line: string) => void = () => {};
  #answers = 0;
  #isOver = false;
  #toldAnother = false;
  #hasSpoken = false;
  /** Questions that wait for their answers */
  #open = 0;
  #lastChart = '';
  #last: CardReference | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #registered = new Set<string>();

  constructor(is: Is) {
    this.#is = is;
    const memory = serviceMemory();
    const kept =
      is('reference-lost') || is('register-no-effect') ? { ...memory, set: () => {}, add: () => {} } : memory;
    this.#service = new SimulatedEligibilityService({ records, memory: kept, answerDelayMs: 1, wait: () => turns(20) });
  }

  subscribe(hear: (line: string) => void): void {
    this.#hear = hear;
  }
  end(): Promise<boolean> {
    return Promise.resolve(!this.#is('stays-after-input'));
  }
  send(line: string): void {
    const work = (): Promise<void> => this.#work(line);
    // One after the other, where it should be side by side.
    if (this.#is('waits-for-others')) this.#queue = this.#queue.then(work);
    else void work();
  }

  async #work(line: string): Promise<void> {
    if (this.#isOver) return;
    let asked: Asked;
    try {
      asked = JSON.parse(line) as Asked;
      if (asked.id === undefined) throw new Error('no id');
    } catch {
      this.#isOver = this.#is('ends-on-junk');
      return;
    }
    if (this.#is('logs-to-output')) this.#hear(`INFO ${asked.call}`);
    if (this.#isLost(asked, line)) return;
    this.#open += 1;
    const answer = await this.#answer(asked);
    this.#open -= 1;
    this.#say(asked, answer);
  }

  /** Nobody will ever answer it. */
  #isLost({ call }: Asked, line: string): boolean {
    const is = this.#is;
    return (
      (is('no-answer') && call === 'registerReference') ||
      (is('long-line-lost') && line.length > 4_096) ||
      (is('unknown-call-unanswered') && !portCalls.includes(call)) ||
      (is('lost-when-many') && this.#open > 15)
    );
  }

  #say({ id, call }: Asked, answer: Answer): void {
    const is = this.#is;
    const { ok, value, failure } = answer;
    const code = is('unknown-code') ? 'E-1042' : failure?.code;
    const shaped = call === 'check' && is('form') && ok ? { ...(value as object), birthdate: '1980-02-17' } : value;
    const named = call === 'lookup' && is('unknown-element') && ok ? { ...(shaped as object), Name: 'x' } : shaped;
    const line = JSON.stringify(
      ok ? { id: this.#isToAnother(call) ? id + 100 : id, ok, value: named } : { id, ok, code },
    );
    for (const said of this.#written(line)) this.#hear(said);
    if (is('answers-twice')) this.#hear(line);
  }

  /** As another program would put the same answer on its output. */
  #written(line: string): readonly string[] {
    const is = this.#is;
    const isFirst = !this.#hasSpoken;
    this.#hasSpoken = true;
    if (is('byte-order-mark') && isFirst) return [`\ufeff${line}`];
    if (is('shift-jis')) return [line.replace(/[^\0-\x7f]/gu, '\ufffd\ufffd')];
    if (is('question-marks')) return [line.replace(/[^\0-\x7f]/gu, '?')];
    if (is('zeros-lost')) return [line.replace(/"referenceNumber":"0+/, '"referenceNumber":"')];
    if (is('id-as-text')) return [line.replace(/"id":(\d+)/, '"id":"$1"')];
    if (is('capital-names')) return [line.replace(/"id"/, '"Id"')];
    if (is('many-lines-an-answer')) return JSON.stringify(JSON.parse(line), null, 2).split('\n');
    if (is('null-for-nothing'))
      return [line.replace('"qualificationValidity"', '"processingResult":null,"qualificationValidity"')];
    if (is('numbers-as-text')) return [line.replace(/"qualificationValidity":(\d)/, '"qualificationValidity":"$1"')];
    return [line];
  }

  /** Once: whoever asked waits for its answer until it gives up. */
  #isToAnother(call: string): boolean {
    const isFirst = this.#is('other-id') && call === 'registerReference' && !this.#toldAnother;
    this.#toldAnother ||= isFirst;
    return isFirst;
  }

  async #answer({ id: _, call, card: given, choices, inquiry, referenceNumber, ...others }: Asked): Promise<Answer> {
    const is = this.#is;
    if (given !== undefined) this.#last = given;
    await turns(call === 'isReached' && !is('reached-slow') ? 0 : 2);
    const isMixed = (is('persons-mixed') && call === 'lookup') || (is('checks-mixed') && call === 'check');
    const card = isMixed ? (this.#last ?? given) : given;
    this.#answers += 1;
    if (is('unknown-member-refused') && Object.keys(others).length > 0) return unavailable;
    switch (call) {
      case 'lookup':
        return this.#lookup(card);
      case 'register':
        return this.#register(card);
      case 'check':
        return this.#check(card, choices);
      case 'inquire':
        return this.#inquire(inquiry);
      case 'registerReference':
        return this.#registerReference(inquiry, referenceNumber);
      case 'isReached':
        // Looks up an address first, and waits for it.
        if (is('reached-slow')) await new Promise((resolve) => setTimeout(resolve, 700));
        return { ok: true, value: true };
      default:
        return unavailable;
    }
  }

  async #lookup(card: CardReference): Promise<Answer> {
    const answer = await this.#service.lookup(card);
    if (this.#is('lookup-changes')) await this.#service.register(card);
    const isNobody = !answer.ok && this.#is('nobody-found');
    if (answer.ok && this.#is('registered-unknown'))
      return { ok: true, value: { ...answer.value, registered: 'unknown' } };
    return isNobody
      ? this.#service.lookup({ ...card, certificateSerial: samplePeople.registered.certificateSerial })
      : answer;
  }
  async #register(card: CardReference): Promise<Answer> {
    const isAgain = this.#registered.has(card.certificateSerial);
    this.#registered.add(card.certificateSerial);
    if (isAgain && this.#is('register-twice')) return unavailable;
    const answer = await this.#service.register(card);
    return this.#is('nobody-registered') ? { ok: true } : answer;
  }
  async #registerReference(inquiry: Asked['inquiry'], referenceNumber: string): Promise<Answer> {
    this.#lastChart = referenceNumber;
    const answer = await this.#service.registerReference(inquiry, referenceNumber);
    return this.#is('reference-for-nobody') ? { ok: true } : answer;
  }
  #shown(value: EligibilityAnswer): EligibilityAnswer {
    return this.#is('reference-for-everybody') ? { ...value, referenceNumber: this.#lastChart } : value;
  }
  async #check(card: CardReference, choices: Asked['choices']): Promise<Answer> {
    if (this.#is('not-registered-checked')) await this.#service.register(card);
    const isOther =
      this.#is('check-of-another') && card.certificateSerial === samplePeople.registered.certificateSerial;
    const serial = isOther ? samplePeople.other.certificateSerial : card.certificateSerial;
    const answer = await this.#service.check({ ...card, certificateSerial: serial }, choices);
    if (!answer.ok || !this.#is('check-differs'))
      return answer.ok ? { ok: true, value: this.#shown(answer.value) } : answer;
    return { ok: true, value: { ...answer.value, referenceNumber: String(this.#answers) } };
  }
  async #inquire(inquiry: Asked['inquiry']): Promise<Answer> {
    const isFolded = /[\uff10-\uff19]/.test(inquiry.insuredIdentificationNumber);
    if (this.#is('numbers-unfolded') && isFolded) return { ok: false, failure: { code: 'eligibility.not-found' } };
    const { birthdate: _, ...others } = inquiry;
    const asked = this.#is('other-birthdate') ? others : inquiry;
    const answer = await this.#service.inquire(this.#loosely(asked));
    if (!answer.ok) return answer;
    const birthdate = this.#is('inquiry-of-another') ? samplePeople.other.birthdate : answer.value.birthdate;
    return { ok: true, value: this.#shown({ ...answer.value, birthdate }) };
  }

  /** Whom it finds, where it compares less than it should. */
  #loosely(asked: Asked['inquiry']): Asked['inquiry'] {
    const known = [samplePeople.registered, samplePeople.other].map(({ inquiry }) => inquiry);
    const isSo = (own: Asked['inquiry']): boolean =>
      (this.#is('other-insurer') && own.insuredIdentificationNumber === asked.insuredIdentificationNumber) ||
      (this.#is('number-begins-so') && own.insuredIdentificationNumber.startsWith(asked.insuredIdentificationNumber));
    const found = known.find(isSo);
    return found === undefined ? asked : { ...asked, ...found };
  }
}

export const adapterKit: CheckedKit = {
  kit: 'adapter',
  defects,
  run: async (planted) => {
    const adapter = new SampleAdapter((name) => name === planted);
    const findings = await checkAdapter(adapter, samplePeople, { answerMs: 4_000, reachedMs: 500 });
    return { rules: new Set(findings.map(({ rule }) => rule)) };
  },
};
