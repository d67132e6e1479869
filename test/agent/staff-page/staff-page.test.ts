import { rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { personas } from '../../../drivers/virtual/personas.ts';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { until } from '../../../scripts/beds/simulated-clock.ts';
import { openStaffPage } from '../../../scripts/beds/staff-page-bed.ts';
import { facility } from '../../../scripts/beds/test-facility.ts';
import { addStaffMember, readStaff } from '../../../src/agent/staff-page/staff-codes.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { failure } from '../../../src/core/failure.ts';
import { err } from '../../../src/core/result.ts';
import { openSigned, sign } from '../../../src/trust/seal.ts';
import { commandSchema, type StateMessage, staffApprovalSchema } from '../../../src/wire/messages.ts';

let bed: AgentBed;
let page: Awaited<ReturnType<typeof openStaffPage>>;
const session = '0190a5b2-1c2d-4e3f-8a4b-5c6d7e8f9a0b';
let certificateWarnings: { what: 'issuer'; days: 14; endsMs: number }[] = [];

beforeEach(async () => {
  bed = await makeAgentBed();
  const file = join(bed.testFacility.directory, 'staff.json');
  await addStaffMember(file, { approver: 'nurse-1', label: '看護師 <A>' }, 'right-code');
  const staff = await readStaff(file);
  page = await openStaffPage(bed, staff, { certificates: { warnings: () => certificateWarnings } });
});
afterEach(async () => {
  await page.close();
  bed.close();
});

const show = async (more: Partial<StateMessage>): Promise<void> => {
  const state = {
    device: 'front-1',
    lane: 1,
    version: '0.1.0',
    profile: 'demo',
    status: 'busy',
    phase: 'awaitingStaffCheck',
    session,
    catalogueVersion: bed.catalogueVersion,
    since: bed.clock.now().wallMs,
    ...more,
  };
  await bed.send('state', new TextEncoder().encode(JSON.stringify(state)));
};

type Answer = { status: number; headers: Record<string, string | string[] | undefined>; body: string };
const ask = (method: string, path: string, headers: Record<string, string> = {}, body = ''): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const url = new URL(path, page.address);
    const sent = request(url, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
const tokenOf = async (): Promise<string> =>
  /name="token" value="([^"]+)"/.exec((await ask('GET', '/')).body)?.[1] ?? '';
