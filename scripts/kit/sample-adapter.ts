import type { CardReference, EligibilityService } from '../../src/agent/eligibility/eligibility-service.ts';
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
    if (this.#is('no-answer') && asked.call === 'registerReference') return;
    const answer = await this.#answer(asked);
    this.#say(asked, answer);
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
    this.#hear(line);
    if (is('answers-twice')) this.#hear(line);
  }

  /** Once: whoever asked waits for its answer until it gives up. */
  #isToAnother(call: string): boolean {
    const isFirst = this.#is('other-id') && call === 'registerReference' && !this.#toldAnother;
    this.#toldAnother ||= isFirst;
    return isFirst;
  }

  async #answer({ call, card: given, choices, inquiry, referenceNumber }: Asked): Promise<Answer> {
    const is = this.#is;
    if (given !== undefined) this.#last = given;
    await turns(call === 'isReached' && !is('reached-slow') ? 0 : 2);
    const card = is('persons-mixed') && call === 'lookup' ? (this.#last ?? given) : given;
    this.#answers += 1;
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
        return this.#service.registerReference(inquiry, referenceNumber);
      case 'isReached':
        // Looks up an address first, and waits for it.
        if (is('reached-slow')) await new Promise((resolve) => setTimeout(resolve, 700));
        return { ok: true, value: true };
      default:
        return { ok: false, failure: { code: 'eligibility.unavailable' } };
    }
  }

  async #lookup(card: CardReference): Promise<Answer> {
    const answer = await this.#service.lookup(card);
    if (this.#is('lookup-changes')) await this.#service.register(card);
    const isNobody = !answer.ok && this.#is('nobody-found');
    return isNobody
      ? this.#service.lookup({ ...card, certificateSerial: samplePeople.registered.certificateSerial })
      : answer;
  }
  async #register(card: CardReference): Promise<Answer> {
    const isAgain = this.#registered.has(card.certificateSerial);
    this.#registered.add(card.certificateSerial);
    if (isAgain && this.#is('register-twice')) return { ok: false, failure: { code: 'eligibility.unavailable' } };
    return this.#service.register(card);
  }
  async #check(card: CardReference, choices: Asked['choices']): Promise<Answer> {
    if (this.#is('not-registered-checked')) await this.#service.register(card);
    const answer = await this.#service.check(card, choices);
    if (!answer.ok || !this.#is('check-differs')) return answer;
    return { ok: true, value: { ...answer.value, referenceNumber: String(this.#answers) } };
  }
  async #inquire(inquiry: Asked['inquiry']): Promise<Answer> {
    const isFolded = /[\uff10-\uff19]/.test(inquiry.insuredIdentificationNumber);
    if (this.#is('numbers-unfolded') && isFolded) return { ok: false, failure: { code: 'eligibility.not-found' } };
    const { birthdate: _, ...others } = inquiry;
    return this.#service.inquire(this.#is('other-birthdate') ? others : inquiry);
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
