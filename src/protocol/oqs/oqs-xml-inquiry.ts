import type { z } from 'zod';
import { formatJapanDate, formatJapanInstant, japanDate } from '../../core/japan-time.ts';
import type { AnswerForFile } from './oqs-xml-face.ts';
import type {
  bulkReceptionSchema,
  bulkResultSchema,
  inquirySchema,
  plainResultSchema,
  Qualification,
  QualificationMessage,
  ResultOfQualification,
} from './oqs-xml-schema.ts';

type Inquiry = z.infer<typeof inquirySchema>;
export type SearchInfo = Inquiry['MessageBody']['QualificationConfirmSearchInfo'];

/** Why an inquiry has no answer: goes into ErrorCode / ProcessingResultCode as our own dotted code. */
type InquiryFailure = { readonly code: string; readonly message: string };

const header = (institutionCode: string, identifier: string, atMs: number, failed: boolean) => ({
  ProcessExecutionTime: formatJapanInstant(atMs),
  QualificationConfirmationDate: formatJapanDate(japanDate(atMs)),
  MedicalInstitutionCode: institutionCode,
  ArbitraryFileIdentifier: identifier,
  SegmentOfResult: failed ? '3' : '1',
});

/** By number there is no consent: 限度額 only where the inquiry says that the patient agreed, 特定疾病 never. */
const withoutConsents = (
  { LimitApplicationCertificateRelatedInfo, SpecificDiseasesCertificateList: _never, ...insured }: Qualification,
  search: SearchInfo,
): Partial<ResultOfQualification> & Omit<Qualification, 'SpecificDiseasesCertificateList'> => ({
  ...insured,
  ...(search.LimitApplicationCertificateRelatedConsFlg === '1' &&
    LimitApplicationCertificateRelatedInfo && {
      LimitApplicationCertificateRelatedConsFlg: '1',
      LimitApplicationCertificateRelatedInfo,
    }),
});

export type InquiryAnswer =
  | {
      readonly ok: true;
      readonly value: Pick<AnswerForFile, 'qualificationValidity' | 'qualifications' | 'referenceNumber'>;
    }
  | { readonly ok: false; readonly failure: InquiryFailure };

/** `res/OQSsiquc01res_…xml` */
export const inquiryResult = (
  inquiry: Inquiry,
  answer: InquiryAnswer,
  institutionCode: string,
  atMs: number,
): QualificationMessage => {
  const search = inquiry.MessageBody.QualificationConfirmSearchInfo;
  const { SegmentOfResult, ...rest } = header(
    institutionCode,
    inquiry.MessageHeader.ArbitraryFileIdentifier ?? '',
    atMs,
    !answer.ok,
  );
  return {
    MessageHeader: {
      ...rest,
      ReferenceClassification: '2',
      SegmentOfResult,
      ...(!answer.ok && { ErrorCode: answer.failure.code, ErrorMessage: answer.failure.message }),
      CharacterCodeIdentifier: '1',
    },
    MessageBody: {
      QualificationConfirmSearchInfo: search,
      ...(answer.ok
        ? {
            ProcessingResultStatus: '1',
            QualificationValidity: String(answer.value.qualificationValidity),
            ...(answer.value.qualifications.length > 0 && {
              ResultList: {
                ResultOfQualificationConfirmation: answer.value.qualifications.map((one) => ({
                  ...withoutConsents(one, search),
                  ReferenceNumber: answer.value.referenceNumber,
                })),
              },
            }),
          }
        : {
            ProcessingResultStatus: '2',
            ProcessingResultCode: answer.failure.code,
            ProcessingResultMessage: answer.failure.message,
          }),
    },
  };
};

/** `res/OQSmuquc01res_…xml` */
export const bulkReception = (
  institutionCode: string,
  identifier: string,
  receptionNumber: string,
  atMs: number,
): z.infer<typeof bulkReceptionSchema> => ({
  MessageHeader: {
    ProcessExecutionTime: formatJapanInstant(atMs),
    MedicalInstitutionCode: institutionCode,
    ArbitraryFileIdentifier: identifier,
    CharacterCodeIdentifier: '1',
  },
  MessageBody: { ReceptionNumber: receptionNumber, ReceptionDateTime: formatJapanInstant(atMs) },
});

export type BulkUnit = { readonly search: SearchInfo; readonly answer: InquiryAnswer };

/** `res/OQSmuquc02res_…xml`: valid or not, no more. `units` null: still at work. */
export const bulkResult = (
  institutionCode: string,
  receptionNumber: string,
  units: readonly BulkUnit[] | null,
  atMs: number,
  failed?: InquiryFailure,
): z.infer<typeof bulkResultSchema> => {
  const errors = units?.filter(({ answer }) => !answer.ok).length ?? 0;
  return {
    MessageHeader: {
      ...header(institutionCode, '', atMs, failed !== undefined),
      ReceptionNumber: receptionNumber,
      ...(units === null && failed === undefined && { SegmentOfResult: '2' }),
      ...(failed && { ErrorCode: failed.code, ErrorMessage: failed.message }),
      NumberOfProcessingResult: String(units?.length ?? 0),
      NumberOfNormalProcessing: String((units?.length ?? 0) - errors),
      NumberOfError: String(errors),
      CharacterCodeIdentifier: '1',
    },
    MessageBody: {
      ...(units !== null &&
        units.length > 0 && {
          BulkConfirmUnit: units.map(({ search, answer }) => ({
            QualificationConfirmSearchInfo: search,
            ...(answer.ok
              ? { ProcessingResultStatus: '1', QualificationValidity: String(answer.value.qualificationValidity) }
              : {
                  ProcessingResultStatus: '2',
                  ProcessingResultCode: answer.failure.code,
                  ProcessingResultMessage: answer.failure.message,
                }),
          })),
        }),
    },
  };
};

/** How one patient's 照会番号登録 ended; undefined: well. */
export type RegistrationUnit = { readonly referenceNumber: string; readonly failure?: InquiryFailure | undefined };

/** Of one registration, of many, or of a request that came to nothing (`failed`). */
export const plainResult = (
  { institutionCode, identifier, kind }: { institutionCode: string; identifier: string; kind: string },
  units: readonly RegistrationUnit[],
  atMs: number,
  failed: InquiryFailure | undefined,
): z.infer<typeof plainResultSchema> => {
  const { SegmentOfResult, ...rest } = header(institutionCode, identifier, atMs, failed !== undefined);
  const processing = (one: InquiryFailure | undefined) =>
    one === undefined
      ? { ProcessingResultStatus: '1' }
      : { ProcessingResultStatus: '2', ProcessingResultCode: one.code, ProcessingResultMessage: one.message };
  return {
    MessageHeader: {
      ...rest,
      ...(kind === 'OQSsiquc01' && { ReferenceClassification: '2' }),
      SegmentOfResult,
      ...(failed && { ErrorCode: failed.code, ErrorMessage: failed.message }),
      CharacterCodeIdentifier: '1',
    },
    MessageBody: {
      ...processing(failed),
      ...(units.length > 0 && {
        ProcessingResultUnit: units.map(({ referenceNumber, failure }) => ({
          ReferenceNumber: referenceNumber,
          ...processing(failure),
        })),
      }),
    },
  };
};
