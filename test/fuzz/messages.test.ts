import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { facility, makeTestFacility, type TestFacility, testRequest } from '../../scripts/beds/test-facility.ts';
import { verifyEvidence } from '../../src/agent/intake/verify-evidence.ts';
import { assembleDocument, encodeRequest, parseDocument } from '../../src/protocol/evidence.ts';
import { openSealed, openSigned, sign } from '../../src/trust/seal.ts';
import { messageForms } from '../../src/wire/message-forms.ts';
import { topicLeaves } from '../../src/wire/topics.ts';

vi.setConfig({ testTimeout: 120_000 });

let made: TestFacility;
beforeAll(async () => {
  made = await makeTestFacility();
});
afterAll(() => made.remove());

const addressee = { facility, device: 'front-1' };
const runs = { numRuns: 300 };

/** Threats 17 and 18 for messages: whatever comes is a value or a failure, never an exception. */
describe('messages from anywhere', () => {
  test('any JSON under a good signature: accepted only within its schema, never thrown', async () => {
    const leaf = fc.constantFrom(...topicLeaves.filter((name) => name !== 'state' && name !== 'request'));
    const body = fc.oneof(
      fc.json().map((text): unknown => JSON.parse(text)),
      fc.record(
        {
          facility: fc.constantFrom(facility, 'x'),
          device: fc.constantFrom('front-1', 'x'),
          commandId: fc.uuid(),
          version: fc.integer(),
        },
        { requiredKeys: [] },
      ),
    );
    await fc.assert(
      fc.asyncProperty(leaf, body, async (kind, message) => {
        const schema = messageForms[kind].schema as Parameters<typeof openSigned>[2];
        const opened = await openSigned(
          kind,
          await sign(kind, message as object, made.agent.signing),
          schema,
          made.agent.agents,
          addressee,
        );
        expect(opened.ok).toBe(
          schema.safeParse(message).success && (message as { device?: string }).device === 'front-1',
        );
      }),
      runs,
    );
  });

  test('any bytes as a signed, a sealed message or a document', async () => {
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc
        .array(fc.stringMatching(/^[A-Za-z0-9_-]{0,40}$/), { maxLength: 6 })
        .map((parts) => new TextEncoder().encode(parts.join('.'))),
      fc.json().map((json) => new TextEncoder().encode(json)),
    );
    await fc.assert(
      fc.asyncProperty(text, async (bytes) => {
        expect(
          (await openSigned('receipt', bytes, messageForms.receipt.schema as never, made.agent.agents, addressee)).ok,
        ).toBe(false);
        expect((await openSealed('request', bytes, made.agent.sealing)).ok).toBe(false);
        expect(parseDocument(bytes).ok).toBe(false);
      }),
      runs,
    );
  });

  test('documents with arbitrary headers and signatures around a good payload', async () => {
    const device = made.registry.get('front-1');
    if (device === undefined) throw new Error('no front-1');
    const payload = encodeRequest(testRequest({ issuedAt: 1_000, authCertificate: 'AAAA' }));
    const encoded = fc.oneof(
      fc.json().map((json) => Buffer.from(json).toString('base64url')),
      fc
        .constantFrom('RS256', 'ES256', 'none')
        .map((alg) =>
          Buffer.from(JSON.stringify({ alg, typ: 'uketsuke-request', kid: device.signing.kid })).toString('base64url'),
        ),
      fc.stringMatching(/^[A-Za-z0-9_-]{1,80}$/),
    );
    const signatures = fc.array(fc.record({ protected: encoded, signature: encoded }), { maxLength: 3 });
    const context = {
      facility,
      device,
      approvers: [made.agent.agent],
      agents: made.agent.agents,
      trust: { certificateIssuers: [], visualIssuers: [], isTest: false },
      nowMs: 2_000,
    };
    await fc.assert(
      fc.asyncProperty(signatures, async (list) => {
        expect((await verifyEvidence(assembleDocument(payload, list), context)).ok).toBe(false);
      }),
      runs,
    );
  });
});
