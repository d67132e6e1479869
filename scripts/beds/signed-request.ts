import { ok } from '../../src/core/result.ts';
import type { ClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import type { SignedRequest } from '../../src/terminal/delivery/sign-request.ts';
import { testRequest } from './test-facility.ts';

/** A request by PIN for the link's next challenge. What its card says is nothing: for agents that do not look. `nowMs`: of the agent */
export const signedRequestOf = async (link: ClinicLink, nowMs: number, more: object = {}): Promise<SignedRequest> => {
  const challenge = link.takeChallenge(300_000);
  if (challenge === null) throw new Error('no challenge');
  const { nonce, expiresAt } = challenge;
  const signed = await link.sign(testRequest({ challenge: nonce, issuedAt: nowMs, expiresAt, ...more }), {
    method: 'pin',
    authCertificate: new Uint8Array(32),
    sign: async () => ok(new Uint8Array(256)),
  });
  if (!signed.ok) throw new Error(signed.failure.detail);
  return signed.value;
};
