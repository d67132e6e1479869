import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { personas } from '../../../drivers/virtual/personas.ts';
import { type AgentBed, decodedOqs, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { lainLong } from '../../../scripts/beds/lain-long.ts';
import { pageModelOf } from '../../../scripts/beds/staff-page-bed.ts';
import { corpus } from '../../../scripts/official/oqs-request-files.ts';
import { InquiryDesk } from '../../../src/agent/oqs-folder/answer-inquiries.ts';
import { namesPage } from '../../../src/agent/staff-page/names-view.ts';
import { carryOut } from '../../../src/agent/staff-page/orders.ts';
import { visitsView } from '../../../src/agent/staff-page/visits-view.ts';

/** 見本 花子 as the service would send her if it lacked a character of her name. */
const sent = { Name: '架空　●子', InsuredName: '架空　●子' };
let names: { Name: string; InsuredName?: string } = sent;
/** Of a second qualification, where she has one */
let second: typeof names | null = null;
let bed: AgentBed;
beforeEach(async () => {
  names = sent;
  second = null;
  bed = await makeAgentBed({
    records: (records) =>
      records.map((record) =>
        record.persona === 'hanako'
          ? {
              ...record,
              get qualifications() {
                return [names, ...(second === null ? [] : [second])].flatMap((each) =>
                  record.qualifications.map((one) => ({ ...one, ...each })),
                );
              },
              referenceNumber: '4711',
            }
          : record,
      ),
  });
});
afterEach(() => bed.close());

const model = () => pageModelOf(bed);
const order = (path: string, fields: Record<string, string>) =>
  carryOut(path, new URLSearchParams({ referenceNumber: '4711', ...fields }), model());
const visit = async (): Promise<string> => {
  const before = new Set(bed.files());
  await bed.request((await bed.sign(await bed.pin(personas.get('hanako')?.serial ?? ''))).sealed);
  const file = bed.files().find((name) => !before.has(name)) ?? '';
  return decodedOqs(readFileSync(join(bed.oqsFolder, 'face', file)));
};
const inquire = async (): Promise<string> => {
  const inquiry = corpus.find(({ name }) => name === 'OQSsiquc01req_lf.xml');
  const path = join(bed.oqsFolder, 'req', 'OQSsiquc01req_lf.xml');
  writeFileSync(path, inquiry?.bytes ?? new Uint8Array());
  lainLong(path);
  const desk = new InquiryDesk(bed.context);
  await desk.poll();
  expect(desk.folderFaults).toEqual([]);
  return decodedOqs(readFileSync(join(bed.oqsFolder, 'res', 'OQSsiquc01res_lf.xml')));
};
const namesIn = (xml: string): string[] =>
  [...xml.matchAll(/<(?:Insured)?Name>([^<]*)</g)].map(([, name]) => name ?? '');

describe('● in a name', () => {
  test('entered once, by 照会番号: none in the second visit’s file, nor in an answer by number, nor after a restart', async () => {
    expect(namesIn(await visit())).toEqual(['架空　●子', '架空　●子']);
    expect(visitsView(model()).text).toContain(`/names?request=${bed.journal.visits()[0]?.requestId}`);
    expect(await order('/keep-name', { Name: '架空 花\u{e0100}子' })).toMatchObject({ good: true });
    expect(visitsView(model()).text).toContain('正しい字を登録しました');
    expect(visitsView(model()).text).not.toContain('/names?request');
    expect(namesIn(await visit())).toEqual(['架空　花子', '架空　花子']);
    bed.restart();
    await bed.clock.advance(1_000);
    const third = await visit();
    expect(namesIn(third)).toEqual(['架空　花子', '架空　花子']);
    expect(third).not.toMatch(/●/);
    expect(await inquire()).toContain('架空　花子');
  });

  test('a slip of the hand is refused at once, by what is known of the name as it came today', async () => {
    await visit();
    for (const [Name, why] of [
      ['架空 花', '文字数'],
      ['架橋 花子', '● のほかの字'],
      ['架空 ●子', '● や ?、〓 のまま'],
      ['架空 〓子', '● や ?、〓 のまま'],
      ['架空 🌸子', '使えない文字'],
      ['架空 花\u0007子', '使えない文字'],
      ['', '氏名を入力'],
    ] as const)
      expect(await order('/keep-name', { Name }), Name).toMatchObject({
        good: false,
        text: expect.stringContaining(why),
      });
    expect(await order('/keep-name', { Name: '架空 花子', referenceNumber: ' ' })).toMatchObject({ good: false });
    expect(bed.journal.names.count).toBe(0);
  });

  test('another name under the same number is never filled in: told, and written as it came', async () => {
    await visit();
    await order('/keep-name', { Name: '架空 花子' });
    names = { Name: '試験　●子', InsuredName: '架空　太●' };
    expect(namesIn(await visit())).toEqual(['架空　太●', '試験　●子']);
    expect(bed.journal.todayNotes().get(bed.journal.visits().at(-1)?.requestId ?? '')?.notices).toContain(
      'kept-name-differs',
    );
    expect(visitsView(model()).text).toContain('届いた氏名が合いません');
  });

  test('of two qualifications with different names, one filled: the other is not called done, in any order', async () => {
    for (const [first, other] of [
      [sent, { Name: '旧姓　●子' }],
      [{ Name: '旧姓　●子' }, sent],
    ]) {
      names = first ?? sent;
      second = other ?? null;
      await visit();
      expect(await order('/keep-name', { Name: '試験 花子' })).toMatchObject({ good: false });
      expect(await order('/keep-name', { Name: '架空 花子' })).toMatchObject({ good: true });
      expect(visitsView(model()).text).not.toContain('正しい字を登録しました');
      expect(visitsView(model()).text).toContain('/names?request');
      await order('/forget-name', {});
    }
  });

  test('nothing but ●: another person’s name under a wrong number is neither kept nor filled in', async () => {
    await order('/keep-name', { Name: '試験 葉子', InsuredName: '試験 葉子' });
    names = { Name: '●●　●●', InsuredName: '●●　●●' };
    expect(namesIn(await visit())).toEqual(['●●　●●', '●●　●●']);
    expect(await order('/keep-name', { Name: '架空 花子' })).toMatchObject({
      good: false,
      text: expect.stringContaining('● だけ'),
    });
  });

  test('a note of today from before an update, with one name for all qualifications, is still read', async () => {
    bed.journal.rememberToday(
      'old',
      { referenceNumber: '4711', notices: [], openNames: [sent] },
      bed.clock.now().wallMs,
    );
    const database = new DatabaseSync(bed.journalPath);
    database.prepare("UPDATE today SET open_names = ? WHERE request_id = 'old'").run(JSON.stringify(sent));
    database.close();
    expect(bed.journal.todayNotes().get('old')?.openNames).toEqual([sent]);
  });

  test('kept and forgotten: both stand in the audit chain, without the name or its number', async () => {
    await order('/keep-name', { Name: '架空 花子' });
    await order('/forget-name', {});
    await order('/forget-name', {});
    const events = ['name-kept', 'name-forgotten'].map((event) => bed.journal.audit.latest([event], 10).length);
    expect(events).toEqual([1, 1]);
  });

  test.each([
    ['the file of a visit', visit],
    ['an answer by number', () => inquire()],
  ])('%s is written though the journal cannot note that a name was used', async (_name, write) => {
    await order('/keep-name', { Name: '架空 花子' });
    bed.journal.names.used = () => {
      throw Object.assign(new Error('database or disk is full'), { errcode: 13 });
    };
    const failed = vi.spyOn(bed.context.disk, 'failed');
    expect(namesIn(await write())).toContain('架空　花子');
    expect(failed).toHaveBeenCalledTimes(1);
  });

  test('is gone when staff say so, and 400 days after nobody has come', async () => {
    await visit();
    await order('/keep-name', { Name: '架空 花子' });
    expect(await order('/forget-name', {})).toMatchObject({ good: true });
    expect(await order('/forget-name', {})).toMatchObject({ good: false });
    expect(namesIn(await visit())).toContain('架空　●子');
    await order('/keep-name', { Name: '架空 花子' });
    await bed.clock.advance(399 * 86_400_000);
    bed.journal.sweep();
    expect(bed.journal.names.count).toBe(1);
    await bed.clock.advance(2 * 86_400_000);
    bed.journal.sweep();
    expect(bed.journal.names.count).toBe(0);
  });

  test('forgotten, or entered anew: no trace of the old name is left in the journal’s files', async () => {
    const onDisk = (): string =>
      ['', '-wal'].map((end) => readFileSync(`${bed.journalPath}${end}`).toString('utf8')).join('');
    await order('/keep-name', { Name: '架空 花子' });
    expect(onDisk()).toContain('架空 花子');
    await order('/keep-name', { Name: '架空 葉子' });
    bed.journal.forgetDeleted();
    expect(onDisk()).not.toContain('架空 花子');
    expect(onDisk()).toContain('架空 葉子');
    await order('/forget-name', {});
    bed.journal.forgetDeleted();
    expect(onDisk()).not.toContain('架空');
  });

  test('the page tells the places of ●, and no character of the name', async () => {
    await visit();
    const { requestId = '' } = bed.journal.visits()[0] ?? {};
    const page = namesPage(model(), new URLSearchParams({ request: requestId })).text;
    expect(page).toContain('4文字のうち 3文字目が ● で届いています');
    expect(page).toContain('value="4711"');
    expect(page).not.toMatch(/架空|子/);
    expect(visitsView(model()).text).not.toMatch(/架空/);
  });

  test('a patient without a chart yet is told to get a number first', async () => {
    bed.journal.rememberToday(
      'new',
      { referenceNumber: '', notices: [], openNames: [{ Name: '●田' }] },
      bed.clock.now().wallMs,
    );
    expect(namesPage(model(), new URLSearchParams({ request: 'new' })).text).toContain('照会番号がまだありません');
  });
});
