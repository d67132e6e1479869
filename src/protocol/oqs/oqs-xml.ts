import { z } from 'zod';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { withoutUnseen } from './oqs-names.ts';
import { parseXml, type XmlElement } from './oqs-xml-parser.ts';

/**
 * The XML of オンライン資格確認 files as text. A zod object is the only source: its keys are the element names, their
 * order is the order of the elements, `optional()` an element that may be missing, `array()` one that repeats.
 * Leaves are text exactly as it stands in the file: a left-padded insurer number keeps its spaces, an empty element is
 * '' and not the same as a missing one (an empty ReferenceNumber means a new chart).
 */
export type OqsEncoding = 'Shift_JIS' | 'UTF-8';

/**
 * One encoding for every file of the folder. What Shift_JIS lacks (𠮷) stands as a character reference; what only
 * Windows-31J has (髙 﨑 ① ⅰ) too, or as bytes: strict readers (libxml2, REXML) refuse those bytes under the label Shift_JIS.
 */
export type EncodingSetting = {
  readonly encoding: OqsEncoding;
  /** What the declaration of a file in Shift_JIS says */
  readonly label: 'Shift_JIS' | 'Windows-31J';
  readonly machineDependent: 'character-reference' | 'bytes';
};

const unwrap = (schema: unknown): unknown => (schema instanceof z.ZodOptional ? unwrap(schema.unwrap()) : schema);

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#13;');

const writeElement = (name: string, schema: unknown, value: unknown, indent: string): string => {
  const inner = unwrap(schema);
  if (value === undefined) return '';
  if (inner instanceof z.ZodArray)
    return (value as readonly unknown[]).map((item) => writeElement(name, inner.element, item, indent)).join('');
  if (inner instanceof z.ZodObject) {
    const members = value as Record<string, unknown>;
    const content = Object.entries(inner.shape)
      .map(([key, member]) => writeElement(key, member, members[key], `${indent}\t`))
      .join('');
    return content === '' ? `${indent}<${name}/>\r\n` : `${indent}<${name}>\r\n${content}${indent}</${name}>\r\n`;
  }
  return `${indent}<${name}>${escapeText(String(value))}</${name}>\r\n`;
};

/** An `XmlMsg` as text, checked against its schema first. The declaration names the encoding; encoding it is the caller's. */
export const writeOqsXml = <S extends z.ZodObject>(
  schema: S,
  message: z.infer<S>,
  label: OqsEncoding | EncodingSetting['label'],
): Result<string> => {
  const checked = schema.safeParse(message);
  if (!checked.success) return err(failure('message.malformed', `OQS XML: ${paths(checked.error)}`));
  return ok(
    `<?xml version="1.0" encoding="${label}" standalone="no"?>\r\n${writeElement('XmlMsg', schema, checked.data, '')}`,
  );
};

/** Where a message broke its schema, by element names alone: values may be a person's. */
const paths = (error: z.ZodError): string =>
  error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('/') || 'XmlMsg'} (${issue.code})`)
    .join(', ');

/** How strangers' files are read: any order, empty = absent, blanks around a value are none of it; what is unknown is named. */
type Leniency = { readonly unknown: Set<string> };

/** １２３ is 123 where the field takes no other digits: some programs write every value in full width. */
const foreignLeaf = (text: string, schema: unknown): string => {
  if (!(schema instanceof z.ZodType) || schema.safeParse(text).success) return text;
  const folded = text.normalize('NFKC');
  return schema.safeParse(folded).success ? folded : text;
};

const readElement = (element: XmlElement, schema: unknown, lenient?: Leniency): Result<unknown> => {
  const inner = unwrap(schema);
  const malformed = (reason: string) => err(failure('message.malformed', `OQS XML: ${element.name}: ${reason}`));
  if (!(inner instanceof z.ZodObject)) {
    if (element.children.length > 0) return malformed('holds elements');
    if (!lenient) return ok(element.text);
    // What a program calls its own request by comes back as it was.
    const isTheirs = element.name.startsWith('Arbitrary');
    return ok(foreignLeaf((isTheirs ? element.text : withoutUnseen(element.text)).trim(), inner));
  }
  if (element.text.trim() !== '') return malformed('holds text beside elements');
  const value: Record<string, unknown> = {};
  const names = Object.keys(inner.shape);
  let position = 0;
  for (const child of element.children) {
    const index = names.indexOf(child.name);
    if (index < 0 && lenient) {
      lenient.unknown.add(child.name);
      continue;
    }
    if (index < 0) return malformed(`unknown element ${child.name}`);
    if (index < position && !lenient) return malformed(`${child.name} is out of order`);
    position = index;
    const member = unwrap(inner.shape[child.name]);
    const repeated = member instanceof z.ZodArray;
    const read = readElement(child, repeated ? member.element : member, lenient);
    if (!read.ok) return read;
    if (repeated) value[child.name] = [...((value[child.name] as unknown[] | undefined) ?? []), read.value];
    else if (lenient && read.value === '') continue;
    else if (child.name in value) return malformed(`${child.name} stands twice`);
    else value[child.name] = read.value;
  }
  return ok(value);
};

const readMessage = <S extends z.ZodObject>(schema: S, text: string, lenient?: Leniency): Result<z.infer<S>> => {
  const root = parseXml(text);
  if (!root.ok) return root;
  if (root.value.name !== 'XmlMsg') return err(failure('message.malformed', 'OQS XML: the root is not XmlMsg'));
  const read = readElement(root.value, schema, lenient);
  if (!read.ok) return read;
  const checked = schema.safeParse(read.value);
  return checked.success ? ok(checked.data) : err(failure('message.malformed', `OQS XML: ${paths(checked.error)}`));
};

/** Reads what `writeOqsXml` writes, and nothing else. Never throws. */
export const readOqsXml = <S extends z.ZodObject>(schema: S, text: string): Result<z.infer<S>> =>
  readMessage(schema, text);

/**
 * Reads files as other people's programs write them. `unknown`: names of elements that were passed over. Failures:
 * `message.malformed`, whose detail names elements, never values. Never throws.
 */
export const readForeignOqsXml = <S extends z.ZodObject>(
  schema: S,
  text: string,
): Result<{ readonly value: z.infer<S>; readonly unknown: readonly string[] }> => {
  const unknown = new Set<string>();
  const read = readMessage(schema, text, { unknown });
  return read.ok ? ok({ value: read.value, unknown: [...unknown] }) : read;
};
