import type { FacilitySettings } from '../../wire/facility-settings.ts';
import { type Catalogue, isAnnounced } from '../catalogue/catalogue.ts';
import { failureOf } from '../failure.ts';
import type { Moment } from '../moment.ts';
import { partyOf } from '../party.ts';
import type { ControlId } from '../visit/control-ids.ts';
import { delays } from '../visit/delays.ts';
import { offlineAtMs } from '../visit/offline.ts';
import type { Session, SessionState, Surroundings } from '../visit/session.ts';
import { canUseFace, canUsePin, isPhone, visitOf } from '../visit/session-steps.ts';
import { drawQuestion } from './draw-screen-consent.ts';
import { codeBody, drawDesk, drawOutOfService, staffNote } from './draw-screen-failure.ts';
import { face, faceNotice, lastTry, pin, waysToVerify } from './draw-screen-identity.ts';
import { control, type DrawnControl, type Part, part } from './draw-screen-part.ts';
import { choosePhone, phonePin, phonesAtRest, presentPhone, takePhone, verifyingPhone } from './draw-screen-phone.ts';
import { rubyOf } from './draw-screen-ruby.ts';
import { type KeysThere, speechOf, spokenChoice, spokenLabel } from './draw-screen-speech.ts';
import { clockTime, type Dictionary, dayAndTime, dictionaryOf, type Words } from './draw-screen-words.ts';
import type { Control, ScreenModel } from './screen-model.ts';

export type DrawContext = {
  readonly catalogue: Catalogue;
  readonly now: Moment;
  /** Trials draw languages whose texts nobody has proved; a clinic is not offered them. */
  readonly offerUnproved?: boolean;
  /** Languages whose signs the screen has no font for: never offered. */
  readonly undrawable?: ReadonlySet<string>;
  /** Where the keys stand (terminal/visit/keypad-guide.ts), counted from 0 */
  readonly focused?: number | null;
  /** Keys that are there beside the touch screen: how to use them is said with the screen. */
  readonly keypad?: KeysThere;
  /** The counter, for whoever is telephoned; left out: not told */
  readonly lane?: number;
  /** Of the panel, where the configuration tells */
  readonly diagonalInches?: number | null;
  /** Whether a voice speaks this language here; left out: it does. Without one there are no tools for it. */
  readonly speaks?: (language: string) => boolean;
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
  const model: Omit<ScreenModel, 'revision' | 'ruby'> = {
    screen: drawn.screen,
    session: visit?.session ?? null,
    language: d.language,
    theme: display.theme,
    textPercent: display.textPercent,
    layout: display.layout,
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
      spoken: spokenChoice(d, drawn, index, spokenLabel(each)),
    })),
    tools: toolsOf(session, d, {
      languages: languages.length > 1,
      voice: context.speaks?.(d.language) ?? true,
    }),
    footer: [drawn.promises[0].text, drawn.promises[1].text],
    speech: speechOf(drawn, d, context.keypad ?? null),
    closeLabel: d.text('control.close'),
    diagonalInches: context.diagonalInches ?? null,
    languages,
    focused: context.focused ?? null,
    pinKeys: drawn.pinKeys,
  };
  return { ...model, ruby: rubyOf(model, d.readings) };
};

const writtenControl = ({ label, note, said: _, ...rest }: DrawnControl): Control => ({
  ...rest,
  label: label.text,
  ...(note === undefined ? {} : { note: note.text }),
});

/**
 * Languages a visit can be held in: of those the facility names, the first always (else there would be no visit), the
 * others that have a grade, and whose signs can be drawn.
 */
const offeredLanguages = (catalogue: Catalogue, settings: FacilitySettings | null, context: DrawContext) =>
  (settings?.languages ?? ['ja']).flatMap((code, index) => {
    const texts = catalogue.languages[code];
    const isProved = texts?.grade !== null || context.offerUnproved === true;
    return texts !== undefined && (index === 0 || (isProved && !context.undrawable?.has(code))) ? [texts] : [];
  });

