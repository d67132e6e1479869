import { expect, test } from 'vitest';
import type { ReceiptShare } from '../../../src/agent/journal/receipt-shares.ts';
import { grantsSection, shareSection } from '../../../src/agent/staff-page/dated-tables-view.ts';
import type { PageModel } from '../../../src/agent/staff-page/page-model.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';

const modelAt = (instant: string, typed: readonly ReceiptShare[] = []): PageModel => {
  const nowMs = Date.parse(instant);
  const context = { journal: { receiptShares: { all: typed } } };
  return { catalogue: () => catalogueAt(nowMs), nowMs: () => nowMs, context } as unknown as PageModel;
};

test('利用率: what applies today, what did and when it ended, and which formula', () => {
  const now = shareSection(modelAt('2026-11-29T00:00:00Z')).text;
  expect(now).toMatch(/<b>電子的診療情報連携体制整備加算<\/b>：1・2・3 は 30% 以上/);
  expect(now).toContain('レセプト件数');
  expect(now.match(/終了/g)).toHaveLength(5);
  const before = shareSection(modelAt('2026-05-31T14:59:59Z')).text;
  expect(before).toMatch(/<b>医療DX推進体制整備加算<\/b>：1・4 は 70% 以上/);
  expect(before).toMatch(/2026-06-01〜 <span class="pill quiet">これから/);
  expect(shareSection(modelAt('2026-05-31T15:00:00Z')).text).toMatch(/<b>電子的/);
});

test('利用率 by レセプト, typed in from the portal: each month against the rule of today; what is not reached is not rounded up', () => {
  const typed = [
    { month: '202608', people: 2_996, receipts: 10_000 },
    { month: '202609', people: 3_000, receipts: 10_000 },
    { month: '202610', people: 0, receipts: 10_000 },
  ];
  const rows = shareSection(modelAt('2026-11-29T00:00:00Z', typed)).text.split('<tr>');
  expect(rows.find((row) => row.includes('2026年8月'))).toMatch(/29\.9%.*届いていません/);
  expect(rows.find((row) => row.includes('2026年9月'))).toMatch(/30\.0%.*1・2・3 の基準を満たします/);
  expect(rows.find((row) => row.includes('2026年10月'))).toMatch(/0\.0%.*届いていません/);
  const before = shareSection(modelAt('2026-05-31T14:59:59Z', typed)).text.split('<tr>');
  expect(before.find((row) => row.includes('2026年9月'))).toMatch(/3・6 の基準を満たします/);
});

test('増設補助 and 一時金 are shown as what they were: over', () => {
  const text = grantsSection(modelAt('2026-11-29T00:00:00Z')).text;
  expect(text).toContain('2025-01-15 で終了');
  expect(text.match(/2024-08-31 で終了/g)).toHaveLength(2);
  expect(text).toContain('病院（無償提供 2台）');
  expect(grantsSection(modelAt('2025-01-15T14:59:59Z')).text).not.toContain('2025-01-15 で終了');
});
