import type { FacilitySettings } from '../../wire/facility-settings.ts';
import { type Catalogue, isAnnounced } from '../catalogue/catalogue.ts';
import type { Moment } from '../moment.ts';
import type { ControlId } from '../visit/control-ids.ts';
import { delays } from '../visit/delays.ts';
import type { Session, SessionState, Visit } from '../visit/session.ts';
import { canUseFace, canUsePin, visitOf } from '../visit/session-steps.ts';
import { drawQuestion } from './draw-screen-consent.ts';
import { drawDesk, drawOutOfService } from './draw-screen-failure.ts';
import { control, type DrawnControl, type Part, part } from './draw-screen-part.ts';
import { drawPhone, toSmartphone } from './draw-screen-phone.ts';
import { type KeysThere, speechOf, spokenChoice, spokenLabel } from './draw-screen-speech.ts';
import { clockTime, type Dictionary, dayAndTime, dictionaryOf, type Words } from './draw-screen-words.ts';
import type { Control, ScreenModel } from './screen-model.ts';

export type DrawContext = {
  readonly catalogue: Catalogue;
  readonly now: Moment;
  /** The demo offers languages that no native reader has reviewed; a facility may, by its settings. */
  readonly offerUnreviewedLanguages: boolean;
  /** Languages whose signs the screen has no font for: never offered. */
  readonly undrawable?: ReadonlySet<string>;
  /** Where the keys stand (app/keypad-guide.ts) */
  readonly focused?: number | null;
  /** Keys that are there beside the touch screen: how to use them is said with the screen. */
  readonly keypad?: KeysThere;
};

/** The screen of a session, complete but for its revision: every word, picture, control and spoken text. Pure. */
export const drawScreen = (session: Session, context: DrawContext): Omit<ScreenModel, 'revision'> => {
  const { catalogue } = context;
  const { display, surroundings } = session;
  const d = dictionaryOf(catalogue, display.language);
  const settings = surroundings.settings;
  const drawn = drawState(session, context, d);
  const visit = visitOf(session.state);
  const languages = offeredLanguages(catalogue, settings, context).map(({ language, name }) => ({
    code: language,
    name,
  }));
  return {
    screen: drawn.screen,
    session: visit?.session ?? null,
    language: d.language,
    theme: display.theme,
    textPercent: display.textPercent,
    layout: settings?.layout ?? 'standard',
    facilityName: settings?.facilityName ?? '',
    steps: [d.text('step.1'), d.text('step.2'), d.text('step.3'), d.text('step.4')],
    step: drawn.step,
    tone: drawn.tone,
    heading: drawn.heading.text,
    lead: drawn.lead.map((words) => words.text),
    note: drawn.note?.text ?? null,
    remaining: drawn.remaining?.text ?? null,
    body: drawn.body,
    controls: drawn.controls.map((each, index) => ({
      ...writtenControl(each),
      spoken: spokenChoice(d, index, spokenLabel(each)),
    })),
    tools: toolsOf(session, d, languages.length > 1),
    footer: [drawn.promises[0].text, drawn.promises[1].text],
    speech: speechOf(drawn, d, context.keypad ?? null),
    languages,
    focused: context.focused ?? null,
    pinKeys: drawn.pinKeys,
  };
};

const writtenControl = ({ label, note, ...rest }: DrawnControl): Control => ({
  ...rest,
  label: label.text,
  ...(note === undefined ? {} : { note: note.text }),
});

/**
 * Languages a visit can be held in: of those the facility names, the first always (else there would be no visit), the
 * others once a native reader has reviewed their texts, or where facility or demo lift that, and if they can be drawn.
 */
const offeredLanguages = (catalogue: Catalogue, settings: FacilitySettings | null, context: DrawContext) =>
  (settings?.languages ?? ['ja']).flatMap((code, index) => {
    const texts = catalogue.languages[code];
    const lifted = context.offerUnreviewedLanguages || settings?.offerUnreviewedLanguages === true;
    return texts !== undefined && (index === 0 || ((texts.reviewed || lifted) && !context.undrawable?.has(code)))
      ? [texts]
      : [];
  });

/** The tools at the same place on every screen. */
const toolsOf = ({ display }: Session, d: Dictionary, severalLanguages: boolean): readonly Control[] => {
  const tool = (id: ControlId, extra: { readonly pressed?: boolean } = {}): Control => {
    const label = d.words(`tool.${id}`);
    return { ...writtenControl(control(id, 'secondary', label, extra)), spoken: label };
  };
  return [
    ...(severalLanguages ? [tool('language')] : []),
    tool('voice', { pressed: display.voice }),
    tool('repeat'),
    tool('softer'),
    tool('louder'),
    tool('text-size'),
    tool('theme'),
  ];
};

