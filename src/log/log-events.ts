import { type FailureCode, isFailureCode } from '../core/failure.ts';
import { profiles } from '../wire/profile.ts';
import type { LogLevel } from '../wire/terminal-about.ts';
import type { TopicLeaf } from '../wire/topics.ts';
import { type Kind, kind, maybe, oneOf, pattern } from './log-kinds.ts';
import { cause, state, wordsOf } from './session-words.ts';

const code = kind<FailureCode>('failure code', (value) => typeof value === 'string' && isFailureCode(value));
const count = kind<number>('count', (value) => Number.isSafeInteger(value) && (value as number) >= 0);
const ms = kind<number>('ms', (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0);
/** Random ids only (session, request, lookup): RFC 9562. */
const uuid = pattern('UUID', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
/** What the clinic calls one of its terminals or agents, as in the topics. */
const deviceId = pattern('device id', /^[a-z][a-z0-9-]{0,31}$/);
const version = pattern('version', /^\d{1,4}(\.\d{1,4}){1,2}$|^\d{4}-\d{2}-\d{2}(\.\d{1,3})?$/);
/** What the operating system, OpenSSL or SQLite call an error: ECONNREFUSED, CERT_HAS_EXPIRED. */
const errorCode = pattern(
  'system error code',
  /^(E[A-Z0-9]{2,14}|(ERR|CERT|SQLITE|UNABLE|DEPTH|SELF)_[A-Z0-9_]{2,48})$/,
);
/** A field of a schema of ours, by its name there and places in lists: `consents.0.at`. */
const fieldPath = pattern('field of a message', /^[a-z][A-Za-z]{0,30}(\.[A-Za-z0-9]{1,30}){0,4}$/);
/** Where in our source: `src/terminal/delivery/outbox.ts:12:3`. */
const sourcePlace = pattern('source place', /^(src|drivers|scripts)\/[a-z0-9/-]+\.ts:\d{1,5}:\d{1,4}$/);
/** A store that was moved aside, by its name in its directory. */
const storeFile = pattern('file name', /^[a-z][a-z0-9.-]{0,40}\.damaged-\d{1,6}$/);
/** A key of a message, with the keys above it: `facilitySettings.theme`. */
const messageKey = pattern('key of a message', /^[A-Za-z][A-Za-z0-9.-]{0,60}$/);
const errorClass = pattern('error class', /^[A-Z][A-Za-z]{0,30}Error$|^Error$/);

/** Names of XML elements, never what stands in them. */
const elementNames = pattern('XML element names', /^[A-Za-z_][\w.:-]*(,[A-Za-z_][\w.:-]*)*$/);

/** Names say which lane and when, nothing of a person. */
const oqsFile = pattern('file name of オンライン資格確認', /^OQS[a-z0-9]+_[A-Za-z0-9_-]{1,80}\.xml$/);

const profile = oneOf(...profiles);
const method = oneOf('face', 'pin', 'staff');
const outcome = oneOf('accepted', 'refused', 'sent-to-desk', 'cancelled');

const leaf = wordsOf<TopicLeaf>('topic leaf', {
  state: true,
  'challenge-request': true,
  challenge: true,
  lookup: true,
  'lookup-result': true,
  request: true,
  receipt: true,
  result: true,
  command: true,
  'command-result': true,
  settings: true,
});
/** The parts whose health is watched. */
const part = oneOf(
  'session-runner',
  'card-reader',
  'face-process',
  'camera',
  'screen',
  'keypad',
  'status-light',
  'message-bus',
  'store',
  'agent',
);

/** The processes of one device that speak with each other over sockets. */
const deviceProcess = oneOf('terminal', 'link', 'face');

type Fields = { readonly [field: string]: Kind<unknown> };
/** Who is meant to read it. `staff`: also shown, in plain words, on the staff page. */
type LogAudience = 'staff' | 'technician' | 'developer';
type LogEvent<F extends Fields> = {
  readonly level: LogLevel;
  readonly audience: LogAudience;
  readonly meaning: string;
  readonly fields: F;
};

const event = <const F extends Fields>(
  level: LogLevel,
  audience: LogAudience,
  meaning: string,
  fields: F,
): LogEvent<F> => ({ level, audience, meaning, fields });

/**
 * Every line that terminal and agent can log. A new line begins here: name `thing.happened`, level, reader, meaning,
 * typed fields. Rendered into docs/log-events.md.
 */
export const logEvents = {
  'process.started': event('info', 'technician', 'A process of Uketsuke began.', {
    process: oneOf('terminal', 'link', 'face', 'agent', 'broker', 'update'),
    version,
    profile: maybe(profile),
  }),
  'process.ready': event('info', 'technician', 'It can do its work.', { ms }),
  'process.stopping': event('info', 'technician', 'It was asked to stop, or cannot go on.', {
    reason: oneOf('signal', 'failure', 'command'),
    code: maybe(code),
  }),
  'process.error': event('error', 'developer', 'An error that nobody expected; the place is the first line of ours.', {
    error: errorClass,
    errorCode: maybe(errorCode),
    place: maybe(sourcePlace),
  }),
  'log.field-refused': event(
    'error',
    'developer',
    'Somebody tried to log what the catalogue does not know; it was left out.',
    {
      fields: count,
    },
  ),

  'session.transition': event('info', 'technician', 'The visit went from one state to the next.', {
    session: maybe(uuid),
    from: state,
    to: state,
    cause,
    code: maybe(code),
  }),
  'session.stage': event('info', 'technician', 'How long a stage of the visit took.', {
    session: uuid,
    stage: oneOf('card', 'lookup', 'face', 'pin', 'staff', 'consent', 'sign', 'deliver', 'result'),
    ms,
  }),
  'session.ended': event('info', 'staff', 'The visit is over.', {
    session: uuid,
    method: maybe(method),
    outcome,
    code: maybe(code),
    ms,
  }),

  'card.removed': event('info', 'technician', 'The card was taken.', { session: maybe(uuid) }),
  'card.read': event('info', 'technician', 'What the card is able to do; not who owns it.', {
    session: maybe(uuid),
    token: oneOf('my-number-card', 'android-phone', 'iphone'),
    certificate: oneOf('valid', 'near-expiry', 'grace', 'dead'),
    pin: oneOf('usable', 'blocked', 'absent'),
    visual: oneOf('reading', 'read', 'unavailable'),
    ms,
  }),
  'card.visual-read': event('info', 'technician', 'Photo and its proof are read, or the face path is closed.', {
    session: maybe(uuid),
    code: maybe(code),
    ms,
  }),
  'pin.refused': event('warn', 'staff', 'The card refused the PIN.', { session: maybe(uuid), triesLeft: count }),
  'staff.approved': event('info', 'staff', 'Staff looked at card and face themselves (目視), for this visit alone.', {
    session: uuid,
  }),

  'part.found': event('info', 'technician', 'A part of the terminal is there, or there again.', {
    part,
    ms: maybe(ms),
  }),
  'part.lost': event('warn', 'technician', 'A part of the terminal is gone; it is being looked for.', {
    part,
    code: maybe(code),
    errorCode: maybe(errorCode),
  }),
  'update.step': event('info', 'technician', 'An update of a device with two slots went on, or waits.', {
    state: pattern('a state of src/core/update', /^[A-Za-z]{1,20}$/),
    on: pattern('an event of src/core/update', /^[A-Za-z]{1,30}$/),
    wait: maybe(pattern('a reason of src/core/update', /^[a-z-]{1,20}$/)),
  }),
  'rollout.step': event('info', 'technician', 'An order of the chain is in force here (no reason), or why it is not.', {
    kind: oneOf('release', 'settings', 'keys'),
    number: count,
    why: maybe(pattern('a reason of src/core/rollout', /^[a-z-]{1,20}$/)),
  }),
  'bundle.fetched': event(
    'info',
    'technician',
    'A release came from the agent, whole; whether it is installed is said elsewhere.',
    {
      bytes: count,
    },
  ),
  'bundle.spoilt': event(
    'warn',
    'technician',
    'A release that came is not what the agent has: it is fetched anew.',
    {},
  ),
  'bundle.no-room': event('warn', 'technician', 'The disk has no room for the release that the agent has.', {
    bytes: count,
  }),
  'bundle.not-kept': event('warn', 'technician', 'The folder of bundles cannot be read or written.', {
    errorCode: maybe(errorCode),
  }),
  'watchdog.withheld': event('error', 'technician', 'The watchdog is not fed: this part does not answer.', {
    part,
    silentMs: ms,
  }),

  'peer.connected': event('info', 'technician', 'Another process of this device is reached over its socket.', {
    peer: deviceProcess,
  }),
  'peer.lost': event('warn', 'technician', 'The connection to another process of this device has ended.', {
    peer: deviceProcess,
    reason: oneOf('closed', 'silent', 'malformed', 'flooded', 'replaced'),
  }),
  'clock.wrong': event('warn', 'technician', "The machine's own clock is wrong; a better known time is used.", {
    fault: oneOf('behind', 'ahead', 'moved', 'long-away'),
    offMs: ms,
  }),
  'clock.confirmed': event('info', 'technician', 'The time is confirmed by the agent or by the network.', {}),

  'certificate.renewed': event('info', 'technician', 'A new one is in force.', { owner: deviceId, days: count }),
  'certificate.issued': event('info', 'technician', 'A device has a new one from this agent.', { device: deviceId }),
  'certificate.refused': event('warn', 'technician', 'A request or its answer was refused.', {
    device: deviceId,
    code,
  }),

  'bus.connected': event('info', 'technician', 'The broker is reached.', { ms }),
  'bus.disconnected': event('warn', 'technician', 'The broker is not reached.', { errorCode: maybe(errorCode) }),
  'challenge.stocked': event('debug', 'developer', 'Challenges fetched ahead.', { challenges: count }),
  'lookup.answered': event('info', 'technician', 'The agent told about registration and certificate.', {
    lookup: uuid,
    ms,
  }),
  'lookup.unanswered': event('warn', 'technician', 'No answer in time; the screens that need it are left out.', {
    lookup: uuid,
    ms,
  }),
  'request.signed': event(
    'info',
    'technician',
    'Card and device have signed; from here on the visit has this request id.',
    {
      session: uuid,
      request: uuid,
      kind: oneOf('eligibility', 'registration'),
    },
  ),
  'outbox.stored': event('info', 'technician', 'A request is safe on disk.', { request: uuid, waiting: count }),
  'outbox.published': event('info', 'technician', 'A request went to the broker.', { request: uuid, attempt: count }),
  'outbox.receipted': event('info', 'technician', 'The agent has it in its journal.', {
    request: uuid,
    verdict: oneOf('accepted', 'refused'),
    code: maybe(code),
    ms,
  }),
  'outbox.expired': event('warn', 'staff', 'A request outlived its challenge and is void; the patient was told.', {
    request: uuid,
  }),
  'result.received': event('info', 'technician', 'The national service answered.', {
    request: uuid,
    outcome: oneOf('ok', 'failed', 'late'),
    ms,
  }),
  'message.refused': event('warn', 'technician', 'A message that is malformed, forged or stale.', {
    leaf,
    code,
    device: maybe(deviceId),
    field: maybe(fieldPath),
  }),
  'message.key-unknown': event('info', 'technician', 'A key of a later release was left out; told once.', {
    leaf,
    key: messageKey,
    device: maybe(deviceId),
  }),
  'settings.applied': event('info', 'technician', "The facility's settings in this version hold.", { version: count }),
  'command.refused': event('warn', 'technician', 'A command was not carried out.', { command: maybe(uuid), code }),
  'store.failed': event('error', 'technician', 'The disk refused a write, or the file cannot be opened.', {
    errorCode: maybe(errorCode),
    code: maybe(code),
  }),
  'store.migrated': event(
    'info',
    'technician',
    'A store was brought to the form of this release; a copy lies beside it.',
    {
      from: count,
      to: count,
    },
  ),
  'audit.verified': event('info', 'technician', 'The audit chain is whole.', { entries: count }),
  'audit.broken': event('error', 'technician', 'An entry of the audit chain does not fit the one before it.', {
    number: count,
  }),
  'store.damaged': event('error', 'technician', 'Pages of a store in use are broken: the next start mends it.', {
    code,
  }),
  'store.put-back': event('error', 'technician', 'A store deleted or replaced while open: it lies there again.', {
    code,
  }),
  'store.set-aside': event(
    'error',
    'technician',
    'A damaged store was moved aside; a new one has what could be read.',
    {
      file: storeFile,
      rows: count,
    },
  ),

  'agent.request-file': event('warn', 'technician', 'A file in req/ that nobody can read, or of no kind known here.', {
    code,
  }),
  'agent.elements-passed-over': event(
    'info',
    'technician',
    'Elements of a request that are not known here; each is named once.',
    { elements: elementNames },
  ),
  'agent.request-journaled': event('info', 'technician', 'Verified and on disk; the receipt may go.', {
    request: uuid,
    session: uuid,
    device: deviceId,
    ms,
  }),
  'agent.request-refused': event('warn', 'staff', 'A request did not pass the checks.', {
    request: maybe(uuid),
    device: deviceId,
    code,
  }),
  'agent.result-sent': event('info', 'technician', 'The result went to the terminal and into its file.', {
    request: uuid,
    device: deviceId,
    ms,
  }),
  'agent.service-asked': event('info', 'technician', 'The national service has answered this request.', {
    ...{ request: uuid, outcome: oneOf('ok', 'failed'), ms },
  }),
  'agent.file-written': event('info', 'technician', 'The answer lies in the folder shared with the レセコン.', {
    ...{ request: uuid, file: oqsFile },
  }),
  'agent.service-failed': event('warn', 'staff', 'The national service did not answer.', {
    request: maybe(uuid),
    code,
  }),
  'agent.pre-check-in-refused': event(
    'warn',
    'technician',
    'Consents signed beforehand on a phone did not hold here and now; the patient is asked as ever.',
    { session: uuid, code },
  ),
  'agent.device-state': event('info', 'staff', 'What a terminal says of itself.', {
    device: deviceId,
    status: oneOf('idle', 'busy', 'out-of-service', 'offline'),
    code: maybe(code),
  }),
} as const satisfies Record<string, LogEvent<Fields>>;

export type LogEventName = keyof typeof logEvents;

type ValueOf<K> = K extends Kind<infer T> ? T : never;
type Values<F extends Fields> = {
  readonly [K in keyof F as undefined extends ValueOf<F[K]> ? never : K]: ValueOf<F[K]>;
} & {
  readonly [K in keyof F as undefined extends ValueOf<F[K]> ? K : never]?: ValueOf<F[K]>;
};
/** The fields of one event: those and no others, each of its kind. */
export type LogEventFields<N extends LogEventName> = Values<(typeof logEvents)[N]['fields']>;

/** What may be written of `given`, and how many fields were refused (unknown, missing, or not of their kind). */
export const admitLogFields = (
  name: LogEventName,
  given: Readonly<Record<string, unknown>>,
): { readonly admitted: Readonly<Record<string, unknown>>; readonly refused: number } => {
  const fields: Fields = logEvents[name].fields;
  const known = Object.entries(fields).filter(([field, { accepts }]) => accepts(given[field]));
  const admitted = known
    .filter(([field]) => given[field] !== undefined)
    .map(([field]) => [field, given[field]] as const);
  const unknown = Object.keys(given).filter((field) => !Object.hasOwn(fields, field)).length;
  return { admitted: Object.fromEntries(admitted), refused: unknown + Object.keys(fields).length - known.length };
};
