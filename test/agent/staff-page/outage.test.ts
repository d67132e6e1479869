import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { personas } from '../../../drivers/virtual/personas.ts';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { certificateFor, pinCard } from '../../../scripts/beds/evidence-fixtures.ts';
import type { ServiceRecord } from '../../../src/agent/eligibility/simulated-eligibility-service.ts';
import { bannerView } from '../../../src/agent/staff-page/banner-view.ts';
import { outageOf } from '../../../src/agent/staff-page/outage.ts';
import type { PageModel } from '../../../src/agent/staff-page/page-model.ts';
import { emergencyItemsPage } from '../../../src/agent/staff-page/printed-forms.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import type { Catalogue } from '../../../src/core/catalogue/catalogue.ts';
import type { HitBy } from '../../../src/core/catalogue/desk-order.ts';

type Asked = Parameters<typeof outageOf>[0][number];
/** R registration, V visit, N visit with a new certificate; `-` no answer, `+` answered, `0` 登録がない, `m` maintenance. */
const visitsOf = (story: string): Asked[] =>
  story
    .split(' ')
    .filter(Boolean)
    .map(([who, how], index) => ({
      kind: who === 'R' ? 'registration' : 'eligibility',
      certificateState: who === 'N' ? 'renewed' : 'valid',
      outcome: how === '+' ? (who === 'R' ? 'registered' : 'eligible') : 'failed',
      code:
        { '-': 'eligibility.unavailable', m: 'eligibility.maintenance', '0': 'eligibility.not-registered' }[
          how as '-'
        ] ?? null,
      receivedAt: index,
    }));

describe('whom an outage hits', () => {
  test.each<[string, HitBy | null]>([
    ['', null],
    ['V+ V+ V+', null],
    ['V- V-', null],
    ['V- V- V-', 'everyone'],
    ['Vm R- Vm', 'everyone'],
    ['V+ V- V- V-', 'everyone'],
    ['V- V- V- V+', null],
    ['R- R-', null],
    ['R- R- R-', 'everyone'],
    ['R- V+ R-', 'not-yet-registered'],
    ['R- R- V+', 'not-yet-registered'],
    ['V+ R- R-', null],
    ['R- V+ R- R+', null],
    ['R0 V+ R0', null],
    ['N- V+ N-', 'freshly-renewed'],
    ['N0 V+ N0', 'freshly-renewed'],
    ['N0 V+ N+', null],
    ['N0 N0 V-', null],
    ['R- V+ R- V- V- V-', 'not-yet-registered'],
  ])('%s: %s', (story, hits) => {
    expect(outageOf(visitsOf(story))?.hits ?? null).toBe(hits);
  });

  test('since the first of them, under the name the service gives it', () => {
    expect(outageOf(visitsOf('V+ Rm V+ Rm'))).toEqual({
      hits: 'not-yet-registered',
      code: 'eligibility.maintenance',
      sinceMs: 1,
    });
  });
});

const startMs = Date.parse('2026-12-10T10:00:00+09:00');
let bed: AgentBed;
let behaviour: ServiceRecord['behaviour'] = 'normal';
const model = (windows: Catalogue['maintenance'] = []): PageModel =>
  ({
    context: bed.context,
    // No terminal is dark: only what is asked for stands there.
    desk: { connected: true, lanes: { all: () => [] } },
    catalogue: () => ({ ...catalogueAt(bed.clock.now().wallMs), maintenance: windows }),
    nowMs: () => bed.clock.now().wallMs,
    certificates: { warnings: () => [] },
    folderFaults: () => [],
    staffCodes: { guessed: () => [] },
    problems: () => [],
  }) as unknown as PageModel;
const order = /マイナポータル[\s\S]*資格情報のお知らせ[\s\S]*口頭で確認[\s\S]*申立書[\s\S]*資格確認書をお持ち/;

describe('on the staff page', () => {
  beforeEach(async () => {
    behaviour = 'normal';
    bed = await makeAgentBed({
      startMs,
      records: (records) =>
        records.map((record) =>
          record.persona !== 'taro'
            ? record
            : new Proxy(record, { get: (target, key) => ({ ...target, behaviour })[key as keyof ServiceRecord] }),
        ),
    });
  });
  afterEach(() => bed.close());
  test('only those who apply get no answer: the banner says so, the others go on; the official order and the slip stand there', async () => {
    const serial = (persona: string) => personas.get(persona)?.serial ?? '';
    const apply = async () =>
      bed.requestInOutage(
        (await bed.sign(await bed.pin(serial('taro')), { kind: 'registration', consents: [] })).sealed,
      );
    behaviour = 'down';
    await apply();
    await bed.request((await bed.sign(await bed.pin(serial('hanako')))).sealed);
    expect(bannerView(model()).text).not.toContain('申込みができません');
    await apply();
    const text = bannerView(model()).text;
    expect(text).toContain('まだ利用登録をしていない方だけ、申込みができません');
    expect(text).toContain('登録の済んでいる方は、いつもどおり受付できます');
    expect(text).toMatch(order);
    expect(text).toContain('href="/emergency-items"');
  });

  test('a certificate of days is known by the request; of years it is not', async () => {
    const hanako = personas.get('hanako')?.serial ?? '';
    await bed.request((await bed.sign(await bed.pin(hanako))).sealed);
    const fresh = await certificateFor(bed.keys.auth, startMs, { serial: hanako, notBeforeMs: startMs - 86_400_000 });
    await bed.request((await bed.sign(pinCard(fresh, bed.keys.auth))).sealed);
    expect(bed.journal.visits().map(({ certificateState }) => certificateState)).toEqual(['valid', 'renewed']);
  });

  test('the slip of the four items: large, nothing filled in of anybody, with what it is for', () => {
    const page = emergencyItemsPage(model()).text;
    for (const item of ['氏名', '生年月日', '性別', '住所または保険者番号']) expect(page).toContain(`>${item}</th>`);
    expect(page).toMatch(/2026年12月10日[\s\S]*10割負担にはしません/);
  });

  describe('announced', () => {
    const window = (more: Partial<Catalogue['maintenance'][number]>) => [
      { areas: [], fromMs: startMs - 1, untilMs: startMs + 3_600_000, announceMs: 0, ...more },
    ];

    test.each<[HitBy, string]>([
      ['everyone', 'どの方も確認できません'],
      ['not-yet-registered', 'まだ利用登録をしていない方だけ'],
      ['freshly-renewed', '更新・発行したばかりの方'],
    ])('%s, as it goes on: who, and the official order', (hits, words) => {
      const text = bannerView(model(window({ hits }))).text;
      expect(text).toContain(words);
      expect(text).toContain('メンテナンス（全国）');
      expect(text).toMatch(order);
    });

    test('of this area alone, of another area, and beforehand', () => {
      expect(bannerView(model(window({ areas: ['13'] }))).text).toContain('（当院の地域）');
      expect(bannerView(model(window({ areas: ['27'] }))).text).not.toContain('メンテナンス');
      const before = bannerView(model(window({ fromMs: startMs + 60_000, announceMs: 86_400_000 }))).text;
      expect(before).toContain('その間、どの方も確認できません');
      expect(before).not.toMatch(order);
    });
  });
});
