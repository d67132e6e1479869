import type { ConsentCode } from '../../wire/messages.ts';

/** How one kind of facility (医科, 歯科, 薬局, 訪問看護) differs, as data (src/catalogue/kinds/*.json). */
export type FacilityKindRules = {
  readonly officialName: string;
  /** Where its default is another than the item's `facilityDefault` */
  readonly asks: Readonly<Record<ConsentCode, boolean>>;
  /** Ids of the questions about consents in the order this kind asks them; a question not named comes after them */
  readonly order: readonly string[];
  /** The patient chooses 電子 or 紙 here: whoever issues the prescription asks, whoever dispenses does not */
  readonly prescriptionForm: boolean;
  /** What waits for the patient's choice (`pendingDocuments`): 診療情報提供書, or the e-prescriptions to dispense */
  readonly pendingDocuments: 'referrals' | 'prescriptions';
  /** What a new facility of this kind starts with besides the consents */
  readonly defaults: {
    readonly medicalSubsidy: boolean;
    /** Code of OQSCD038 */
    readonly prescriptionUse: number;
    /** Code of OQSCD039 */
    readonly prescriptionTiming: number;
    readonly referralDocuments: boolean;
  };
};
