import type { Session, SessionState, Visit } from '../visit/session.ts';
import { canUseFace, canUsePin } from '../visit/session-steps.ts';
import type { FaceHint } from '../visit/verification.ts';
import { control, type DrawnControl, type Part, part } from './draw-screen-part.ts';
import type { Dictionary, Words } from './draw-screen-words.ts';

const callStaff = (d: Dictionary): DrawnControl => control('call-staff', 'secondary', d.words('control.call-staff'));

/** Before the camera looks: what becomes of its picture, and that nobody must be looked at. */
export const faceNotice = (visit: Visit, d: Dictionary): readonly Words[] => [
  d.words('promise.photo'),
  d.words(canUsePin(visit) ? 'choose-method.free' : 'help'),
];

/** The same buttons at the same place, from the choice to the end of the face check: nothing moves under a finger. */
export const waysToVerify = (
  visit: Visit,
  d: Dictionary,
  faceButton: { readonly pressed: boolean },
): DrawnControl[] => [
  control('use-face', 'equal', d.words('control.use-face'), faceButton),
  ...(canUsePin(visit) ? [control('use-pin', 'equal', d.words('control.use-pin'))] : []),
  callStaff(d),
];

const cameraPlace = ({ settings }: Session['surroundings'], d: Dictionary): Words =>
  d.words(`camera.${settings?.cameraPlace ?? 'above'}`);

/**
 * Beside hints that somebody seated, small, lying back or very tall may not be able to follow: what can be done from a
 * chair, and that nobody has to be looked at. At once, not when the time is over.
 */
const withinReach = (hint: FaceHint | null, d: Dictionary): readonly Words[] => {
  switch (hint) {
    case 'no-face':
      return [d.words('face.step-back'), d.words('face.others')];
    case 'move-up':
    case 'move-down':
      return [d.words('face.reach'), d.words('face.others')];
    case 'nearer':
    case 'look-here':
      return [d.words('face.others')];
    default:
      return [];
  }
};

const whileLooking = (
  { settings }: Session['surroundings'],
  { visit, hint, offerOthers }: Extract<SessionState, { name: 'verifyingFace' }>,
  d: Dictionary,
): readonly Words[] => {
  const notice = settings?.faceAtOnce === true ? faceNotice(visit, d) : [];
  const reach = withinReach(hint, d);
  if (reach.length > 0) return [...reach, ...notice];
  return [
    ...(offerOthers ? [d.words('face.others')] : []),
    ...(notice.length > 0 ? notice : offerOthers ? [] : [d.words('face.lead')]),
    d.words('face.mask'),
  ];
};

export const face = (
  { surroundings }: Session,
  state: Extract<SessionState, { name: 'verifyingFace' }>,
  d: Dictionary,
): Part =>
  part('face', 2, d, d.words(`face.hint.${state.hint ?? 'none'}`), {
    lead: whileLooking(surroundings, state, d),
    // Who does not see the picture is told where the camera is.
    spokenHeading:
      state.hint === 'no-face' ? d.words('face.spoken.no-face', { place: cameraPlace(surroundings, d) }) : null,
    body: { kind: 'face', hint: state.hint, looking: true },
    // Once others are offered, the face check can be taken up again with its full time.
    controls: waysToVerify(state.visit, d, { pressed: !state.offerOthers }),
  });

const pinLength = 4;

/** The dots, their words for the voice, and the two keys beside the digits. */
export const pinBody = (
  d: Dictionary,
  entered: number,
  checking: boolean,
): Pick<Part, 'body' | 'bodyWords' | 'pinKeys'> => ({
  body: { kind: 'pin', entered, length: pinLength, checking },
  bodyWords: checking ? [] : [d.words('pin.entered', { length: pinLength, count: entered })],
  pinKeys: { clear: d.text('pin.clear'), enter: d.text('pin.enter') },
});

export const triesWords = (d: Dictionary, triesLeft: number): Words =>
  triesLeft > 1 ? d.words('pin.tries', { count: triesLeft }) : d.words('pin.tries-last');

export const pinPromises = (d: Dictionary): Part['promises'] => [d.words('promise.pin'), d.words('help')];

export const pin = (session: Session, state: Extract<SessionState, { name: 'enteringPin' }>, d: Dictionary): Part => {
  // What went wrong is the heading, so that it and the tries that are left stand at the top however large the letters.
  const isWrong = state.notice === 'wrong';
  const why = state.notice === 'none' ? [] : [d.words(isWrong ? 'pin.heading' : `pin.${state.notice}`)];
  return part('pin', 2, d, state.checking ? d.words('pin.checking') : d.words(isWrong ? 'pin.wrong' : 'pin.heading'), {
    tone: state.notice === 'wrong' || state.notice === 'incomplete' ? 'attention' : 'calm',
    notice: why.length > 0,
    lead: state.checking ? [d.words('pin.checking.lead')] : why.length > 0 ? why : [d.words('pin.lead')],
    note: state.checking ? null : triesWords(d, state.triesLeft),
    ...pinBody(d, state.entered, state.checking),
    controls: state.checking
      ? []
      : [
          ...(canUseFace(session) ? [control('use-face', 'secondary', d.words('control.pin-to-face'))] : []),
          callStaff(d),
        ],
    promises: pinPromises(d),
  });
};

export const lastTry = (d: Dictionary): Part =>
  part('pin-last-try', 2, d, d.words('pin-last-try.heading'), {
    tone: 'attention',
    lead: [d.words('pin-last-try.lead'), d.words('pin-last-try.ask')],
    controls: [
      control('last-try-yes', 'equal', d.words('control.last-try-yes')),
      control('last-try-no', 'equal', d.words('control.last-try-no'), { note: d.words('control.last-try-no.note') }),
    ],
  });
