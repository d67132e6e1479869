import type { FailureCode } from '../failure.ts';
import type { Party } from '../party.ts';
import type { ConsentCatalogue } from './consent-catalogue.ts';
import type { DeskOrder, HitBy } from './desk-order.ts';
import type { Grants } from './grants.ts';
import type { ShareRule } from './usage-share.ts';

export const textGrades = ['backTranslated', 'native'] as const;
/** `backTranslated` is provisional: no person who grew up with the language has read it. `native`: one has. */
type TextGrade = (typeof textGrades)[number];

/**
 * What is written and said in one language. `texts` may hold {placeholders}; `readings` has the kana of those texts
 * whose kanji a speech engine cannot know. Whether the keys are complete is checked where the files are loaded.
 */
export type LanguageTexts = {
  /** BCP 47: ja, ja-easy (やさしい日本語), en, zh-Hans … */
  readonly language: string;
  /** In the language itself */
  readonly name: string;
  /** How far its texts are proved; null: not at all, so visits in it are not offered. */
  readonly grade: TextGrade | null;
  readonly texts: Readonly<Record<string, string>>;
  readonly readings: Readonly<Record<string, string>>;
};

/** What patient, staff and technician are told about one failure. Staff texts are Japanese. */
export type FailureEntry = {
  /** 【NNN:名称】 where the field knows one; null: the dotted code stands alone */
  readonly notice: string | null;
  /** Which `failure.<patientText>.heading / .lead` of the language files the patient sees */
  readonly patientText: string;
  readonly staff: { readonly summary: string; readonly cause: string; readonly steps: readonly string[] };
  readonly technician: { readonly cause: string; readonly steps: readonly string[] };
};

/** An announced interruption of the national service. Instants are ms since 1970 UTC. */
export type MaintenanceWindow = {
  /** Absent: everyone */
  readonly hits?: HitBy;
  /** Prefecture codes (JIS X 0401); empty = the whole country */
  readonly areas: readonly string[];
  readonly fromMs: number;
  readonly untilMs: number;
  /** Shown this long beforehand. ms */
  readonly announceMs: number;
};

/** Whether a window is shown: from its announcement until it is over. */
export const isAnnounced = ({ areas, fromMs, untilMs, announceMs }: MaintenanceWindow, area: string, wallMs: number) =>
  (areas.length === 0 || areas.includes(area)) && fromMs - announceMs <= wallMs && wallMs < untilMs;

/** When the next window is to be announced, begins or ends; Infinity = nothing is known. */
export const nextAnnouncementMs = (windows: readonly MaintenanceWindow[], wallMs: number): number =>
  Math.min(
    ...windows
      .flatMap(({ fromMs, untilMs, announceMs }) => [fromMs - announceMs, fromMs, untilMs])
      .filter((atMs) => atMs > wallMs),
  );

/** A notice that does not hold together: what held before goes on. */
export type RefusedNotice = {
  /** When it would have begun; null: its file does not say */
  readonly validFromMs: number | null;
  readonly reason: string;
};

type PartyWords = { readonly name: string; readonly call: string };

/** Everything an official notice may change, as it holds at one instant. */
export type Catalogue = {
  /** Names consents and texts together; a consent record carries it. */
  readonly version: string;
  readonly consents: ConsentCatalogue;
  readonly languages: Readonly<Record<string, LanguageTexts>>;
  readonly failures: Readonly<Record<FailureCode, FailureEntry>>;
  /** Whose fault something is, in the words of staff (Japanese): who it is, and what is done about it first */
  readonly parties: Readonly<Record<Party | 'not-known-yet', PartyWords>>;
  /** 【NNN:名称】 as far as the field knows them; `name: null` = not published */
  readonly notices: readonly { readonly number: string; readonly name: string | null }[];
  readonly maintenance: readonly MaintenanceWindow[];
  readonly desk: DeskOrder;
  /** Every rule of 利用率 known so far, past ones too */
  readonly shares: readonly ShareRule[];
  readonly grants: Grants;
  readonly refusedNotices: readonly RefusedNotice[];
  /** When the next notice begins to hold; Infinity: none is known */
  readonly nextChangeMs: number;
};
