import iconv from 'iconv-lite';
import type { z } from 'zod';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type EncodingSetting, type OqsEncoding, readOqsXml, writeOqsXml } from '../../protocol/oqs/oqs-xml.ts';

/**
 * What staff must know of a file: never the text, only the element and the character. `removed-selector`: an IVS was
 * taken off, the base character stays; `twin`: the same sign under another code point; `sent-as-placeholder`: the
 * service itself sent ● or ? in a name.
 */
export type EncodingNote = {
  readonly element: string;
  readonly codePoint: string;
  readonly what: 'removed-selector' | 'twin' | 'lacking' | 'sent-as-placeholder';
};

type EncodedFile = {
  readonly bytes: Uint8Array;
  readonly encoding: OqsEncoding;
  readonly notes: readonly EncodingNote[];
};

/** Signs that Unicode has twice and Windows-31J maps to the other one. */
const twins: Record<string, string> = {
  '\u301c': '\uff5e',
  '\u2016': '\u2225',
  '\u2212': '\uff0d',
  '\u00a2': '\uffe0',
  '\u00a3': '\uffe1',
  '\u00ac': '\uffe2',
  '\u2014': '\u2015',
};
const isSelector = (character: string): boolean => /^[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]$/u.test(character);
// Asked of the codec itself, for it answers "?" without a word where it has no code; each character once.
const asked = new Map<string, boolean>();
const fitsShiftJis = (character: string): boolean => {
  const known = asked.get(character);
  if (known !== undefined) return known;
  const fits = iconv.decode(iconv.encode(character, 'cp932'), 'cp932') === character;
  asked.set(character, fits);
  return fits;
};
const codePointOf = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
const nameElements = new Set(['Name', 'NameOfOther', 'NameKana', 'NameOfOtherKana', 'InsuredName']);

const mapLeaves = (value: unknown, change: (text: string, element: string) => string, element = 'XmlMsg'): unknown => {
  if (typeof value === 'string') return change(value, element);
  if (Array.isArray(value)) return value.map((item) => mapLeaves(item, change, element));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapLeaves(member, change, key)]));
};

const toShiftJis = <T>(message: T): { message: T; notes: EncodingNote[] } => {
  const notes: EncodingNote[] = [];
  const changed = mapLeaves(message, (text, element) => {
    let fitting = '';
    for (const character of text) {
      const note = (what: EncodingNote['what']) => notes.push({ element, codePoint: codePointOf(character), what });
      const twin = twins[character];
      if (isSelector(character)) note('removed-selector');
      else if (fitsShiftJis(character)) fitting += character;
      else if (twin !== undefined) {
        note('twin');
        fitting += twin;
      } else {
        note('lacking');
        fitting += character;
      }
    }
    return fitting;
  }) as T;
  return { message: changed, notes };
};

const placeholders = (message: unknown): EncodingNote[] => {
  const notes: EncodingNote[] = [];
  mapLeaves(message, (text, element) => {
    for (const character of text)
      if (nameElements.has(element) && '●?？'.includes(character))
        notes.push({ element, codePoint: codePointOf(character), what: 'sent-as-placeholder' });
    return text;
  });
  return notes;
};

type WithHeader = { MessageHeader: { CharacterCodeIdentifier?: string | undefined } };

/**
 * An `XmlMsg` as bytes. Every field is read back from the bytes and compared before anybody may write them: what the
 * encoding lacks can neither become `?` nor vanish unnoticed.
 */
export const encodeOqs = <S extends z.ZodObject>(
  schema: S,
  message: z.infer<S> & WithHeader,
  setting: EncodingSetting,
): Result<EncodedFile> => {
  const sent = placeholders(message);
  if (setting.encoding === 'UTF-8') return finish(schema, message, 'UTF-8', sent);
  const shiftJis = toShiftJis(message);
  const notes = [...shiftJis.notes, ...sent];
  return shiftJis.notes.some(({ what }) => what === 'lacking') && setting.whenShiftJisLacks === 'utf-8'
    ? finish(
        schema,
        message,
        'UTF-8',
        notes.filter(({ what }) => what === 'lacking' || what === 'sent-as-placeholder'),
      )
    : finish(schema, shiftJis.message, 'Shift_JIS', notes);
};

const finish = <S extends z.ZodObject>(
  schema: S,
  message: z.infer<S> & WithHeader,
  encoding: OqsEncoding,
  notes: readonly EncodingNote[],
): Result<EncodedFile> => {
  const identified = withCharacterCode(message, encoding);
  const text = writeOqsXml(schema, identified, encoding);
  if (!text.ok) return text;
  const bytes =
    encoding === 'UTF-8'
      ? new TextEncoder().encode(text.value)
      : iconv.encode(
          [...text.value].map((c) => (fitsShiftJis(c) ? c : `&#x${codePointOf(c).slice(2)};`)).join(''),
          'cp932',
        );
  const back = readOqsXml(schema, decodeOqs(bytes));
  if (!back.ok) return back;
  return JSON.stringify(back.value) === JSON.stringify(schema.parse(identified))
    ? ok({ bytes, encoding, notes })
    : err(failure('message.malformed', `OQS XML: does not come back the same from ${encoding}`));
};

/** 0 UTF-8, 1 Shift_JIS */
const withCharacterCode = <T extends WithHeader>(message: T, encoding: OqsEncoding): T => ({
  ...message,
  MessageHeader: { ...message.MessageHeader, CharacterCodeIdentifier: encoding === 'UTF-8' ? '0' : '1' },
});

/** The text of a file: the declaration is believed, and nothing else. Without one it is UTF-8. */
export const decodeOqs = (bytes: Uint8Array): string => {
  const declaration = iconv.decode(bytes.subarray(0, 120), 'latin1');
  const shiftJis = /^<\?xml[^>]*encoding\s*=\s*["'](shift[_-]jis|windows-31j|ms932|cp932|sjis)["']/i.test(declaration);
  return shiftJis ? iconv.decode(bytes, 'cp932') : new TextDecoder('utf-8').decode(bytes);
};
