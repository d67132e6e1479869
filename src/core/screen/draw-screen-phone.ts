import type { PhoneKind, SessionState, Surroundings } from '../visit/session.ts';
import { pinBody, pinPromises, triesWords } from './draw-screen-identity.ts';
import { control, type DrawnControl, type Part, part } from './draw-screen-part.ts';
import type { Dictionary, Words } from './draw-screen-words.ts';

/** On the idle screen, where the facility has smartphones read: the way to a reader of their own, or that they are laid there, too. */
export const phonesAtRest = (
  d: Dictionary,
  { settings, phonesOnBed }: Surroundings,
): { readonly lead: readonly Words[]; readonly controls: readonly DrawnControl[] } => {
  if (settings?.smartphone !== true) return { lead: [], controls: [] };
  return phonesOnBed
    ? { lead: [d.words('idle.phone')], controls: [] }
    : { lead: [], controls: [control('use-smartphone', 'secondary', d.words('control.use-smartphone'))] };
};

/** It still lies where cards are laid; `left`: nobody has taken it for a while. */
export const takePhone = (d: Dictionary, left: boolean): Part =>
  part(left ? 'card-left' : 'take-card', left ? null : 4, d, d.words('take-phone.heading'), {
    ...(left ? { tone: 'attention' } : {}),
    lead: [d.words('take-phone.lead')],
    body: { kind: 'picture', picture: 'present-phone' },
  });

const toCard = (d: Dictionary): DrawnControl => control('back', 'secondary', d.words('control.phone-back'));

/** Which smartphone, both alike. */
export const choosePhone = (d: Dictionary): Part =>
  part('choose-phone', 1, d, d.words('choose-phone.heading'), {
    lead: [d.words('choose-phone.lead')],
    controls: [
      ...(['iphone', 'android'] as const).map((kind) =>
        control(kind, 'equal', d.words(`control.${kind}`), { note: d.words(`control.${kind}.note`) }),
      ),
      toCard(d),
    ],
  });

/** Where to hold it now, and where its owner is authenticated or how long it stays there; where cards are laid it may lie already. */
export const presentPhone = (d: Dictionary, phone: PhoneKind, onBed: boolean): Part =>
  part('present-phone', phone === 'android' ? 2 : 1, d, d.words(`present-phone.${onBed ? 'again' : 'heading'}`), {
    lead: [...(onBed ? [d.words('present-phone.lift')] : []), d.words(`present-phone.${phone}`)],
    body: { kind: 'picture', picture: 'present-phone' },
    controls: [toCard(d)],
  });

/** An Android's PIN, before the phone is held anywhere; its last try is asked for like a card's. */
export const phonePin = (d: Dictionary, state: Extract<SessionState, { name: 'enteringPhonePin' }>): Part => {
  if (state.lastTry === 'asking')
    return part('pin-last-try', 2, d, d.words('pin-last-try.heading'), {
      tone: 'attention',
      lead: [d.words('pin-last-try.lead'), d.words('pin-last-try.ask')],
      controls: [
        control('last-try-yes', 'equal', d.words('control.last-try-yes')),
        control('back', 'equal', d.words('control.phone-back')),
      ],
    });
  const { notice, triesLeft, entered } = state;
  const heading = notice === 'wrong' ? 'pin.wrong' : notice === 'missed' ? 'phone-pin.missed' : 'pin.heading';
  const why = notice === 'none' ? 'phone-pin.lead' : notice === 'incomplete' ? 'pin.incomplete' : 'pin.heading';
  return part('phone-pin', 2, d, d.words(heading), {
    tone: notice === 'none' ? 'calm' : 'attention',
    notice: notice !== 'none',
    lead: [d.words(why)],
    note: triesLeft === null ? null : triesWords(d, triesLeft),
    ...pinBody(d, entered, false),
    controls: [toCard(d)],
    promises: pinPromises(d),
  });
};

export const verifyingPhone = (d: Dictionary): Part =>
  part('reading', 2, d, d.words('pin.checking'), {
    lead: [d.words('phone.keep-there')],
    body: { kind: 'picture', picture: 'wait' },
  });
