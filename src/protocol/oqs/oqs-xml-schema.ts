import { z } from 'zod';

/*
 * Elements and codes of オンライン資格確認 files, in their order. Sources: reference of the vendors' 技術解説書 digests and
 * public readers of these files; where they conflict we write one value and accept both (see the comments).
 */

const code = (pattern: RegExp) => z.string().regex(pattern);
const date = code(/^(\d{8})?$/);
const instant = code(/^(\d{14})?$/);
// No control characters, and nothing that XML 1.0 cannot carry (U+FFFE, U+FFFF, halves of a pair).
const text = (maximum: number) =>
  z
    .string()
    .max(maximum)
    .regex(/^[^\p{Cc}\p{Cs}\ufffe\uffff]*$/u);
const referenceNumber = text(50);
const contributionRatio = code(/^(\d{3})?$/);
/** OQSCD016: 0 none, 1 given, 2 lapsed (home and online visits), 3 could not be asked (emergency) */
const consentFlag = code(/^[0-3]$/);

const messageHeaderSchema = z.strictObject({
  ProcessExecutionTime: instant,
  QualificationConfirmationDate: date,
  MedicalInstitutionCode: code(/^\d{10}$/),
  ArbitraryFileIdentifier: text(60),
  /** 1 card, 2 number on paper */
  ReferenceClassification: code(/^[12]$/),
  /** 1 ended well, 2 in progress, 3 failed; some sources say 9 for failed: read, never written */
  SegmentOfResult: code(/^[1239]$/),
  ErrorCode: text(40).optional(),
  ErrorMessage: text(400).optional(),
  /** 0/1 in one source, 1/2 in another: the XML declaration decides, this is carried only */
  CharacterCodeIdentifier: code(/^[012]$/),
});

export const searchInfoSchema = z.strictObject({
  InsurerNumber: code(/^[ \d]{1,8}$/),
  InsuredCardSymbol: text(40).optional(),
  InsuredIdentificationNumber: text(40),
  InsuredBranchNumber: code(/^(\d{2})?$/).optional(),
  Birthdate: date.optional(),
  LimitApplicationCertificateRelatedConsFlg: code(/^[01]$/).optional(),
  ArbitraryIdentifier: text(60).optional(),
});

const elderlySchema = z.strictObject({
  ElderlyRecipientCertificateDate: date.optional(),
  ElderlyRecipientValidStartDate: date.optional(),
  ElderlyRecipientValidEndDate: date.optional(),
  ElderlyRecipientContributionRatio: contributionRatio.optional(),
});

const limitSchema = z.strictObject({
  LimitApplicationCertificateClassification: code(/^\d{2}$/),
  /** 適用区分: A01-A06 under 70, B01-B10 from 70 */
  LimitApplicationCertificateClassificationFlag: code(/^(A0[1-6]|B0[1-9]|B10)$/),
  LimitApplicationCertificateDate: date.optional(),
  LimitApplicationCertificateValidStartDate: date.optional(),
  LimitApplicationCertificateValidEndDate: date.optional(),
  LimitApplicationCertificateLongTermDate: date.optional(),
});

const specificDiseaseSchema = z.strictObject({
  /** 1 人工透析, 2 血友病, 3 HIV */
  SpecificDiseasesDiseaseCategory: code(/^[123]$/),
  SpecificDiseasesCertificateDate: date.optional(),
  SpecificDiseasesValidStartDate: date.optional(),
  SpecificDiseasesValidEndDate: date.optional(),
  SpecificDiseasesSelfPay: code(/^\d{0,8}$/).optional(),
});

