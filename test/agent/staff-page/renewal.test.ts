import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { personas } from '../../../drivers/virtual/personas.ts';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { pinCard } from '../../../scripts/beds/evidence-fixtures.ts';
import { pageModelOf } from '../../../scripts/beds/staff-page-bed.ts';
import type { ServiceRecord } from '../../../src/agent/eligibility/simulated-eligibility-service.ts';
import {
  certificateNotice,
  expiringCount,
  expiringPage,
  renewalPage,
} from '../../../src/agent/staff-page/renewal-view.ts';
import { visitsView } from '../../../src/agent/staff-page/visits-view.ts';
import { renewalStates, validityCases } from '../../../src/core/catalogue/desk-order.ts';

const startMs = Date.parse('2026-12-10T10:00:00+09:00');
const serial = personas.get('hanako')?.serial ?? '';
let bed: AgentBed;
let change: Partial<ServiceRecord> = {};
beforeEach(async () => {
  change = {};
  bed = await makeAgentBed({
    startMs,
    records: (records) =>
      records.map((record) =>
        record.persona !== 'hanako'
          ? record
          : new Proxy(record, {
              get: (target, key) => ({ ...target, referenceNumber: '4711', ...change })[key as keyof ServiceRecord],
            }),
      ),
  });
});
afterEach(() => bed.close());

const model = () => pageModelOf(bed);
/** A visit whose certificate ends at that instant. */
const visit = async (notAfter: string): Promise<void> => {
  const notAfterMs = Date.parse(notAfter);
  const certificate = await bed.certificate(serial, { notAfterMs });
  // In the months of grace no consent is asked.
  const inGrace = notAfterMs < bed.clock.now().wallMs && { consents: [] };
  await bed.request((await bed.sign(pinCard(certificate, bed.keys.auth), { ...inGrace })).sealed);
};
const slip = (address: string): string => renewalPage(model(), new URLSearchParams(address)).text;

describe('電子証明書の期限', () => {
  test.each([
    ['2027-05-31T23:59:59+09:00', 'valid', null],
    ['2027-02-15T23:59:59+09:00', 'near-expiry', '2027年2月15日'],
    ['2026-11-30T23:59:59+09:00', 'grace', '2026年11月30日'],
    ['2026-09-01T23:59:59+09:00', 'grace', '2026年9月1日'],
  ] as const)('%s: %s, in the row and the list by 照会番号 with its slip', async (notAfter, state, day) => {
    await visit(notAfter);
    expect(bed.journal.visits()[0]?.certificateState).toBe(state);
    const [row, list] = [visitsView(model()).text, expiringPage(model()).text];
    if (day === null) {
      expect(row).not.toContain('電子証明書');
      expect(list).toContain('いまのところ、いません');
      return;
    }
    const address = `/renewal?state=${state}&amp;ends=${notAfter.slice(0, 10).replaceAll('-', '')}`;
    for (const text of [row, list]) {
      expect(text).toContain(address);
      expect(text).toContain(day);
      expect(text).toContain(model().catalogue().desk.renewal.states[state].name);
    }
    expect(list).toContain('4711');
    expect(expiringCount(model())).toBe(1);
  });

  test('beyond the months of grace there is no request to answer: refused by its date', async () => {
    await visit('2026-08-31T23:59:59+09:00');
    expect(bed.journal.visits()[0]).toMatchObject({ verdict: 'refused', code: 'card.certificate-expired' });
    expect(visitsView(model()).text).toContain('/renewal?state=expired');
  });

  test('a list of this month: earliest end first, gone once renewed, and with its time', async () => {
    await visit('2027-01-31T23:59:59+09:00');
    expect(expiringCount(model())).toBe(1);
    await visit('2031-12-10T23:59:59+09:00');
    expect(expiringCount(model())).toBe(0);
    await visit('2027-01-31T23:59:59+09:00');
    bed.journal.certificateEnds.see('12', Date.parse('2026-12-20T23:59:59+09:00'), startMs);
    expect(expiringPage(model()).text).toMatch(/<td>12<[\s\S]*<td>4711</);
    // The next month is another list, and what was near its end is in grace by then.
    await bed.clock.advance(22 * 86_400_000);
    expect(expiringCount(model())).toBe(0);
    await bed.clock.advance(41 * 86_400_000);
    bed.journal.sweep();
    expect(bed.journal.certificateEnds.since(0)).toEqual([]);
  });

  test('four slips in large letters: place, deadline, what to bring, how today stands', () => {
    const pages = renewalStates.map((state) => slip(`state=${state}`));
    expect(new Set(pages.map((page) => page.slice(page.indexOf('class="slip"')))).size).toBe(4);
    for (const page of pages) {
      expect(page).toMatch(/市区町村の窓口[\s\S]*いつまで[\s\S]*持ちもの[\s\S]*マイナンバーカード/);
      expect(page).not.toMatch(/\{\w+\}/);
    }
    expect(slip('state=near-expiry&ends=20270215')).toContain('2027年2月15日まで');
    expect(slip('state=grace&ends=20261130')).toContain('2027年2月28日までは、保険の資格の確認だけ');
    expect(slip('state=nonsense&ends=20270231')).toContain('期限が近づいています');
  });

  test('a new chart has no number for the list; its row leads to the slip all the same', async () => {
    change = { referenceNumber: '' };
    await visit('2027-02-15T23:59:59+09:00');
    expect(expiringCount(model())).toBe(0);
    expect(visitsView(model()).text).toContain('/renewal?state=near-expiry&amp;ends=20270215');
  });

  test('a word that is no state draws nothing', () => {
    expect(certificateNotice(model(), 'certificate:other:20270101')).toBeNull();
    expect(certificateNotice(model(), 'certificate:grace:2027')).toBeNull();
  });
});

describe('資格', () => {
  const rowOf = async (validity: number): Promise<string> => {
    change = { qualificationValidity: validity as 1 };
    await visit('2031-12-10T23:59:59+09:00');
    return visitsView(model()).text;
  };

  test.each([2, 3, 4, 5, 6])('%i is told by its own word, with the next step', async (validity) => {
    const { name, next } = model().catalogue().desk.validity[String(validity) as '2'];
    const row = await rowOf(validity);
    expect(row).toContain(`>${name}</span>`);
    expect(row).toContain(next);
  });

  test('not applied for is not 無効', async () => {
    change = { registered: false };
    await visit('2031-12-10T23:59:59+09:00');
    const row = visitsView(model()).text;
    expect(row).toContain('>利用登録がまだ</span>');
    expect(row).not.toMatch(/>無効/);
    expect(row).toContain('/declaration?code=eligibility.not-registered');
  });

  test('not heard yet is not 無効', async () => {
    change = { behaviour: 'down' };
    await bed.requestInOutage((await bed.sign(await bed.pin(serial))).sealed);
    expect(visitsView(model()).text).toMatch(/>まだ照会できていません<[\s\S]*無効ではありません/);
  });

  test('every case has a word of its own and, but for 有効, a next step of its own', () => {
    const { validity } = model().catalogue().desk;
    expect(new Set(validityCases.map((each) => validity[each].name)).size).toBe(validityCases.length);
    const steps = validityCases.filter((each) => each !== '1').map((each) => validity[each].next);
    expect(new Set(steps).size).toBe(steps.length);
    expect(steps.every((step) => step.length > 10)).toBe(true);
  });
});
