import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { equalBytes } from '../../protocol/bytes.ts';
import { type Certificate, oids, parseCertificate, valuesOfName } from '../../protocol/card/certificate.ts';
import { sha256DigestInfo, verifyRsaSignature } from '../../protocol/card/digest-info.ts';
import type { CvIssuer } from '../../protocol/card/visual-ap.ts';
import { cardCryptography } from '../../trust/card-cryptography.ts';
import { cvIssuersFile, isTestCvIssuer, parseCvIssuers } from '../../trust/cv-trust.ts';
import { writeFileAtomically } from '../../trust/write-file.ts';

/**
 * Whom the agent believes about cards, from two files of one directory:
 *   card-ca.pem       CA certificates of 利用者証明用電子証明書, one after the other; generations share one DN
 *   cv-issuers.json   keys that sign the CV certificates of 券面事項確認 AP, the same file as the terminal's
 */
export type CardTrust = {
  readonly certificateIssuers: readonly Certificate[];
  readonly visualIssuers: readonly CvIssuer[];
  /** Anybody can make cards for it: nobody's data may be at stake, and the files for the レセコン say so */
  readonly isTest: boolean;
};
/** Lies beside anchors of test cards when somebody wants them; without it they are refused. */
const testCardsWanted = 'TEST-CARDS-ACCEPTED';
/** Stands in the name of every authority of test cards, ours and the demo's; as a word of its own, in any letters. */
const testWord = /(?<!\p{sc=Latin})test(?!\p{sc=Latin})|テスト/iu;
const callsItselfTest = ({ subject }: Certificate): boolean =>
  valuesOfName(subject).some((value) => testWord.test(value.normalize('NFKC')));
export const cardTrustFiles = { certificateIssuers: 'card-ca.pem', visualIssuers: cvIssuersFile } as const;

const pemBlock = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/** Throws on a text without a certificate or with a broken one: an agent without trust anchors would refuse every card. */
export const parseCardTrust = (certificateIssuersPem: string, cvIssuersJson: string): CardTrust => {
  const certificateIssuers = [...certificateIssuersPem.matchAll(pemBlock)].map(([, base64 = '']) => {
    const parsed = parseCertificate(new Uint8Array(Buffer.from(base64, 'base64')));
    if (!parsed.ok) throw new Error(`${cardTrustFiles.certificateIssuers}: ${parsed.failure.detail}`);
    return parsed.value;
  });
  if (certificateIssuers.length === 0) throw new Error(`${cardTrustFiles.certificateIssuers}: no certificate`);
  const visualIssuers = parseCvIssuers(cvIssuersJson);
  const isTest = certificateIssuers.some(callsItselfTest) || visualIssuers.some(isTestCvIssuer);
  return { certificateIssuers, visualIssuers, isTest };
};

const files = Object.values(cardTrustFiles).join(', ');

/** Throws with the file and who brings it when one is missing, not what it should be, or a test's that nobody asked for. */
export const readCardTrust = async (directory: string): Promise<CardTrust> => {
  const read = (name: string): Promise<string> =>
    readFile(join(directory, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new Error(
        `${join(directory, name)}: no trust anchors of cards (${error.code}); whoever set the clinic up puts ${files} there, or names their folder with --card-trust`,
      );
    });
  const trust = parseCardTrust(await read(cardTrustFiles.certificateIssuers), await read(cardTrustFiles.visualIssuers));
  const isWanted = await readFile(join(directory, testCardsWanted)).then(
    () => true,
    () => false,
  );
  if (trust.isTest && !isWanted)
    throw new Error(
      `${directory}: trust anchors of test cards, which anybody can make: refused. A facility at work has those of J-LIS; a trial says so: \`uketsuke provision clinic --test\``,
    );
  return trust;
};

/** Anchors that the caller has checked; those of test cards are marked as wanted. */
export const writeCardTrust = async (
  directory: string,
  texts: { readonly certificateIssuersPem: string; readonly cvIssuersJson: string },
): Promise<void> => {
  await writeFileAtomically(join(directory, cardTrustFiles.certificateIssuers), texts.certificateIssuersPem);
  await writeFileAtomically(join(directory, cardTrustFiles.visualIssuers), texts.cvIssuersJson);
  const { isTest } = parseCardTrust(texts.certificateIssuersPem, texts.cvIssuersJson);
  if (isTest) await writeFileAtomically(join(directory, testCardsWanted), 'see docs/technician-guide.md\n');
  else await rm(join(directory, testCardsWanted), { force: true });
};

/**
 * The issuer whose key made the certificate's signature. All generations of the JPKI CA share one DN, so the name
 * narrows the choice and the signature decides. A CA counts while it is valid, with keyCertSign, RSA ≥ 2048, SHA-256.
 */
export const issuerOf = (leaf: Certificate, issuers: readonly Certificate[]): Certificate | null =>
  issuers.find((issuer) => {
    const { publicKey, keyUsage } = issuer;
    if (!equalBytes(issuer.subject, leaf.issuer) || keyUsage?.keyCertSign !== true) return false;
    if (publicKey.type !== 'rsa' || publicKey.bits < 2048 || leaf.signatureAlgorithm !== oids.sha256WithRsa)
      return false;
    if (leaf.notBeforeMs < issuer.notBeforeMs || leaf.notBeforeMs > issuer.notAfterMs) return false;
    const signed = sha256DigestInfo(cardCryptography.sha256(leaf.tbs));
    return verifyRsaSignature(cardCryptography, publicKey.key, signed, leaf.signature);
  }) ?? null;
