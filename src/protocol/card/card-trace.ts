import { z } from 'zod';
import { equalBytes, fromHex, readUint16, toHex } from '../bytes.ts';
import { parseJsonLines } from '../json-lines.ts';
import { decodeCommand, statusWordHex } from './apdu.ts';
import { applications, files } from './myna-card.ts';

/**
 * APDU traces that can be shown to others: redacted while they are made, so that nothing personal ever reaches a disk.
 * Kept in full are selections, status words, counters and the files that are the same on every card; everything else is
 * a length and, where it cannot be guessed from its hash, a hash.
 */
const hex = z.string().regex(/^([0-9A-F]{2})*$/);
const redactedSchema = z.strictObject({ length: z.int().min(0).max(256), sha256: hex.optional() });
const bodySchema = z.union([hex, redactedSchema]);

const lineSchema = z.strictObject({
  /** CLA INS P1 P2 */
  header: hex.length(8),
  /** What follows the header in the command (Lc, body, Le left out). */
  body: bodySchema.optional(),
  le: z.int().min(1).max(256).optional(),
  response: bodySchema,
  statusWord: hex.length(4),
});
export type TraceLine = z.infer<typeof lineSchema>;
type Body = z.infer<typeof bodySchema>;

/** One exchange as it went over the wire. */
type Exchange = { readonly command: Uint8Array; readonly response: Uint8Array };

/** Files whose content is the same for everybody: label of the token, issuer's certificate, CV certificate. */
const sharedFiles: readonly { readonly aid: Uint8Array; readonly fids: readonly number[] }[] = [
  { aid: applications.jpki, fids: [files.jpki.tokenInformation, files.jpki.authIssuerCertificate] },
  { aid: applications.visual, fids: [files.visual.cvCertificate] },
];

/** A few digits or a name are found again by trying: of these not even a hash is kept. */
const isGuessable = (aid: Uint8Array | null, ins: number): boolean =>
  ins === 0x20 || aid === null || equalBytes(aid, applications.text);

/**
 * A redactor follows one card from its insertion on: what may be kept of an answer depends on the selected file. Anything
 * it does not know is redacted.
 */
export const createTraceRedactor = (
  sha256: (bytes: Uint8Array) => Uint8Array,
): ((exchange: Exchange) => TraceLine | null) => {
  let aid: Uint8Array | null = null;
  let fid: number | null = null;
  const redacted = (bytes: Uint8Array, ins: number): Body =>
    bytes.length === 0
      ? ''
      : isGuessable(aid, ins)
        ? { length: bytes.length }
        : { length: bytes.length, sha256: toHex(sha256(bytes)) };

  return ({ command, response }) => {
    const decoded = decodeCommand(command);
    if (decoded === null || response.length < 2) return null;
    const { ins, p1, body, le } = decoded;
    const statusWord = readUint16(response, response.length - 2);
    const answer = response.subarray(0, -2);
    const isSelection = ins === 0xa4;
    if (isSelection && statusWord === 0x9000 && body !== undefined) {
      if (p1 === 0x04) [aid, fid] = [body.slice(), null];
      else fid = body.length === 2 ? readUint16(body, 0) : null;
    }
    const isShared = sharedFiles.some(
      (shared) => aid !== null && fid !== null && equalBytes(shared.aid, aid) && shared.fids.includes(fid),
    );
    const keepsAnswer = isSelection || (ins === 0xb0 && isShared);
    return {
      header: toHex(command.slice(0, 4)),
      ...(body === undefined ? {} : { body: isSelection ? toHex(body) : redacted(body, ins) }),
      ...(le === undefined ? {} : { le }),
      response: keepsAnswer ? toHex(answer) : redacted(answer, ins),
      statusWord: statusWordHex(statusWord),
    };
  };
};

/** JSON Lines, one exchange a line. */
export const formatTrace = (lines: readonly TraceLine[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('');

/** Throws on a file that is no trace, saying which line. */
export const parseTrace = (text: string): readonly TraceLine[] => parseJsonLines(text, lineSchema);

const isHex = (text: string): boolean => /^(?:[0-9a-f]{2})*$/i.test(text.replaceAll(' ', ''));
const rawHex = z.string().refine(isHex, 'not hexadecimal');
const rawSchema = z.object({ command: rawHex, response: rawHex });

/** A raw trace from elsewhere, JSON Lines of {"command": hex, "response": hex}. Throws on anything else, saying which line. */
export const parseRawTrace = (text: string): readonly Exchange[] =>
  parseJsonLines(text, rawSchema).map(({ command, response }) => ({
    command: fromHex(command),
    response: fromHex(response),
  }));

const lengthOf = (body: Body | undefined): number =>
  body === undefined ? 0 : typeof body === 'string' ? body.length / 2 : body.length;

/** Whether two commands are the same as far as a trace tells: redacted bodies by their length. */
export const isSameCommand = (a: TraceLine, b: TraceLine): boolean => {
  if (a.header !== b.header || a.le !== b.le) return false;
  if (typeof a.body === 'string' && typeof b.body === 'string') return a.body === b.body;
  return (a.body === undefined) === (b.body === undefined) && lengthOf(a.body) === lengthOf(b.body);
};

type TraceDifference = {
  readonly line: number;
  readonly what: 'command' | 'status word' | 'answer' | 'missing' | 'added';
};

const isSameAnswer = (a: Body, b: Body): boolean => {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return a.length === b.length && a.sha256 === b.sha256;
};

/** Line by line, from 1. `answer` differences are to be expected between two people's cards. */
export const diffTraces = (a: readonly TraceLine[], b: readonly TraceLine[]): readonly TraceDifference[] => {
  const differences: TraceDifference[] = [];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [ours, theirs] = [a[index], b[index]];
    const line = index + 1;
    if (ours === undefined) differences.push({ line, what: 'added' });
    else if (theirs === undefined) differences.push({ line, what: 'missing' });
    else if (!isSameCommand(ours, theirs)) differences.push({ line, what: 'command' });
    else if (ours.statusWord !== theirs.statusWord) differences.push({ line, what: 'status word' });
    else if (!isSameAnswer(ours.response, theirs.response)) differences.push({ line, what: 'answer' });
  }
  return differences;
};
