import { z } from 'zod';
import { fromHex } from '../protocol/bytes.ts';
import type { CvIssuer } from '../protocol/card/visual-ap.ts';

const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9A-F]{${bytes * 2}}$`), `${bytes} bytes in upper-case hexadecimal`)
    .transform(fromHex);

const trustSchema = z.array(
  z.strictObject({
    /** The 16 bytes that a CV certificate of EF 0004 names as its issuer. */
    issuerId: hex(16),
    modulus: hex(256),
    exponent: hex(3),
  }),
);

/** Its name, beside the keys of a terminal and in the card trust of an agent. */
export const cvIssuersFile = 'cv-issuers.json';

/** Whether a key calls itself a test's: the id of every authority of test cards says so, ours and the demo's. */
export const isTestCvIssuer = ({ issuerId }: CvIssuer): boolean =>
  Buffer.from(issuerId).toString('latin1').includes('TEST');

/**
 * The trust store of the passive proof: a JSON file of keys that may sign CV certificates, the same at terminal and
 * agent. Throws on a file nobody can run with: an empty store is allowed and trusts no card.
 */
export const parseCvIssuers = (text: string): readonly CvIssuer[] =>
  trustSchema
    .parse(JSON.parse(text))
    .map(({ issuerId, modulus, exponent }) => ({ issuerId, key: { modulus, exponent } }));
