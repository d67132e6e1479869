/** How the person was verified; the same word in request, journal, log and screen. */
export type VerificationMethod = 'face' | 'pin' | 'staff';

/** What the face step asks of the patient. */
export const faceHints = [
  'no-face',
  'nearer',
  'farther',
  'move-left',
  'move-right',
  'move-up',
  'move-down',
  'look-here',
  'more-light',
  'strong-back-light',
  'hold-still',
  'mask-off',
  'sunglasses-off',
  'uncover-face',
  'glasses-glare',
  'one-person-only',
  'turn-left',
  'turn-right',
  'blink',
] as const;
export type FaceHint = (typeof faceHints)[number];

/** What is to be done at once, while the camera looks: whoever hears of it late answers too late. */
const prompts: ReadonlySet<FaceHint> = new Set(['turn-left', 'turn-right', 'blink']);
export const isFacePrompt = (hint: FaceHint | null): boolean => hint !== null && prompts.has(hint);

/** Presentation attack detection: off, passive (one model), active (passive and a prompt). Advisory in every strength. */
export type PadStrength = 'off' | 'passive' | 'active';
