import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { personas } from '../../../drivers/virtual/personas.ts';
import { type AgentBed, decodedOqs, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { lainLong } from '../../../scripts/beds/lain-long.ts';
import { playCorpus } from '../../../scripts/official/oqs-corpus.ts';
import { corpus } from '../../../scripts/official/oqs-request-files.ts';
import { InquiryDesk } from '../../../src/agent/oqs-folder/answer-inquiries.ts';

let bed: AgentBed;
beforeEach(async () => {
  bed = await makeAgentBed();
});
afterEach(() => bed.close());

const put = (name: string): string => {
  const file = corpus.find((each) => each.name === name);
  if (file === undefined) throw new Error(name);
  const path = join(bed.oqsFolder, 'req', name);
  writeFileSync(path, file.bytes);
  lainLong(path);
  return path;
};
const got = (name: string): string => decodedOqs(readFileSync(join(bed.oqsFolder, 'res', name)));

test('every request file of the corpus has its right answer, or is told; none lies there without a word', async () => {
  const { outcomes } = await playCorpus();
  expect(outcomes.filter(({ outcome }) => outcome === 'silent' || outcome === 'wrong')).toEqual([]);
  expect(outcomes.length).toBeGreaterThanOrEqual(40);
}, 240_000);

describe('照会番号登録 (OQSsiimm01)', () => {
  test('is answered, kept, and given back by later results of the number and of the card', async () => {
    const desk = new InquiryDesk(bed.context);
    put('OQSsiimm01req_new.xml');
    await desk.poll();
    expect(got('OQSsiimm01res_new.xml')).toContain('<ProcessingResultStatus>1<');
    put('OQSsiquc01req_lf.xml');
    await desk.poll();
    expect(got('OQSsiquc01res_lf.xml')).toContain(`<ReferenceNumber>${'1'.repeat(50)}<`);
    await bed.request((await bed.sign(await bed.pin(personas.get('hanako')?.serial ?? ''))).sealed);
    const [face = ''] = bed.files();
    expect(decodedOqs(readFileSync(join(bed.oqsFolder, 'face', face)))).toContain(
      `<ReferenceNumber>${'1'.repeat(50)}<`,
    );
  });
});

describe('what cannot be answered as asked', () => {
  test('unreadable: the answer names the fault by element, no value; the file is kept aside, staff are told while it is', async () => {
    const desk = new InquiryDesk(bed.context);
    put('OQSsiquc01req_without-number.xml');
    await desk.poll();
    await desk.poll();
    const answer = got('OQSsiquc01res_without-number.xml');
    expect(answer).toContain('InsuredIdentificationNumber');
    expect(answer).not.toContain('138057');
    expect(readdirSync(join(bed.oqsFolder, 'req'))).toEqual(['OQSsiquc01req_without-number.xml.unreadable']);
    expect(desk.folderFaults[0]).toMatchObject({ code: 'files.request-unreadable', waiting: 1 });
  });

  test('an insured person is never answered 該当資格なし because of the bytes', async () => {
    const desk = new InquiryDesk(bed.context);
    for (const label of ['declared-x-sjis', 'undeclared-sjis', 'utf8-declared-sjis', 'sjis-declared-utf8']) {
      put(`OQSsiquc01req_${label}.xml`);
      await desk.poll();
      expect(got(`OQSsiquc01res_${label}.xml`), label).not.toContain('<QualificationValidity>4<');
    }
  });
});