const origin = (): string => page.address.slice(0, -1);
const post = async (
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  ask(
    'POST',
    path,
    { Origin: origin(), ...headers },
    new URLSearchParams({ token: await tokenOf(), ...fields }).toString(),
  );
/** The page that the answer to a form leads to. */
const follow = async (answer: Answer): Promise<string> => {
  expect(answer.status).toBe(303);
  return (await ask('GET', String(answer.headers.location))).body;
};
const commands = async () => {
  const { device } = bed.testFacility;
  const address = { facility, device: 'front-1' };
  return Promise.all(
    bed.broker.passedOn('command').map(async ({ payload }) => {
      const opened = await openSigned('command', payload, commandSchema, device.agents, address);
      if (!opened.ok) throw new Error(opened.failure.detail);
      return opened.value.message;
    }),
  );
};
/** The terminal answers the last command. */
const answerCommand = async (outcome: 'done' | 'refused', code?: string): Promise<void> => {
  await until('a command', () => bed.broker.passedOn('command').length > 0);
  const command = (await commands()).at(-1);
  const result = { facility, device: 'front-1', commandId: command?.commandId, outcome, ...(code && { code }) };
  await bed.send('command-result', await sign('command-result', result, bed.testFacility.device.signing));
};

describe('目視 for one patient', () => {
  test('right code: exactly this session, signed by the agent, written down with who and when', async () => {
    await show({});
    const answer = post('/approve', { device: 'front-1', session, approver: 'nurse-1', staffCode: 'right-code' });
    await answerCommand('done');
    expect(await follow(await answer)).toContain('この患者さまの1回だけ有効です');
    const [command] = await commands();
    if (command?.command.name !== 'approve-staff-check') throw new Error('another command');
    expect(command.command.session).toBe(session);
    const approval = await openSigned(
      'staff-approval',
      new TextEncoder().encode(command.command.approval),
      staffApprovalSchema,
      bed.testFacility.agent.agents,
      { facility, device: 'front-1' },
    );
    expect(approval).toMatchObject({ ok: true, value: { message: { session, approver: 'nurse-1' } } });
    expect(bed.journal.approvals()).toMatchObject([{ session, device: 'front-1', approver: 'nurse-1' }]);
  });

  test('the approval reaches a request of that visit, and of no other', async () => {
    await show({});
    const sent = post('/approve', { device: 'front-1', session, approver: 'nurse-1', staffCode: 'right-code' });
    await answerCommand('done');
    await sent;
    const [command] = await commands();
    if (command?.command.name !== 'approve-staff-check') throw new Error('another command');
    const staffApproval = command.command.approval;
    await bed.request((await bed.sign({ method: 'staff' }, { session, staffApproval, consents: [] })).sealed);
    await bed.request((await bed.sign({ method: 'staff' }, { staffApproval, consents: [] })).sealed);
    expect((await bed.receipts()).map(({ verdict, code }) => code ?? verdict)).toEqual(['accepted', 'message.forged']);
  });

  test('a patient who has changed meanwhile is not approved', async () => {
    await show({ session: crypto.randomUUID() });
    const answer = await post('/approve', { device: 'front-1', session, approver: 'nurse-1', staffCode: 'right-code' });
    expect(await follow(answer)).toContain('患者さまが替わりました');
    expect(bed.broker.passedOn('command')).toEqual([]);
    expect(bed.journal.approvals()).toEqual([]);
  });

  test('a wrong code approves nobody; after five even the right one waits a minute', async () => {
    await show({});
    const fields = { device: 'front-1', session, approver: 'nurse-1' };
    for (let times = 0; times < 5; times += 1)
      expect(await follow(await post('/approve', { ...fields, staffCode: `wrong-${times}` }))).toContain(
        '職員コードが違います',
      );
    expect(await follow(await post('/approve', { ...fields, staffCode: 'right-code' }))).toContain(
      '入力を止めています',
    );
    expect((await ask('GET', '/part/banner')).body).toContain('職員コードの誤りが続いています');
    await bed.clock.advance(60_001);
    const answer = post('/approve', { ...fields, staffCode: 'right-code' });
    await answerCommand('done');
    expect(await follow(await answer)).toContain('伝えました');
  });

  test('an unknown approver is as wrong as a wrong code', async () => {
    await show({});
    const answer = await post('/approve', { device: 'front-1', session, approver: 'nobody', staffCode: 'right-code' });
    expect(await follow(answer)).toContain('職員コードが違います');
  });
});

describe('orders come from the page itself and from nowhere else', () => {
  const fields = { device: 'front-1', part: 'daemon' };
  test.each<[string, Record<string, string>, Record<string, string>]>([
    ['a foreign origin', { Origin: 'http://evil.example' }, {}],
    ['no origin', { Origin: '' }, {}],
    ['the null origin of a sandboxed frame', { Origin: 'null' }, {}],
    ['no token', {}, { token: '' }],
    ['a token of before', {}, { token: 'A'.repeat(43) }],
  ])('%s', async (_, headers, more) => {
    const answer = await post('/restart', { ...fields, ...more }, headers);
    expect(answer.status).toBe(403);
    expect(bed.broker.passedOn('command')).toEqual([]);
  });

  test('a name that resolves to loopback (DNS rebinding) gets nothing, not even the page', async () => {
    const answer = await ask('GET', '/', { Host: 'evil.example' });
    expect(answer.status).toBe(421);
    expect(answer.body).not.toContain('token');
  });

  test('nobody may frame the page, run a script in it or keep it', async () => {
    const { headers } = await ask('GET', '/');
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['content-security-policy']).toContain("script-src 'self'");
    expect(headers['cache-control']).toBe('no-store');
  });

  test('GET changes nothing, other methods and long forms are refused', async () => {
    expect((await ask('GET', '/restart')).status).toBe(404);
    expect((await ask('PUT', '/restart')).status).toBe(405);
    expect((await post('/restart', { part: 'x'.repeat(10_000) })).status).toBe(413);
    expect((await post('/unknown', {})).status).toBe(404);
  });

  test('what devices and staff are called cannot become markup', async () => {
    await show({});
    // Markup in a field is refused with the message; what is shown is what came before.
    await show({ version: '<script>1</script>', code: 'a.b' });
    const { body } = await ask('GET', '/part/lanes');
    expect(body).not.toContain('<script>');
    expect(body).toContain('看護師 &lt;A&gt;');
  });
});

