import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { personas } from '../../drivers/virtual/personas.ts';
import { type AgentBed, decodedOqs, makeAgentBed } from '../../scripts/beds/agent-bed.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { failure } from '../../src/core/failure.ts';
import { readOqsXml } from '../../src/protocol/oqs/oqs-xml.ts';
import { qualificationMessageSchema } from '../../src/protocol/oqs/oqs-xml-schema.ts';

let bed: AgentBed;
beforeEach(async () => {
  bed = await makeAgentBed();
});
afterEach(() => bed.close());

const serialOf = (persona: string): string => personas.get(persona)?.serial ?? '';
const day = 86_400_000;

describe('a visit that is right', () => {
  test('PIN: receipt after the journal, result, file for the レセコン; nothing personal stays', async () => {
    const signed = await bed.sign(await bed.pin(serialOf('hanako')));
    await bed.request(signed.sealed);
    expect(await bed.receipts()).toMatchObject([
      { requestId: signed.requestId, documentHash: signed.documentHash, verdict: 'accepted', agent: 'agent-1' },
    ]);
    expect(await bed.results()).toMatchObject([
      { requestId: signed.requestId, outcome: 'eligible', qualificationValidity: 1 },
    ]);
    const [visit] = bed.journal.visits();
    expect(visit).toMatchObject({ verdict: 'accepted', method: 'pin', outcome: 'eligible', consents: { TKK: true } });
    expect(bed.files()).toEqual([visit?.file]);
    const bytes = readFileSync(join(bed.oqsFolder, 'face', visit?.file ?? ''));
    const file = readOqsXml(qualificationMessageSchema, decodedOqs(bytes));
    expect(file).toMatchObject({
      ok: true,
      value: {
        MessageBody: {
          QualificationValidity: '1',
          ResultList: {
            ResultOfQualificationConfirmation: [
              {
                Name: '髙﨑 花子',
                InsurerNumber: '  138057',
                SpecificHealthCheckupsInfoConsFlg: '1',
                ReferenceNumber: '100001',
              },
            ],
          },
        },
      },
    });
    expect(bed.journal.unfinished()).toEqual([]);
    bed.journal.forgetDeleted();
    const databases = [bed.journalPath, `${bed.journalPath}-wal`].filter(existsSync).map((path) => readFileSync(path));
    for (const canary of ['髙﨑', '19800217', serialOf('hanako'), toText(await bed.certificate(serialOf('hanako')))])
      for (const database of databases) expect(database.includes(canary)).toBe(false);
  });

  test('what the patient chose reaches the service and is told to staff', async () => {
    const choices = {
      medicalSubsidyUse: true,
      approvedDocuments: ['doc-0001'],
      prescriptionForm: 'electronic',
    } as const;
    await bed.request(
      (await bed.sign(await bed.pin(serialOf('hanako')), { ...choices, approvedDocuments: ['doc-0001'] })).sealed,
    );
    expect([...bed.journal.todayNotes().values()]).toMatchObject([
      { notices: ['medical-subsidy-wanted', 'documents-opened:1'] },
    ]);
    const { pendingDocuments } = await bed.lookup(await bed.certificate(serialOf('hanako')));
    expect(pendingDocuments).toBeUndefined();
    const [name = ''] = bed.files();
    expect(readFileSync(join(bed.oqsFolder, 'face', name), 'latin1')).toContain('<PrescriptionIssueSelect>1<');
  });

  test('face: birth date and sex of the 券面 agree with the service', async () => {
    const authCertificate = Buffer.from(await bed.certificate(serialOf('hanako'))).toString('base64url');
    await bed.request((await bed.sign(bed.face('19800217', '2'), { authCertificate })).sealed);
    expect(await bed.results()).toMatchObject([{ outcome: 'eligible' }]);
  });

  test('first registration, its own request, then a visit; again has no effect', async () => {
    const card = await bed.pin(serialOf('unregistered'));
    await bed.request((await bed.sign(card)).sealed);
    await bed.request((await bed.sign(card, { kind: 'registration', consents: [] })).sealed);
    await bed.request((await bed.sign(card, { kind: 'registration', consents: [] })).sealed);
    await bed.request((await bed.sign(card)).sealed);
    expect((await bed.results()).map(({ outcome, code }) => code ?? outcome)).toEqual([
      'eligibility.not-registered',
      'registered',
      'registered',
      'eligible',
    ]);
    expect(bed.files()).toHaveLength(1);
  });
});

