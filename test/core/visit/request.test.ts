import { describe, expect, it } from 'vitest';
import { identity, lookup } from '../../../scripts/beds/visit-story.ts';
import { noAnswers } from '../../../src/core/catalogue/consent.ts';
import { buildRequest } from '../../../src/core/visit/request.ts';
import type { Visit } from '../../../src/core/visit/session.ts';
import { newVisit } from '../../../src/core/visit/session-steps.ts';

/* What goes into the document that is signed, for whom and when. */

const at = { monotonicMs: 0, wallMs: 0 };
const verified: Visit = {
  ...newVisit({ insertion: 'i', session: 'session-1' }, at),
  identity,
  lookup: { state: 'answered', result: lookup, atMs: 0 },
  verification: { state: 'verified', method: 'pin', standing: true, staffApproval: null },
};
const consents = [
  { code: 'YZK', given: true, at: 1, catalogueVersion: '1', textHash: 'h', language: 'ja' },
] as unknown as Parameters<typeof buildRequest>[0]['consents'];
const challenge = { nonce: 'nonce', agent: 'clinic-1', issuedAt: 1_000, expiresAt: 61_000 };
const build = (change: Partial<Visit> = {}, more: Partial<Parameters<typeof buildRequest>[0]> = {}) =>
  buildRequest({
    ...{ terminal: { facility: 'clinic', device: 'lane-1', lane: 1 }, kind: 'eligibility', requestId: 'r' },
    ...{ challenge, catalogueVersion: 'c-1', consents, authCertificate: 'MII', issuedAtMs: 2_000 },
    ...more,
    visit: { ...verified, ...change },
  });

const everything: Partial<Visit> = {
  answers: { ...noAnswers, medicalSubsidyUse: false, prescriptionForm: 'paper', approvedDocuments: ['d1', 'd2'] },
  preCheckIn: 'p-1',
};
const optional = ['medicalSubsidyUse', 'prescriptionForm', 'approvedDocuments', 'preCheckIn'];

describe('the document that card and device sign', () => {
  it('says who asks whom about whom, how they were verified, and when it ends: with its challenge', () => {
    expect(build()).toEqual({
      ...{ facility: 'clinic', device: 'lane-1', lane: 1, kind: 'eligibility', requestId: 'r', session: 'session-1' },
      ...{ agent: 'clinic-1', challenge: 'nonce', verificationMethod: 'pin', verificationOutcome: 'verified' },
      ...{ authCertificate: 'MII', certificateState: identity.certificateState, consents },
      ...{ limitApplicationBasis: 'notice-2024-10-07', catalogueVersion: 'c-1', issuedAt: 2_000, expiresAt: 61_000 },
    });
  });

  it('carries what was answered, and what was not is not in it', () => {
    expect(build(everything)).toMatchObject({
      ...{ medicalSubsidyUse: false, prescriptionForm: 'paper', approvedDocuments: ['d1', 'd2'], preCheckIn: 'p-1' },
    });
    for (const field of optional) expect(build()).not.toHaveProperty(field);
  });

  it('in the months of grace carries nothing that was asked; 限度額 is of 資格情報 and stays', () => {
    const request = build({ ...everything, identity: { ...identity, certificateState: 'grace' } });
    expect(request).toMatchObject({
      certificateState: 'grace',
      consents: [],
      limitApplicationBasis: 'notice-2024-10-07',
    });
    for (const field of optional) expect(request).not.toHaveProperty(field);
  });

  it('of a registration asks for nothing else', () => {
    const request = build(everything, { kind: 'registration' });
    expect(request).toMatchObject({ kind: 'registration', consents: [] });
    for (const field of [...optional, 'limitApplicationBasis']) expect(request).not.toHaveProperty(field);
  });

  it('rests on staff alone where the chip could not be read', () => {
    const request = build(
      { identity: null, verification: { state: 'verified', method: 'staff', standing: true, staffApproval: 'jws' } },
      { authCertificate: null },
    );
    expect(request).toMatchObject({ verificationMethod: 'staff', staffApproval: 'jws' });
    for (const field of ['authCertificate', 'certificateState']) expect(request).not.toHaveProperty(field);
    expect(build()).not.toHaveProperty('staffApproval');
  });

  it('names no state of a certificate that has ended', () => {
    expect(build({ identity: { ...identity, certificateState: 'dead' } })).not.toHaveProperty('certificateState');
  });

  it('is never made for somebody who is not verified', () => {
    expect(() => build({ verification: { state: 'open' } })).toThrow('verified');
  });
});
