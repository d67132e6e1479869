import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { readForeignOqsXml, readOqsXml, writeOqsXml } from '../../../src/protocol/oqs/oqs-xml.ts';
import {
  bulkReception,
  bulkResult,
  type InquiryAnswer,
  inquiryResult,
  plainResult,
} from '../../../src/protocol/oqs/oqs-xml-inquiry.ts';
import {
  bulkReceptionSchema,
  bulkResultSchema,
  inquirySchema,
  plainResultSchema,
  type Qualification,
  qualificationMessageSchema,
} from '../../../src/protocol/oqs/oqs-xml-schema.ts';

const at = Date.UTC(2026, 10, 21, 15, 0, 1); // 00:00:01 of the next day in Japan
const institution = '1312345678';
const failure = { code: 'eligibility.unavailable', message: '応答なし' };
const search = { InsurerNumber: '  138057', InsuredIdentificationNumber: '1000001' };
const qualification: Qualification = {
  ...{ InsuredCardClassification: '01', Name: '架空 花子', Sex1: '2', Birthdate: '19800217', InsurerName: '架空健保' },
  LimitApplicationCertificateRelatedInfo: {
    LimitApplicationCertificateClassification: '01',
    LimitApplicationCertificateClassificationFlag: 'A03',
  },
  SpecificDiseasesCertificateList: { SpecificDiseasesCertificateInfo: [{ SpecificDiseasesDiseaseCategory: '1' }] },
};
const answered = (qualifications: readonly Qualification[]): InquiryAnswer => ({
  ok: true,
  value: { qualificationValidity: 1, qualifications, referenceNumber: '77' },
});
const refused: InquiryAnswer = { ok: false, failure };

/** As the other program reads it: by the layout, in its order. */
const asRead = <S extends z.ZodObject>(schema: S, message: z.infer<S>): z.infer<S> => {
  const written = writeOqsXml(schema, message, 'UTF-8');
  if (!written.ok) throw new Error(written.failure.detail);
  const read = readOqsXml(schema, written.value);
  if (!read.ok) throw new Error(read.failure.detail);
  expect(read.value).toEqual(message);
  return read.value;
};

describe('what answers an inquiry by number', () => {
  const inquiry = (more: object = {}, identifier?: string): z.infer<typeof inquirySchema> => ({
    MessageHeader: {
      MedicalInstitutionCode: institution,
      ...(identifier !== undefined && { ArbitraryFileIdentifier: identifier }),
    } as z.infer<typeof inquirySchema>['MessageHeader'],
    MessageBody: { QualificationConfirmSearchInfo: { ...search, ...more } },
  });
  const result = (answer: InquiryAnswer, more: object = {}, identifier?: string) =>
    asRead(qualificationMessageSchema, inquiryResult(inquiry(more, identifier), answer, institution, at));

  test('says what was asked, when by the clock of Japan, and each qualification with its chart', () => {
    const { MessageHeader, MessageBody } = result(
      answered([qualification, { ...qualification, Sex1: '1' }]),
      {},
      'mine',
    );
    expect(MessageHeader).toEqual({
      ...{ ProcessExecutionTime: '20261122000001', QualificationConfirmationDate: '20261122' },
      ...{ MedicalInstitutionCode: institution, ArbitraryFileIdentifier: 'mine', ReferenceClassification: '2' },
      ...{ SegmentOfResult: '1', CharacterCodeIdentifier: '1' },
    });
    expect(MessageBody).toMatchObject({
      ...{ QualificationConfirmSearchInfo: search, ProcessingResultStatus: '1', QualificationValidity: '1' },
      ResultList: {
        ResultOfQualificationConfirmation: [
          { Name: qualification.Name, Sex1: '2', ReferenceNumber: '77' },
          { Sex1: '1', ReferenceNumber: '77' },
        ],
      },
    });
    expect(result(answered([])).MessageHeader.ArbitraryFileIdentifier).toBe('');
    expect(result(answered([])).MessageBody).not.toHaveProperty('ResultList');
  });

  test('holds 限度額 where the inquiry says that the patient agreed, and 特定疾病 never', () => {
    const one = (more: object, of = qualification) =>
      result(answered([of]), more).MessageBody.ResultList?.ResultOfQualificationConfirmation[0];
    for (const more of [{}, { LimitApplicationCertificateRelatedConsFlg: '0' }]) {
      expect(one(more)).not.toHaveProperty('LimitApplicationCertificateRelatedInfo');
      expect(one(more)).not.toHaveProperty('LimitApplicationCertificateRelatedConsFlg');
    }
    const agreed = { LimitApplicationCertificateRelatedConsFlg: '1' };
    expect(one(agreed)).toMatchObject({
      LimitApplicationCertificateRelatedConsFlg: '1',
      LimitApplicationCertificateRelatedInfo: { LimitApplicationCertificateClassificationFlag: 'A03' },
    });
    const { LimitApplicationCertificateRelatedInfo: _none, ...without } = qualification;
    expect(one(agreed, without)).not.toHaveProperty('LimitApplicationCertificateRelatedConsFlg');
    for (const more of [{}, agreed]) expect(one(more)).not.toHaveProperty('SpecificDiseasesCertificateList');
  });

  test('without an answer says why, in header and body, and nothing of a qualification', () => {
    const { MessageHeader, MessageBody } = result(refused);
    expect(MessageHeader).toMatchObject({
      ...{ SegmentOfResult: '3', ErrorCode: failure.code, ErrorMessage: failure.message },
    });
    expect(MessageBody).toEqual({
      QualificationConfirmSearchInfo: search,
      ...{ ProcessingResultStatus: '2', ProcessingResultCode: failure.code, ProcessingResultMessage: failure.message },
    });
    expect(result(answered([])).MessageHeader).not.toHaveProperty('ErrorCode');
  });
});