const toText = (der: Uint8Array): string => Buffer.from(der).toString('base64url').slice(100, 160);

describe('the same again', () => {
  test('same id, same document: the same receipt and the result again, done once; also after a restart', async () => {
    const signed = await bed.sign(await bed.pin(serialOf('hanako')));
    await bed.request(signed.sealed);
    await bed.request(signed.sealed);
    bed.restart();
    await bed.clock.advance(day);
    await bed.request(signed.sealed);
    const receipts = await bed.receipts();
    expect(receipts).toHaveLength(3);
    expect(new Set(receipts.map((receipt) => JSON.stringify(receipt))).size).toBe(1);
    expect(await bed.results()).toHaveLength(3);
    expect(bed.journal.visits()).toHaveLength(1);
    expect(bed.files()).toHaveLength(1);
    expect(bed.journal.cardUses(bed.clock.now().wallMs)).toBe(1);
  });

  test('sent again while it is in work: one answer; sent again after that: the same once more', async () => {
    const signed = await bed.sign(await bed.pin(serialOf('hanako')));
    await Promise.all([1, 2, 3].map(() => bed.send('request', signed.sealed)));
    await until('a result', () => bed.broker.passedOn('result').length > 0);
    // One message of a terminal is worked on after the other: what came before this one has had its answer.
    await bed.request(signed.sealed);
    expect(await bed.receipts()).toHaveLength(2);
    expect(bed.journal.visits()).toHaveLength(1);
  });

  test('same id, another document: refused, the first stands', async () => {
    const card = await bed.pin(serialOf('hanako'));
    const first = await bed.sign(card);
    await bed.request(first.sealed);
    const second = await bed.sign(card, { requestId: first.requestId });
    await bed.request(second.sealed);
    expect((await bed.receipts()).at(-1)).toMatchObject({
      documentHash: second.documentHash,
      verdict: 'refused',
      code: 'message.stale',
    });
    expect(bed.journal.visits()).toMatchObject([{ documentHash: first.documentHash, verdict: 'accepted' }]);
  });

  test('a challenge serves once, over restarts, and not after its end', async () => {
    const card = await bed.pin(serialOf('hanako'));
    const challenge = await bed.challenge();
    const own = { challenge: challenge.nonce, expiresAt: challenge.expiresAt };
    await bed.request((await bed.sign(card, own)).sealed);
    bed.restart();
    await bed.request((await bed.sign(card, own)).sealed);
    const late = await bed.sign(card);
    await bed.clock.advance(bed.options.challengeLifeMs + 1);
    await bed.request(late.sealed);
    await bed.request((await bed.sign(card, { challenge: `${'x'.repeat(42)}A` })).sealed);
    expect((await bed.receipts()).map(({ verdict, code }) => code ?? verdict)).toEqual([
      'accepted',
      'message.stale',
      'delivery.expired',
      'message.stale',
    ]);
  });

  test('a request may not outlive its challenge', async () => {
    const challenge = await bed.challenge();
    const longer = { challenge: challenge.nonce, expiresAt: challenge.expiresAt + 1 };
    await bed.request((await bed.sign(await bed.pin(serialOf('hanako')), longer)).sealed);
    expect(await bed.receipts()).toMatchObject([{ verdict: 'refused', code: 'message.stale' }]);
  });
});

