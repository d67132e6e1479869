import iconv from 'iconv-lite';
import type { z } from 'zod';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { holdsPlaceholder, joinKana, nameElements } from '../../protocol/oqs/oqs-names.ts';
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
  '\u2013': '\uff0d',
  '\u00a0': ' ',
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
const namedElements: ReadonlySet<string> = new Set(nameElements);

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
    for (const character of joinKana(text)) {
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
      if (namedElements.has(element) && holdsPlaceholder(character))
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
  if (setting.encoding === 'UTF-8') return finish(schema, message, setting, sent);
  const shiftJis = toShiftJis(message);
  return finish(schema, shiftJis.message, setting, [...shiftJis.notes, ...sent]);
};

/** Rows of Windows-31J that JIS X 0208 does not have: NEC's special signs and its selection, IBM's extension. */
const isMachineDependent = (character: string): boolean => {
  const [lead] = iconv.encode(character, 'cp932');
  return lead !== undefined && (lead === 0x87 || lead === 0xed || lead === 0xee || lead >= 0xfa);
};

const shiftJisText = (text: string, { machineDependent }: EncodingSetting): string =>
  [...text]
    .map((character) => {
      const stands =
        fitsShiftJis(character) &&
        (machineDependent === 'bytes' || character < '\u0080' || !isMachineDependent(character));
      return stands ? character : `&#x${codePointOf(character).slice(2)};`;
    })
    .join('');

const finish = <S extends z.ZodObject>(
  schema: S,
  message: z.infer<S> & WithHeader,
  setting: EncodingSetting,
  notes: readonly EncodingNote[],
): Result<EncodedFile> => {
  const { encoding } = setting;
  const identified = withCharacterCode(message, encoding);
  const text = writeOqsXml(schema, identified, encoding === 'UTF-8' ? encoding : setting.label);
  if (!text.ok) return text;
  const bytes =
    encoding === 'UTF-8'
      ? new TextEncoder().encode(text.value)
      : iconv.encode(shiftJisText(text.value, setting), 'cp932');
  const decoded = decodeOqs(bytes);
  if (!decoded.ok) return decoded;
  const back = readOqsXml(schema, decoded.value);
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

/**
 * What programs call the two encodings in a declaration, without strokes and blanks. Windows-31J holds all of Shift_JIS
 * that is in use (not JIS X 0213's, which has other signs in the same places).
 */
const shiftJisNames = new Set([
  ...['shiftjis', 'sjis', 'xsjis', 'csshiftjis', 'mskanji', 'windows31j', 'xwindows31j', 'cswindows31j'],
  ...['ms932', 'xms932', 'cp932', 'xmscp932', 'windows932', 'sjiswin', 'ibm943'],
]);
const utf8Names = new Set(['utf8', 'utf8n', 'unicode11utf8']);

const decodeWhole = (bytes: Uint8Array, label: 'utf-8' | 'utf-16le' | 'utf-16be'): string | null => {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
};
const decodeUtf8 = (bytes: Uint8Array): string | null => decodeWhole(bytes, 'utf-8');
/**
 * Almost any bytes of EUC-JP are some Shift_JIS, in half-width kana and private signs: somebody else's symbol and number.
 * Without a declaration a reading in whole Japanese signs is taken for what was meant. Half-width kana in pairs (ｱｲ) are
 * kanji of EUC, too: a file that says it is Shift_JIS is believed, unless it would have private signs, or EUC has
 * hiragana or full-width katakana in it, which in Shift_JIS are each a ､ or ･ before a sign.
 */
const isRatherEuc = (bytes: Uint8Array, shiftJis: string, isDeclared: boolean): boolean => {
  if (!/[\uff61-\uff9f\ue000-\uf8ff]/.test(shiftJis)) return false;
  const euc = iconv.decode(bytes, 'eucjp');
  if (euc.includes('\ufffd')) return false;
  const hasPrivate = /[\ue000-\uf8ff]/.test(shiftJis);
  return (isDeclared && !hasPrivate ? /[\u3041-\u3096\u30a1-\u30f6]/ : /[\u3040-\u30ff\u4e00-\u9fff]/).test(euc);
};

/** iconv-lite writes U+FFFD where it has no sign, without a word. */
const decodeShiftJis = (bytes: Uint8Array, isDeclared: boolean): string | null => {
  const text = iconv.decode(bytes, 'cp932');
  return text.includes('\ufffd') || isRatherEuc(bytes, text, isDeclared) ? null : text;
};

/**
 * The text of a file, whole or not at all. A byte order mark is believed (of UTF-16, too, in which scripts on Windows
 * write by themselves), then the declaration, by every name that is in use for the two encodings; without either it is
 * whichever of them fits all bytes. Fails with `message.malformed`.
 */
export const decodeOqs = (bytes: Uint8Array): Result<string> => {
  const unreadable = (reason: string) => err(failure('message.malformed', `OQS XML: ${reason}`));
  const told = (text: string | null, name: string): Result<string> =>
    text === null ? unreadable(`bytes that are no ${name}`) : ok(text);
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return told(decodeUtf8(bytes), 'UTF-8');
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return told(decodeWhole(bytes, 'utf-16le'), 'UTF-16');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return told(decodeWhole(bytes, 'utf-16be'), 'UTF-16');
  const head = iconv.decode(bytes.subarray(0, 200), 'latin1');
  const encoding = /^\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']/i.exec(head)?.[1];
  const declared = encoding?.toLowerCase().replaceAll(/[-_\s]/g, '');
  if (declared === undefined) return told(decodeUtf8(bytes) ?? decodeShiftJis(bytes, false), 'UTF-8 and no Shift_JIS');
  if (shiftJisNames.has(declared)) {
    // Almost any bytes are some Shift_JIS: what is whole Japanese UTF-8 would be read as somebody else's number.
    if (/[\u3000-\uffef]/.test(decodeUtf8(bytes) ?? '')) return unreadable('UTF-8 that is declared as Shift_JIS');
    return told(decodeShiftJis(bytes, true), 'Shift_JIS');
  }
  if (utf8Names.has(declared)) return told(decodeUtf8(bytes), 'UTF-8');
  return unreadable('an encoding that is neither Shift_JIS nor UTF-8');
};