/** Since when the patient is asked whether they are still there (monotonic ms); null: nobody asks. */
const askedSinceMs = (state: SessionState): number | null =>
  'patience' in state && state.patience.asked ? state.patience.sinceMs : null;

const drawState = (session: Session, context: DrawContext, d: Dictionary): Part => {
  const { state, surroundings } = session;
  const { catalogue, now } = context;
  const settings = surroundings.settings;
  if (settings === null && (state.name === 'idle' || state.name === 'outOfService'))
    return starting(session, context, d);
  const askedMs = askedSinceMs(state);
  if (askedMs !== null)
    return part('still-there', null, d, d.words('still-there.heading'), {
      tone: 'attention',
      lead: [d.words('still-there.lead')],
      body: countdown(askedMs, state, now),
      controls: [control('still-here', 'primary', d.words('control.still-here'))],
    });
  switch (state.name) {
    case 'idle':
      if (surroundings.disconnectedSinceMs !== null && state.deadlineMs !== null)
        return reconnecting(surroundings.disconnectedSinceMs, state, settings, d, now);
      return part('idle', 1, d, d.words('idle.heading'), {
        lead: [d.words('idle.lead')],
        note: maintenanceNote(catalogue, settings, d, now.wallMs),
        body: { kind: 'picture', picture: 'place-card' },
        controls: settings?.smartphone === true ? [toSmartphone(d)] : [],
        promises: bothPromises(d),
      });
    case 'choosingPhone':
      return drawPhone(d, state.phone);
    case 'readingCard':
      return part('reading', 1, d, d.words('reading.heading'), {
        lead: [d.words('reading.lead'), ...(state.resuming === null ? [] : [d.words('reading.resuming')])],
        body: { kind: 'picture', picture: 'reading-card' },
        promises: bothPromises(d),
      });
    case 'awaitingLookup':
      return part('reading', 2, d, d.words('reading.lookup'), {
        lead: [d.words('reading.lead')],
        body: { kind: 'picture', picture: 'wait' },
      });
    case 'choosingMethod':
      return part('choose-method', 2, d, d.words('choose-method.heading'), {
        lead: canUsePin(state.visit)
          ? [d.words('choose-method.lead'), d.words('promise.photo')]
          : faceNotice(state.visit, d),
        body: { kind: 'face', hint: null, looking: false },
        controls: waysToVerify(state.visit, d, { pressed: false }),
      });
    case 'verifyingFace':
      return face(session, state, d);
    case 'enteringPin':
      return state.lastTry === 'asking' ? lastTry(d) : pin(session, state, d);
    case 'awaitingStaffCheck': {
      const otherWay =
        canUseFace(session) || canUsePin(state.visit)
          ? [control('back', 'secondary', d.words('control.staff-check-back'))]
          : [];
      const why =
        state.failure === null ? [] : [d.words(`failure.${catalogue.failures[state.failure.code].patientText}`)];
      return part('staff-check', 2, d, d.words('staff-check.heading'), {
        lead: [...why, d.words(why.length > 0 ? 'staff-check.wait' : 'staff-check.lead')],
        note: d.words('staff-check.told'),
        body: { kind: 'picture', picture: 'desk' },
        controls: otherWay,
      });
    }
    case 'registering':
      return state.phase === 'asking'
        ? part('registration', 2, d, d.words('registration.heading'), {
            lead: [d.words('registration.lead')],
            note: d.words('registration.note'),
            controls: [
              control('agree', 'equal', d.words('control.registration-yes')),
              control('decline', 'equal', d.words('control.registration-no')),
            ],
          })
        : part('registering', 2, d, d.words('registering.heading'), {
            lead: [d.words('registering.lead')],
            body: { kind: 'picture', picture: 'wait' },
          });
    case 'askingConsent':
      return settings === null ? starting(session, context, d) : drawQuestion(d, state.visit, settings);
    case 'signing':
      return part('signing', 3, d, d.words('signing.heading'), {
        lead: [d.words('signing.lead')],
        body: { kind: 'picture', picture: 'reading-card' },
      });
    case 'sending':
      return surroundings.connected
        ? part('sending', 3, d, d.words('sending.heading'), {
            lead: [d.words('sending.lead')],
            body: { kind: 'picture', picture: 'wait' },
          })
        : part('sending', 3, d, d.words('sending.heading'), {
            lead: [d.words('sending.trouble')],
            body: countdown(state.sinceMs, state, now),
          });
    case 'awaitingResult':
      return part('waiting-result', 3, d, d.words('waiting-result.heading'), {
        lead: [d.words('waiting-result.lead')],
        body: { kind: 'picture', picture: 'wait' },
      });
    case 'showingResult': {
      const onBed = surroundings.cardOnBed?.insertion === state.visit.insertion;
      const form = state.visit.answers.prescriptionForm;
      const remark =
        state.result.outcome === 'late'
          ? d.words('accepted.late')
          : state.result.outcome === 'eligible'
            ? null
            : d.words('accepted.ask-desk');
      // What was answered is nobody else's to read: it stands on the summary, not on a screen that is walked away from.
      const closing = [d.words(onBed ? 'accepted.lead' : 'accepted.thanks')];
      if (form !== null) closing.push(d.words(`summary.prescription.${form}`));
      const heading = d.words('accepted.heading', { time: clockTime(state.atMs) });
      return part('accepted', 4, d, onBed ? d.words('accepted.take-card') : heading, {
        tone: 'good',
        lead: closing,
        note: remark,
        body: onBed ? { kind: 'picture', picture: 'take-card' } : { kind: 'plain' },
        promises: [d.words(onBed ? 'accepted.disappears' : 'promise.photo'), d.words('help')],
      });
    }
    case 'awaitingCardRemoval':
      return state.leftBehind
        ? part('card-left', null, d, d.words('card-left.heading'), {
            tone: 'attention',
            lead: [d.words('card-left.lead'), d.words('card-left.next')],
            body: { kind: 'picture', picture: 'take-card' },
          })
        : part('take-card', 4, d, d.words('take-card.heading'), {
            lead: [d.words('take-card.lead')],
            body: { kind: 'picture', picture: 'take-card' },
          });
    case 'interrupted':
      return state.resume || state.failure.code === 'card.removed'
        ? notFinished(session, state, d, now)
        : drawDesk(catalogue, d, state.failure, {
            wallMs: state.atMs,
            cardOnBed: surroundings.cardOnBed !== null,
            approvable: state.approvable,
          });
    case 'outOfService':
      return drawOutOfService(catalogue, d, state.failure, now.wallMs);
    default:
      return state satisfies never;
  }
};

