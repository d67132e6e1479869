import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { personas } from '../../../drivers/virtual/personas.ts';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { openStaffPage, pageModelOf } from '../../../scripts/beds/staff-page-bed.ts';
import { companionsForStaff, companionsTexts } from '../../../src/agent/staff-page/companions-view.ts';
import { carryOut } from '../../../src/agent/staff-page/orders.ts';
import { readStaff } from '../../../src/agent/staff-page/staff-codes.ts';
import { failure } from '../../../src/core/failure.ts';
import { err, ok } from '../../../src/core/result.ts';
import type { StateMessage } from '../../../src/wire/messages.ts';

let bed: AgentBed;
let page: Awaited<ReturnType<typeof openStaffPage>>;
const session = '0190a5b2-1c2d-4e3f-8a4b-5c6d7e8f9a0b';
beforeEach(async () => {
  bed = await makeAgentBed();
  const staff = await readStaff(join(bed.testFacility.directory, 'nobody.json')).catch(() => []);
  page = await openStaffPage(bed, staff);
});
afterEach(async () => {
  await page.close();
  bed.close();
});

const show = (more: Partial<StateMessage>): Promise<unknown> =>
  bed.send(
    'state',
    new TextEncoder().encode(
      JSON.stringify({
        ...{ device: 'front-1', lane: 1, version: '0.1.0', profile: 'demo', status: 'idle', phase: 'idle' },
        ...{ catalogueVersion: bed.catalogueVersion, since: bed.clock.now().wallMs, ...more },
      }),
    ),
  );
const read = async (path: string): Promise<string> => (await fetch(new URL(path, page.address))).text();

it('names lane, reason, language and since when, by a key that is new once', async () => {
  await show({ status: 'busy', phase: 'awaitingStaffCheck', session, language: 'vi' });
  const first = await read('/part/lanes');
  expect(first).toMatch(
    /data-attention="front-1 check [0-9a-f-]+" data-attention-text="1番：目視の確認待ち（ベトナム語） /,
  );
  expect(await read('/part/lanes')).toBe(first);
  await show({});
  expect(await read('/part/lanes')).not.toContain('data-attention');
});

it('notices a lane whose screen is dark, and says where patients may go', async () => {
  await show({ code: 'screen.no-page' });
  const lanes = await read('/part/lanes');
  expect(lanes).toContain('data-attention="front-1 fault screen.no-page"');
  expect(lanes).toContain('<span class="pill bad">窓口の画面が映っていない</span>');
  expect(lanes).toContain('受付でお手続きします。');
});

it('shows a call for help until it is answered, and keeps how long that took', async () => {
  const calledAt = bed.clock.now().wallMs;
  await show({ helpCalledAt: calledAt });
  expect(await read('/part/lanes')).toContain('すぐ行きます');
  await show({ helpCalledAt: calledAt, since: calledAt + 1 });
  await bed.clock.advance(90_000);
  bed.journal.deskEvents.answered('front-1', calledAt, bed.clock.now().wallMs);
  expect(bed.journal.deskEvents.callsSince(0)).toEqual([
    { device: 'front-1', lane: 1, calledAt, answeredAt: calledAt + 90_000 },
  ]);
  expect(await read('/month')).toContain('<th scope="row">　応じるまでの時間（平均）</th><td>2分</td>');
});

it('counts as answered the one call that the lane shows, once the terminal has told the patient', async () => {
  const { deskEvents } = bed.journal;
  const answers = () => deskEvents.callsSince(0).map(({ answeredAt }) => answeredAt);
  const press = (answer: Awaited<ReturnType<typeof bed.desk.commands.send>>) => {
    bed.desk.commands.send = async () => {
      // Until the terminal has taken it, nobody has told the patient anything.
      expect(answers()).toEqual([null, null]);
      return answer;
    };
    return carryOut('/answer-help', new URLSearchParams({ device: 'front-1' }), pageModelOf(bed));
  };
  const forgotten = bed.clock.now().wallMs;
  await show({ helpCalledAt: forgotten });
  await bed.clock.advance(3_600_000);
  await show({ helpCalledAt: forgotten + 3_600_000 });
  await bed.clock.advance(60_000);
  expect(await press(err(failure('delivery.offline')))).toMatchObject({ good: false });
  expect(await press(ok({ outcome: 'refused', code: 'message.stale' }))).toMatchObject({ good: false });
  expect(answers()).toEqual([null, null]);
  expect(await press(ok({ outcome: 'done' }))).toMatchObject({ good: true });
  expect(answers()).toEqual([null, forgotten + 3_660_000]);
  expect(await read('/month')).toContain('<th scope="row">　応じるまでの時間（平均）</th><td>1分</td>');
});

it('counts a visit that was left once, however often the terminal says so', async () => {
  const abandoned = { session, at: bed.clock.now().wallMs, reason: 'card.removed' };
  for (const since of [1, 2, 3]) await show({ abandoned, since });
  expect(bed.journal.deskEvents.abandonedSince(0)).toHaveLength(1);
  const visits = await read('/part/visits');
  expect(visits.split('途中でやめた')).toHaveLength(2);
  expect(visits).toContain('カードを途中で取りました。受付は終わっていません。');
  expect(await read('/usage')).toContain('途中でやめた受付<b>1件</b>');
  expect(await read('/month')).toContain('<th scope="row">　カードを途中で取った</th><td>1件</td>');
});

it('does not count a visit as left whose request came after all', async () => {
  const at = bed.clock.now().wallMs;
  await show({ abandoned: { session, at, reason: 'card.removed' } });
  expect(bed.journal.deskEvents.abandonedSince(0)).toHaveLength(1);
  const { sealed } = await bed.sign(await bed.pin(personas.get('hanako')?.serial ?? ''), { session });
  await bed.request(sealed);
  expect(bed.journal.deskEvents.abandonedSince(0)).toEqual([]);
});

it('has a page to print for whoever comes with a patient, one touch from the monitor', async () => {
  expect(await read('/')).toContain('<a class="button" href="/companions">付き添いの方へ</a>');
  const page = await read('/companions');
  for (const who of ['お子さまと来られた方', 'ご家族・介助の方', '車いすの方・背の低い方', '目や耳の不自由な方'])
    expect(page).toContain(`<h2>${who}</h2>`);
  const guide = readFileSync('docs/staff-guide.md', 'utf8');
  for (const sentence of [...companionsTexts.flatMap(([, sentences]) => sentences), ...companionsForStaff]) {
    expect(page).toContain(`<li>${sentence}</li>`);
    expect(guide, 'the staff guide says the same').toContain(sentence);
  }
  // Nobody at the desk types a patient's PIN.
  expect(page).toContain('暗証番号を、受付の職員に教えたり、入力を頼んだりしないでください。');
});

it('says the month in Japanese words, for Excel', async () => {
  const csv = await read('/usage.csv');
  expect(csv.split('\r\n')[0]).toContain('月,窓口,種類,方法,結果,理由,件数');
});

it('has the letters that the patient’s page has, from the same files', async () => {
  expect(await read('/')).toContain('href="/fonts/fonts.css"');
  const answer = await fetch(new URL('/fonts/fonts.css', page.address));
  expect([200, 404]).toContain(answer.status);
  if (answer.status === 200) expect(await answer.text()).toContain('font-family:"Noto Sans JP"');
  expect((await fetch(new URL('/fonts/..%2findex.html', page.address))).status).toBe(404);
});