describe('what staff see', () => {
  test('a lane out of service: what is wrong, what to do, what to tell the patient', async () => {
    await show({ status: 'out-of-service', phase: 'outOfService', code: 'reader.lost' });
    const { body } = await ask('GET', '/part/lanes');
    const texts = catalogueAt(bed.clock.now().wallMs).failures['reader.lost'].staff;
    for (const text of [texts.summary, texts.cause, ...texts.steps, '患者さまへ', 'この窓口を再起動'])
      expect(body).toContain(text);
  });

  test('a restart is done when the terminal is back, not when it said yes', async () => {
    await show({ status: 'idle', phase: 'idle' });
    const answer = post('/restart', { device: 'front-1', part: 'daemon' });
    await answerCommand('done');
    await answer;
    expect((await ask('GET', '/part/lanes')).body).toContain('再起動中');
    await bed.clock.advance(1_000);
    await show({ status: 'offline' });
    expect((await ask('GET', '/part/lanes')).body).not.toContain('復帰しました');
    await bed.clock.advance(1_000);
    await show({ status: 'idle', phase: 'idle' });
    expect((await ask('GET', '/part/lanes')).body).toContain('復帰しました');
  });

  test('a command without an answer is told after 15 s', async () => {
    const answer = post('/restart', { device: 'front-1', part: 'screen' });
    await until('the command', () => bed.broker.passedOn('command').length > 0);
    await bed.clock.advance(15_001);
    expect(await follow(await answer)).toContain('返事がありません');
  });

  test('a test visit that stops says where, and what it never tries', async () => {
    await show({ status: 'idle', phase: 'idle' });
    const answer = post('/test-visit', { device: 'front-1' });
    await until('the command', () => bed.broker.passedOn('command').length > 0);
    await bed.clock.advance(15_001);
    expect(await follow(await answer)).toContain('途中で止まりました');
    const { body } = await ask('GET', '/part/lanes');
    for (const text of ['止まりました', 'レセコン用フォルダに書き込める', 'delivery.offline', '試していないもの'])
      expect(body).toContain(text);
  });

  test("today's visits: no name, no number of the patient; late results say so; a new chart is marked", async () => {
    for (const persona of ['hanako', 'unregistered', 'revoked'])
      await bed.request((await bed.sign(await bed.pin(personas.get(persona)?.serial ?? ''))).sealed);
    const waiting = await bed.sign(await bed.pin(personas.get('near-expiry')?.serial ?? ''));
    await bed.clock.advance(40_000);
    await bed.request(waiting.sealed);
    const { body } = await ask('GET', '/');
    for (const text of ['資格あり', '電子証明書の失効', '遅れて届いた結果', '100001']) expect(body).toContain(text);
    for (const canary of ['花子', '見本', '19800217', '1000001', '138057', '5E57']) expect(body).not.toContain(canary);
  });

  test('an answer that the service gave after the patient had gone is marked late; until then staff read that it is awaited', async () => {
    const { service } = bed.context;
    const check = service.check.bind(service);
    service.check = async () => err(failure('eligibility.unavailable'));
    await bed.requestInOutage((await bed.sign(await bed.pin(personas.get('hanako')?.serial ?? ''))).sealed);
    const waiting = (await ask('GET', '/part/visits')).body;
    for (const text of ['まだ照会できていません', '照会は自動で続き', '申立書']) expect(waiting).toContain(text);
    expect(waiting).not.toContain('遅れて届いた結果');
    service.check = check;
    await bed.answeredLate();
    const late = (await ask('GET', '/part/visits')).body;
    for (const text of ['資格あり', '遅れて届いた結果', '100001']) expect(late).toContain(text);
    expect(late).not.toContain('照会は自動で続き');
  });

  test('a shut folder, an outage of the service and a disaster area are told above everything', async () => {
    rmSync(join(bed.oqsFolder, 'face'), { recursive: true });
    await bed.request((await bed.sign(await bed.pin(personas.get('hanako')?.serial ?? ''))).sealed);
    for (let times = 0; times < 3; times += 1)
      await bed.requestInOutage((await bed.sign(await bed.pin('5E57100C'))).sealed);
    await post('/disaster', { designated: 'yes' });
    const { body } = await ask('GET', '/part/banner');
    for (const text of ['files.folder-missing', '申立書', '資格情報のお知らせ', '0800-0804583', '災害救助法の適用地域'])
      expect(body).toContain(text);
    // Ways that this facility has not set up are named nowhere.
    for (const text of ['居宅同意取得型', 'マイナ資格確認アプリ']) expect(body).not.toContain(text);
    await post('/disaster', { designated: 'no' });
    expect((await ask('GET', '/part/banner')).body).not.toContain('災害救助法');
  });

  test('月1回: the chart of a card seen this month, and not of another month', async () => {
    await bed.request((await bed.sign(await bed.pin(personas.get('hanako')?.serial ?? ''))).sealed);
    expect(await follow(await post('/card-seen', { referenceNumber: '100001' }))).toContain('確認済み');
    expect(await follow(await post('/card-seen', { referenceNumber: '100002' }))).toContain(
      'まだカードを確認していません',
    );
    expect(bed.journal.cardSeen('100001', bed.clock.now().wallMs + 32 * 86_400_000)).toBe(false);
  });

  test('the monthly report: uses, failures by cause, the official rate, CSV', async () => {
    for (const persona of ['hanako', 'taro', 'revoked'])
      await bed.request((await bed.sign(await bed.pin(personas.get(persona)?.serial ?? ''))).sealed);
    const month = new Date(bed.clock.now().wallMs + 9 * 3_600_000).toISOString().slice(0, 7);
    const share = await follow(await post('/receipt-share', { month, people: '3', receipts: '8' }));
    expect(share).toMatch(/37\.5%.*基準を満たします/s);
    for (const bad of [
      { people: '9', receipts: '8' },
      { people: '0', receipts: '0' },
      { people: '-1', receipts: '8' },
    ])
      expect(await follow(await post('/receipt-share', { month, ...bad }))).toContain('class="message bad"');
    const saved = await post('/official-usage', { month, cardUses: '3', confirmations: '8' });
    const body = await follow(saved);
    for (const text of ['2件', '37.5%', '66.7%', 'card.certificate-revoked', '<svg']) expect(body).toContain(text);
    const csv = await ask('GET', '/usage.csv');
    expect(csv.body.split('\r\n')).toContain(
      `${month.slice(0, 4)}年${Number(month.slice(5))}月,1番,受付,暗証番号,資格あり,,2`,
    );
    for (const bad of [
      { cardUses: '9', confirmations: '8' },
      { cardUses: 'x', confirmations: '8' },
      { cardUses: '1', confirmations: '2', month: '2999-01' },
    ])
      expect(await follow(await post('/official-usage', { month, ...bad }))).toContain('class="message bad"');
  });

  test('an open page hears of every change', async () => {
    const heard: string[] = [];
    const listening = request(new URL('/events', page.address), (response) => {
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => heard.push(chunk));
    });
    listening.on('error', () => {});
    listening.end();
    await until('the first event', () => heard.length > 0);
    const before = heard.length;
    await show({ status: 'idle', phase: 'idle' });
    await until('the change', () => heard.length > before);
    listening.destroy();
  });
});

