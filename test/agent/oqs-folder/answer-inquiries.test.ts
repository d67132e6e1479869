import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AgentBed, decodedOqs, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { lainLong } from '../../../scripts/beds/lain-long.ts';
import { breathe } from '../../../scripts/beds/simulated-clock.ts';
import { InquiryDesk } from '../../../src/agent/oqs-folder/answer-inquiries.ts';
import { readOqsXml } from '../../../src/protocol/oqs/oqs-xml.ts';
import {
  bulkReceptionSchema,
  bulkResultSchema,
  qualificationMessageSchema,
} from '../../../src/protocol/oqs/oqs-xml-schema.ts';

let bed: AgentBed;
let desk: InquiryDesk;
beforeEach(async () => {
  bed = await makeAgentBed();
  desk = new InquiryDesk(bed.context);
});
afterEach(() => bed.close());

test('two thousand links under names of requests, and three thousand other files, hide no request', async () => {
  for (let index = 0; index < 2_000; index += 1)
    symlinkSync('/etc/passwd', join(bed.oqsFolder, 'req', `OQSsiquc01req_0${index}.xml`));
  for (let index = 0; index < 3_000; index += 1) writeFileSync(join(bed.oqsFolder, 'req', `0${index}.txt`), '');
  put('OQSsiquc01req_z.xml', search('1000001'));
  // What was no file is looked at after the others from the second round on.
  for (let round = 0; round < 3; round += 1) await desk.poll();
  expect(existsSync(join(bed.oqsFolder, 'res', 'OQSsiquc01res_z.xml'))).toBe(true);
});

const put = (name: string, body: string): void => {
  const header =
    '<MessageHeader><MedicalInstitutionCode>1312345678</MedicalInstitutionCode><ArbitraryFileIdentifier>a1</ArbitraryFileIdentifier></MessageHeader>';
  const xml = `<?xml version="1.0" encoding="Shift_JIS"?><XmlMsg>${header}<MessageBody>${body}</MessageBody></XmlMsg>`;
  writeFileSync(join(bed.oqsFolder, 'req', name), iconv.encode(xml, 'cp932'));
};
const search = (number: string, insurer = '  138057'): string =>
  `<QualificationConfirmSearchInfo><InsurerNumber>${insurer}</InsurerNumber><InsuredIdentificationNumber>${number}</InsuredIdentificationNumber><LimitApplicationCertificateRelatedConsFlg>1</LimitApplicationCertificateRelatedConsFlg></QualificationConfirmSearchInfo>`;
const got = (name: string): string => decodedOqs(readFileSync(join(bed.oqsFolder, 'res', name)));
const requests = (): string[] => readdirSync(join(bed.oqsFolder, 'req'));

test('one number: the answer lies in res under the same name, the question is deleted', async () => {
  put('OQSsiquc01req_0001.xml', search('1000001'));
  await desk.poll();
  expect(requests()).toEqual([]);
  expect(readOqsXml(qualificationMessageSchema, got('OQSsiquc01res_0001.xml'))).toMatchObject({
    ok: true,
    value: {
      MessageHeader: { ReferenceClassification: '2', SegmentOfResult: '1', ArbitraryFileIdentifier: 'a1' },
      MessageBody: {
        QualificationValidity: '1',
        ResultList: {
          ResultOfQualificationConfirmation: [
            { Name: '髙﨑 花子', ReferenceNumber: '100001', LimitApplicationCertificateRelatedConsFlg: '1' },
          ],
        },
      },
    },
  });
  // Asked by number, nobody has agreed to anything about an illness.
  expect(got('OQSsiquc01res_0001.xml')).not.toMatch(/SpecificDiseases|ConsTime/);
});

test('nobody with this number is an answer: 4 該当資格なし', async () => {
  put('OQSsiquc01req_0002.xml', search('9999999'));
  await desk.poll();
  expect(got('OQSsiquc01res_0002.xml')).toContain('<QualificationValidity>4<');
});

