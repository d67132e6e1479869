import type { TestVisitReport } from '../desk/order-test-visit.ts';
import { failureTexts } from './failure-texts.ts';
import { html, type Markup } from './html.ts';
import type { PageModel } from './page-model.ts';
import { timeText } from './words.ts';

const seconds = (ms: number): string => (ms < 100 ? '0.1秒以内' : `${(ms / 1_000).toFixed(1)}秒`);

const step = (isGood: boolean, text: string, ms: number | null): Markup =>
  html`<li><span class="pill ${isGood ? 'ok' : 'bad'}">${isGood ? '正常' : '止まりました'}</span> ${text}${ms !== null && html` <span class="mute">${seconds(ms)}</span>`}</li>`;

/** テスト受付, step by step: how far it came, after how long, what it says and what it does not. */
export const testVisitView = (report: TestVisitReport, sentAt: number, model: PageModel): Markup => {
  const { journaledMs, confirmedMs, code, folderCode } = report;
  const reasons = [code, folderCode].flatMap((one) => one ?? []);
  return html`<section class="test-visit">
    <p><strong>テスト受付（${timeText(sentAt)}）</strong></p>
    <ol>
      ${step(journaledMs !== null, '端末が署名・暗号化して送り、受付システムが確かめて記録', journaledMs)}
      ${journaledMs !== null && step(confirmedMs !== null, '受領と結果が端末に届き、端末が確かめた', confirmedMs)}
      ${step(folderCode === null, 'レセコン用フォルダに書き込める', null)}
    </ol>
    ${reasons.map(
      (reason) =>
        html`<p>${failureTexts(model, reason)?.staff.summary ?? '端末が受け付けませんでした'}${reason === 'message.stale' && '（受付の途中かもしれません）'} <span class="code">${reason}</span></p>`,
    )}
    <p class="mute">試していないもの：カードの読み取り、顔認証、暗証番号、画面、オンライン資格確認等システムへの照会、レセコンの取り込み。利用件数には数えません。</p>
  </section>`;
};