test('many inquiries at once are received under a number', () => {
  expect(asRead(bulkReceptionSchema, bulkReception(institution, 'mine', '42', at))).toEqual({
    MessageHeader: {
      ...{ ProcessExecutionTime: '20261122000001', MedicalInstitutionCode: institution },
      ...{ ArbitraryFileIdentifier: 'mine', CharacterCodeIdentifier: '1' },
    },
    MessageBody: { ReceptionNumber: '42', ReceptionDateTime: '20261122000001' },
  });
});

describe('the result of many inquiries', () => {
  const unit = (answer: InquiryAnswer) => ({ search, answer });
  const result = (...[units, failed]: [Parameters<typeof bulkResult>[2], Parameters<typeof bulkResult>[4]?]) =>
    asRead(bulkResultSchema, bulkResult(institution, '42', units, at, failed));
  const counts = ({ MessageHeader: { SegmentOfResult, ...header } }: ReturnType<typeof result>) => [
    SegmentOfResult,
    ...[header.NumberOfProcessingResult, header.NumberOfNormalProcessing, header.NumberOfError],
  ];

  test('counts them, and says of each whether it is valid or why not', () => {
    const done = result([unit(answered([qualification])), unit(refused), unit(answered([]))]);
    expect(counts(done)).toEqual(['1', '3', '2', '1']);
    expect(done.MessageBody.BulkConfirmUnit).toEqual([
      { QualificationConfirmSearchInfo: search, ProcessingResultStatus: '1', QualificationValidity: '1' },
      {
        ...{ QualificationConfirmSearchInfo: search, ProcessingResultStatus: '2' },
        ...{ ProcessingResultCode: failure.code, ProcessingResultMessage: failure.message },
      },
      { QualificationConfirmSearchInfo: search, ProcessingResultStatus: '1', QualificationValidity: '1' },
    ]);
    expect(done.MessageHeader).toMatchObject({ ReceptionNumber: '42', ArbitraryFileIdentifier: '' });
    expect(done.MessageHeader).not.toHaveProperty('ErrorCode');
  });

  test('is in progress, empty or failed, each told apart', () => {
    expect(counts(result(null))).toEqual(['2', '0', '0', '0']);
    expect(counts(result([]))).toEqual(['1', '0', '0', '0']);
    const failed = result(null, failure);
    expect(counts(failed)).toEqual(['3', '0', '0', '0']);
    expect(failed.MessageHeader).toMatchObject({ ErrorCode: failure.code, ErrorMessage: failure.message });
    for (const one of [result(null), result([]), failed]) expect(one.MessageBody).not.toHaveProperty('BulkConfirmUnit');
  });
});