test('一括照会: a reception number, then in progress or valid / invalid, fetched once', async () => {
  put('OQSmuquc01req_b.xml', search('1000001') + search('9999999') + search('1000011'));
  await desk.poll();
  const received = readOqsXml(bulkReceptionSchema, got('OQSmuquc01res_b.xml'));
  if (!received.ok) throw new Error(received.failure.detail);
  const { ReceptionNumber } = received.value.MessageBody;
  await breathe();
  put('OQSmuquc02req_c.xml', `<ReceptionNumber>${ReceptionNumber}</ReceptionNumber>`);
  await desk.poll();
  const result = readOqsXml(bulkResultSchema, got('OQSmuquc02res_c.xml'));
  if (!result.ok) throw new Error(result.failure.detail);
  expect(result.value.MessageHeader).toMatchObject({
    SegmentOfResult: '1',
    NumberOfProcessingResult: '3',
    NumberOfError: '0',
  });
  expect(result.value.MessageBody.BulkConfirmUnit?.map((one) => one.QualificationValidity)).toEqual(['1', '4', '2']);
  expect(got('OQSmuquc02res_c.xml')).not.toMatch(/<Name>|<Birthdate>19/);
  put('OQSmuquc02req_d.xml', `<ReceptionNumber>${ReceptionNumber}</ReceptionNumber>`);
  await desk.poll();
  expect(got('OQSmuquc02res_d.xml')).toContain('<SegmentOfResult>3<');
});

test('一括照会 while the journal’s disk is full: no fault of the file; it waits, and is answered once there is room', async () => {
  const failed = vi.spyOn(bed.context.disk, 'failed');
  const receiveBulk = bed.journal.receiveBulk.bind(bed.journal);
  bed.journal.receiveBulk = () => {
    throw Object.assign(new Error('database or disk is full'), { errcode: 13 });
  };
  put('OQSmuquc01req_b.xml', search('1000001'));
  put('OQSsiquc01req_c.xml', search('1000001'));
  await desk.poll();
  expect(failed).toHaveBeenCalled();
  expect(desk.folderFaults).toEqual([]);
  expect(requests()).toEqual(['OQSmuquc01req_b.xml']);
  bed.journal.receiveBulk = receiveBulk;
  await desk.poll();
  expect(requests()).toEqual([]);
  expect(got('OQSmuquc01res_b.xml')).toContain('<ReceptionNumber>');
});

const receive = async (name: string): Promise<string> => {
  await desk.poll();
  const received = readOqsXml(bulkReceptionSchema, got(name));
  if (!received.ok) throw new Error(received.failure.detail);
  return received.value.MessageBody.ReceptionNumber;
};

test('一括照会 that another agent received, which is gone since: whose turn it is then works it off, though it had turns before', async () => {
  const { service } = bed.context;
  const inquire = service.inquire.bind(service);
  service.inquire = () => new Promise(() => {});
  let isThere = false;
  const other = new InquiryDesk(bed.context, () => !isThere);
  await other.poll();
  isThere = true;
  await other.poll();
  put('OQSmuquc01req_b.xml', search('1000001'));
  const number = await receive('OQSmuquc01res_b.xml');
  desk.stop();
  service.inquire = inquire;
  isThere = false;
  await other.poll();
  await breathe();
  put('OQSmuquc02req_c.xml', `<ReceptionNumber>${number}</ReceptionNumber>`);
  await other.poll();
  expect(got('OQSmuquc02res_c.xml')).toContain('<NumberOfProcessingResult>1<');
});

test('一括照会 over a restart: the number still counts, the rest is asked, nothing stays once it is fetched', async () => {
  const { service } = bed.context;
  const inquire = service.inquire.bind(service);
  service.inquire = () => new Promise(() => {});
  put('OQSmuquc01req_b.xml', search('1000001') + search('9999999'));
  const number = await receive('OQSmuquc01res_b.xml');
  desk.stop();
  bed.restart();
  service.inquire = inquire;
  desk = new InquiryDesk(bed.context);
  await desk.poll();
  await breathe();
  put('OQSmuquc02req_c.xml', `<ReceptionNumber>${number}</ReceptionNumber>`);
  await desk.poll();
  expect(got('OQSmuquc02res_c.xml')).toContain('<NumberOfProcessingResult>2<');
  expect(bed.journal.bulkInquiries()).toEqual([]);
  bed.journal.forgetDeleted();
  for (const path of [bed.journalPath, `${bed.journalPath}-wal`].filter(existsSync))
    expect(readFileSync(path).includes('9999999')).toBe(false);
});