/** The card was taken too early: first it can go on, then only begin again; either way nothing has been received. */
const notFinished = (
  { surroundings }: Session,
  state: Extract<SessionState, { name: 'interrupted' }>,
  d: Dictionary,
  now: Moment,
): Part => {
  const { cardReturnMs } = surroundings.timeouts;
  const totalMs = state.resume ? cardReturnMs : delays.notFinishedMs;
  return part('card-pulled', null, d, d.words('card-pulled.heading'), {
    tone: 'attention',
    lead: [
      state.resume
        ? d.words('card-pulled.lead', { seconds: Math.round(cardReturnMs / 1_000) })
        : d.words('card-pulled.again'),
    ],
    body: countdown((state.deadlineMs ?? now.monotonicMs) - totalMs, state, now),
  });
};

/** What the notices promise to the public, before anything has been read. */
const bothPromises = (d: Dictionary): Part['promises'] => [d.words('promise.photo'), d.words('promise.number')];

const callStaff = (d: Dictionary): DrawnControl => control('call-staff', 'secondary', d.words('control.call-staff'));

/** The state's own wait, from `sinceMs` to its deadline: total and rest are the machine's, the screen adds no time. */
const countdown = (sinceMs: number, { deadlineMs }: SessionState, now: Moment): Part['body'] => {
  const endMs = deadlineMs ?? now.monotonicMs;
  return {
    kind: 'countdown',
    remainingMs: Math.max(0, endMs - now.monotonicMs),
    totalMs: Math.max(0, endMs - sinceMs),
  };
};

const starting = ({ state }: Session, { catalogue, now }: DrawContext, d: Dictionary): Part =>
  state.name === 'outOfService' && state.failure.code !== 'settings.missing' && state.failure.code !== 'reader.lost'
    ? drawOutOfService(catalogue, d, state.failure, now.wallMs)
    : part('starting', null, d, d.words('starting.heading'), {
        lead: [d.words('starting.lead')],
        body: { kind: 'picture', picture: 'wait' },
        promises: bothPromises(d),
      });

