import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  bulkFetchSchema,
  bulkInquirySchema,
  bulkReceptionSchema,
  bulkReferenceRegistrationSchema,
  bulkResultSchema,
  plainResultSchema,
  qualificationMessageSchema,
  qualificationSchema,
  referenceRegistrationSchema,
  searchInfoSchema,
} from '../../../src/protocol/oqs/oqs-xml-schema.ts';

/* Which values each element takes: what a file says otherwise is refused by the element's name. */

const open = (schema: unknown): unknown =>
  schema instanceof z.ZodOptional
    ? open(schema.unwrap())
    : schema instanceof z.ZodArray
      ? open(schema.element)
      : schema;
const elementOf = (schema: z.ZodType, path: string): z.ZodType =>
  path.split('/').reduce<z.ZodType>((at, name) => {
    const inner = open(at);
    const member = inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>)[name] : undefined;
    if (member === undefined) throw new Error(`no element ${name} of ${path}`);
    return member;
  }, schema);
const limit = 'LimitApplicationCertificateRelatedInfo';
const disease = 'SpecificDiseasesCertificateList/SpecificDiseasesCertificateInfo';
const ticket = 'PublicExpenseResultList/MedicalTicketInfo';
const one = 'MessageBody/ResultList/ResultOfQualificationConfirmation';

test.each<[string, z.ZodType, readonly string[], readonly string[]]>([
  ['InsurerNumber', searchInfoSchema, ['  138057', '12345678', '1'], ['', '123456789']],
  ['InsuredBranchNumber', searchInfoSchema, ['', '01'], ['1', '001']],
  ['Birthdate', searchInfoSchema, ['', '19800217'], ['1980021', '198002170']],
  ['LimitApplicationCertificateRelatedConsFlg', searchInfoSchema, ['0', '1'], ['', '2', '01']],
  [`${limit}/LimitApplicationCertificateClassification`, qualificationSchema, ['01'], ['', '1', '001']],
  [
    `${limit}/LimitApplicationCertificateClassificationFlag`,
    qualificationSchema,
    ['A01', 'A06', 'B01', 'B09', 'B10'],
    ['', 'A00', 'A07', 'B00', 'B11', 'C01'],
  ],
  [`${disease}/SpecificDiseasesDiseaseCategory`, qualificationSchema, ['1', '2', '3'], ['', '0', '4', '11']],
  [`${disease}/SpecificDiseasesSelfPay`, qualificationSchema, ['', '0', '12345678'], ['123456789']],
  [
    'ElderlyRecipientCertificateInfo/ElderlyRecipientContributionRatio',
    qualificationSchema,
    ['', '020'],
    ['20', '0200'],
  ],
  ['InsuredCardClassification', qualificationSchema, ['01', 'A1'], ['', '1', '001', 'a1']],
  ['InsurerNumber', qualificationSchema, ['  138057', '12345678'], ['', '138057', '123456789', 'x1234567', '1234567x']],
  ['InsuredBranchNumber', qualificationSchema, ['', '01'], ['1', '001', 'AB']],
  ['PersonalFamilyClassification', qualificationSchema, ['', '1', '2'], ['0', '3', '11']],
  ['Sex1', qualificationSchema, ['1', '2', '3'], ['', '0', '4', '11']],
  ['Sex2', qualificationSchema, ['', '1', '2', '3'], ['0', '4', '11']],
  [
    'PostNumber',
    qualificationSchema,
    ['', '1000001', '100-0001'],
    ['1-0001', '10-0001', '100-1', '100-001', '100--0001', 'ABC-0001', '100-ABCD'],
  ],
  ['PreschoolClassification', qualificationSchema, ['', '1', '2'], ['0', '3', '11']],
  ['ReasonOfLoss', qualificationSchema, ['', '01', '99'], ['1', '001', 'AB']],
  [`${ticket}/MedicalTreatmentMonth`, qualificationSchema, ['', '202611'], ['2', '20261', '2026111', 'ABCDEF']],
  [`${ticket}/DesignatedMedicalInstitutionFlag`, qualificationSchema, ['0', '9'], ['', '10']],
  [`${ticket}/SelfPayAmount`, qualificationSchema, ['', '0', '12345678'], ['123456789']],
  [`${one}/LimitApplicationCertificateRelatedConsFlg`, qualificationMessageSchema, ['0', '1'], ['', '2', '01']],
  [`${one}/PharmacistsInfoConsFlg`, qualificationMessageSchema, ['0', '1', '2', '3'], ['', '4', '01']],
  ['MessageHeader/ProcessExecutionTime', qualificationMessageSchema, ['', '20261121235959'], ['20261121']],
  [
    'MessageHeader/MedicalInstitutionCode',
    qualificationMessageSchema,
    ['1312345678'],
    ['', '131234567', '13123456789'],
  ],
  ['MessageHeader/ReferenceClassification', qualificationMessageSchema, ['1', '2'], ['', '0', '3', '11']],
  ['MessageHeader/SegmentOfResult', qualificationMessageSchema, ['1', '2', '3', '9'], ['', '4', '0', '11']],
  ['MessageHeader/CharacterCodeIdentifier', qualificationMessageSchema, ['0', '1', '2'], ['', '3', '00']],
  ['MessageBody/PrescriptionIssueSelect', qualificationMessageSchema, ['1', '2'], ['', '0', '3', '11']],
  ['MessageBody/ProcessingResultStatus', qualificationMessageSchema, ['1', '2'], ['', '0', '3', '11']],
  ['MessageBody/QualificationValidity', qualificationMessageSchema, ['1', '6'], ['', '0', '7', '11']],
  ['MessageHeader/MedicalInstitutionCode', bulkReceptionSchema, ['1312345678'], ['', '131234567', '13123456789']],
  ['MessageHeader/CharacterCodeIdentifier', bulkReceptionSchema, ['0', '1', '2'], ['', '3', '00']],
  ['MessageHeader/MedicalInstitutionCode', bulkResultSchema, ['1312345678'], ['', '131234567', '13123456789']],
  ['MessageHeader/SegmentOfResult', bulkResultSchema, ['1', '2', '3', '9'], ['', '4', '0', '11']],
  ['MessageHeader/NumberOfProcessingResult', bulkResultSchema, ['0', '12345'], ['', '123456']],
  ['MessageHeader/NumberOfNormalProcessing', bulkResultSchema, ['0', '12345'], ['', '123456']],
  ['MessageHeader/NumberOfError', bulkResultSchema, ['0', '12345'], ['', '123456']],
  ['MessageHeader/CharacterCodeIdentifier', bulkResultSchema, ['0', '1', '2'], ['', '3', '00']],
  ['MessageHeader/MedicalInstitutionCode', plainResultSchema, ['1312345678'], ['', '131234567', '13123456789']],
  ['MessageHeader/ReferenceClassification', plainResultSchema, ['1', '2'], ['', '0', '3', '11']],
  ['MessageHeader/SegmentOfResult', plainResultSchema, ['1', '2', '3', '9'], ['', '4', '0', '11']],
  ['MessageHeader/CharacterCodeIdentifier', plainResultSchema, ['0', '1', '2'], ['', '3', '00']],
])('%s takes its codes alone', (path, schema, taken, refused) => {
  const element = elementOf(schema, path);
  for (const value of taken) expect(element.safeParse(value).success, value).toBe(true);
  const among = taken.filter((value) => value !== '').flatMap((value) => [`x${value}`, `${value}x`]);
  for (const value of [...refused, ...among, 'x', '１']) expect(element.safeParse(value).success, value).toBe(false);
});