test('一括照会 while res takes no file: one inquiry, asked once, answered when the folder is back', async () => {
  let asked = 0;
  const { service } = bed.context;
  const inquire = service.inquire.bind(service);
  service.inquire = (question) => {
    asked += 1;
    return inquire(question);
  };
  rmSync(join(bed.oqsFolder, 'res'), { recursive: true });
  put('OQSmuquc01req_b.xml', search('1000001') + search('9999999'));
  for (let polls = 0; polls < 20; polls += 1) {
    await desk.poll();
    await bed.clock.advance(1_000);
  }
  expect(desk.folderFaults[0]).toMatchObject({ code: 'files.folder-missing' });
  expect(bed.journal.bulkInquiries()).toHaveLength(1);
  mkdirSync(join(bed.oqsFolder, 'res'));
  await bed.clock.advance(5_000);
  const number = await receive('OQSmuquc01res_b.xml');
  expect([asked, bed.journal.bulkInquiries()[0]?.receptionNumber]).toEqual([2, number]);

  // The result waits for the folder as well.
  rmSync(join(bed.oqsFolder, 'res'), { recursive: true });
  put('OQSmuquc02req_c.xml', `<ReceptionNumber>${number}</ReceptionNumber>`);
  await desk.poll();
  mkdirSync(join(bed.oqsFolder, 'res'));
  await bed.clock.advance(5_000);
  await desk.poll();
  expect(got('OQSmuquc02res_c.xml')).toContain('<NumberOfProcessingResult>2<');
});

test('一括照会 whose agent ends between its result and the end of its fetch: the result is not replaced by an unknown number', async () => {
  put('OQSmuquc01req_b.xml', search('1000001') + search('9999999'));
  const number = await receive('OQSmuquc01res_b.xml');
  await breathe();
  put('OQSmuquc02req_c.xml', `<ReceptionNumber>${number}</ReceptionNumber>`);
  const fetched = join(bed.oqsFolder, 'req', 'OQSmuquc02req_c.xml');
  const forget = bed.journal.forgetBulk;
  let lay = true;
  bed.journal.forgetBulk = (receptionNumber) => {
    lay = existsSync(fetched);
    forget(receptionNumber);
  };
  await desk.poll();
  expect(got('OQSmuquc02res_c.xml')).toContain('<NumberOfProcessingResult>2<');
  // Ended here, the next start would ask for a number that it knows no more.
  expect(lay).toBe(false);
  expect(bed.journal.bulkInquiries()).toEqual([]);
});

test('一括照会 that nobody fetches is gone after a day', async () => {
  put('OQSmuquc01req_b.xml', search('1000001'));
  await receive('OQSmuquc01res_b.xml');
  await bed.clock.advance(86_400_001);
  bed.journal.sweep();
  expect(bed.journal.bulkInquiries()).toEqual([]);
});

test('a question that nobody can read is put aside once it has settled; the next one is answered', async () => {
  put('OQSsiquc01req_bad.xml', '<Nonsense/>');
  put('OQSsiquc01req_good.xml', search('1000001'));
  await desk.poll();
  expect(requests()).toEqual(['OQSsiquc01req_bad.xml']);
  lainLong(join(bed.oqsFolder, 'req', 'OQSsiquc01req_bad.xml'));
  await desk.poll();
  expect(requests()).toEqual(['OQSsiquc01req_bad.xml.unreadable']);
  expect(existsSync(join(bed.oqsFolder, 'res', 'OQSsiquc01res_good.xml'))).toBe(true);
});

test('res is gone: the question waits, staff are told, the answer comes when the folder does', async () => {
  rmSync(join(bed.oqsFolder, 'res'), { recursive: true });
  put('OQSsiquc01req_0003.xml', search('1000001'));
  await desk.poll();
  expect(requests()).toEqual(['OQSsiquc01req_0003.xml']);
  expect(desk.folderFaults[0]).toMatchObject({ folder: 'res', code: 'files.folder-missing' });
  mkdirSync(join(bed.oqsFolder, 'res'));
  await bed.clock.advance(5_000);
  await desk.poll();
  expect(requests()).toEqual([]);
  expect(desk.folderFaults).toEqual([]);
});

test.each([
  ['is away', () => {}],
  ['is a link to our own files', (req: string) => symlinkSync(bed.testFacility.directory, req)],
])('req %s: staff are told, and the question is answered once it is back', async (_name, harm) => {
  const req = join(bed.oqsFolder, 'req');
  put('OQSsiquc01req_0004.xml', search('1000001'));
  renameSync(req, `${req}-aside`);
  harm(req);
  await desk.poll();
  expect(desk.folderFaults[0]).toMatchObject({ folder: 'req', code: 'files.folder-missing' });
  expect(readdirSync(join(bed.oqsFolder, 'res'))).toEqual([]);
  rmSync(req, { force: true });
  renameSync(`${req}-aside`, req);
  await desk.poll();
  expect(desk.folderFaults).toEqual([]);
  expect(existsSync(join(bed.oqsFolder, 'res', 'OQSsiquc01res_0004.xml'))).toBe(true);
});

