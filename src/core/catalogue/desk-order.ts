/** In a failure's steps of the catalogue: the order at the desk stands here, from its one place. */
export const deskToken = '@desk';

/** What has to be there for a step: nothing, a way that this facility has set up, or an outage of the whole country. */
type DeskStepNeeds = 'nothing' | 'home-consent' | 'qualification-app' | 'national-outage';

/** Whom an interruption hits: all, those who have yet to apply (初回登録), those whose certificate is days old. */
export const hitBy = ['everyone', 'not-yet-registered', 'freshly-renewed'] as const;
export type HitBy = (typeof hitBy)[number];

/** Of a card's 利用者証明用電子証明書, as the desk has to tell them apart. */
export const renewalStates = ['near-expiry', 'grace', 'expired', 'revoked'] as const;
export type RenewalState = (typeof renewalStates)[number];

/** `{ends}`: last day of the certificate; `{grace}`: last day on which it still gives 資格情報. */
type RenewalTexts = {
  readonly name: string;
  readonly title: string;
  readonly deadline: string;
  /** Where no date is known */
  readonly openDeadline: string;
  /** How this visit stands */
  readonly today: string;
  /** What the desk does */
  readonly next: string;
};

/** QualificationValidity 1 to 6; the application is not made yet; the service has not been heard. */
export const validityCases = ['1', '2', '3', '4', '5', '6', 'not-registered', 'not-asked'] as const;
export type ValidityCase = (typeof validityCases)[number];

/**
 * What the desk does when a card cannot be checked, in the official order: the one place in the data that every failure
 * text, banner, visit row, guide and printed sheet refers to (src/catalogue/desk/*.json). Texts are for staff, Japanese.
 */
export type DeskOrder = {
  readonly steps: readonly {
    readonly id: string;
    readonly needs: DeskStepNeeds;
    /** A word or two, for a row and a list */
    readonly name: string;
    readonly text: string;
  }[];
  /** Whatever happens */
  readonly never: string;
  /** What staff tell the patient meanwhile */
  readonly say: string;
  readonly contacts: readonly { readonly name: string; readonly number: string; readonly hours: string }[];
  /** What 緊急時医療情報・資格確認機能 asks for */
  readonly emergencyItems: readonly string[];
  /** 電子証明書の更新: what the patient is told, on a slip to take home */
  readonly renewal: {
    readonly place: string;
    readonly placeNote: string;
    readonly bring: readonly string[];
    readonly states: Readonly<Record<RenewalState, RenewalTexts>>;
  };
  /** Whom an outage hits, in words, and what the desk does for them */
  readonly outages: Readonly<Record<HitBy, { readonly name: string; readonly text: string }>>;
  /** What the service says about a 資格, or does not say: a word, and what the desk does next ('' = nothing) */
  readonly validity: Readonly<Record<ValidityCase, { readonly name: string; readonly next: string }>>;
  readonly source: string;
};

/** What this facility has, and whether the whole country is without the service. */
type DeskSituation = {
  readonly homeConsent: boolean;
  readonly qualificationApp: boolean;
  readonly nationalOutage: boolean;
};

/** The steps that can be taken here and now, in the official order. */
export const deskSteps = (order: DeskOrder, situation: DeskSituation): DeskOrder['steps'] => {
  const has: Readonly<Record<DeskStepNeeds, boolean>> = {
    nothing: true,
    'home-consent': situation.homeConsent,
    'qualification-app': situation.qualificationApp,
    'national-outage': situation.nationalOutage,
  };
  return order.steps.filter(({ needs }) => has[needs]);
};