test.each([
  ['of one inquiry to 5,000', bulkInquirySchema, 'QualificationConfirmSearchInfo'],
  ['of one registration to 5,000', bulkReferenceRegistrationSchema, 'ReferenceNumberUnit'],
] as const)('a bulk request is %s', (_what, schema, name) => {
  const person = { InsurerNumber: '138057', InsuredIdentificationNumber: '1' };
  const unit =
    name === 'ReferenceNumberUnit' ? { QualificationConfirmSearchInfo: person, ReferenceNumber: '77' } : person;
  const takes = (times: number): boolean =>
    schema.safeParse({ MessageHeader: {}, MessageBody: { [name]: Array.from({ length: times }, () => unit) } }).success;
  expect([0, 1, 2, 5_000, 5_001].map(takes)).toEqual([false, true, true, true, false]);
});

test('a chart that is registered has a number, of 50 signs at most; what fetches a result names its reception', () => {
  const unit = (ReferenceNumber: string) => ({
    QualificationConfirmSearchInfo: { InsurerNumber: '138057', InsuredIdentificationNumber: '1' },
    ReferenceNumber,
  });
  const takes = (number: string): boolean =>
    referenceRegistrationSchema.safeParse({ MessageHeader: {}, MessageBody: unit(number) }).success;
  expect(['', '7', '77', '7'.repeat(50), '7'.repeat(51)].map(takes)).toEqual([false, true, true, true, false]);
  const fetches = (body: object): boolean =>
    bulkFetchSchema.safeParse({ MessageHeader: {}, MessageBody: body }).success;
  expect([fetches({ ReceptionNumber: '1' }), fetches({})]).toEqual([true, false]);
});