test('files of others are left alone', async () => {
  writeFileSync(join(bed.oqsFolder, 'req', 'OQSmutic01req_1.xml'), 'x');
  writeFileSync(join(bed.oqsFolder, 'req', '..evil.xml'), 'x');
  await desk.poll();
  expect(requests().sort()).toEqual(['..evil.xml', 'OQSmutic01req_1.xml']);
});

test('what has the name of a request and is no file: told, left where it is, and nobody waits for it', async () => {
  mkdirSync(join(bed.oqsFolder, 'req', 'OQSsiquc01req_0000.xml'));
  symlinkSync(join(bed.testFacility.directory, 'devices.json'), join(bed.oqsFolder, 'req', 'OQSmuquc01req_0000.xml'));
  put('OQSsiquc01req_0001.xml', search('1000001'));
  await desk.poll();
  expect(existsSync(join(bed.oqsFolder, 'res', 'OQSsiquc01res_0001.xml'))).toBe(true);
  expect(requests()).toEqual(['OQSmuquc01req_0000.xml', 'OQSsiquc01req_0000.xml']);
  expect(desk.folderFaults[0]).toMatchObject({ folder: 'req', code: 'files.not-a-file', waiting: 2 });
  for (const name of requests()) rmSync(join(bed.oqsFolder, 'req', name), { recursive: true });
  await desk.poll();
  expect(desk.folderFaults).toEqual([]);
});

test('a folder under the name of an answer: told, nobody is asked for that answer, and the others come at once', async () => {
  mkdirSync(join(bed.oqsFolder, 'res', 'OQSsiquc01res_1.xml'));
  put('OQSsiquc01req_1.xml', search('1000001'));
  put('OQSsiquc01req_2.xml', search('1000001'));
  await desk.poll();
  expect(desk.folderFaults[0]).toMatchObject({ folder: 'res', code: 'files.not-a-file', waiting: 1 });
  expect(requests()).toEqual(['OQSsiquc01req_1.xml']);
  expect(bed.asked.filter((name) => name === 'inquire')).toHaveLength(1);
  // The next question waits for no pause.
  put('OQSsiquc01req_3.xml', search('1000001'));
  await desk.poll();
  expect(got('OQSsiquc01res_3.xml')).toContain('<QualificationValidity>1<');
  rmSync(join(bed.oqsFolder, 'res', 'OQSsiquc01res_1.xml'), { recursive: true });
  await desk.poll();
  expect(got('OQSsiquc01res_1.xml')).toContain('<QualificationValidity>1<');
  expect(desk.folderFaults).toEqual([]);
});

test('whatever else lies in req takes no request’s place; each kind of it is told by itself', async () => {
  const req = join(bed.oqsFolder, 'req');
  const lay = (name: string): void => {
    writeFileSync(join(req, name), 'x');
    lainLong(join(req, name));
  };
  for (let index = 0; index < 1_100; index += 1) lay(`0000-${index}.dat`);
  lay('OQSsiquc01req_bad.xml');
  mkdirSync(join(req, 'OQSsiquc01req_folder.xml'));
  put('OQSsiquc01req_zz.xml', search('1000001'));
  await desk.poll();
  expect(existsSync(join(bed.oqsFolder, 'res', 'OQSsiquc01res_zz.xml'))).toBe(true);
  await desk.poll();
  expect(desk.folderFaults.map(({ code }) => code).sort()).toEqual([
    'files.not-a-file',
    'files.request-unknown',
    'files.request-unreadable',
  ]);
});

test.runIf(process.platform === 'linux')('a name that is no UTF-8 can be seen and not opened: told', async () => {
  const name = Buffer.concat([Buffer.from(join(bed.oqsFolder, 'req', 'OQSsiquc01req_')), Buffer.from([0x8f, 0x8c])]);
  writeFileSync(Buffer.concat([name, Buffer.from('.xml')]), 'x');
  writeFileSync(Buffer.concat([name, Buffer.from('.txt')]), 'x');
  await desk.poll();
  expect(desk.folderFaults.map(({ code, waiting }) => [code, waiting])).toEqual([
    ['files.not-a-file', 1],
    ['files.request-unknown', 1],
  ]);
});
