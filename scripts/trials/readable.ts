import { messageForms } from '../../src/wire/message-forms.ts';
import { parseTopic } from '../../src/wire/topics.ts';
import type { Message } from './attacks.ts';

/** Words that only the sealed content of a message has. */
const words = [
  '"given"',
  'consents',
  'verificationMethod',
  'authCertificate',
  'qualificationValidity',
  'registered',
  'certificateStatus',
  'UKETSUKETEST',
];

/** In plain, in hexadecimal, and at each of the three alignments of base64url. */
const encodings = (bytes: Buffer): string[] => {
  const shifted = [0, 1, 2].map((skip) => bytes.subarray(skip).toString('base64url').slice(0, -2));
  return [bytes.toString('latin1'), bytes.toString('hex'), ...shifted.filter((text) => text.length >= 6)];
};

/**
 * Whether a message shows the broker more than its envelope: a sealed one that is none, or any of the words or any 24
 * bytes of the certificate in it, however encoded, also inside the parts of a JWS or JWE.
 */
export const readableIn = (certificate: Uint8Array): ((message: Message) => boolean) => {
  const canaries = words.flatMap((word) => encodings(Buffer.from(word)));
  for (let at = 0; at + 24 <= certificate.length; at += 8)
    canaries.push(...encodings(Buffer.from(certificate.subarray(at, at + 24))));
  return ({ topic, payload }) => {
    const leaf = parseTopic(topic)?.leaf;
    if (leaf === undefined) return false;
    const text = Buffer.from(payload).toString('latin1');
    const parts = text.split('.');
    const bodies = [text, ...parts.map((part) => Buffer.from(part, 'base64url').toString('latin1'))];
    if (bodies.some((body) => canaries.some((canary) => body.includes(canary)))) return true;
    if (!messageForms[leaf].envelope.startsWith('sealed')) return false;
    const header: unknown = JSON.parse(bodies[1] ?? '');
    return (
      parts.length !== 5 ||
      Object.keys(header as object)
        .sort()
        .join() !== 'alg,enc,epk,kid,typ'
    );
  };
};
