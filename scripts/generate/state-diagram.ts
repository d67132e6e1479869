import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { failure } from '../../src/core/failure.ts';
import type { Session } from '../../src/core/visit/session.ts';
import { visitOf } from '../../src/core/visit/session-steps.ts';
import { type Happening, identity, lookup, settings, VisitStory } from '../beds/visit-story.ts';

/*
 * Draws the session's states by walking the real machine: every event in every situation that can be reached, until
 * nothing new turns up. Writes docs/states.md, and the short picture between the marks in README.md.
 *   node scripts/generate/state-diagram.ts [--check]
 */

type Edge = { readonly from: string; readonly to: string; readonly event: string };

const phonesOwn = new Set(['idle', 'readingCard', 'enteringPhonePin', 'awaitingPhone', 'verifyingPhone']);
const faceMayBegin = new Set(['readingCard', 'choosingMethod', 'verifyingFace']);

/** What makes two moments of a session the same for the walk. */
const situationOf = ({ state, surroundings }: Session): string => {
  const { deadlineMs: _deadline, ...rest } = state;
  const visit = visitOf(state);
  const known = visit && {
    pin: visit.identity?.pin.state,
    // Whether the photo is still being read matters only where a face could begin.
    visual: faceMayBegin.has(state.name)
      ? visit.identity?.visual.state
      : visit.identity?.visual.state === 'unavailable',
    lookup: visit.lookup.state === 'answered' ? visit.lookup.result.registered : visit.lookup.state,
    verification: visit.verification,
    registration: visit.registration,
    question: visit.questions === null ? null : visit.questionIndex,
  };
  const { reader, connected, cardOnBed, phonesOnBed } = surroundings;
  const around = [reader.state, connected, cardOnBed !== null, phonesOnBed];
  const shape = JSON.stringify(rest, (key, value) =>
    [
      'visit',
      'sinceMs',
      'atMs',
      'resuming',
      'failure',
      'requestId',
      'hint',
      'result',
      'triesLeft',
      'notice',
      'offerOthers',
      'patience',
    ].includes(key)
      ? null
      : value,
  );
  return JSON.stringify([shape, known, around]);
};

const happenings = (session: Session): Happening[] => {
  const visit = visitOf(session.state);
  const events: Happening[] = [
    { type: 'CardInserted', insertion: `i${Math.random()}`, session: `s${Math.random()}` },
    { type: 'CardUnreadable', failure: failure('card.unreadable'), session: 'u' },
    { type: 'CardRemoved' },
    { type: 'ReaderLost', failure: failure('reader.lost') },
    { type: 'ReaderFound' },
    { type: 'BusConnected' },
    { type: 'BusDisconnected', failure: failure('delivery.offline') },
    { type: 'ChallengesChanged', ready: true },
    { type: 'FaceHealthChanged', trouble: null },
    { type: 'DeadlinePassed' },
    { type: 'ShutdownRequested' },
  ];
  if (visit === null) {
    events.push({ type: 'PhonePresented', insertion: 'phone', session: 'p' });
    for (const entered of [0, 4]) events.push({ type: 'PhonePinDigitsChanged', entered });
    events.push({ type: 'PhonePinSubmitted' });
    for (const control of ['use-smartphone', 'iphone', 'android', 'last-try-yes', 'back'] as const)
      events.push({ type: 'Touched', session: null, control });
    return events;
  }
  const { insertion, session: id } = visit;
  for (const pin of [{ state: 'usable', triesLeft: 3 }, { state: 'blocked' }] as const)
    events.push({ type: 'CardRead', insertion, identity: { ...identity, pin } });
  const without = { state: 'unavailable', code: 'card.photo-absent' } as const;
  events.push({ type: 'CardRead', insertion, identity: { ...identity, visual: { state: 'reading' } } });
  events.push({ type: 'VisualRead', insertion, visual: identity.visual });
  events.push({ type: 'VisualRead', insertion, visual: without });
  events.push({ type: 'CardRead', insertion, identity: { ...identity, visual: without } });
  events.push({ type: 'CardRead', insertion, identity: { ...identity, visual: without, pin: { state: 'absent' } } });
  events.push({ type: 'CardRead', insertion, identity: { ...identity, certificateState: 'dead' } });
  events.push({ type: 'CardReadFailed', insertion, failure: failure('card.not-my-number') });
  events.push({ type: 'CardReadFailed', insertion, failure: failure('card.phone-not-supported'), phone: 'android' });
  for (const registered of ['yes', 'no'] as const)
    events.push({ type: 'LookupAnswered', insertion, result: { ...lookup, registered } });
  events.push({ type: 'LookupAnswered', insertion, result: { ...lookup, certificateStatus: 'revoked' } });
  events.push({ type: 'FaceMatched', insertion }, { type: 'FaceMissed', insertion });
  events.push({ type: 'FaceFailed', insertion, failure: failure('camera.lost') });
  events.push({ type: 'PinDigitsChanged', insertion, entered: 4 }, { type: 'PinSubmitted', insertion });
  events.push({ type: 'PinVerified', insertion }, { type: 'PhoneWasCard', insertion });
  events.push({ type: 'PhoneVerified', insertion, identity: { ...identity, kind: 'android-phone', visual: without } });
  for (const code of ['card.removed', 'card.unreadable'] as const)
    events.push({ type: 'PinCheckFailed', insertion, failure: failure(code) });
  for (const triesLeft of [1, 0]) events.push({ type: 'PinRefused', insertion, triesLeft });
  const kind = session.state.name === 'registering' ? 'registration' : 'eligibility';
  events.push({ type: 'RequestSigned', insertion, kind, requestId: 'r' });
  for (const code of ['card.security-status-lost', 'delivery.no-challenge'] as const)
    events.push({ type: 'SigningFailed', insertion, kind, failure: failure(code) });
  for (const verdict of ['accepted', 'refused'] as const)
    events.push({ type: 'ReceiptArrived', requestId: 'r', verdict, code: null });
  const result = { qualificationValidity: 1, code: null };
  events.push({ type: 'ResultArrived', requestId: 'r', outcome: 'eligible', ...result });
  events.push({ type: 'ResultArrived', requestId: 'r', outcome: 'registered', ...result });
  events.push({ type: 'RequestExpired', requestId: 'r' });
  events.push({ type: 'StaffApproved', session: id, approval: 'jws' }, { type: 'StaffCancelled', session: id });
  for (const control of [
    'use-face',
    'use-pin',
    'call-staff',
    'agree',
    'decline',
    'confirm',
    'back',
    'last-try-yes',
  ] as const)
    events.push({ type: 'Touched', session: id, control });
  return events;
};

