import { describe, expect, test } from 'vitest';
import { personas } from '../../../drivers/virtual/personas.ts';
import { recordsJson } from '../../../scripts/beds/agent-bed.ts';
import { serviceMemory } from '../../../src/agent/eligibility/service-memory.ts';
import {
  parseServiceRecords,
  SimulatedEligibilityService,
  withDates,
} from '../../../src/agent/eligibility/simulated-eligibility-service.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { writeOqsXml } from '../../../src/protocol/oqs/oqs-xml.ts';
import { faceMessage } from '../../../src/protocol/oqs/oqs-xml-face.ts';
import { qualificationMessageSchema } from '../../../src/protocol/oqs/oqs-xml-schema.ts';

const nowMs = Date.UTC(2026, 10, 21, 3);
const records = parseServiceRecords(recordsJson, nowMs);
const waits: number[] = [];
const noChoices = { consents: [], approvedDocuments: [] };
const service = new SimulatedEligibilityService({
  records,
  memory: serviceMemory(),
  answerDelayMs: 3_000,
  wait: async (ms) => void waits.push(ms),
});
const card = (persona: string) => ({
  requestId: 'r1',
  certificateSerial: records.find((one) => one.persona === persona)?.certificateSerials[0] ?? 'FF',
  authCertificate: new Uint8Array(),
});

describe('the records and the cards are about the same people', () => {
  test.each(
    [...personas.values()].filter(({ serial }) => records.some((one) => one.certificateSerials.includes(serial))),
  )('$id', ({ serial, person }) => {
    const record = records.find((one) => one.certificateSerials.includes(serial));
    expect(record?.birthdate).toBe(person.birthDate);
    expect(record?.sex).toBe(person.sex === '9' ? '3' : person.sex);
    for (const one of record?.qualifications ?? []) expect(one.Name).toBe(person.name);
  });

  test('every My Number card has its record', () => {
    const serials = new Set(records.flatMap(({ certificateSerials }) => certificateSerials));
    for (const { id, type, serial } of personas.values())
      if (type === 'my-number-card') expect(serials.has(serial), id).toBe(true);
  });

  test('no serial stands twice', () => {
    const serials = records.flatMap(({ certificateSerials }) => certificateSerials);
    expect(new Set(serials).size).toBe(serials.length);
  });
});

describe('everything that a file can say is there', () => {
  test('each validity, 限度額 class, disease, ticket and consent situation', () => {
    const qualifications = records.flatMap((record) => record.qualifications);
    const flags = qualifications.map(
      (one) => one.LimitApplicationCertificateRelatedInfo?.LimitApplicationCertificateClassificationFlag,
    );
    const tickets = qualifications.flatMap((one) => one.PublicExpenseResultList?.MedicalTicketInfo ?? []);
    const diseases = qualifications.flatMap(
      (one) => one.SpecificDiseasesCertificateList?.SpecificDiseasesCertificateInfo ?? [],
    );
    expect(new Set(records.map((one) => one.qualificationValidity))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
    for (const flag of ['A01', 'A06', 'B01', 'B10']) expect(flags).toContain(flag);
    expect(new Set(tickets.map((one) => one.DesignatedMedicalInstitutionFlag))).toEqual(new Set(['1', '2']));
    expect(new Set(diseases.map((one) => one.SpecificDiseasesDiseaseCategory))).toEqual(new Set(['1', '2', '3']));
    expect(new Set(records.map((one) => one.consentSituation))).toEqual(
      new Set(['at-counter', 'lapsed', 'not-obtainable']),
    );
    expect(records.some((one) => one.qualifications.length > 1)).toBe(true);
  });

  test.each(records.filter(({ behaviour }) => behaviour === 'normal'))(
    '$persona makes a file by the schema',
    (record) => {
      const visit = {
        requestId: crypto.randomUUID(),
        lane: 1,
        confirmedAt: nowMs,
        medicalInstitutionCode: '1312345678',
        limitApplicationAt: nowMs,
        consents: [{ code: 'TSR', given: true, at: nowMs }],
        rules: catalogueAt(nowMs).consents,
      };
      expect(writeOqsXml(qualificationMessageSchema, faceMessage(visit, record), 'UTF-8')).toMatchObject({ ok: true });
    },
  );
});

describe('its answers', () => {
  test('a lookup is quick, a check takes the set time, a slow one 7 s', async () => {
    waits.length = 0;
    await service.lookup(card('hanako'));
    await service.check(card('hanako'), noChoices);
    await service.check(card('slow'), noChoices);
    expect(waits.map(Math.round)).toEqual([1_000, 3_000, 7_000]);
  });

  test('not registered until registered; again has no effect', async () => {
    expect(await service.lookup(card('unregistered'))).toMatchObject({ value: { registered: 'no' } });
    expect(await service.check(card('unregistered'), noChoices)).toMatchObject({
      failure: { code: 'eligibility.not-registered' },
    });
    expect(await service.register(card('unregistered'))).toMatchObject({ ok: true });
    expect(await service.register(card('unregistered'))).toMatchObject({ ok: true });
    expect(await service.lookup(card('unregistered'))).toMatchObject({ value: { registered: 'yes' } });
    expect(await service.check(card('unregistered'), noChoices)).toMatchObject({ value: { qualificationValidity: 1 } });
  });

  test('a document that the patient opened waits no longer; one that was not keeps waiting', async () => {
    await service.check(card('hanako'), { ...noChoices, approvedDocuments: ['another'] });
    expect(await service.lookup(card('hanako'))).toMatchObject({ value: { pendingDocuments: [{ id: 'doc-0001' }] } });
    await service.check(card('hanako'), { ...noChoices, approvedDocuments: ['doc-0001'] });
    expect(await service.lookup(card('hanako'))).toMatchObject({ value: { pendingDocuments: [] } });
  });

  test.each([
    ['revoked', 'card.certificate-revoked'],
    ['service-down', 'eligibility.unavailable'],
    ['service-unreadable', 'eligibility.unavailable'],
    ['service-maintenance', 'eligibility.maintenance'],
    ['nobody', 'eligibility.not-found'],
  ])('%s: %s', async (persona, code) => {
    expect(await service.check(card(persona), noChoices)).toMatchObject({ ok: false, failure: { code } });
  });

  test('by number: found by insurer, number and birth date, padding aside', async () => {
    const inquiry = { insurerNumber: '138057', insuredIdentificationNumber: '1000001' };
    expect(await service.inquire({ ...inquiry, birthdate: '19800217' })).toMatchObject({
      ok: true,
      value: { sex: '2' },
    });
    expect(await service.inquire({ ...inquiry, insurerNumber: '  138057' })).toMatchObject({ ok: true });
    expect(await service.inquire({ ...inquiry, birthdate: '19800218' })).toMatchObject({ ok: false });
    expect(await service.inquire({ ...inquiry, insuredIdentificationNumber: '9' })).toMatchObject({ ok: false });
  });
});

test('dates of the records move with the day, in Japan', () => {
  const lateEvening = Date.UTC(2026, 11, 31, 15); // 1 January 2027, 00:00 JST
  expect(withDates('{today} {today-1d} {today+1m} {today-40y} {month} {month-1m} {day-1d}', lateEvening)).toBe(
    '20270101 20261231 20270201 19870101 202701 202612 2026-12-31',
  );
});
