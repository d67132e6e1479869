import type { CardReference, EligibilityService, NumberInquiry } from '../../agent/eligibility/eligibility-service.ts';
import type { Finding } from '../finding.ts';
import { AdapterLines, type LinePipe } from './adapter-lines.ts';
import type { AdapterRule } from './adapter-rules.ts';

/** A test person of the adapter's own test system. */
type AdapterPerson = {
  readonly certificateSerial: string;
  readonly authCertificate?: string;
  readonly birthdate: string;
  readonly inquiry: NumberInquiry;
};
/** Whom the suite asks about; all of them invented. */
export type AdapterPeople = {
  readonly registered: AdapterPerson;
  /** Another one, with another birth date */
  readonly other: AdapterPerson;
  /** Not registered when the suite begins: it registers them */
  readonly unregistered: AdapterPerson;
  /** A serial that nobody has */
  readonly nobody: string;
};

type Suite = {
  readonly service: EligibilityService;
  readonly people: AdapterPeople;
  readonly pipe: LinePipe;
  readonly tell: (rule: AdapterRule, where: string, seen: string) => void;
};

const noChoices = { consents: [], approvedDocuments: [] };
const cardOf = (serial: string, authCertificate = ''): CardReference => ({
  certificateSerial: serial,
  authCertificate: new Uint8Array(Buffer.from(authCertificate, 'base64')),
  requestId: crypto.randomUUID(),
});
const card = ({ certificateSerial, authCertificate }: AdapterPerson): CardReference =>
  cardOf(certificateSerial, authCertificate);
const isCode = (answer: { ok: boolean; failure?: { code: string } }, code: string): boolean =>
  !answer.ok && answer.failure?.code === code;
const word = (answer: { ok: boolean; failure?: { code: string } }): string =>
  answer.ok ? 'ok' : (answer.failure?.code ?? '');

const aboutRegistration = async ({ service, people, tell }: Suite): Promise<void> => {
  const who = card(people.unregistered);
  const first = await service.lookup(who);
  const again = await service.lookup(who);
  if (first.ok && again.ok && first.value.registered !== again.value.registered)
    tell('lookup-changes', 'lookup', `${first.value.registered} → ${again.value.registered}`);
  const early = await service.check(who, noChoices);
  if (!isCode(early, 'eligibility.not-registered')) tell('not-registered-checked', 'check', word(early));
  const registered = await service.register(who);
  const after = await service.lookup(who);
  if (registered.ok && after.ok && after.value.registered !== 'yes')
    tell('register-no-effect', 'lookup', after.value.registered);
  const twice = await service.register(who);
  if (registered.ok && !twice.ok) tell('register-twice', 'register', word(twice));
};

const aboutChecks = async ({ service, people, tell }: Suite): Promise<void> => {
  const who = card(people.registered);
  const [first, again] = [await service.check(who, noChoices), await service.check(who, noChoices)];
  if (JSON.stringify(first) !== JSON.stringify(again)) tell('check-differs', 'check', `${word(first)}, ${word(again)}`);
  for (const [call, answer] of [
    ['lookup', await service.lookup(cardOf(people.nobody))],
    ['check', await service.check(cardOf(people.nobody), noChoices)],
  ] as const)
    if (!isCode(answer, 'eligibility.not-found')) tell('nobody-found', call, word(answer));
};

/** １ for 1, and the other filling before an insurer number. */
const written = (inquiry: NumberInquiry): NumberInquiry => ({
  ...inquiry,
  insurerNumber: inquiry.insurerNumber.trim().padStart(8, '0'),
  insuredIdentificationNumber: inquiry.insuredIdentificationNumber.replace(/\d/g, (digit) =>
    String.fromCharCode(digit.charCodeAt(0) + 0xfee0),
  ),
});

const aboutNumbers = async ({ service, people, tell }: Suite): Promise<void> => {
  const { inquiry } = people.registered;
  const folded = await service.inquire(written(inquiry));
  if (!folded.ok) tell('numbers-unfolded', 'inquire', word(folded));
  const other = await service.inquire({ ...inquiry, birthdate: people.other.birthdate });
  if (!isCode(other, 'eligibility.not-found')) tell('other-birthdate', 'inquire', word(other));
  const number = `K${Date.now() % 100_000}`;
  const kept = await service.registerReference(inquiry, number);
  const [byNumber, byCard] = [await service.inquire(inquiry), await service.check(card(people.registered), noChoices)];
  if (
    kept.ok &&
    (!byNumber.ok || !byCard.ok || byNumber.value.referenceNumber !== number || byCard.value.referenceNumber !== number)
  )
    tell('reference-lost', 'registerReference', `${word(byNumber)}, ${word(byCard)}`);
};

const sideBySide = async ({ service, people, tell }: Suite, reachedMs: number): Promise<void> => {
  const pair = [people.registered, people.other];
  for (let round = 0; round < 3; round += 1) {
    const answers = await Promise.all(pair.map((one) => service.lookup(card(one))));
    const isMixed = answers.some((answer, at) => answer.ok && answer.value.person.birthdate !== pair[at]?.birthdate);
    if (isMixed) return tell('persons-mixed', 'lookup', 'birthdate');
  }
  const beganMs = performance.now();
  const order: string[] = [];
  const slow = service.check(card(people.other), noChoices).then(() => order.push('check'));
  const reached = service.isReached().then(() => order.push('isReached'));
  await reached;
  if (performance.now() - beganMs > reachedMs)
    tell('reached-slow', 'isReached', `${Math.round(performance.now() - beganMs)} ms`);
  await slow;
  if (order[0] !== 'isReached') tell('waits-for-others', 'check, isReached', order.join(', '));
};

const afterJunk = async ({ service, people, pipe, tell }: Suite): Promise<void> => {
  pipe.send('{"id": 1, "call":');
  pipe.send('{"call":"unheard-of"}');
  const answer = await service.lookup(card(people.registered));
  if (isCode(answer, 'eligibility.no-answer')) tell('ends-on-junk', 'lookup', word(answer));
};

type Limits = {
  /** The official software answers in 3 to 7 s. ms */
  readonly answerMs: number;
  /** As the port promises. ms */
  readonly reachedMs: number;
};
const usualLimits: Limits = { answerMs: 20_000, reachedMs: 1_000 };

/** The whole contract of the port, over lines. What it registers stays registered in the adapter's test system. */
export const checkAdapter = async (
  pipe: LinePipe,
  people: AdapterPeople,
  { answerMs, reachedMs }: Limits = usualLimits,
): Promise<readonly Finding<AdapterRule>[]> => {
  const findings: Finding<AdapterRule>[] = [];
  const tell = (rule: AdapterRule, where: string, seen: string): void => void findings.push({ rule, where, seen });
  const service = new AdapterLines({ pipe, answerMs, onTrouble: (trouble, seen) => tell(trouble, 'line', seen) });
  const suite = { service, people, pipe, tell };
  await aboutRegistration(suite);
  await aboutChecks(suite);
  await aboutNumbers(suite);
  await sideBySide(suite, reachedMs);
  await afterJunk(suite);
  return findings;
};
