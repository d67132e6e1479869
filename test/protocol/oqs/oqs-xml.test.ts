import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { readOqsXml, writeOqsXml } from '../../../src/protocol/oqs/oqs-xml.ts';
import {
  type AnswerForFile,
  faceFileName,
  faceMessage,
  type VisitForFile,
} from '../../../src/protocol/oqs/oqs-xml-face.ts';
import { parseXml } from '../../../src/protocol/oqs/oqs-xml-parser.ts';
import {
  consentPrefixes,
  type Qualification,
  type QualificationMessage,
  qualificationMessageSchema,
} from '../../../src/protocol/oqs/oqs-xml-schema.ts';

const at = Date.UTC(2026, 10, 21, 14, 59, 59); // 23:59:59 JST
const visit: VisitForFile = {
  requestId: '0190a5b2-1c2d-4e3f-8a4b-5c6d7e8f9a0b',
  lane: 2,
  confirmedAt: at,
  medicalInstitutionCode: '1312345678',
  consents: [
    { code: 'TKK', given: true, at },
    { code: 'YZK', given: false, at },
    { code: 'SRJ', given: true, at: at + 1_000 },
  ],
  rules: catalogueAt(at).consents,
};
const qualification: Qualification = {
  InsuredCardClassification: '01',
  InsurerNumber: '  138057',
  InsuredCardSymbol: '架空・1',
  InsuredIdentificationNumber: '1000001',
  Name: '髙﨑 花子',
  Sex1: '2',
  Birthdate: '19800217',
  InsurerName: '架空健康保険組合',
  LimitApplicationCertificateRelatedInfo: {
    LimitApplicationCertificateClassification: '01',
    LimitApplicationCertificateClassificationFlag: 'A03',
  },
  SpecificDiseasesCertificateList: { SpecificDiseasesCertificateInfo: [{ SpecificDiseasesDiseaseCategory: '1' }] },
};
const answer: AnswerForFile = {
  qualificationValidity: 1,
  consentSituation: 'at-counter',
  referenceNumber: '',
  qualifications: [qualification],
};

const text = (message: QualificationMessage): string => {
  const written = writeOqsXml(qualificationMessageSchema, message, 'UTF-8');
  if (!written.ok) throw new Error(written.failure.detail);
  return written.value;
};
const result = (message: QualificationMessage) =>
  message.MessageBody.ResultList?.ResultOfQualificationConfirmation[0] as Record<string, unknown>;