/** Where the question itself offers a person, or one is on the way, the tool would say the same once more. */
const callsStaffItself = (name: SessionState['name']): boolean =>
  name === 'choosingMethod' || name === 'verifyingFace' || name === 'enteringPin' || name === 'awaitingStaffCheck';

type ToolsShown = {
  /** null: what the screen itself offers */
  readonly help: 'tool.call-help' | 'help.coming' | 'help.called' | null;
  readonly languages: boolean;
  readonly voice: boolean;
  readonly speaks: boolean;
  readonly isLow: boolean;
};

/** The tools at the same place on every screen; one that would do nothing here is not shown. */
const toolsOf = (
  { display, help, state }: Session,
  d: Dictionary,
  there: { readonly languages: boolean; readonly voice: boolean },
): readonly Control[] => {
  const helpLabel = help === null ? 'tool.call-help' : help.answered ? 'help.coming' : 'help.called';
  const shown: ToolsShown = {
    ...there,
    help: callsStaffItself(state.name) ? null : helpLabel,
    speaks: display.voice === 'all',
    isLow: display.layout === 'low',
  };
  return d.remembered(`tools ${Object.values(shown).join(' ')}`, () => madeTools(d, shown));
};

const madeTools = (d: Dictionary, { help, languages, voice, speaks, isLow }: ToolsShown): readonly Control[] => {
  const tool = (id: ControlId, extra: { readonly pressed?: boolean } = {}, label = d.words(`tool.${id}`)): Control => ({
    ...writtenControl(control(id, 'secondary', label, extra)),
    spoken: label,
  });
  return [
    ...(help === null ? [] : [tool('call-help', { pressed: help === 'help.called' }, d.words(help))]),
    ...(languages ? [tool('language')] : []),
    ...(voice ? [tool('voice', { pressed: speaks }), tool('repeat'), tool('softer'), tool('louder')] : []),
    tool('text-size'),
    tool('theme'),
    tool('layout', { pressed: isLow }),
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
  const phones = phonesAtRest(d, surroundings);
  const askedMs = askedSinceMs(state);
  if (askedMs !== null)
    return part('still-there', null, d, d.words('still-there.heading'), {
      tone: 'attention',
      // Before a phone was there nothing was answered.
      lead: visitOf(state) === null ? [] : [d.words('still-there.lead')],
      body: countdown(askedMs, state, now),
      controls: [control('still-here', 'primary', d.words('control.still-here'))],
    });
  switch (state.name) {
    case 'idle':
      if (surroundings.disconnectedSinceMs !== null) return reconnecting(surroundings, d, now);
      return part('idle', 1, d, d.words('idle.heading'), {
        lead: [d.words('idle.lead'), ...phones.lead],
        note:
          surroundings.agentTrouble === null
            ? maintenanceNote(catalogue, settings, d, now.wallMs)
            : staffNote(catalogue, surroundings.agentTrouble),
        isNoteForStaff: surroundings.agentTrouble !== null,
        body: { kind: 'picture', picture: 'place-card' },
        controls: phones.controls,
        promises: bothPromises(d),
      });
    case 'choosingPhone':
      return choosePhone(d);
    case 'enteringPhonePin':
      return phonePin(d, state);
    case 'awaitingPhone':
      return presentPhone(d, state.phone, surroundings.phonesOnBed);
    case 'verifyingPhone':
      return verifyingPhone(d);
    case 'readingCard':
      return part('reading', 1, d, d.words('reading.heading'), {
        lead: [d.words('reading.lead'), ...(state.resuming === null ? [] : [d.words('reading.resuming')])],
        body: { kind: 'picture', picture: 'reading-card' },
        promises: bothPromises(d),
      });
    case 'awaitingLookup':
      return part('reading', 2, d, d.words('reading.lookup'), {
        lead: [d.words(isPhone(state.visit) ? 'phone.keep-there' : 'reading.lead')],
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
      const isKnown = state.failure !== null && partyOf(state.failure.code, 'terminal') !== null;
      const reason = isKnown ? state.failure : null;
      return part('staff-check', 2, d, d.words('staff-check.heading'), {
        lead: [...why, d.words(why.length > 0 ? 'staff-check.wait' : 'staff-check.lead')],
        note: reason === null ? d.words('staff-check.told') : staffNote(catalogue, reason),
        isNoteForStaff: reason !== null,
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
        lead: [d.words(isPhone(state.visit) ? 'phone.keep-there' : 'signing.lead')],
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
      const isPhones = isPhone(state.visit);
      const closing = [d.words(!onBed ? 'accepted.thanks' : isPhones ? 'take-phone.lead' : 'accepted.lead')];
      if (form !== null) closing.push(d.words(`summary.prescription.${form}`));
      const heading = d.words('accepted.heading', { time: clockTime(state.atMs) });
      const spokenHeading = onBed ? null : d.words('accepted.spoken');
      return part('accepted', 4, d, onBed ? d.words(`accepted.take-${isPhones ? 'phone' : 'card'}`) : heading, {
        tone: 'good',
        spokenHeading,
        lead: closing,
        note: remark ?? (surroundings.agentTrouble === null ? null : staffNote(catalogue, surroundings.agentTrouble)),
        body:
          state.result.outcome === 'failed'
            ? codeBody(context, failureOf(state.result.code), state.atMs)
            : onBed && !isPhones
              ? { kind: 'picture', picture: 'take-card' }
              : { kind: 'plain' },
        promises: [d.words(onBed && !isPhones ? 'accepted.disappears' : 'promise.photo'), d.words('help')],
      });
    }
    case 'awaitingCardRemoval':
      if (isPhone(state.visit)) return takePhone(d, state.leftBehind);
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
        : drawDesk(context, d, state.failure, {
            wallMs: state.atMs,
            cardOnBed: surroundings.cardOnBed !== null && !isPhone(state.visit),
            approvable: state.approvable,
          });
    case 'outOfService':
      return drawOutOfService(context, d, state.failure);
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

/** The state's own wait, from `sinceMs` to its deadline: total and rest are the machine's, the screen adds no time. */
const countdown = (sinceMs: number, { deadlineMs }: Pick<SessionState, 'deadlineMs'>, now: Moment): Part['body'] => {
  const endMs = deadlineMs ?? now.monotonicMs;
  return {
    kind: 'countdown',
    remainingMs: Math.max(0, endMs - now.monotonicMs),
    totalMs: Math.max(0, endMs - sinceMs),
  };
};

const starting = ({ state }: Session, context: DrawContext, d: Dictionary): Part =>
  state.name === 'outOfService' && state.failure.code !== 'settings.missing' && state.failure.code !== 'reader.lost'
    ? drawOutOfService(context, d, state.failure)
    : part('starting', null, d, d.words('starting.heading'), {
        lead: [d.words('starting.lead')],
        body: { kind: 'picture', picture: 'wait' },
        promises: bothPromises(d),
      });

/** Out of reach for the moment: challenges in store let a visit begin, and there is a time at which the desk takes over. */
const reconnecting = (surroundings: Surroundings, d: Dictionary, now: Moment): Part =>
  part('idle', 1, d, d.words('idle.heading'), {
    lead: [d.words('outage.reconnecting')],
    note: d.words('outage.then-desk'),
    body: countdown(
      surroundings.disconnectedSinceMs ?? now.monotonicMs,
      { deadlineMs: offlineAtMs(surroundings) },
      now,
    ),
    controls: phonesAtRest(d, surroundings).controls,
    promises: bothPromises(d),
  });

const maintenanceNote = (
  catalogue: Catalogue,
  settings: FacilitySettings | null,
  d: Dictionary,
  wallMs: number,
): Words | null => {
  // What hits a few of them only is for the desk to know: the others would go home.
  const window = catalogue.maintenance.find(
    (each) => (each.hits ?? 'everyone') === 'everyone' && isAnnounced(each, settings?.area ?? '', wallMs),
  );
  if (window === undefined) return null;
  const until = dayAndTime(window.untilMs, wallMs);
  return wallMs >= window.fromMs
    ? d.words('idle.maintenance-now', { until })
    : d.words('idle.maintenance', { from: dayAndTime(window.fromMs, wallMs), until });
};
