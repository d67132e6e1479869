/** Visits with the card that lies on the reader, for bench-card.ts: `pin` or `face`, how many. Exit code 1 when one fails. */
import { createPcscCardReader } from '../../drivers/card-reader/pcsc-card-reader.ts';
import type { CardSession } from '../../src/ports/card-reader.ts';
import { parseCertificate } from '../../src/protocol/card/certificate.ts';
import { sha256DigestInfo, verifyRsaSignature } from '../../src/protocol/card/digest-info.ts';
import { checkPresenceProof, checkVisualEvidence } from '../../src/protocol/card/visual-ap.ts';
import { provePresence, signWithAuthKey, verifyPin } from '../../src/terminal/card/use-card-keys.ts';
import { cardCryptography } from '../../src/trust/card-cryptography.ts';
import { pinDigits, readTestCard, testCard, trustedCvIssuers } from '../beds/test-cards.ts';

const [flow, visitCount] = process.argv.slice(2);
const made = await testCard('hanako');
const digest = cardCryptography.sha256(new TextEncoder().encode('hello'));

const pin = async (session: CardSession): Promise<boolean> => {
  const reading = await readTestCard(session, made, { cardFrontReader: null });
  const verified = await verifyPin(session, pinDigits('1234'));
  const signature = await signWithAuthKey(session, digest);
  if (!reading.ok || !verified.ok || !signature.ok) return false;
  const certificate = parseCertificate(reading.value.identity.authCertificate);
  if (!certificate.ok || certificate.value.publicKey.type !== 'rsa') return false;
  return verifyRsaSignature(
    cardCryptography,
    certificate.value.publicKey.key,
    sha256DigestInfo(digest),
    signature.value,
  );
};

const face = async (session: CardSession): Promise<boolean> => {
  const reading = await readTestCard(session, made);
  if (!reading.ok || reading.value.identity.visual.state !== 'read') return false;
  const proven = checkVisualEvidence(reading.value.identity.visual.evidence, trustedCvIssuers, cardCryptography);
  const proof = await provePresence(session, digest);
  return proven.ok && proof.ok && checkPresenceProof(proven.value.publicKey, digest, proof.value, cardCryptography).ok;
};

/** One visit as a program of its own would have it: look for the reader, connect, work, let go. */
const visit = async (): Promise<boolean> => {
  const reader = createPcscCardReader();
  const session = await new Promise<CardSession>((resolve) => {
    reader.subscribe((event) => {
      if (event.type === 'card-inserted') resolve(event.session);
    });
  });
  const isGood = await (flow === 'face' ? face : pin)(session);
  await session.end();
  await reader.close();
  return isGood;
};

// The first visit of a process pays for compiling it; a terminal runs for months.
for (let count = 0; count < Number(visitCount); count++) if (!(await visit())) process.exit(1);
