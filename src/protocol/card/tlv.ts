import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { concatBytes } from '../bytes.ts';

/** One BER-TLV object. `tag` as a number (0x30, 0x7F21, 0xDF22); `raw` is tag, length and value as they stood. */
export type Tlv = { readonly tag: number; readonly value: Uint8Array; readonly raw: Uint8Array };

/** Where the value of an object begins and how long it is, told from its first bytes alone. */
type TlvHeader = { readonly tag: number; readonly headerLength: number; readonly valueLength: number };

const malformed = (detail: string) => err(failure('card.unreadable', `TLV: ${detail}`));

/**
 * Tags of one or two bytes, definite lengths up to 65,535 (ISO/IEC 8825-1 as cards use it). Views into `bytes` are
 * never handed out, so that overwriting one does not tear another.
 */
export const readTlvHeader = (bytes: Uint8Array, offset = 0): Result<TlvHeader> => {
  let at = offset;
  const first = bytes[at++];
  if (first === undefined) return malformed('no tag');
  let tag = first;
  if ((first & 0x1f) === 0x1f) {
    const second = bytes[at++];
    if (second === undefined) return malformed('tag cut off');
    if ((second & 0x80) !== 0) return malformed('tag longer than two bytes');
    tag = (first << 8) | second;
  }
  const lengthByte = bytes[at++];
  if (lengthByte === undefined) return malformed('no length');
  if (lengthByte < 0x80) return ok({ tag, headerLength: at - offset, valueLength: lengthByte });
  const lengthBytes = lengthByte & 0x7f;
  if (lengthBytes < 1 || lengthBytes > 2) return malformed('length form not supported');
  let valueLength = 0;
  for (let index = 0; index < lengthBytes; index++) {
    const byte = bytes[at++];
    if (byte === undefined) return malformed('length cut off');
    valueLength = (valueLength << 8) | byte;
  }
  return ok({ tag, headerLength: at - offset, valueLength });
};

/** The object at `offset`; what stands behind it (FF padding of a transparent EF) is left alone. */
export const readTlv = (bytes: Uint8Array, offset = 0): Result<Tlv> => {
  const header = readTlvHeader(bytes, offset);
  if (!header.ok) return header;
  const { tag, headerLength, valueLength } = header.value;
  const end = offset + headerLength + valueLength;
  if (end > bytes.length) return malformed(`value of ${valueLength} bytes cut off`);
  return ok({ tag, value: bytes.slice(offset + headerLength, end), raw: bytes.slice(offset, end) });
};

/** Every object of a constructed value, which they must fill exactly. At most `limit` of them. */
export const readTlvs = (bytes: Uint8Array, limit = 64): Result<readonly Tlv[]> => {
  const objects: Tlv[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    if (objects.length >= limit) return malformed('too many objects');
    const object = readTlv(bytes, offset);
    if (!object.ok) return object;
    objects.push(object.value);
    offset += object.value.raw.length;
  }
  return ok(objects);
};

/** Shortest length form. Throws above 65,535 bytes and on tags of more than two bytes. */
export const encodeTlv = (tag: number, ...values: readonly Uint8Array[]): Uint8Array => {
  const value = concatBytes(...values);
  if (value.length > 0xffff || tag < 0 || tag > 0xffff) throw new RangeError('TLV out of range');
  const tagBytes = tag > 0xff ? Uint8Array.of(tag >> 8, tag & 0xff) : Uint8Array.of(tag);
  const length = value.length;
  const lengthBytes =
    length < 0x80
      ? Uint8Array.of(length)
      : length < 0x100
        ? Uint8Array.of(0x81, length)
        : Uint8Array.of(0x82, length >> 8, length & 0xff);
  return concatBytes(tagBytes, lengthBytes, value);
};
