import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import specifications from '@asyncapi/specs';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { makeAgentBed } from '../../scripts/beds/agent-bed.ts';
import { LinkWatch } from '../../scripts/beds/delivery-bed.ts';
import { faceCard, visualEvidence } from '../../scripts/beds/evidence-fixtures.ts';
import { MemoryStore } from '../../scripts/beds/memory-store.ts';
import { openMessage } from '../../scripts/beds/opened-messages.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { testRequest } from '../../scripts/beds/test-facility.ts';
import { type asyncapiDocument, messageNameOf } from '../../scripts/generate/asyncapi-document.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { toBase64url } from '../../src/protocol/base64url.ts';
import { type ClinicLink, createClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import { sign } from '../../src/trust/seal.ts';
import { type TopicLeaf, topicLeaves } from '../../src/wire/topics.ts';

const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('docs/asyncapi.yaml', root), 'utf8');
const document = parse(text) as ReturnType<typeof asyncapiDocument>;
const newAjv = (): Ajv => {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  return ajv;
};

test('the official AsyncAPI 3 schema accepts it, and refuses a broken one', () => {
  const schema = (specifications as unknown as { schemasWithoutId: Record<string, object> }).schemasWithoutId['3.0.0'];
  if (schema === undefined) throw new Error('no schema of AsyncAPI 3.0.0');
  const validate = newAjv().compile(schema);
  expect(validate(document), JSON.stringify(validate.errors?.slice(0, 5))).toBe(true);
  expect(validate({ ...document, channels: { x: { address: 7 } } })).toBe(false);
});

test('every reference in it leads somewhere', () => {
  const references = [...text.matchAll(/\$ref: "?(#[^"\n]+)"?/g)].map(([, reference = '']) => reference);
  expect(references.length).toBeGreaterThan(30);
  for (const reference of references) {
    const target = reference
      .slice(2)
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
    expect(target, reference).toBeDefined();
  }
});

describe('every message of whole visits between link and agent', () => {
  let bed: Awaited<ReturnType<typeof makeAgentBed>>;
  let link: ClinicLink;
  let watch: LinkWatch;
  const validators = new Map<TopicLeaf, ValidateFunction>();
  beforeAll(async () => {
    const ajv = newAjv();
    for (const leaf of topicLeaves) {
      const message = document.components.messages[messageNameOf(leaf)];
      if (message === undefined) throw new Error(`no message ${leaf}`);
      validators.set(leaf, ajv.compile(message.payload as object));
    }
    bed = await makeAgentBed();
    const log = createEventLog({ format: 'silent' });
    const bus = bed.broker.connect('front-1');
    link = createClinicLink({ bus, store: new MemoryStore(), clock: bed.clock, log, keys: bed.testFacility.device });
    watch = new LinkWatch(link);
    await watch.until('challenges', () => (link.challengesReady(300_000) ? true : undefined));
  });
  afterAll(async () => {
    await link.close();
    bed.close();
  });

  const serial = '5E570001';
  const visit = async (
    method: 'pin' | 'face',
    kind: 'eligibility' | 'registration' = 'eligibility',
  ): Promise<string> => {
    await watch.until('challenges', () => (link.challengesReady(300_000) ? true : undefined));
    const challenge = link.takeChallenge(300_000);
    if (challenge === null) throw new Error('no challenge');
    const { catalogueVersion } = bed;
    const plain = testRequest({
      issuedAt: challenge.issuedAt,
      expiresAt: challenge.expiresAt,
      challenge: challenge.nonce,
      kind,
      verificationMethod: method,
      catalogueVersion,
      prescriptionForm: 'electronic',
      medicalSubsidyUse: true,
      authCertificate: toBase64url(await bed.certificate(serial)),
    });
    const consents = plain.consents.map((consent) => ({ ...consent, catalogueVersion }));
    const card =
      method === 'pin'
        ? await bed.pin(serial)
        : faceCard(visualEvidence(bed.keys.visual, { birthDate: '19800217', sex: '2' }), bed.keys.visual);
    const signed = await link.sign({ ...plain, consents }, card);
    if (!signed.ok) throw new Error(signed.failure.code);
    await link.submit(signed.value);
    await watch.result(signed.value.requestId);
    return signed.value.requestId;
  };

  test('state, challenges, settings, lookup, PIN and face visit, registration, command and its answer', async () => {
    link.publishState({
      device: 'front-1',
      lane: 1,
      version: '0.1.0',
      profile: 'demo',
      status: 'idle',
      catalogueVersion: bed.catalogueVersion,
      since: bed.clock.now().wallMs,
    });
    await bed.desk.publishSettings();
    const certificate = await bed.certificate(serial);
    expect(await link.lookup(randomUUID(), certificate, new AbortController().signal)).toMatchObject({ ok: true });
    await visit('pin');
    await visit('face');
    await visit('pin', 'registration');
    const { send } = commandsOf(bed);
    await send();
    await until('the command', () => watch.events.some(({ type }) => type === 'command'));
    const command = watch.events.find((event) => event.type === 'command');
    if (command?.type === 'command')
      link.answerCommand(command.message.commandId, { outcome: 'refused', code: 'session.timed-out' });
    await until('its answer', () => bed.broker.passedOn('command-result').length === 1);

    const { device, agent } = bed.testFacility;
    const seen = new Set<TopicLeaf>();
    for (const { topic, payload } of bed.broker.passed) {
      const { leaf, content } = await openMessage(topic, payload, { device, agent });
      const validate = validators.get(leaf);
      expect(validate?.(content), `${leaf}: ${JSON.stringify(validate?.errors)}`).toBe(true);
      expect(validate?.({ ...(content as object), somethingElse: 1 }), `${leaf} with an unknown field`).toBe(false);
      seen.add(leaf);
    }
    expect([...seen].sort()).toEqual([...topicLeaves].sort());
  });
});

/** A command signed by the agent, as its desk sends it. */
const commandsOf = (bed: Awaited<ReturnType<typeof makeAgentBed>>) => ({
  send: async (): Promise<void> => {
    const issuedAt = bed.clock.now().wallMs;
    const message = {
      facility: bed.testFacility.agent.facility,
      device: 'front-1',
      commandId: randomUUID(),
      nonce: toBase64url(crypto.getRandomValues(new Uint8Array(32))),
      issuedAt,
      expiresAt: issuedAt + 30_000,
      command: { name: 'restart', part: 'screen' },
    };
    const topic = `uketsuke/v1/${message.facility}/front-1/command`;
    const bytes = await sign('command', message, bed.testFacility.agent.signing);
    bed.broker.passed.push({ from: 'agent-1', topic, payload: bytes });
    bed.broker.deliver(topic, bytes);
  },
});