/** 医療券・調剤券 (医療扶助) */
const medicalTicketSchema = z.strictObject({
  TicketType: text(2),
  MedicalTicketValidDate: date.optional(),
  MedicalTicketExpirationDate: date.optional(),
  IssueNumber: text(20).optional(),
  MedicalTreatmentMonth: code(/^(\d{6})?$/).optional(),
  DesignatedMedicalInstitutionCode: text(10).optional(),
  /** 指定医療機関確認フラグ: 1 this institution is the designated one */
  DesignatedMedicalInstitutionFlag: code(/^[0-9]$/).optional(),
  DesignatedMedicalInstitutionName: text(80).optional(),
  PrescriptionIssuerMedicalInstitutionCode: text(10).optional(),
  PrescriptionIssuerMedicalInstitutionName: text(80).optional(),
  InjuryName1: text(80).optional(),
  InjuryName2: text(80).optional(),
  InjuryName3: text(80).optional(),
  MedicalTreatmentType: text(2).optional(),
  SelfPayAmount: code(/^\d{0,8}$/).optional(),
  DistrictContactName: text(40).optional(),
  HandlingContactName: text(40).optional(),
  SingleOrCombinedUse: text(2).optional(),
  StatusOfSocialInsurance: text(2).optional(),
  ConsistencyFlag: text(2).optional(),
  /** Spelt so in the official layout */
  StatusOfInfecton: text(2).optional(),
  StatusOfElderlyMedicalCare: text(2).optional(),
  StatusOfPrefecturalExpenses: text(2).optional(),
  Remarks1: text(200).optional(),
  Remarks2: text(200).optional(),
  Remarks3: text(200).optional(),
});

const insuredShape = {
  /** 01 一般, 02 退職, 03 短期(一般), 04 短期(退職), 06 特例退職, A1 医療扶助 */
  InsuredCardClassification: code(/^[0-9A-Z]{2}$/),
  /** 8 characters, left-padded with spaces */
  InsurerNumber: code(/^ *\d+$/)
    .length(8)
    .optional(),
  InsuredCardSymbol: text(40).optional(),
  InsuredIdentificationNumber: text(40).optional(),
  InsuredBranchNumber: code(/^(\d{2})?$/).optional(),
  /** 1 本人, 2 家族 */
  PersonalFamilyClassification: code(/^[12]?$/).optional(),
  InsuredName: text(100).optional(),
  Name: text(100),
  NameOfOther: text(100).optional(),
  NameKana: text(100).optional(),
  NameOfOtherKana: text(100).optional(),
  /** 1 男, 2 女, 3 未設定 */
  Sex1: code(/^[123]$/),
  Sex2: code(/^[123]?$/).optional(),
  Birthdate: date,
  Address: text(200).optional(),
  PostNumber: code(/^(\d{3}-?\d{4})?$/).optional(),
  QualificationDate: date.optional(),
  DisqualificationDate: date.optional(),
  InsuredCertificateIssuanceDate: date.optional(),
  InsuredCardValidDate: date.optional(),
  InsuredCardExpirationDate: date.optional(),
  /** 1割 = 010 */
  InsuredPartialContributionRatio: contributionRatio.optional(),
  /** 1 未就学, 2 就学中 */
  PreschoolClassification: code(/^[12]?$/).optional(),
  /** 01 死亡, 02 生活保護受給開始, 03 医療保険等の資格取得, 99 その他 */
  ReasonOfLoss: code(/^(\d{2})?$/).optional(),
  InsurerName: text(100),
};

/** Consents that carry a flag, a time and an end (ConsTime + 24 h), in the order of the file. */
export const consentPrefixes = [
  'SpecificHealthCheckupsInfo',
  'PharmacistsInfo',
  'PrescriptionInfo',
  'DiagnosisInfo',
  'AllergyInfo',
  'ContraindicationInfo',
  'TestInfo',
  'OperationInfo',
  'DiagnosisName',
  'InfectiousInfo',
] as const;

/** 特定疾病療養受療証: has a flag and a time, no end, and a list of its own. */
export const specificDiseasesPrefix = 'SpecificDiseasesCertificateRelated';

/** The three elements of each prefix; which prefixes there are is the catalogue's to say, by date. */
const consentShapeOf = (prefixes: readonly string[]): Record<string, z.ZodOptional<z.ZodString>> =>
  Object.fromEntries(
    prefixes.flatMap((prefix) => [
      [`${prefix}ConsFlg`, consentFlag.optional()],
      [`${prefix}ConsTime`, instant.optional()],
      [`${prefix}AvailableTime`, instant.optional()],
    ]),
  );

