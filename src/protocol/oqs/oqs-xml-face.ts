import { formatJapanDate, formatJapanInstant, japanDate } from '../../core/japan-time.ts';
import type { ConsentCode } from '../../wire/messages.ts';
import { type Qualification, type QualificationMessage, specificDiseasesPrefix } from './oqs-xml-schema.ts';

/** What each consent opens in the file, and for how long: the catalogue's word of the day on which it was given. */
type ConsentRules = {
  readonly items: readonly { readonly code: ConsentCode; readonly carries: readonly string[] }[];
  /** AvailableTime = ConsTime + this. ms */
  readonly validityMs: number;
  /** In the order of the file */
  readonly prefixes: readonly string[];
};

/** How consent stands outside a visit at the counter (OQSCD016): lapsed at home or online, not obtainable in an emergency. */
type ConsentSituation = 'at-counter' | 'lapsed' | 'not-obtainable';

export type VisitForFile = {
  readonly requestId: string;
  readonly lane: number;
  /** ms since 1970; instants in the file are JST */
  readonly confirmedAt: number;
  readonly medicalInstitutionCode: string;
  readonly consents: readonly { readonly code: ConsentCode; readonly given: boolean; readonly at: number }[];
  readonly rules: ConsentRules;
  /** When 限度額適用認定証等 is provided on the basis of the 2024-10-07 notice; undefined: not provided */
  readonly limitApplicationAt?: number;
  readonly prescriptionForm?: 'electronic' | 'paper';
  /** A card of a test chain: the name of the file says so */
  readonly isTest?: boolean;
};

export type AnswerForFile = {
  readonly qualificationValidity: 1 | 2 | 3 | 4 | 5 | 6;
  readonly consentSituation: ConsentSituation;
  /** The clinic's chart number; '' = a new chart */
  readonly referenceNumber: string;
  /** Additional information of an answer that ended well, e.g. that the certificate ends soon */
  readonly processingResult?: { readonly code: string; readonly message: string } | undefined;
  readonly qualifications: readonly Qualification[];
};

const flagOf = (situation: ConsentSituation, given: boolean): '0' | '1' | '2' | '3' => {
  if (situation === 'lapsed') return '2';
  if (situation === 'not-obtainable') return '3';
  return given ? '1' : '0';
};

const carrierOf = (prefix: string, { consents, rules }: VisitForFile) => {
  const item = rules.items.find(({ carries }) => carries.includes(prefix));
  return consents.find(({ code }) => code === item?.code);
};

const consentElements = (visit: VisitForFile, situation: ConsentSituation): Record<string, string> => {
  const elements: Record<string, string> = {};
  for (const prefix of visit.rules.prefixes) {
    const consent = carrierOf(prefix, visit);
    const flag = flagOf(situation, consent?.given === true);
    elements[`${prefix}ConsFlg`] = flag;
    if (consent !== undefined && flag === '1') {
      elements[`${prefix}ConsTime`] = formatJapanInstant(consent.at);
      elements[`${prefix}AvailableTime`] = formatJapanInstant(consent.at + visit.rules.validityMs);
    }
  }
  return elements;
};

const resultOf = (visit: VisitForFile, answer: AnswerForFile, qualification: Qualification) => {
  const { LimitApplicationCertificateRelatedInfo, SpecificDiseasesCertificateList, ...insured } = qualification;
  const disease = carrierOf(specificDiseasesPrefix, visit);
  const diseaseFlag = flagOf(answer.consentSituation, disease?.given === true);
  return {
    ...insured,
    LimitApplicationCertificateRelatedConsFlg: visit.limitApplicationAt === undefined ? '0' : '1',
    ...(visit.limitApplicationAt !== undefined && {
      LimitApplicationCertificateRelatedConsTime: formatJapanInstant(visit.limitApplicationAt),
      ...(LimitApplicationCertificateRelatedInfo && { LimitApplicationCertificateRelatedInfo }),
    }),
    SpecificDiseasesCertificateRelatedConsFlg: diseaseFlag,
    ...(disease !== undefined &&
      diseaseFlag === '1' && {
        SpecificDiseasesCertificateRelatedConsTime: formatJapanInstant(disease.at),
        ...(SpecificDiseasesCertificateList && { SpecificDiseasesCertificateList }),
      }),
    ...consentElements(visit, answer.consentSituation),
    ReferenceNumber: answer.referenceNumber,
  };
};

/**
 * What of an answer may go to the レセコン after this visit: 特定疾病 only with its consent, 限度額 only with its basis,
 * each consent with its time and its end; refused or not asked is 0 without times.
 */
export const faceMessage = (visit: VisitForFile, answer: AnswerForFile): QualificationMessage => ({
  MessageHeader: {
    ProcessExecutionTime: formatJapanInstant(visit.confirmedAt),
    QualificationConfirmationDate: formatJapanDate(japanDate(visit.confirmedAt)),
    MedicalInstitutionCode: visit.medicalInstitutionCode,
    ArbitraryFileIdentifier: fileIdentifier(visit),
    ReferenceClassification: '1',
    SegmentOfResult: '1',
    CharacterCodeIdentifier: '1',
  },
  MessageBody: {
    ...(visit.prescriptionForm && { PrescriptionIssueSelect: visit.prescriptionForm === 'electronic' ? '1' : '2' }),
    ProcessingResultStatus: '1',
    ...(answer.processingResult && {
      ProcessingResultCode: answer.processingResult.code,
      ProcessingResultMessage: answer.processingResult.message,
    }),
    QualificationValidity: String(answer.qualificationValidity),
    ...(answer.qualifications.length > 0 && {
      ResultList: {
        ResultOfQualificationConfirmation: answer.qualifications.map((one) => resultOf(visit, answer, one)),
      },
    }),
  },
});

/** Lane and request: two lanes may finish in the same second, and the same request always has the same file. */
const fileIdentifier = ({ lane, requestId, isTest }: VisitForFile): string =>
  `${isTest ? 'TEST' : ''}L${String(lane).padStart(2, '0')}${requestId.replaceAll('-', '').slice(0, 12)}`;

/** `OQSsiquc01res_face_<…>_<yyyyMMddHHmmss>.xml` */
export const faceFileName = (visit: VisitForFile): string =>
  `OQSsiquc01res_face_${fileIdentifier(visit)}_${formatJapanInstant(visit.confirmedAt)}.xml`;
