import type { Moment } from '../moment.ts';
import { delays } from './delays.ts';
import type { Session, SessionEvent, Step } from './session.ts';
import { dismissPhone, go, patient, restState, startVisit, stay } from './session-steps.ts';

/** Touches between visits: towards a smartphone, where the facility has one read, and back. */
export const phoneTouched = (
  session: Session,
  { control }: Extract<SessionEvent, { type: 'Touched' }>,
  at: Moment,
): Step => {
  const { state, surroundings } = session;
  const { deadlineMs } = patient(session, at);
  if (state.name === 'idle')
    return control === 'use-smartphone' && surroundings.settings?.smartphone === true
      ? go(session, { name: 'choosingPhone', phone: null, deadlineMs })
      : stay(session);
  if (state.name !== 'choosingPhone') return stay(session);
  if (control === 'back') {
    // A language chosen meanwhile stays for whoever still stands there.
    const chosen = { ...session, chosenUntilMs: at.monotonicMs + delays.chosenAtRestMs };
    return go(chosen, restState(chosen, at), ...dismissPhone(state));
  }
  if (state.phone !== null || (control !== 'iphone' && control !== 'android')) return stay(session);
  return go(
    session,
    { name: 'choosingPhone', phone: control, deadlineMs: at.monotonicMs + delays.presentPhoneMs },
    { type: 'PresentPhone', phone: control },
  );
};

/** The phone is there: a visit like any other. One that comes when nobody waits for it any more changes nothing. */
export const phonePresented = (
  session: Session,
  { insertion, session: newSession }: Extract<SessionEvent, { type: 'PhonePresented' }>,
  at: Moment,
): Step =>
  session.state.name === 'choosingPhone' && session.state.phone !== null
    ? startVisit(session, { insertion, session: newSession }, at)
    : stay(session);