test('what has no result of its own layout is answered by whether it was done, for each patient and for all', () => {
  const request = { institutionCode: institution, identifier: 'mine', kind: 'OQSsiref01' };
  const result = (
    ...[units, failed, kind]: [Parameters<typeof plainResult>[1], Parameters<typeof plainResult>[3]?, string?]
  ) => asRead(plainResultSchema, plainResult({ ...request, kind: kind ?? request.kind }, units, at, failed));
  expect(result([])).toEqual({
    MessageHeader: {
      ...{ ProcessExecutionTime: '20261122000001', QualificationConfirmationDate: '20261122' },
      ...{ MedicalInstitutionCode: institution, ArbitraryFileIdentifier: 'mine' },
      ...{ SegmentOfResult: '1', CharacterCodeIdentifier: '1' },
    },
    MessageBody: { ProcessingResultStatus: '1' },
  });
  const reason = {
    ProcessingResultStatus: '2',
    ProcessingResultCode: failure.code,
    ProcessingResultMessage: failure.message,
  };
  expect(result([{ referenceNumber: '7' }, { referenceNumber: '8', failure }]).MessageBody).toEqual({
    ProcessingResultStatus: '1',
    ProcessingResultUnit: [
      { ReferenceNumber: '7', ProcessingResultStatus: '1' },
      { ReferenceNumber: '8', ...reason },
    ],
  });
  const failed = result([], failure, 'OQSsiquc01');
  expect(failed.MessageHeader).toMatchObject({
    ...{ ReferenceClassification: '2', SegmentOfResult: '3', ErrorCode: failure.code, ErrorMessage: failure.message },
  });
  expect(failed.MessageBody).toEqual(reason);
});

describe('a request as another program writes it', () => {
  const written = (body: string, header = ''): string =>
    `<XmlMsg>${`<MessageHeader><MedicalInstitutionCode>${institution}</MedicalInstitutionCode>${header}</MessageHeader>`}<MessageBody><QualificationConfirmSearchInfo>${body}</QualificationConfirmSearchInfo></MessageBody></XmlMsg>`;
  const required = '<InsurerNumber>138057</InsurerNumber><InsuredIdentificationNumber>1</InsuredIdentificationNumber>';
  const read = (text: string) => {
    const result = readForeignOqsXml(inquirySchema, text);
    if (!result.ok) throw new Error(result.failure.detail);
    const { value, unknown } = result.value;
    return { header: value.MessageHeader, search: value.MessageBody.QualificationConfirmSearchInfo, unknown };
  };

  test('is read in any order, with blanks, full-width digits and signs that nobody sees around its values', () => {
    const { search, unknown } = read(
      written(
        '<InsuredIdentificationNumber> \u200b1\ufeff </InsuredIdentificationNumber><Birthdate>１９８００２１７</Birthdate><InsurerNumber>１３８０５７</InsurerNumber>',
      ),
    );
    expect(search).toEqual({ InsuredIdentificationNumber: '1', Birthdate: '19800217', InsurerNumber: '138057' });
    expect(unknown).toEqual([]);
  });

  test('what may be text is not folded, and what a program calls its own comes back as it was', () => {
    const { search } = read(
      written(
        `${required}<InsuredCardSymbol>ＡＢ１</InsuredCardSymbol><ArbitraryIdentifier> a\u200bb </ArbitraryIdentifier>`,
      ),
    );
    expect(search).toMatchObject({ InsuredCardSymbol: 'ＡＢ１', ArbitraryIdentifier: 'a\u200bb' });
  });

  test('empty is absent; what is unknown is named, once, and its content is nobody’s', () => {
    const { search, unknown } = read(
      written(`${required}<Birthdate> </Birthdate><Mine>x</Mine><Mine><Deeper>y</Deeper></Mine><Other/>`),
    );
    expect(search).toEqual({ InsurerNumber: '138057', InsuredIdentificationNumber: '1' });
    expect(unknown).toEqual(['Mine', 'Other']);
  });

  test.each([
    ['a value twice', written(`${required}<InsurerNumber>138058</InsurerNumber>`)],
    ['a value that is none', written(required.replace('138057', 'x'))],
    ['elements in a value', written(required.replace('138057', '<a/>'))],
    ['a required value missing', written('<InsurerNumber>138057</InsurerNumber>')],
    ['a required value empty', written(required.replace('138057', ''))],
    ['another root', written(required).replaceAll('XmlMsg', 'Message')],
    ['no XML', 'x'],
  ])('%s: refused, and no value is told', (_what, text) => {
    const result = readForeignOqsXml(inquirySchema, text);
    expect(result).toMatchObject({ ok: false, failure: { code: 'message.malformed' } });
    if (!result.ok) expect(result.failure.detail).not.toContain('138057');
  });
});
