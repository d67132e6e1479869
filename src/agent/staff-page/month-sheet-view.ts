import { startOfJapanMonth } from '../../core/japan-time.ts';
import { monthOf } from '../journal/today-notes.ts';
import { html, type Markup } from './html.ts';
import type { PageModel } from './page-model.ts';
import { isCardUse, sum } from './usage-view.ts';
import { methodWords, monthText } from './words.ts';

/** Answered within so many minutes, on the average of those that were. */
const minutes = (ms: number): string => `${Math.max(1, Math.round(ms / 60_000))}分`;

/** One page for the month that ends, to be printed: uses by way, visits that were left, calls and how soon they were answered. */
export const monthSheet = (model: PageModel): Markup => {
  const { journal } = model.context;
  const month = monthOf(model.nowMs());
  const rows = journal.usage().filter((row) => row.month === month);
  const firstDay = startOfJapanMonth(model.nowMs());
  const left = journal.deskEvents.abandonedSince(firstDay);
  const calls = journal.deskEvents.callsSince(firstDay);
  const answered = calls.flatMap(({ calledAt, answeredAt }) => (answeredAt === null ? [] : [answeredAt - calledAt]));
  const average = answered.reduce((total, ms) => total + ms, 0) / Math.max(1, answered.length);
  const uses = (method: 'face' | 'pin' | 'staff'): number =>
    sum(rows.filter((row) => row.method === method && isCardUse(row)));
  const lines: readonly (readonly [string, string])[] = [
    ['マイナ保険証で受付した件数', `${sum(rows.filter(isCardUse))}件`],
    ...(['face', 'pin', 'staff'] as const).map((method) => [`　${methodWords[method]}`, `${uses(method)}件`] as const),
    ['初回の利用申込', `${sum(rows.filter((row) => row.outcome === 'registered'))}件`],
    ['確認できなかった受付', `${sum(rows.filter((row) => row.code !== ''))}件`],
    ['途中でやめた受付', `${left.length}件`],
    ['　カードを途中で取った', `${left.filter(({ reason }) => reason === 'card.removed').length}件`],
    ['　操作がなく終わった', `${left.filter(({ reason }) => reason === 'session.timed-out').length}件`],
    ['受付の人を呼んだ回数', `${calls.length}回`],
    ['　応じるまでの時間（平均）', answered.length === 0 ? '—' : minutes(average)],
  ];
  return html`<section><h2>${monthText(month)}</h2>
    <table class="form-sheet"><tbody>${lines.map(([label, value]) => html`<tr><th scope="row">${label}</th><td>${value}</td></tr>`)}</tbody></table>
    <p class="mute">「途中でやめた受付」は、受付が終わる前に患者さまが離れた回数です。氏名・番号は記録していません。</p></section>`;
};
