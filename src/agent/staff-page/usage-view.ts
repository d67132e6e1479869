import { startOfJapanMonth } from '../../core/japan-time.ts';
import type { UsageRow } from '../journal/journal.ts';
import { monthOf } from '../journal/today-notes.ts';
import { grantsSection, shareSection } from './dated-tables-view.ts';
import { failureTexts } from './failure-texts.ts';
import { html, type Markup } from './html.ts';
import type { PageModel } from './page-model.ts';
import { kindWords, methodWords, monthText, outcomeWords } from './words.ts';

/** 利用件数: visits whose card the national service answered for. Registrations and failures are no uses. */
export const isCardUse = ({ kind, outcome }: Pick<UsageRow, 'kind' | 'outcome'>): boolean =>
  kind === 'eligibility' && (outcome === 'eligible' || outcome === 'not-eligible');

export const sum = (rows: readonly UsageRow[]): number => rows.reduce((total, { times }) => total + times, 0);

/** The last twelve months, oldest first, this one included. */
const lastMonths = (nowMs: number): string[] => {
  const now = monthOf(nowMs);
  const index = Number(now.slice(0, 4)) * 12 + Number(now.slice(4)) - 1;
  return Array.from({ length: 12 }, (_, position) => {
    const month = index - 11 + position;
    return `${Math.floor(month / 12)}${String((month % 12) + 1).padStart(2, '0')}`;
  });
};

const methods = ['face', 'pin', 'staff'] as const;
/** デジタル庁 tokens: blue 900, blue 500, blue 200; the order is also told by the legend's words. */
const colours = { face: '#0017c1', pin: '#4979f5', staff: '#c5d7fb' } as const;