describe('refusals, each with its code', () => {
  test.each<[string, string]>([
    ['revoked', 'card.certificate-revoked'],
    ['service-down', 'eligibility.unavailable'],
    ['service-unreadable', 'eligibility.unavailable'],
    ['service-maintenance', 'eligibility.maintenance'],
  ])('service persona %s: the result says %s', async (persona, code) => {
    const serial =
      serialOf(persona) ||
      { 'service-down': '5E57100C', 'service-unreadable': '5E57100D', 'service-maintenance': '5E57100E' }[persona];
    const { sealed } = await bed.sign(await bed.pin(serial ?? ''));
    await (code.startsWith('eligibility') ? bed.requestInOutage(sealed) : bed.request(sealed));
    expect(await bed.results()).toMatchObject([{ outcome: 'failed', code }]);
    expect(bed.files()).toEqual([]);
    // What was no answer is asked for again; an answer ends it.
    expect(bed.journal.unfinished()).toHaveLength(code.startsWith('eligibility') ? 1 : 0);
  });

  test('revoked as the lookup said: refused in the receipt already', async () => {
    const certificate = await bed.certificate(serialOf('revoked'));
    expect(await bed.lookup(certificate)).toMatchObject({ certificateStatus: 'revoked' });
    await bed.request((await bed.sign(await bed.pin(serialOf('revoked')))).sealed);
    expect(await bed.receipts()).toMatchObject([{ verdict: 'refused', code: 'card.certificate-revoked' }]);
    expect(await bed.results()).toEqual([]);
  });

  test('another catalogue than the one in force', async () => {
    const card = await bed.pin(serialOf('hanako'));
    await bed.request((await bed.sign(card, { catalogueVersion: '2019-01-01.1' })).sealed);
    expect(await bed.receipts()).toMatchObject([{ verdict: 'refused', code: 'consent.text-unknown' }]);
  });

  test.each<[string, string]>([
    ['19800218', '2'],
    ['19800217', '1'],
  ])('face of one, certificate of another (%s, %s): staff decide, nothing is handed on', async (birthDate, sex) => {
    const authCertificate = Buffer.from(await bed.certificate(serialOf('hanako'))).toString('base64url');
    await bed.request((await bed.sign(bed.face(birthDate, sex), { authCertificate })).sealed);
    expect(await bed.results()).toMatchObject([{ outcome: 'failed', code: 'card.identity-mismatch' }]);
    expect(bed.files()).toEqual([]);
  });

  test('an unknown or a revoked terminal gets no answer and takes no id', async () => {
    const signed = await bed.sign(await bed.pin(serialOf('hanako')));
    const entry = bed.testFacility.registry.get('front-1');
    if (entry === undefined) throw new Error('no front-1');
    (bed.testFacility.registry as Map<string, typeof entry>).set('front-1', { ...entry, revoked: true });
    await bed.send('request', signed.sealed);
    bed.desk.flushRejections();
    expect(bed.journal.rejections()).toMatchObject([{ device: 'front-1', code: 'message.forged', times: 1 }]);
    (bed.testFacility.registry as Map<string, typeof entry>).set('front-1', entry);
    await bed.request(signed.sealed);
    expect(await bed.receipts()).toMatchObject([{ verdict: 'accepted' }]);
  });

  test("another agent's challenge is that agent's to answer; an agent of nobody is refused", async () => {
    const { agents } = bed.testFacility.agent;
    const [own] = agents;
    if (own === undefined) throw new Error('no agent');
    (agents as unknown[]).push({ ...own, owner: 'agent-2', kid: 'another' });
    const card = await bed.pin(serialOf('hanako'));
    await bed.send('request', (await bed.sign(card, { agent: 'agent-2' })).sealed);
    await bed.send('request', (await bed.sign(card, { agent: 'agent-9' })).sealed);
    const mine = await bed.sign(card);
    await bed.request(mine.sealed);
    expect((await bed.receipts()).map(({ requestId }) => requestId)).toEqual([mine.requestId]);
    bed.desk.flushRejections();
    expect(bed.journal.rejections()).toMatchObject([{ code: 'message.stale', times: 1 }]);
  });

  test('a request of one lane on the topic of another', async () => {
    const signed = await bed.sign(await bed.pin(serialOf('hanako')));
    bed.broker.deliver('uketsuke/v1/test-clinic/front-2/request', signed.sealed);
    await bed.request(signed.sealed);
    expect(await bed.receipts()).toHaveLength(1);
    bed.desk.flushRejections();
    expect(bed.journal.rejections()).toMatchObject([{ device: 'front-2', code: 'message.forged', times: 1 }]);
  });

  test('a lookup or a question for challenges that is played again gets no second answer', async () => {
    await bed.lookup(await bed.certificate(serialOf('hanako')));
    await bed.challenge();
    for (const leaf of ['lookup', 'challenge-request'] as const)
      await bed.send(leaf, bed.broker.passedOn(leaf)[0]?.payload ?? new Uint8Array());
    const refused = (): number => {
      bed.desk.flushRejections();
      return bed.journal.rejections().reduce((total, { times }) => total + times, 0);
    };
    await until('both to be refused', () => refused() === 2);
    expect(bed.broker.passedOn('lookup-result')).toHaveLength(1);
    expect(bed.broker.passedOn('challenge')).toHaveLength(1);
  });

  test('what the patient may be asked: PMH and documents only where the facility uses them', async () => {
    expect(await bed.lookup(await bed.certificate(serialOf('hanako')))).toMatchObject({
      registered: 'yes',
      certificateStatus: 'good',
      medicalSubsidy: true,
      pendingDocuments: [{ id: 'doc-0001' }],
      prescription: { use: 1, timing: 2 },
    });
    expect(await bed.lookup(await bed.certificate(serialOf('unregistered')))).toMatchObject({ registered: 'no' });
    expect(await bed.lookup(await bed.certificate('5E57100E'))).toMatchObject({
      registered: 'unknown',
      maintenance: { until: expect.any(Number) },
    });
  });

  test('rubbish on every topic changes nothing', async () => {
    const rubbish = ['', '{}', 'a.b.c', 'a.b.c.d.e', '\u0000', '{"payload":"', '['.repeat(5000)];
    for (const leaf of ['state', 'challenge-request', 'lookup', 'request', 'command-result'] as const)
      for (const text of rubbish) await bed.send(leaf, new TextEncoder().encode(text));
    const refused = (): number => {
      bed.desk.flushRejections();
      return bed.journal.rejections().reduce((total, { times }) => total + times, 0);
    };
    await until('each of them to be refused', () => refused() === 35);
    expect(bed.journal.visits()).toEqual([]);
    await bed.request((await bed.sign(await bed.pin(serialOf('hanako')))).sealed);
    expect(await bed.receipts()).toMatchObject([{ verdict: 'accepted' }]);
  });
});

