import { html, type Markup } from './html.ts';
import type { PageModel } from './page-model.ts';

/** What a receptionist does, one action each, without a keyboard at the terminal. The spare was set up when it was bought. */
export const spareSteps = [
  'こわれた端末の電源を切り、カウンターからどける',
  '予備の端末を同じ場所に置く',
  'LAN ケーブルを予備の端末に差す',
  '電源を入れる',
  '予備の端末の画面に「マイナンバーカードを置いてください」が出るまで待つ',
  '受付モニターの「始業前点検」を開き、予備の端末の「点検する」を押す',
  '予備の端末で、音を聞き、表示灯を見て、キーを全部1回ずつ押す',
  '受付モニターで「はい」「いいえ」を答え、「異常なし」を見る',
] as const;

/** 予備の端末に替える: to be shown and printed. */
export const spareView = (model: PageModel): Markup => {
  const lanes = model.desk.lanes.all();
  const away = lanes.filter(({ device }) => model.context.journal.selfTests.isAway(device));
  return html`<section class="form-sheet large"><ol>${spareSteps.map((step) => html`<li>${step}</li>`)}</ol>
    <p>${away.length === 0 ? '予備として登録した端末がありません。' : `予備：${away.map(({ lane }) => `${lane}番`).join('、')}`}　患者さまには、予備の端末の番号の窓口をご案内します。</p>
    <p>こわれた端末は「この窓口の操作」の「しまう」を押すと、つながらなくても知らせなくなります。3か月に一度は予備の端末の電源を入れて点検してください。</p></section>`;
};