/** What the national service knows of one qualification, without the consents of today's visit. */
export const qualificationSchema = z.strictObject({
  ...insuredShape,
  ElderlyRecipientCertificateInfo: elderlySchema.optional(),
  LimitApplicationCertificateRelatedInfo: limitSchema.optional(),
  SpecificDiseasesCertificateList: z
    .strictObject({ SpecificDiseasesCertificateInfo: z.array(specificDiseaseSchema).min(1) })
    .optional(),
  PublicExpenseResultList: z.strictObject({ MedicalTicketInfo: z.array(medicalTicketSchema).min(1) }).optional(),
});
export type Qualification = z.infer<typeof qualificationSchema>;

const qualificationShape = qualificationSchema.shape;
const resultShapeOf = (prefixes: readonly string[]) => ({
  ...insuredShape,
  ElderlyRecipientCertificateInfo: qualificationShape.ElderlyRecipientCertificateInfo,
  LimitApplicationCertificateRelatedConsFlg: code(/^[01]$/).optional(),
  LimitApplicationCertificateRelatedConsTime: instant.optional(),
  LimitApplicationCertificateRelatedInfo: qualificationShape.LimitApplicationCertificateRelatedInfo,
  SpecificDiseasesCertificateRelatedConsFlg: consentFlag.optional(),
  SpecificDiseasesCertificateRelatedConsTime: instant.optional(),
  SpecificDiseasesCertificateList: qualificationShape.SpecificDiseasesCertificateList,
  PublicExpenseResultList: qualificationShape.PublicExpenseResultList,
  ...consentShapeOf(prefixes),
  /** 照会番号: the clinic's own chart number; empty = a new chart */
  ReferenceNumber: referenceNumber.optional(),
  ArbitraryIdentifier: text(60).optional(),
});
export type ResultOfQualification = z.infer<z.ZodObject<ReturnType<typeof resultShapeOf>>>;

const processingShape = {
  /** 1 ended well, 2 failed (OQSCD004) */
  ProcessingResultStatus: code(/^[12]$/),
  ProcessingResultCode: text(40).optional(),
  ProcessingResultMessage: text(400).optional(),
  /** 1 有効 2 無効 3 無効(新資格あり) 4 該当なし 5 複数該当 6 有効(未登録, 医療扶助) */
  QualificationValidity: code(/^[1-6]$/).optional(),
};

const makeQualificationMessageSchema = (prefixes: readonly string[]) =>
  z.strictObject({
    MessageHeader: messageHeaderSchema,
    MessageBody: z.strictObject({
      QualificationConfirmSearchInfo: searchInfoSchema.optional(),
      /** 1 electronic, 2 paper */
      PrescriptionIssueSelect: code(/^[12]$/).optional(),
      ...processingShape,
      ResultList: z
        .strictObject({
          ResultOfQualificationConfirmation: z.array(z.strictObject(resultShapeOf(prefixes))).min(1),
        })
        .optional(),
    }),
  });
type QualificationMessageSchema = ReturnType<typeof makeQualificationMessageSchema>;
export type QualificationMessage = z.infer<QualificationMessageSchema>;

/** One of each notice, and every visit has a file: zod takes a millisecond to make one, and as long to use it first. */
const madeSchemas = new Map<string, QualificationMessageSchema>();

/**
 * `face/OQSsiquc01res_face_…xml` and, after a number inquiry, `res/OQSsiquc01res_…xml`. `prefixes`: the consents of the
 * notice that holds, in the order of the file.
 */
export const qualificationMessageSchemaOf = (prefixes: readonly string[]): QualificationMessageSchema => {
  const name = prefixes.join(' ');
  const made = madeSchemas.get(name) ?? makeQualificationMessageSchema(prefixes);
  madeSchemas.set(name, made);
  return made;
};

/** With the prefixes of the layout alone. */
export const qualificationMessageSchema = qualificationMessageSchemaOf(consentPrefixes);

/** Of a request's header the identifier alone comes back in its answer; no form of the others keeps a patient waiting. */
const requestHeaderSchema = z.strictObject({
  ProcessExecutionTime: text(60).optional(),
  QualificationConfirmationDate: text(60).optional(),
  MedicalInstitutionCode: text(60).optional(),
  ArbitraryFileIdentifier: text(60).optional(),
  CharacterCodeIdentifier: text(60).optional(),
});