describe('what goes into the file of a visit', () => {
  test('a consent to 特定疾病 that was refused opens neither list nor time, however complete the answer', () => {
    const refused = result(faceMessage({ ...visit, consents: [{ code: 'TSR', given: false, at }] }, answer));
    expect(refused.SpecificDiseasesCertificateRelatedConsFlg).toBe('0');
    expect(refused).not.toHaveProperty('SpecificDiseasesCertificateList');
    expect(refused).not.toHaveProperty('SpecificDiseasesCertificateRelatedConsTime');
  });

  test('what no consent of the day opens is closed', () => {
    const rules = { ...visit.rules, items: visit.rules.items.filter(({ code }) => code !== 'TKK') };
    expect(result(faceMessage({ ...visit, rules }, answer)).SpecificHealthCheckupsInfoConsFlg).toBe('0');
  });

  test('each consent with its time and its end 24 hours later; refused or not asked is 0 without times', () => {
    const one = result(faceMessage(visit, answer));
    expect(one).toMatchObject({
      SpecificHealthCheckupsInfoConsFlg: '1',
      SpecificHealthCheckupsInfoConsTime: '20261121235959',
      SpecificHealthCheckupsInfoAvailableTime: '20261122235959',
      PharmacistsInfoConsFlg: '0',
      PrescriptionInfoConsFlg: '0',
      DiagnosisInfoConsFlg: '1',
      DiagnosisInfoConsTime: '20261122000000',
      TestInfoAvailableTime: '20261123000000',
      OperationInfoConsFlg: '0',
    });
    expect(one).not.toHaveProperty('PharmacistsInfoConsTime');
    expect(one).not.toHaveProperty('OperationInfoAvailableTime');
  });

  test.each([
    ['YZK', ['PharmacistsInfo', 'PrescriptionInfo']],
    ['SRJ', ['DiagnosisInfo', 'AllergyInfo', 'ContraindicationInfo', 'TestInfo']],
    ['SHJ', ['OperationInfo', 'DiagnosisName', 'InfectiousInfo']],
    ['TKK', ['SpecificHealthCheckupsInfo']],
  ] as const)('%s opens what rides on it and nothing else', (code, opened) => {
    const one = result(faceMessage({ ...visit, consents: [{ code, given: true, at }] }, answer));
    const given = consentPrefixes.filter((prefix) => one[`${prefix}ConsFlg`] === '1');
    expect(given).toEqual(opened);
  });

  test('限度額 only with its basis, 特定疾病 only with its consent', () => {
    const without = result(faceMessage(visit, answer));
    expect(without).toMatchObject({
      LimitApplicationCertificateRelatedConsFlg: '0',
      SpecificDiseasesCertificateRelatedConsFlg: '0',
    });
    expect(without).not.toHaveProperty('LimitApplicationCertificateRelatedInfo');
    expect(without).not.toHaveProperty('SpecificDiseasesCertificateList');
    const all = { ...visit, limitApplicationAt: at, consents: [{ code: 'TSR', given: true, at } as const] };
    expect(result(faceMessage(all, answer))).toMatchObject({
      LimitApplicationCertificateRelatedConsFlg: '1',
      LimitApplicationCertificateRelatedConsTime: '20261121235959',
      LimitApplicationCertificateRelatedInfo: { LimitApplicationCertificateClassificationFlag: 'A03' },
      SpecificDiseasesCertificateRelatedConsFlg: '1',
      SpecificDiseasesCertificateList: { SpecificDiseasesCertificateInfo: [{ SpecificDiseasesDiseaseCategory: '1' }] },
    });
  });

  test.each([
    ['lapsed', '2'],
    ['not-obtainable', '3'],
  ] as const)('consent %s is flag %s everywhere', (consentSituation, flag) => {
    const one = result(faceMessage(visit, { ...answer, consentSituation }));
    expect(consentPrefixes.map((prefix) => one[`${prefix}ConsFlg`])).toEqual(consentPrefixes.map(() => flag));
  });

  test('an empty 照会番号 stands in the file: a new chart', () => {
    expect(text(faceMessage(visit, answer))).toContain('<ReferenceNumber></ReferenceNumber>');
  });

  test('nobody found: no list, validity 4', () => {
    const message = faceMessage(visit, { ...answer, qualificationValidity: 4, qualifications: [] });
    expect(text(message)).not.toContain('ResultList');
    expect(message.MessageBody.QualificationValidity).toBe('4');
  });

  test('the form of the prescription and what the service added stand in the file where there are any', () => {
    const body = (of: Partial<VisitForFile>, more: Partial<AnswerForFile> = {}) => {
      const read = readOqsXml(
        qualificationMessageSchema,
        text(faceMessage({ ...visit, ...of }, { ...answer, ...more })),
      );
      if (!read.ok) throw new Error(read.failure.detail);
      const { ResultList: _list, ...rest } = read.value.MessageBody;
      return rest;
    };
    const plain = { ProcessingResultStatus: '1', QualificationValidity: '1' };
    expect(body({})).toEqual(plain);
    expect(body({ prescriptionForm: 'electronic' })).toEqual({ ...plain, PrescriptionIssueSelect: '1' });
    expect(body({ prescriptionForm: 'paper' })).toEqual({ ...plain, PrescriptionIssueSelect: '2' });
    expect(body({}, { processingResult: { code: 'certificate.ends', message: '期限間近' } })).toEqual({
      ...{ ...plain, ProcessingResultCode: 'certificate.ends', ProcessingResultMessage: '期限間近' },
    });
  });

  test('the name is one that レセコン look for, and differs by lane and request', () => {
    expect(faceFileName(visit)).toMatch(/^OQSsiquc01res_face_.+_(\d{14})\.xml$/);
    expect(faceFileName({ ...visit, lane: 3 })).not.toBe(faceFileName(visit));
    expect(faceFileName({ ...visit, requestId: visit.requestId.replace('0190', '0191') })).not.toBe(
      faceFileName(visit),
    );
    expect(faceFileName({ ...visit, lane: 3 })).toBe('OQSsiquc01res_face_L030190a5b21c2d_20261121235959.xml');
    expect(faceFileName({ ...visit, lane: 12, isTest: true })).toBe(
      'OQSsiquc01res_face_TESTL120190a5b21c2d_20261121235959.xml',
    );
    expect(faceFileName({ ...visit, isTest: true })).toMatch(/^OQSsiquc01res_face_TEST.+_(\d{14})\.xml$/);
    expect(faceFileName(visit)).not.toContain('TEST');
  });
});

