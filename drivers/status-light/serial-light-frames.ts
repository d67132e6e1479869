import { type LightPattern, lightPatterns } from '../../src/core/visit/light-of.ts';
import type { Beep } from '../../src/ports/status-light.ts';

/*
 * The line protocol of the status light, docs/status-light-protocol.md:
 *   0x02  length (1 … 16)  type  payload …  CRC-8
 * length counts type and payload; CRC-8 (polynomial 0x07, start 0) over length, type and payload.
 */

const startOfFrame = 0x02;
const longestBody = 16;

const toLight = { show: 0x01, beep: 0x02, ping: 0x03 } as const;
const fromLight = { presence: 0x81, pong: 0x83 } as const;

export type LightCommand =
  | { readonly type: 'show'; readonly pattern: LightPattern }
  | { readonly type: 'beep'; readonly beep: Beep }
  | { readonly type: 'ping' };

type LightAnswer = { readonly type: 'presence'; readonly near: boolean } | { readonly type: 'pong' };

/** CRC-8/SMBUS; check value of "123456789" is 0xF4. */
export const crc8 = (bytes: Uint8Array): number => {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80) === 0 ? (crc << 1) & 0xff : ((crc << 1) ^ 0x07) & 0xff;
  }
  return crc;
};

/** A frame around type and payload (1 to 16 bytes). */
export const frame = (...body: readonly number[]): Uint8Array => {
  if (body.length < 1 || body.length > longestBody) throw new RangeError('a frame carries 1 to 16 bytes');
  const checked = Uint8Array.of(body.length, ...body);
  return Uint8Array.of(startOfFrame, ...checked, crc8(checked));
};

const beeps: readonly Beep[] = ['contact', 'done', 'attention'];

export const encodeLightCommand = (command: LightCommand): Uint8Array => {
  switch (command.type) {
    case 'show':
      return frame(toLight.show, lightPatterns.indexOf(command.pattern));
    case 'beep':
      return frame(toLight.beep, beeps.indexOf(command.beep));
    case 'ping':
      return frame(toLight.ping);
    default:
      return command satisfies never;
  }
};

/** The terminal's command in a frame's body, for the light's side of tests; null when it is none. */
export const decodeLightCommand = (body: Uint8Array): LightCommand | null => {
  const [type, value = -1] = body;
  const pattern = lightPatterns[value];
  const beep = beeps[value];
  if (type === toLight.show && pattern !== undefined) return { type: 'show', pattern };
  if (type === toLight.beep && beep !== undefined) return { type: 'beep', beep };
  return type === toLight.ping && body.length === 1 ? { type: 'ping' } : null;
};

/** What the light tells; null for what this version does not know. */
export const decodeLightAnswer = (body: Uint8Array): LightAnswer | null => {
  const [type, value] = body;
  if (type === fromLight.presence && (value === 0 || value === 1)) return { type: 'presence', near: value === 1 };
  return type === fromLight.pong ? { type: 'pong' } : null;
};

export const encodeLightAnswer = (answer: LightAnswer): Uint8Array =>
  answer.type === 'pong' ? frame(fromLight.pong) : frame(fromLight.presence, answer.near ? 1 : 0);

/**
 * Finds frames in whatever comes over the line, in whatever pieces. A wrong length or CRC costs one byte, then it looks
 * on: noise never hides the frame behind it, and never more than one frame's bytes are kept.
 */
export const createFrameReader = () => {
  let pending: number[] = [];
  return (chunk: Uint8Array): Uint8Array[] => {
    const bodies: Uint8Array[] = [];
    for (const byte of chunk) {
      pending.push(byte);
      for (let found = takeFrame(pending); found !== null; found = takeFrame(pending)) {
        pending = pending.slice(found.used);
        if (found.body !== null) bodies.push(found.body);
      }
    }
    return bodies;
  };
};

/** The begin of `bytes` judged: a whole frame, one byte of noise, or null = more is needed. */
const takeFrame = (bytes: readonly number[]): { used: number; body: Uint8Array | null } | null => {
  const [start, length] = bytes;
  if (start === undefined) return null;
  const noise = { used: 1, body: null };
  if (start !== startOfFrame) return noise;
  if (length === undefined) return null;
  if (length < 1 || length > longestBody) return noise;
  if (bytes.length < length + 3) return null;
  const checked = Uint8Array.from(bytes.slice(1, length + 2));
  return crc8(checked) === bytes[length + 2] ? { used: length + 3, body: checked.slice(1) } : noise;
};
