import { z } from 'zod';
import { identifier } from './messages.ts';

/*
 * How a device's certificate for the broker is renewed: between its link process and the agents, which the terminal has no
 * part in. `uketsuke/v1/<facility>/<device>/certificate-request` and `…/certificate`.
 *   certificate-request  compact JWS, ES256, by the key of the certificate that it holds now
 *   certificate          plain JSON: a certificate is signed by itself, by whom the facility's authority has entrusted
 * A link asks only where the broker has granted it the topic of the answer. A broker whose access rules are older grants
 * nothing (the embedded one) or refuses what is published (mosquitto); nothing else depends on it.
 */
export const certificateLeaves = { request: 'certificate-request', answer: 'certificate' } as const;

const pem = z
  .string()
  .max(4_000)
  .regex(/^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+\n-----END CERTIFICATE-----\n*$/);
const addressed = { facility: identifier, device: identifier, requestId: z.uuid() };

export const certificateRequestSchema = z.strictObject({
  ...addressed,
  /** What it holds now, PEM: the end first, then the issuer below the facility's authority, if there is one */
  chain: z.array(pem).min(1).max(3),
  /** PKCS #10, DER, base64: the new key, and the proof that the device has it */
  signingRequest: z
    .string()
    .max(2_000)
    .regex(/^[A-Za-z0-9+/=]+$/),
});
export type CertificateRequest = z.infer<typeof certificateRequestSchema>;

export const certificateAnswerSchema = z.strictObject({
  ...addressed,
  /** PEM: the new end first, then its issuer */
  chain: z.array(pem).min(2).max(3),
});
export type CertificateAnswer = z.infer<typeof certificateAnswerSchema>;

export const certificateTopic = (facility: string, device: string, leaf: keyof typeof certificateLeaves): string =>
  `uketsuke/v1/${facility}/${device}/${certificateLeaves[leaf]}`;
