import type { z } from 'zod';
import { decodeOqs } from '../../agent/oqs-folder/oqs-encoding.ts';
import { requestOf } from '../../agent/oqs-folder/request-files.ts';
import { readForeignOqsXml, readOqsXml } from '../../protocol/oqs/oqs-xml.ts';
import type { SearchInfo } from '../../protocol/oqs/oqs-xml-inquiry.ts';
import {
  bulkFetchSchema,
  bulkInquirySchema,
  bulkReferenceRegistrationSchema,
  inquirySchema,
  referenceRegistrationSchema,
} from '../../protocol/oqs/oqs-xml-schema.ts';
import type { OqsRule } from './oqs-rules.ts';

type Problem = { readonly rule: OqsRule; readonly seen: string };
/** What a request asks: about whom, under which chart number, or which 一括照会 it wants. */
export type ReadRequest = {
  readonly identifier: string;
  readonly searches: readonly SearchInfo[];
  readonly registrations: readonly { readonly search: SearchInfo; readonly referenceNumber: string }[];
  readonly isBulk: boolean;
  readonly fetches: string | null;
};
type JudgedRequest = {
  readonly problems: readonly Problem[];
  /** null: nobody could read it */
  readonly request: ReadRequest | null;
};

const schemas = {
  OQSsiquc01: inquirySchema,
  OQSmuquc01: bulkInquirySchema,
  OQSmuquc02: bulkFetchSchema,
  OQSsiimm01: referenceRegistrationSchema,
  OQSmuimm01: bulkReferenceRegistrationSchema,
} as const satisfies Record<string, z.ZodObject>;
type Kind = keyof typeof schemas;

type Header = {
  readonly MedicalInstitutionCode?: string | undefined;
  readonly ArbitraryFileIdentifier?: string | undefined;
  readonly CharacterCodeIdentifier?: string | undefined;
};
type Body = {
  readonly QualificationConfirmSearchInfo?: SearchInfo | readonly SearchInfo[];
  readonly ReferenceNumber?: string;
  readonly ReferenceNumberUnit?: readonly {
    readonly QualificationConfirmSearchInfo: SearchInfo;
    readonly ReferenceNumber: string;
  }[];
  readonly ReceptionNumber?: string;
};

/** Whether the last element is closed: what is not may still be written. */
export const isWhole = (bytes: Uint8Array): boolean => {
  const end = Buffer.from(bytes.slice(-64)).toString('latin1').replaceAll('\0', '').trimEnd();
  return end.endsWith('</XmlMsg>') || end.endsWith('-->');
};

/** The declaration as it stands, in UTF-16 too. */
const headOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.slice(0, 400)).toString('latin1').replaceAll('\0', '').slice(0, 200);

const encodingProblems = (bytes: Uint8Array): Problem[] => {
  const head = headOf(bytes);
  const declared = /encoding\s*=\s*["']([^"']+)["']/i.exec(head)?.[1];
  if (declared === undefined) return [{ rule: 'encoding-undeclared', seen: head.slice(0, 30) }];
  if (!/^(utf-?8|(x-)?s(hift_?)?jis|windows-31j|cp932|ms932)$/i.test(declared))
    return [{ rule: 'encoding-other', seen: declared }];
  return decodeOqs(bytes).ok ? [] : [{ rule: 'encoding-mismatch', seen: declared }];
};

const isDateOrEmpty = (text: string): boolean => {
  if (text === '') return true;
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(text) ?? [];
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === `${year}-${month}-${day}`;
};