describe('a folder that takes no file', () => {
  test('gone: the patient has the result, staff the fault, the file comes when the folder does', async () => {
    rmSync(join(bed.oqsFolder, 'face'), { recursive: true });
    await bed.request((await bed.sign(await bed.pin(serialOf('hanako')))).sealed);
    expect(await bed.results()).toMatchObject([{ outcome: 'eligible' }]);
    expect(bed.desk.handOver.folderFault).toMatchObject({ code: 'files.folder-missing', waiting: 1 });
    mkdirSync(join(bed.oqsFolder, 'face'));
    for (let tries = 0; tries < 1_000 && bed.journal.visits()[0]?.givenUpAt === null; tries += 1)
      await bed.clock.advance(2_000);
    expect(bed.files()).toHaveLength(1);
    expect(bed.desk.handOver.folderFault).toBeNull();
  });

  test('gone at a restart: the journal knows what is left', async () => {
    rmSync(join(bed.oqsFolder, 'face'), { recursive: true });
    await bed.request((await bed.sign(await bed.pin(serialOf('taro')))).sealed);
    bed.restart();
    mkdirSync(join(bed.oqsFolder, 'face'));
    bed.desk.handOver.resume();
    await until('the file', () => bed.journal.visits()[0]?.handedOverAt !== null);
    const [name = ''] = bed.files();
    expect(decodedOqs(readFileSync(join(bed.oqsFolder, 'face', name)))).toContain('<Name>&#x20BB7;田 太郎</Name>');
    expect(bed.journal.todayNotes().values().next().value).toMatchObject({
      notices: ['name-character:lacking:U+20BB7'],
    });
    expect(bed.journal.cardUses(bed.clock.now().wallMs)).toBe(1);
  });

  test('never back: after its time to live the personal data is gone', async () => {
    writeFileSync(join(bed.oqsFolder, 'face', 'x'), '');
    rmSync(join(bed.oqsFolder, 'face'), { recursive: true });
    const certificate = toText(await bed.certificate(serialOf('hanako')));
    /** Tables, freed pages and write-ahead log. */
    const holdsCertificate = (): boolean =>
      readdirSync(dirname(bed.journalPath))
        .filter((name) => name.startsWith(basename(bed.journalPath)))
        .some((name) => readFileSync(join(dirname(bed.journalPath), name)).includes(certificate));
    await bed.request((await bed.sign(await bed.pin(serialOf('hanako')))).sealed);
    expect(bed.journal.unfinished()).toHaveLength(1);
    expect(holdsCertificate()).toBe(true);
    await bed.clock.advance(bed.options.personalLifeMs + 1);
    bed.desk.handOver.sweep();
    expect(bed.journal.unfinished()).toEqual([]);
    // A try that is under way would find the folder: it ends first.
    for (let looks = 0; looks < 40; looks += 1) await access(join(bed.oqsFolder, 'face')).catch(() => undefined);
    mkdirSync(join(bed.oqsFolder, 'face'));
    // The disk is real: the next try is waited for by time again and again.
    for (let tries = 0; tries < 1_000 && bed.journal.visits()[0]?.givenUpAt === null; tries += 1)
      await bed.clock.advance(30_000);
    expect(bed.journal.visits()[0]?.file).toBeNull();
    expect([...bed.journal.todayNotes().values()]).toMatchObject([{ notices: ['file-given-up'] }]);
    expect(holdsCertificate()).toBe(false);
  });

  test('agent down until the time was up: the terminal hears that it came to nothing', async () => {
    const never = new Promise<never>(() => {});
    const { check } = bed.context.service;
    bed.context.service.check = () => never;
    await bed.request((await bed.sign(await bed.pin(serialOf('hanako')))).sealed, 'receipted');
    bed.context.service.check = check;
    bed.restart();
    await bed.clock.advance(bed.options.personalLifeMs + 1);
    bed.desk.handOver.sweep();
    await until('the result', () => bed.broker.passedOn('result').length > 0);
    expect(await bed.results()).toMatchObject([{ outcome: 'failed', code: 'delivery.expired' }]);
  });

  test('after a crash with the folder shut, a service that is down now is waited for', async () => {
    rmSync(join(bed.oqsFolder, 'face'), { recursive: true });
    await bed.request((await bed.sign(await bed.pin(serialOf('hanako')))).sealed);
    bed.restart();
    mkdirSync(join(bed.oqsFolder, 'face'));
    const { service } = bed.context;
    const check = service.check.bind(service);
    service.check = async () => ({ ok: false, failure: failure('eligibility.unavailable') });
    bed.desk.handOver.resume();
    await bed.clock.advance(1_500);
    expect(bed.files()).toEqual([]);
    service.check = check;
    for (let tries = 0; tries < 1_000 && bed.journal.visits()[0]?.givenUpAt === null; tries += 1)
      await bed.clock.advance(5_000);
    expect(bed.files()).toHaveLength(1);
  });
});