const walk = (): Edge[] => {
  const edges = new Map<string, Edge>();
  const seen = new Set<string>();
  // One question and the summary stand for any number of them.
  const asks = { TKK: true, YZK: false, SRJ: false, SHJ: false, TSR: false };
  const open = [false, true].map((phonesOnBed) => {
    const story = VisitStory.atRest(phonesOnBed);
    story.tell({ type: 'SettingsChanged', settings: { ...settings, asks, smartphone: true } });
    return story.session;
  });
  for (let session = open.pop(); session !== undefined; session = open.pop()) {
    // Where phones are laid with the cards only their own states differ.
    if (session.surroundings.phonesOnBed && !phonesOwn.has(session.state.name)) continue;
    for (const event of happenings(session)) {
      const story = new VisitStory();
      story.session = session;
      story.nowMs = event.type === 'DeadlinePassed' ? (session.state.deadlineMs ?? 0) : 0;
      // A finger that is meant: whatever stood there before is long gone.
      if (event.type === 'Touched') story.session = { ...session, othersGoneAtMs: null };
      story.tell(event);
      const [from, to] = [session.state.name, story.name];
      if (from !== to) edges.set(`${from}|${to}|${event.type}`, { from, to, event: event.type });
      const situation = situationOf(story.session);
      if (seen.has(situation)) continue;
      seen.add(situation);
      open.push(story.session);
    }
  }
  return [...edges.values()];
};

const order = [
  'outOfService',
  'idle',
  'choosingPhone',
  'enteringPhonePin',
  'awaitingPhone',
  'verifyingPhone',
  'readingCard',
  'choosingMethod',
  'verifyingFace',
  'enteringPin',
  'awaitingStaffCheck',
  'awaitingLookup',
  'registering',
  'askingConsent',
  'signing',
  'sending',
  'awaitingResult',
  'showingResult',
  'awaitingCardRemoval',
  'interrupted',
];
const rank = (name: string): number => order.indexOf(name);
const edges = walk().sort(
  (a, b) => rank(a.from) - rank(b.from) || rank(a.to) - rank(b.to) || a.event.localeCompare(b.event),
);

/** The way forward: what a visit does when nothing goes wrong, or goes wrong inside its own step. */
const forward = edges.filter(
  ({ from, to, event }) =>
    to !== 'interrupted' &&
    to !== 'outOfService' &&
    from !== 'outOfService' &&
    from !== 'interrupted' &&
    !['CardRemoved', 'ReaderLost', 'CardInserted', 'ShutdownRequested', 'StaffApproved'].includes(event) &&
    !(from === 'awaitingStaffCheck') &&
    (rank(to) > rank(from) || from === 'signing' || to === 'idle'),
);
const arrows = new Map<string, string[]>();
for (const { from, to, event } of [...forward, { from: 'idle', to: 'readingCard', event: 'CardInserted' }]) {
  const words = arrows.get(`${from} --> ${to}`) ?? [];
  arrows.set(`${from} --> ${to}`, [...words, event]);
}
const picture = [
  '```mermaid',
  'stateDiagram-v2',
  '  [*] --> idle',
  ...[...arrows].map(
    ([arrow, events]) => `  ${arrow}: ${events.slice(0, 2).join(', ')}${events.length > 2 ? ' …' : ''}`,
  ),
  '```',
].join('\n');

const table = new Map<string, string[]>();
for (const { from, to, event } of edges) {
  const key = `${from}|${to}`;
  table.set(key, [...(table.get(key) ?? []), event]);
}
const page = `# States of a session

Made by \`node scripts/generate/state-diagram.ts\` from the machine itself (src/core/visit/session-machine.ts): every event in every
situation that can be reached. A test holds this page equal to the machine.

${picture}

## Every arrow

| from | to | on |
|---|---|---|
${[...table].map(([key, events]) => `| ${key.replace('|', ' | ')} | ${events.join(', ')} |`).join('\n')}
`;

const root = fileURLToPath(new URL('../..', import.meta.url));
const marks = /(?<=<!-- states:begin -->\n)[\s\S]*?(?=<!-- states:end -->)/;
const readme = readFileSync(`${root}README.md`, 'utf8').replace(marks, () => `${picture}\n`);
if (process.argv.includes('--check')) {
  const stale = [
    ['docs/states.md', page],
    ['README.md', readme],
  ].filter(([path, text]) => readFileSync(`${root}${path}`, 'utf8') !== text);
  for (const [path] of stale)
    process.stderr.write(`${path}: the states have changed; run node scripts/generate/state-diagram.ts\n`);
  process.exit(stale.length === 0 ? 0 : 1);
}
writeFileSync(`${root}docs/states.md`, page);
writeFileSync(`${root}README.md`, readme);
