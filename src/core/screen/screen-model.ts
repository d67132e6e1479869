import type { ControlId } from '../visit/control-ids.ts';
import type { FaceHint } from '../visit/verification.ts';
import type { RubyPiece } from './furigana.ts';

export const screenNames = [
  'starting',
  'idle',
  'choose-phone',
  'phone-pin',
  'present-phone',
  'reading',
  'choose-method',
  'face',
  'pin',
  'pin-last-try',
  'staff-check',
  'registration',
  'registering',
  'pre-check-in',
  'consent-bundle',
  'consent-item',
  'specific-disease',
  'medical-subsidy',
  'prescription-form',
  'referral-documents',
  'waiting-prescriptions',
  'certificate-notice',
  'summary',
  'signing',
  'sending',
  'waiting-result',
  'accepted',
  'card-pulled',
  'take-card',
  'card-left',
  'still-there',
  'desk',
  'outage',
  'out-of-service',
] as const;
/** Exactly one for each state of the session. */
export type ScreenName = (typeof screenNames)[number];

export type Control = {
  readonly id: ControlId;
  readonly label: string;
  /** primary: the one next step · equal: one of free choices that look alike · row: one of a list · secondary: a way round */
  readonly weight: 'primary' | 'equal' | 'row' | 'secondary';
  readonly value?: string;
  readonly pressed?: boolean;
  /** A second line in smaller type */
  readonly note?: string;
  /** How it is said when the keys stand on it: a choice with its number, a tool by its name */
  readonly spoken?: { readonly text: string; readonly reading?: string };
};

type ScreenItem = { readonly label: string; readonly note: string };

/** What stands in the middle, beside heading and controls. */
export type ScreenBody =
  | { readonly kind: 'plain' }
  | {
      readonly kind: 'picture';
      readonly picture:
        | 'place-card'
        | 'present-phone'
        | 'reading-card'
        | 'put-back-card'
        | 'take-card'
        | 'desk'
        | 'wait';
    }
  /** `hint` null: it is going well, the face is being compared. `looking` false: the camera waits to be chosen */
  | { readonly kind: 'face'; readonly hint: FaceHint | null; readonly looking: boolean }
  /** `entered` of `length` digits */
  | { readonly kind: 'pin'; readonly entered: number; readonly length: number; readonly checking: boolean }
  | { readonly kind: 'items'; readonly items: readonly ScreenItem[] }
  | {
      readonly kind: 'summary';
      readonly providedTitle: string;
      readonly provided: readonly string[];
      readonly withheldTitle: string;
      readonly withheld: readonly string[];
    }
  /**
   * For staff, in Japanese whatever the language: 【006:…】 or the dotted code, what it is, the time. `qr`: what staff
   * photograph for the technician, where the terminal itself is at fault.
   */
  | {
      readonly kind: 'code';
      readonly title: string;
      readonly code: string;
      readonly lines: readonly string[];
      readonly qr: string | null;
    }
  /** `remainingMs` when drawn; the page counts on from there */
  | { readonly kind: 'countdown'; readonly remainingMs: number; readonly totalMs: number };

/**
 * A sentence for the voice, with its kana reading where there is one. `heading` is said to whoever is there, once the
 * voice is on; the rest to who asked: why something went wrong or what is confirmed here, what can be chosen and how, then all
 * else on the screen.
 * `invite` tells who has not asked how to ask. `aloud`: said in place of a sentence that is nobody else's to hear.
 */
export type SpokenSentence = {
  readonly text: string;
  readonly reading?: string;
  readonly part: 'heading' | 'why' | 'choice' | 'keys' | 'more' | 'invite';
  readonly aloud?: { readonly text: string; readonly reading?: string };
};

/** Everything the page draws and says, in the language of the visit. The page adds no word and knows no rule. */
export type ScreenModel = {
  readonly screen: ScreenName;
  /** null between visits. A touch that names another session is dropped: the last patient's finger, not this one's. */
  readonly session: string | null;
  /** Counted up with every change, from 0 */
  readonly revision: number;
  readonly language: string;
  readonly theme: 'default' | 'high-contrast' | 'dark';
  readonly textPercent: 100 | 150 | 200;
  readonly layout: 'standard' | 'low';
  readonly facilityName: string;
  /** Labels of the poster's four steps and where we are, 1 … 4; null = none (outage) */
  readonly steps: readonly [string, string, string, string];
  readonly step: 1 | 2 | 3 | 4 | null;
  readonly tone: 'calm' | 'good' | 'attention';
  readonly heading: string;
  readonly lead: readonly string[];
  /** A boxed remark: tries left, what is free to refuse … */
  readonly note: string | null;
  /** 「あと2つ」 */
  readonly remaining: string | null;
  readonly body: ScreenBody;
  readonly controls: readonly Control[];
  /** The same tools at the same place on every screen */
  readonly tools: readonly Control[];
  /** What may be relied on here; then the way to help, unless the state has more to promise */
  readonly footer: readonly [string, string];
  /** What the voice says here, in this order */
  readonly speech: readonly SpokenSentence[];
  /** Furigana: what stands above the kanji of each text that is drawn here, by the text; empty in other languages */
  readonly ruby: Readonly<Record<string, readonly RubyPiece[]>>;
  /** Leaves the language picker as it was */
  readonly closeLabel: string;
  /** Of the panel, inches; null: not known, 10.1 is assumed. Letters and targets are sized in millimetres by it. */
  readonly diagonalInches: number | null;
  /** Languages offered by the language tool: code and own name */
  readonly languages: readonly { readonly code: string; readonly name: string }[];
  /**
   * Where the keys stand (terminal/visit/keypad-guide.ts), counted from 0 through controls, then tools, then languages; a language =
   * the picker is open. null = the keys are not in use
   */
  readonly focused: number | null;
  /** Labels of the touch pad's two word keys: clear and enter, on the PIN screen */
  readonly pinKeys: { readonly clear: string; readonly enter: string } | null;
};

/** `revision`: of the screen that was touched */
export type Touch = {
  readonly session: string | null;
  readonly revision: number;
  readonly control: ControlId;
  readonly value?: string;
};