describe('the file as text', () => {
  test('elements stand in the order of the layout, the padding of the insurer number stays', () => {
    const xml = text(faceMessage(visit, answer));
    const names = [...xml.matchAll(/<(\w+)>/g)].map(([, name]) => name);
    const order = [
      'MessageHeader',
      'ProcessExecutionTime',
      'CharacterCodeIdentifier',
      'MessageBody',
      'InsurerNumber',
      'Name',
      'Sex1',
      'Birthdate',
      'InsurerName',
      'SpecificHealthCheckupsInfoConsFlg',
      'PharmacistsInfoConsFlg',
      'ReferenceNumber',
    ];
    expect(order.map((name) => names.indexOf(name))).toEqual(
      order.map((name) => names.indexOf(name)).toSorted((a, b) => a - b),
    );
    expect(xml).toContain('<InsurerNumber>  138057</InsurerNumber>');
    expect(xml.startsWith('<?xml version="1.0" encoding="UTF-8" standalone="no"?>')).toBe(true);
  });

  const leaf = (schema: unknown): fc.Arbitrary<unknown> => {
    if (schema instanceof z.ZodOptional) return fc.option(leaf(schema.unwrap()), { nil: undefined });
    if (schema instanceof z.ZodArray) return fc.array(leaf(schema.element), { minLength: 1, maxLength: 3 });
    if (schema instanceof z.ZodObject)
      return fc.record(Object.fromEntries(Object.entries(schema.shape).map(([key, member]) => [key, leaf(member)])));
    const candidates = [
      '',
      '1',
      '01',
      '010',
      '20261121',
      '20261121235959',
      '1312345678',
      '  138057',
      'A03',
      '123-4567',
      '100',
      '202611',
      '𠮷田 葛\u{e0100}',
      ' a & <b> "c" \' ]]> ',
      '架空・1',
    ];
    const fitting = candidates.filter((value) => (schema as z.ZodType).safeParse(value).success);
    if (fitting.length === 0) throw new Error('no candidate for a leaf');
    return fc.constantFrom(...fitting);
  };
  const clean = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

  test('whatever the schema allows comes back the same', () => {
    fc.assert(
      fc.property(leaf(qualificationMessageSchema), (message) => {
        const known = clean(message) as QualificationMessage;
        expect(readOqsXml(qualificationMessageSchema, text(known))).toEqual({ ok: true, value: known });
      }),
      { numRuns: 300 },
    );
  });

  test('every truncation is a failure, never an exception', () => {
    const xml = text(faceMessage(visit, answer)).trimEnd();
    for (let length = 0; length < xml.length; length++)
      expect(readOqsXml(qualificationMessageSchema, xml.slice(0, length)).ok, `cut at ${length}`).toBe(false);
  });

  test.each([
    ['an unknown element', (xml: string) => xml.replace('<Name>', '<Nickname>x</Nickname><Name>')],
    ['an element twice', (xml: string) => xml.replace('<Sex1>2</Sex1>', '<Sex1>2</Sex1><Sex1>2</Sex1>')],
    [
      'elements out of order',
      (xml: string) => xml.replace(/(<Sex1>2<\/Sex1>)\s*(<Birthdate>\d+<\/Birthdate>)/, '$2$1'),
    ],
    ['a required element missing', (xml: string) => xml.replace(/<Birthdate>\d+<\/Birthdate>/, '')],
    ['a value outside its pattern', (xml: string) => xml.replace('<Sex1>2<', '<Sex1>4<')],
    ['text beside elements', (xml: string) => xml.replace('<MessageBody>', '<MessageBody>x')],
    ['another root', (xml: string) => xml.replaceAll('XmlMsg', 'Message')],
    ['DOCTYPE', (xml: string) => xml.replace('?>', '?><!DOCTYPE XmlMsg [<!ENTITY a "b">]>')],
    ['an unknown entity', (xml: string) => xml.replace('架空・1', '&a;')],
    ['a bare ampersand', (xml: string) => xml.replace('架空・1', 'a & b')],
    ['a second root', (xml: string) => `${xml}<XmlMsg/>`],
  ])('%s is refused', (_, change) => {
    const xml = text(faceMessage(visit, answer));
    const changed = change(xml);
    expect(changed).not.toBe(xml);
    const read = readOqsXml(qualificationMessageSchema, changed);
    expect(read).toMatchObject({ ok: false, failure: { code: 'message.malformed' } });
    if (!read.ok) expect(read.failure.detail).not.toContain('花子');
  });

  const layout = z.strictObject({
    Note: z.string().optional(),
    Group: z.strictObject({ Inner: z.string().optional() }).optional(),
    Item: z.array(z.strictObject({ Code: z.string().regex(/^\d$/) })).optional(),
  });
  const inside = (inner: string): string => `<XmlMsg>${inner}</XmlMsg>`;

  test('a tab before each element within another, one line each, a list as its elements, no lines in an empty one', () => {
    const message = { Note: 'a\r<b>', Group: {}, Item: [{ Code: '1' }, { Code: '2' }] };
    const written = writeOqsXml(layout, message, 'UTF-8');
    expect(written).toMatchObject({
      value: [
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>',
        '<XmlMsg>',
        '\t<Note>a&#13;&lt;b&gt;</Note>',
        '\t<Group/>',
        '\t<Item>',
        '\t\t<Code>1</Code>',
        '\t</Item>',
        '\t<Item>',
        '\t\t<Code>2</Code>',
        '\t</Item>',
        '</XmlMsg>',
        '',
      ].join('\r\n'),
    });
    if (written.ok) expect(readOqsXml(layout, written.value)).toEqual({ ok: true, value: message });
  });

  test.each([
    ['elements where a value stands', '<Note><b>花子</b></Note>', 'Note: holds elements'],
    ['the same within another', '<Group><Inner><b/></Inner></Group>', 'Inner: holds elements'],
    ['an element nobody knows', '<Nickname>花子</Nickname>', 'XmlMsg: unknown element Nickname'],
    ['one that is known elsewhere', '<Group><Note/></Group>', 'Group: unknown element Note'],
  ])('%s: refused, and the place told', (_, inner, detail) => {
    expect(readOqsXml(layout, inside(inner))).toMatchObject({ ok: false, failure: { detail: `OQS XML: ${detail}` } });
  });

  test('blanks are no text beside elements, also where there is none', () => {
    expect(readOqsXml(layout, inside('<Group>\n </Group>'))).toEqual({ ok: true, value: { Group: {} } });
  });

  test('of many faults five are told, each by the way to it', () => {
    const read = readOqsXml(layout, inside('<Item><Code>x</Code></Item>'.repeat(6)));
    expect(read).toMatchObject({
      failure: { detail: `OQS XML: ${[0, 1, 2, 3, 4].map((at) => `Item/${at}/Code (invalid_format)`).join(', ')}` },
    });
  });

  test('what the layout does not have is not written: the place is named, never the value', () => {
    const written = writeOqsXml(
      qualificationMessageSchema,
      { ...faceMessage(visit, answer), 花子: '花子' } as QualificationMessage,
      'UTF-8',
    );
    if (written.ok) throw new Error(written.value);
    expect(written.failure.detail).toContain('XmlMsg');
    expect(written.failure.detail).not.toContain('花子');
  });

  test('a control character or half a surrogate pair never reaches a file', () => {
    for (const bad of ['a\u0000', 'a\u0007b', 'a\nb', '\ud842'])
      expect(
        writeOqsXml(
          qualificationMessageSchema,
          faceMessage(visit, { ...answer, qualifications: [{ ...qualification, Name: bad }] }),
          'UTF-8',
        ),
      ).toMatchObject({ ok: false, failure: { code: 'message.malformed' } });
  });

  test('attributes, comments, CDATA and character references of other writers are read', () => {
    const read = parseXml(
      '<?xml version="1.0"?><!-- a --><a xmlns="x" b=\'c\'><d><![CDATA[<&>]]></d><e>&#x20BB7;&#33;</e><f/></a>',
    );
    expect(read).toMatchObject({
      ok: true,
      value: { children: [{ text: '<&>' }, { text: '𠮷!' }, { name: 'f', text: '' }] },
    });
  });

  test('deep and long input ends quickly', () => {
    expect(parseXml('<a>'.repeat(100_000)).ok).toBe(false);
    expect(parseXml(`<a>${'<'.repeat(100_000)}</a>`).ok).toBe(false);
    expect(parseXml(`<a ${'b="c" '.repeat(50_000)}`).ok).toBe(false);
    expect(parseXml(`<a>${'&'.repeat(100_000)}</a>`).ok).toBe(false);
  });
});