const chart = (months: readonly string[], rows: readonly UsageRow[], title: string): Markup => {
  const width = 960;
  const height = 300;
  const [left, top, bottom] = [56, 16, 40];
  const uses = months.map((month) =>
    methods.map((method) => sum(rows.filter((row) => row.month === month && row.method === method && isCardUse(row)))),
  );
  const totals = uses.map((one) => one.reduce((total, times) => total + times, 0));
  const step = [5, 10, 25, 50, 100, 250, 500, 1000, 2500].find((one) => one * 4 >= Math.max(...totals)) ?? 5_000;
  const scale = (height - top - bottom) / (step * 4);
  const base = height - bottom;
  const slot = (width - left) / months.length;
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}" font-family="Noto Sans JP, Noto Sans CJK JP, sans-serif" font-size="15">
    ${[0, 1, 2, 3, 4].map((line) => {
      const y = base - line * step * scale;
      return html`<line x1="${left}" x2="${width}" y1="${y}" y2="${y}" stroke="#d9d9d9"/><text x="${left - 8}" y="${y + 5}" text-anchor="end" fill="#4d4d4d">${line * step}</text>`;
    })}
    ${months.map((month, index) => {
      const x = left + index * slot + slot * 0.2;
      let y = base;
      const bars = methods.map((method, position) => {
        const tall = (uses[index]?.[position] ?? 0) * scale;
        y -= tall;
        return html`<rect x="${x}" y="${y}" width="${slot * 0.6}" height="${tall}" fill="${colours[method]}"/>`;
      });
      const total = totals[index] ?? 0;
      return html`${bars}
        ${total > 0 && html`<text x="${x + slot * 0.3}" y="${y - 5}" text-anchor="middle" fill="#1a1a1a">${total}</text>`}
        <text x="${x + slot * 0.3}" y="${base + 24}" text-anchor="middle" fill="#4d4d4d">${Number(month.slice(4))}月</text>`;
    })}
  </svg>`;
};

const legend = html`<p class="mute">${methods.map(
  (method) =>
    html`<svg width="16" height="16" aria-hidden="true"><rect width="16" height="16" fill="${colours[method]}"/></svg> ${methodWords[method]}　`,
)}</p>`;

const percent = (part: number, whole: number): string => (whole === 0 ? '—' : `${((part / whole) * 100).toFixed(1)}%`);

const causesTable = (rows: readonly UsageRow[], model: PageModel): Markup => {
  const causes = new Map<string, number>();
  for (const { code, times } of rows) if (code !== '') causes.set(code, (causes.get(code) ?? 0) + times);
  if (causes.size === 0) return html`<p class="mute">今月、確認できなかった受付はありません。</p>`;
  return html`<table class="numbers"><thead><tr><th scope="col">確認できなかった理由</th><th scope="col">コード</th><th scope="col" class="number">件数</th></tr></thead><tbody>
    ${[...causes]
      .sort((a, b) => b[1] - a[1])
      .map(([code, times]) => {
        const entry = failureTexts(model, code);
        return html`<tr><td>${entry?.staff.summary ?? code}</td><td class="code">${code}</td><td class="number">${times}</td></tr>`;
      })}</tbody></table>`;
};

const lanesTable = (rows: readonly UsageRow[]): Markup => {
  const lanes = [...new Set(rows.map(({ lane }) => lane))].sort((a, b) => a - b);
  const cell = (lane: number, method: UsageRow['method']): number =>
    sum(rows.filter((row) => row.lane === lane && row.method === method && isCardUse(row)));
  return html`<table class="numbers"><thead><tr><th scope="col">窓口</th>${methods.map((method) => html`<th scope="col" class="number">${methodWords[method]}</th>`)}<th scope="col" class="number">計</th></tr></thead><tbody>
    ${lanes.map(
      (lane) =>
        html`<tr><td class="lane">${lane}番</td>${methods.map((method) => html`<td class="number">${cell(lane, method)}</td>`)}<td class="number"><b>${sum(rows.filter((row) => row.lane === lane && isCardUse(row)))}</b></td></tr>`,
    )}</tbody></table>`;
};

/** 利用件数 of the month and the last twelve, this agent's share, the official figures, failures by cause, CSV. */
export const usagePage = (model: PageModel): Markup => {
  const { journal } = model.context;
  const all = journal.usage();
  const month = monthOf(model.nowMs());
  const rows = all.filter((row) => row.month === month);
  const left = journal.deskEvents.abandonedSince(startOfJapanMonth(model.nowMs()));
  const uses = sum(rows.filter(isCardUse));
  const officialByMonth = new Map(journal.officialUsage().map((one) => [one.month, one]));
  const months = lastMonths(model.nowMs());
  const latest = [...months]
    .reverse()
    .map((one) => officialByMonth.get(one))
    .find((one) => one !== undefined);
  const ownOf = (one: string): number => sum(all.filter((row) => row.month === one && isCardUse(row)));
  return html`
    <section><h2>${monthText(month)}</h2><div class="facts">
      <div class="fact">この受付システムの利用件数<b>${uses}件</b><span class="mute">マイナ保険証で資格を確認した受付</span></div>
      <div class="fact">初回の利用申込<b>${sum(rows.filter((row) => row.outcome === 'registered'))}件</b></div>
      <div class="fact">途中でやめた受付<b>${left.length}件</b><span class="mute">カードを取った・操作がなかった</span></div>
      <div class="fact">確認できなかった受付<b>${sum(rows.filter((row) => row.code !== ''))}件</b></div>
      <div class="fact">公式の利用率${latest && `（${monthText(latest.month)}）`}<b>${latest ? percent(latest.cardUses, latest.confirmations) : '未入力'}</b>
        <span class="mute">回数の利用率：マイナ保険証利用数 ÷ オンライン資格確認回数。加算の実績要件（人数の利用率）とは別です</span></div>
    </div></section>
    <section><h2>12か月の利用件数</h2>${chart(months, all, '月ごとの利用件数、方法別')}${legend}<p class="tools"><a class="button" href="/usage.csv">CSV で保存</a><a class="button" href="/month">月の集計を印刷</a></p></section>
    <section><h2>窓口と方法</h2>${lanesTable(rows)}</section>
    <section><h2>確認できなかった理由</h2>${causesTable(rows, model)}</section>
    <section><h2>公式の件数</h2>
      <p>利用率の分母には、この受付システム以外（レセコンからの照会など）の回数も入ります。支払基金から通知される件数を入力すると、この受付システムの割合が出ます。</p>
      <form class="row" method="post" action="/official-usage"><input type="hidden" name="token" value="${model.token}">
        <label>月<input name="month" type="month" required value="${month.slice(0, 4)}-${month.slice(4)}"></label>
        <label>マイナ保険証利用数<input name="cardUses" inputmode="numeric" pattern="[0-9]{1,7}" required size="9"></label>
        <label>オンライン資格確認回数<input name="confirmations" inputmode="numeric" pattern="[0-9]{1,7}" required size="9"></label>
        <button>保存</button></form>
      ${
        officialByMonth.size > 0 &&
        html`<table class="numbers"><thead><tr><th scope="col">月</th><th scope="col" class="number">利用数（公式）</th><th scope="col" class="number">資格確認回数</th><th scope="col" class="number">利用率</th><th scope="col" class="number">この受付システム</th><th scope="col" class="number">割合</th></tr></thead><tbody>
        ${[...officialByMonth.values()]
          .reverse()
          .map(
            (one) =>
              html`<tr><td>${monthText(one.month)}</td><td class="number">${one.cardUses}</td><td class="number">${one.confirmations}</td><td class="number">${percent(one.cardUses, one.confirmations)}</td><td class="number">${ownOf(one.month)}</td><td class="number">${percent(ownOf(one.month), one.cardUses)}</td></tr>`,
          )}</tbody></table>`
      }</section>
    ${shareSection(model)}${grantsSection(model)}`;
};

const csvCell = (cell: string | number): string =>
  /[",\r\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : String(cell);

/** Every count by month, lane, kind, method, outcome and cause; UTF-8 with a byte order mark, so that Excel reads it. */
export const usageCsv = (model: PageModel): string => {
  const lines = model.context.journal
    .usage()
    .map(({ month, lane, kind, method, outcome, code, times }) => [
      monthText(month),
      `${lane}番`,
      kindWords[kind],
      methodWords[method],
      outcome === '' ? '' : (outcomeWords[outcome as keyof typeof outcomeWords] ?? '受け付けず'),
      code === '' ? '' : (failureTexts(model, code)?.staff.summary ?? code),
      times,
    ]);
  const header = ['月', '窓口', '種類', '方法', '結果', '理由', '件数'];
  return `\ufeff${[header, ...lines].map((line) => line.map(csvCell).join(',')).join('\r\n')}\r\n`;
};
