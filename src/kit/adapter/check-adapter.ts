import type { CardReference, NumberInquiry } from '../../agent/eligibility/eligibility-service.ts';
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
  readonly service: AdapterLines;
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
  const known = await service.lookup(card(people.registered));
  if (known.ok && known.value.registered !== 'yes') tell('registered-untrue', 'lookup', known.value.registered);
  const first = await service.lookup(who);
  // Whoever was registered by an earlier run is so still.
  if (first.ok && first.value.registered === 'unknown') tell('registered-untrue', 'lookup', first.value.registered);
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
  if (first.ok && first.value.birthdate !== people.registered.birthdate) tell('persons-mixed', 'check', 'birthdate');
  const nobody = cardOf(people.nobody);
  for (const [call, answer] of [
    ['lookup', await service.lookup(nobody)],
    ['check', await service.check(nobody, noChoices)],
    ['register', await service.register(nobody)],
    ['lookup', await service.lookup(nobody)],
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
  const elsewhere = await service.inquire({ ...inquiry, insurerNumber: otherInsurer(people) });
  if (!isCode(elsewhere, 'eligibility.not-found')) tell('other-insurer', 'inquire', word(elsewhere));
  const shorter = {
    ...inquiry,
    insuredIdentificationNumber: inquiry.insuredIdentificationNumber.slice(0, -1) || 'なし',
  };
  for (const [call, answer] of [
    ['inquire', await service.inquire(shorter)],
    ['registerReference', await service.registerReference(shorter, 'K0')],
  ] as const)
    if (!isCode(answer, 'eligibility.not-found'))
      tell('nobody-found', call, `${word(answer)}、番号の終わりを欠いた照会`);
};

/** A number that the other person's insurer has, or nobody's. */
const otherInsurer = ({ registered, other }: AdapterPeople): string => {
  const digits = ({ inquiry }: AdapterPerson): string => inquiry.insurerNumber.trim().replace(/^0+/, '');
  return digits(registered) === digits(other) ? '99999999' : other.inquiry.insurerNumber;
};

/** Chart numbers as clinics have them: with zeros before, in letters that Shift_JIS or a `char` lacks, as long as may be. */
const charts = (): readonly string[] => {
  const own = String(Date.now() % 100_000);
  return [`K${own}`, `00${own}`, `診察券 髙𠮷-${own}`, own.padStart(50, '7')];
};

const aboutCharts = async ({ service, people, tell }: Suite): Promise<void> => {
  const { inquiry, birthdate } = people.registered;
  for (const number of charts()) {
    const kept = await service.registerReference(inquiry, number);
    if (!kept.ok) {
      tell('reference-lost', 'registerReference', word(kept));
      continue;
    }
    const byNumber = await service.inquire(inquiry);
    const byCard = await service.check(card(people.registered), noChoices);
    const isThere = [byNumber, byCard].every((answer) => answer.ok && answer.value.referenceNumber === number);
    if (!isThere) tell('reference-lost', 'registerReference', `${shapeOf(number)}: ${word(byNumber)}, ${word(byCard)}`);
    if (byNumber.ok && byNumber.value.birthdate !== birthdate) tell('persons-mixed', 'inquire', 'birthdate');
    const another = await service.check(card(people.other), noChoices);
    if (another.ok && another.value.referenceNumber === number) tell('reference-of-other', 'check', shapeOf(number));
  }
};
const shapeOf = (text: string): string => text.replace(/\d+/g, (digits) => `9×${digits.length}`);

const sideBySide = async ({ service, people, tell }: Suite, reachedMs: number): Promise<void> => {
  const crowd = Array.from({ length: 32 }, (_, at) => (at % 2 === 0 ? people.registered : people.other));
  const lookups = await Promise.all(crowd.map((one) => service.lookup(card(one))));
  if (lookups.some((answer, at) => answer.ok && answer.value.person.birthdate !== crowd[at]?.birthdate))
    tell('persons-mixed', 'lookup', 'birthdate');
  const pair = crowd.slice(0, 2);
  const checks = await Promise.all(pair.map((one) => service.check(card(one), noChoices)));
  if (checks.some((answer, at) => answer.ok && answer.value.birthdate !== pair[at]?.birthdate))
    tell('persons-mixed', 'check', 'birthdate');
  // A machine that is busy with other things is slow once, an adapter always.
  let told: readonly (readonly [AdapterRule, string, string])[] = [];
  for (let times = 0; times < 3; times += 1) {
    told = await besideACheck(service, people, reachedMs);
    if (told.length === 0) return;
  }
  for (const [rule, where, seen] of told) tell(rule, where, seen);
};

const besideACheck = async (
  service: AdapterLines,
  people: AdapterPeople,
  reachedMs: number,
): Promise<readonly (readonly [AdapterRule, string, string])[]> => {
  const beganMs = performance.now();
  const order: string[] = [];
  const slow = service.check(card(people.other), noChoices).then(() => order.push('check'));
  await service.isReached().then(() => order.push('isReached'));
  const tookMs = Math.round(performance.now() - beganMs);
  await slow;
  return [
    ...(tookMs > reachedMs ? [['reached-slow', 'isReached', `${tookMs} ms`] as const] : []),
    ...(order[0] === 'isReached' ? [] : [['waits-for-others', 'check, isReached', order.join(', ')] as const]),
  ];
};

/** What a later version of this asks, and what a line may be: long, cut, or of nobody's. */
const aboutLines = async ({ service, people, pipe, tell }: Suite): Promise<void> => {
  const who = card(people.registered);
  const later = await service.askAnything('uketsuke-later-version', {});
  if (later.ok || later.failure.code === 'eligibility.no-answer')
    tell('unknown-call', 'uketsuke-later-version', word(later));
  const { certificateSerial, requestId } = who;
  const more = await service.askAnything('lookup', {
    card: { certificateSerial, requestId, authCertificate: people.registered.authCertificate ?? '', laterMember: 1 },
    laterMember: { any: [] },
  });
  if (!more.ok) tell('unknown-member', 'lookup', word(more));
  // Silence is told by whoever waits; a refusal is as it likes.
  await service.lookup({ ...who, authCertificate: new Uint8Array(longCertificate) });
  pipe.send('{"id": 1, "call":');
  pipe.send('{"call":"unheard-of"}');
  pipe.send('');
  const answer = await service.lookup(card(people.registered));
  if (isCode(answer, 'eligibility.no-answer')) tell('ends-on-junk', 'lookup', word(answer));
  if ((await pipe.end?.()) === false) tell('stays-after-input', 'stdin', 'EOF');
};
/** bytes */
const longCertificate = 12_000;

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
  // Whoever is silent at first would be waited for with every question.
  if (isCode(await service.lookup(card(people.registered)), 'eligibility.no-answer')) return findings;
  await aboutRegistration(suite);
  await aboutChecks(suite);
  await aboutNumbers(suite);
  await aboutCharts(suite);
  await sideBySide(suite, reachedMs);
  await aboutLines(suite);
  return findings;
};
