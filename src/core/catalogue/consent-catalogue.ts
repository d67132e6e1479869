import type { FacilityKind } from '../../wire/facility-settings.ts';
import type { ConsentCode } from '../../wire/messages.ts';
import type { FacilityKindRules } from './facility-kind.ts';

/** One thing a patient may provide or withhold (同意項目). */
type ConsentItem = {
  readonly code: ConsentCode;
  /** Japanese official name, for staff, journal and documents */
  readonly officialName: string;
  /** Prefixes of the XML elements that ride on it, each with ConsFlg / ConsTime / AvailableTime */
  readonly carries: readonly string[];
  /** What a new facility starts with: 利用する or 利用しない. Never an answer: nothing is pre-selected. */
  readonly facilityDefault: boolean;
};

/** What one question is about: the texts `subject.<subject>.…` of the language files. */
export type ConsentSubject = string;

/** One question of the screens, over one or several items that the patient answers together. */
export type ConsentQuestionRule = {
  readonly id: string;
  readonly screen: 'consent' | 'specific-disease';
  /** In the order they are asked; the items switched off by the facility fall out. */
  readonly codes: readonly ConsentCode[];
  /** May be answered together with the other bundled ones (包括同意). */
  readonly bundled: boolean;
  /** What the question is called for the items that remain: key = their codes joined by "+". */
  readonly subjects: Readonly<Record<string, ConsentSubject>>;
};

/** The consents of one notice, as data (src/catalogue/consents/*.json, or in a notice's own file). */
export type ConsentCatalogue = {
  readonly version: string;
  /** 24 h: AvailableTime = ConsTime + validityMs */
  readonly validityMs: number;
  readonly items: readonly ConsentItem[];
  /** In the order they are asked */
  readonly questions: readonly ConsentQuestionRule[];
  /** Prefixes in the files for the レセコン, in their order: those of the layout and those that a notice declared */
  readonly prefixes: readonly string[];
  readonly kinds: Readonly<Record<FacilityKind, FacilityKindRules>>;
};
