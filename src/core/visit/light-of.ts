import type { SessionState } from './session.ts';

export const lightPatterns = [
  'off',
  'ready',
  'reading',
  'act',
  'wait',
  'done',
  'take-card',
  'call-staff',
  'fault',
] as const;
export type LightPattern = (typeof lightPatterns)[number];

/** One light pattern for each state: staff see from across the room what a lane needs. */
export const lightOf = (state: SessionState): LightPattern => {
  switch (state.name) {
    case 'idle':
      return 'ready';
    case 'readingCard':
    case 'verifyingPhone':
      return 'reading';
    case 'choosingPhone':
    case 'enteringPhonePin':
    case 'awaitingPhone':
    case 'choosingMethod':
    case 'verifyingFace':
    case 'enteringPin':
    case 'askingConsent':
      return 'act';
    case 'registering':
      return state.phase === 'asking' ? 'act' : 'wait';
    case 'awaitingLookup':
    case 'signing':
    case 'sending':
    case 'awaitingResult':
      return 'wait';
    case 'showingResult':
      return 'done';
    case 'awaitingCardRemoval':
      return state.leftBehind ? 'call-staff' : 'take-card';
    case 'awaitingStaffCheck':
      return 'call-staff';
    case 'interrupted':
      return state.resume ? 'act' : 'call-staff';
    case 'outOfService':
      return 'fault';
    default:
      return state satisfies never;
  }
};