/** Out of reach for the moment: challenges in store let a visit begin, and there is a time at which the desk takes over. */
const reconnecting = (
  sinceMs: number,
  state: SessionState,
  settings: FacilitySettings | null,
  d: Dictionary,
  now: Moment,
): Part =>
  part('idle', 1, d, d.words('idle.heading'), {
    lead: [d.words('outage.reconnecting')],
    note: d.words('outage.then-desk'),
    body: countdown(sinceMs, state, now),
    controls: settings?.smartphone === true ? [toSmartphone(d)] : [],
    promises: bothPromises(d),
  });

const maintenanceNote = (
  catalogue: Catalogue,
  settings: FacilitySettings | null,
  d: Dictionary,
  wallMs: number,
): Words | null => {
  const window = catalogue.maintenance.find((each) => isAnnounced(each, settings?.area ?? '', wallMs));
  if (window === undefined) return null;
  const until = dayAndTime(window.untilMs, wallMs);
  return wallMs >= window.fromMs
    ? d.words('idle.maintenance-now', { until })
    : d.words('idle.maintenance', { from: dayAndTime(window.fromMs, wallMs), until });
};

/** Before the camera looks: what becomes of its picture, and that nobody must be looked at. */
const faceNotice = (visit: Visit, d: Dictionary): readonly Words[] => [
  d.words('promise.photo'),
  d.words(canUsePin(visit) ? 'choose-method.free' : 'help'),
];

/** The same buttons at the same place, from the choice to the end of the face check: nothing moves under a finger. */
const waysToVerify = (visit: Visit, d: Dictionary, faceButton: { readonly pressed: boolean }): DrawnControl[] => [
  control('use-face', 'equal', d.words('control.use-face'), faceButton),
  ...(canUsePin(visit) ? [control('use-pin', 'equal', d.words('control.use-pin'))] : []),
  callStaff(d),
];

const face = (
  { surroundings }: Session,
  state: Extract<SessionState, { name: 'verifyingFace' }>,
  d: Dictionary,
): Part =>
  part('face', 2, d, d.words(`face.hint.${state.hint ?? 'none'}`), {
    lead: [
      ...(state.offerOthers ? [d.words('face.others')] : []),
      ...(surroundings.settings?.faceAtOnce === true
        ? faceNotice(state.visit, d)
        : state.offerOthers
          ? []
          : [d.words('face.lead')]),
      d.words('face.mask'),
    ],
    body: { kind: 'face', hint: state.hint, looking: true },
    // Once others are offered, the face check can be taken up again with its full time.
    controls: waysToVerify(state.visit, d, { pressed: !state.offerOthers }),
  });

const pinLength = 4;

const pin = (session: Session, state: Extract<SessionState, { name: 'enteringPin' }>, d: Dictionary): Part => {
  const why = state.notice === 'none' ? [] : [d.words(`pin.${state.notice}`)];
  const tries = state.triesLeft > 1 ? d.words('pin.tries', { count: state.triesLeft }) : d.words('pin.tries-last');
  const entered = d.words('pin.entered', { length: pinLength, count: state.entered });
  return part('pin', 2, d, state.checking ? d.words('pin.checking') : d.words('pin.heading'), {
    tone: state.notice === 'wrong' ? 'attention' : 'calm',
    lead: state.checking ? [d.words('pin.checking.lead')] : why.length > 0 ? why : [d.words('pin.lead')],
    note: state.checking ? null : tries,
    body: { kind: 'pin', entered: state.entered, length: pinLength, checking: state.checking },
    bodyWords: state.checking ? [] : [entered],
    controls: state.checking
      ? []
      : [
          ...(canUseFace(session) ? [control('use-face', 'secondary', d.words('control.pin-to-face'))] : []),
          callStaff(d),
        ],
    pinKeys: { clear: d.text('pin.clear'), enter: d.text('pin.enter') },
    promises: [d.words('promise.pin'), d.words('help')],
  });
};

const lastTry = (d: Dictionary): Part =>
  part('pin-last-try', 2, d, d.words('pin-last-try.heading'), {
    tone: 'attention',
    lead: [d.words('pin-last-try.lead'), d.words('pin-last-try.ask')],
    controls: [
      control('last-try-yes', 'equal', d.words('control.last-try-yes')),
      control('last-try-no', 'equal', d.words('control.last-try-no'), { note: d.words('control.last-try-no.note') }),
    ],
  });