describe('whatever a terminal says of itself', () => {
  const odd = fc.oneof(
    fc.constantFrom(
      0,
      -1,
      1e300,
      8.64e15 + 1,
      9_007_199_254_740_991,
      4_102_444_800_000,
      '',
      'constructor',
      '__proto__',
      '\u202e',
    ),
    fc.string(),
    fc.jsonValue(),
  );
  const stateWith = (fields: Record<string, fc.Arbitrary<unknown>>) =>
    fc.record(
      {
        device: fc.constantFrom('front-1', 'front-2'),
        lane: fc.integer({ min: 1, max: 99 }),
        version: fc.constantFrom('0.1.0', 'v'),
        profile: fc.constantFrom('release', 'demo'),
        status: fc.constantFrom('idle', 'busy', 'out-of-service', 'offline'),
        phase: fc.constantFrom('idle', 'awaitingStaffCheck', 'interrupted', 'constructor', 'toString', 'unknown-state'),
        session: fc.constant(session),
        code: fc.constantFrom('card.removed', 'a.b', 'constructor.name', 'camera.lost'),
        catalogueVersion: fc.constant('1'),
        since: fc.constantFrom(0, 1, 4_102_444_800_000, Date.UTC(2026, 10, 1)),
        ...fields,
      },
      { requiredKeys: ['device'] },
    );
  const names = ['lane', 'version', 'profile', 'status', 'phase', 'session', 'code', 'catalogueVersion', 'since'];

  test('the page is drawn with every lane in it', async () => {
    await show({});
    const states = fc.oneof(stateWith({}), ...names.map((name) => stateWith({ [name]: odd })), fc.jsonValue());
    for (const state of fc.sample(states, { numRuns: 300, seed: 15 })) {
      await bed.send('state', new TextEncoder().encode(JSON.stringify(state)));
      const { status, body } = await ask('GET', '/');
      expect(status, JSON.stringify(state)).toBe(200);
      for (const lane of ['1番', '2番']) expect(body, JSON.stringify(state)).toContain(lane);
      expect(body, JSON.stringify(state)).not.toContain('表示できません');
    }
  });

  test('what is out of its range is refused by its name', async () => {
    const told = vi.spyOn(bed.context.log, 'event');
    await show({ since: 8.64e15 });
    await until('the refusal', () => told.mock.calls.length > 0);
    expect(told.mock.calls).toContainEqual([
      'message.refused',
      { leaf: 'state', code: 'message.malformed', device: 'front-1', field: 'since' },
    ]);
  });

  test('a lane that cannot be drawn takes neither its neighbours nor the page with it', async () => {
    await show({});
    const { lanes } = bed.desk;
    const all = lanes.all();
    // As if a value that no schema of ours lets in were there all the same.
    lanes.all = () =>
      all.map((lane) => (lane.lane === 1 && lane.state ? { ...lane, state: { ...lane.state, since: 1e20 } } : lane));
    const { status, body } = await ask('GET', '/');
    expect(status).toBe(200);
    expect(body).toContain('この端末からの連絡を表示できません');
    expect(body).toContain('2番');
    expect(body).toContain('今日の受付');
  });
});

test('certificates that end soon stand on the page, those of terminals as their state tells them', async () => {
  const banner = async () => (await fetch(new URL('/part/banner', page.address))).text();
  expect(await banner()).not.toContain('証明書');
  const dayMs = 86_400_000;
  await show({ certificateWarning: { days: 30, endsAt: bed.clock.now().wallMs + 29 * dayMs } });
  expect(await banner()).toMatch(/窓口1：[^<]*（30日以内）/);
  certificateWarnings = [{ what: 'issuer', days: 14, endsMs: bed.clock.now().wallMs + 13 * dayMs }];
  expect(await banner()).toMatch(/発行局）：[^<]*（14日以内）[\s\S]*窓口1/);
  certificateWarnings = [];
});