/** As it stands in the file: what the lenient reader would fold is told first. */
const textProblems = (text: string, institution: string): Problem[] => {
  const problems: Problem[] = [];
  const valuesOf = (element: string): string[] =>
    [...text.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, 'g'))].map(([, value = '']) => value);
  const numbers = ['InsurerNumber', 'InsuredIdentificationNumber', 'InsuredBranchNumber', 'Birthdate'];
  for (const element of numbers)
    for (const value of valuesOf(element))
      if (/[\uff10-\uff19]/.test(value)) problems.push({ rule: 'full-width', seen: element });
  for (const value of valuesOf('InsurerNumber'))
    if (!/^ *[1-9\uff11-\uff19][\d\uff10-\uff19]*$/.test(value) || value.length !== 8)
      problems.push({ rule: 'insurer-number', seen: `「${value.replace(/\d/g, '9')}」（${value.length}文字）` });
  for (const value of valuesOf('Birthdate'))
    if (!isDateOrEmpty(value.normalize('NFKC')))
      problems.push({ rule: 'birthdate-form', seen: value.replace(/\d/g, '9') });
  for (const value of valuesOf('InsuredBranchNumber'))
    if (!/^(\d{2})?$/.test(value.normalize('NFKC')))
      problems.push({ rule: 'branch-form', seen: `${value.length}文字` });
  for (const element of ['InsuredCardSymbol', 'ReferenceNumber'])
    for (const value of valuesOf(element))
      if (/[?？〓●\ufffd]/.test(value)) problems.push({ rule: 'lost-character', seen: element });
  for (const value of valuesOf('ReferenceNumber')) {
    if (value.length > 50) problems.push({ rule: 'chart-too-long', seen: `${value.length}文字` });
    if (value.trim() === '') problems.push({ rule: 'chart-blank', seen: `空白${value.length}文字` });
  }
  const [code = ''] = valuesOf('MedicalInstitutionCode');
  if (code !== institution)
    problems.push({ rule: 'institution-code', seen: code === '' ? 'なし' : `${code.length}桁` });
  return problems;
};

const headerProblems = (header: Header, bytes: Uint8Array): Problem[] => {
  const problems: Problem[] = [];
  if ((header.ArbitraryFileIdentifier ?? '') === '') problems.push({ rule: 'identifier-missing', seen: 'なし' });
  const isUtf8 = /encoding\s*=\s*["']utf-?8/i.test(headOf(bytes));
  const { CharacterCodeIdentifier: code } = header;
  if (code !== undefined && code !== (isUtf8 ? '0' : '1')) problems.push({ rule: 'character-code', seen: code });
  return problems;
};

const requestIn = (kind: Kind, header: Header, body: Body): ReadRequest => {
  const { QualificationConfirmSearchInfo: search, ReferenceNumber, ReferenceNumberUnit = [], ReceptionNumber } = body;
  const searches = search === undefined ? [] : [search].flat();
  const [first] = searches;
  return {
    identifier: header.ArbitraryFileIdentifier ?? '',
    searches: [...searches, ...ReferenceNumberUnit.map((unit) => unit.QualificationConfirmSearchInfo)],
    registrations: [
      ...(ReferenceNumber === undefined || first === undefined
        ? []
        : [{ search: first, referenceNumber: ReferenceNumber }]),
      ...ReferenceNumberUnit.map((unit) => ({
        search: unit.QualificationConfirmSearchInfo,
        referenceNumber: unit.ReferenceNumber,
      })),
    ],
    isBulk: kind === 'OQSmuquc01',
    fetches: ReceptionNumber ?? null,
  };
};

/** What the lenient reader refuses as well, and says less of. */
const told: readonly OqsRule[] = ['chart-too-long', 'chart-blank', 'birthdate-form', 'branch-form'];

/** One file of `req/`, by itself. `institution`: the clinic's code, ten digits. Never throws; no value of a person is told. */
export const judgeRequest = (name: string, bytes: Uint8Array, institution: string): JudgedRequest => {
  const file = requestOf(name);
  if (file === null) return { problems: [{ rule: 'name-unknown', seen: name }], request: null };
  if (file.known === null) return { problems: [{ rule: 'kind-unknown', seen: file.kind }], request: null };
  const problems = encodingProblems(bytes);
  const text = decodeOqs(bytes);
  if (!text.ok) return { problems, request: null };
  problems.push(...textProblems(text.value, institution));
  const schema: z.ZodObject = schemas[file.known];
  const lenient = readForeignOqsXml(schema, text.value);
  if (!lenient.ok) {
    const isTold = problems.some(({ rule }) => told.includes(rule));
    if (!isTold) problems.push({ rule: 'not-well-formed', seen: lenient.failure.detail ?? '' });
    return { problems, request: null };
  }
  for (const element of lenient.value.unknown) problems.push({ rule: 'unknown-element', seen: element });
  const strict = readOqsXml(schema, text.value);
  if (!strict.ok && /out of order/.test(strict.failure.detail ?? ''))
    problems.push({ rule: 'element-order', seen: strict.failure.detail ?? '' });
  const { MessageHeader: header, MessageBody: body } = lenient.value.value as {
    MessageHeader: Header;
    MessageBody: Body;
  };
  problems.push(...headerProblems(header, bytes));
  return { problems, request: requestIn(file.known, header, body) };
};