/** `req/OQSsiquc01req_…xml`: one number inquiry. The layout of requests is known from public clients only. */
export const inquirySchema = z.strictObject({
  MessageHeader: requestHeaderSchema,
  MessageBody: z.strictObject({ QualificationConfirmSearchInfo: searchInfoSchema }),
});

/** `req/OQSmuquc01req_…xml`: 一括照会, the numbers of booked patients. */
export const bulkInquirySchema = z.strictObject({
  MessageHeader: requestHeaderSchema,
  MessageBody: z.strictObject({ QualificationConfirmSearchInfo: z.array(searchInfoSchema).min(1).max(5_000) }),
});

/** `res/OQSmuquc01res_…xml`: the number under which the result can be fetched. */
export const bulkReceptionSchema = z.strictObject({
  MessageHeader: z.strictObject({
    ProcessExecutionTime: instant,
    MedicalInstitutionCode: code(/^\d{10}$/),
    ArbitraryFileIdentifier: text(60),
    CharacterCodeIdentifier: code(/^[012]$/),
  }),
  MessageBody: z.strictObject({ ReceptionNumber: text(40), ReceptionDateTime: instant }),
});

/** `req/OQSmuquc02req_…xml`: fetch the result of an earlier 一括照会. */
export const bulkFetchSchema = z.strictObject({
  MessageHeader: requestHeaderSchema,
  MessageBody: z.strictObject({ ReceptionNumber: text(40) }),
});

/** `res/OQSmuquc02res_…xml`: valid or not, one unit an inquiry. */
export const bulkResultSchema = z.strictObject({
  MessageHeader: z.strictObject({
    ProcessExecutionTime: instant,
    QualificationConfirmationDate: date,
    MedicalInstitutionCode: code(/^\d{10}$/),
    ArbitraryFileIdentifier: text(60),
    ReceptionNumber: text(40),
    SegmentOfResult: code(/^[1239]$/),
    ErrorCode: text(40).optional(),
    ErrorMessage: text(400).optional(),
    NumberOfProcessingResult: code(/^\d{1,5}$/),
    NumberOfNormalProcessing: code(/^\d{1,5}$/),
    NumberOfError: code(/^\d{1,5}$/),
    CharacterCodeIdentifier: code(/^[012]$/),
  }),
  MessageBody: z.strictObject({
    BulkConfirmUnit: z
      .array(z.strictObject({ QualificationConfirmSearchInfo: searchInfoSchema, ...processingShape }))
      .optional(),
  }),
});

/** One patient's 照会番号: whose, and the clinic's chart number. The layout of these requests is not public: this is ours. */
const referenceUnitSchema = z.strictObject({
  QualificationConfirmSearchInfo: searchInfoSchema,
  ReferenceNumber: referenceNumber.min(1),
});

/** `req/OQSsiimm01req_…xml`: 照会番号登録 of one patient. */
export const referenceRegistrationSchema = z.strictObject({
  MessageHeader: requestHeaderSchema,
  MessageBody: referenceUnitSchema,
});

/** `req/OQSmuimm01req_…xml`: of many. */
export const bulkReferenceRegistrationSchema = z.strictObject({
  MessageHeader: requestHeaderSchema,
  MessageBody: z.strictObject({ ReferenceNumberUnit: z.array(referenceUnitSchema).min(1).max(5_000) }),
});

/**
 * What answers a request that has no result of its own layout: 照会番号登録, a kind that nobody here knows, and every
 * request that cannot be read. `ProcessingResultUnit`: one for each patient of a bulk registration.
 */
export const plainResultSchema = z.strictObject({
  MessageHeader: z.strictObject({
    ProcessExecutionTime: instant,
    QualificationConfirmationDate: date,
    MedicalInstitutionCode: code(/^\d{10}$/),
    ArbitraryFileIdentifier: text(60),
    ReferenceClassification: code(/^[12]$/).optional(),
    SegmentOfResult: code(/^[1239]$/),
    ErrorCode: text(40).optional(),
    ErrorMessage: text(400).optional(),
    CharacterCodeIdentifier: code(/^[012]$/),
  }),
  MessageBody: z.strictObject({
    ...processingShape,
    ProcessingResultUnit: z.array(z.strictObject({ ReferenceNumber: referenceNumber, ...processingShape })).optional(),
  }),
});
