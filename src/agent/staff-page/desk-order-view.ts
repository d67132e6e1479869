import type { RenewalState } from '../../core/catalogue/desk-order.ts';
import { deskSteps } from '../../core/catalogue/desk-order.ts';
import { japanDate } from '../../core/japan-time.ts';
import { failureTexts } from './failure-texts.ts';
import { html, type Markup } from './html.ts';
import type { PageModel } from './page-model.ts';
import { renewalAddress } from './renewal-view.ts';

/** In a failure's steps of the catalogue: the order at the desk stands here, from its one place. */
const deskToken = '@desk';

/** What the desk does when a card cannot be checked: the catalogue's one order, with what this facility has. */
const deskOrderList = (model: PageModel, nationalOutage = false, code = ''): Markup => {
  const { desk } = model.catalogue();
  const { homeConsent, qualificationApp } = model.context.settings();
  return html`<ol>${deskSteps(desk, { homeConsent, qualificationApp, nationalOutage }).map(
    ({ id, text }) =>
      html`<li>${text}${id === 'declaration' && html` <a href="/declaration?code=${code}">印刷する</a>`}</li>`,
  )}</ol><p><b>${desk.never}</b></p>`;
};

const folded = (model: PageModel, code: string): Markup =>
  html`<details><summary>ほかの方法で受付する（${model.catalogue().desk.never.replace('。', '')}）</summary>${deskOrderList(model, false, code)}</details>`;

/** Failures that a renewed certificate ends, and which slip tells of it. */
const renewalOf: Readonly<Record<string, RenewalState>> = {
  'card.certificate-expired': 'expired',
  'card.certificate-revoked': 'revoked',
};

const renewalLink = (code: string): Markup | null => {
  const state = renewalOf[code];
  return state === undefined ? null : html`<p><a href="${renewalAddress(state)}">更新のご案内を印刷する</a></p>`;
};

/** The steps of one failure; each leads in one step to the official order and its printed form, said there or not. */
export const failureSteps = (model: PageModel, steps: readonly string[], code: string): Markup =>
  html`<ol>${[...steps.filter((step) => step !== deskToken), deskToken].map(
    (step) => html`<li>${step === deskToken ? folded(model, code) : step}</li>`,
  )}</ol>${renewalLink(code)}`;

/** Where waiting is one way: the others. */
export const otherWays = folded;

/** The same for all lanes at once: with what to say to patients, and whom to call in an outage of the whole country. */
export const meanwhile = (model: PageModel, nationalOutage = false): Markup => {
  const { desk } = model.catalogue();
  return html`${deskOrderList(model, nationalOutage)}
    ${
      nationalOutage &&
      html`<p>緊急時医療情報・資格確認機能で入力する項目：${desk.emergencyItems.join('、')}　<a href="/emergency-items">書いてもらう用紙を印刷する</a></p>
        <ul>${desk.contacts.map(({ name, number, hours }) => html`<li>${name} <b>${number}</b>（${hours}）</li>`)}</ul>`
    }
    <p class="say">患者さまへ：「${desk.say}」</p>`;
};

const blank = (label: string, wide = false): Markup =>
  html`<tr><th scope="row">${label}</th><td class="${wide ? 'wide' : ''}"></td></tr>`;

/**
 * 被保険者資格申立書 to print: facility, day and reason are filled in; what only the patient knows is theirs to write, as
 * far as they know it. `code`: of the failure that led here; an unknown one leaves the reason open.
 */
export const declarationPage = (model: PageModel, code: string | null): Markup => {
  const { facilityName, medicalInstitutionCode } = model.context.settings();
  const { year, month, day } = japanDate(model.nowMs());
  const reason = failureTexts(model, code)?.staff.summary;
  return html`<section class="form-sheet">
    <p class="mute">${year}年${month}月${day}日　${facilityName}（医療機関等コード ${medicalInstitutionCode}）</p>
    <p>マイナンバーカードによるオンライン資格確認を行うことができなかったため、私の健康保険の資格について、分かる範囲で次のとおり申し立てます。</p>
    <p>確認できなかった理由：<b>${reason ?? '　　　　　　　　　　　　'}</b></p>
    <table>
      ${['フリガナ', '氏名', '生年月日', '性別', '住所', '電話番号'].map((label) => blank(label, label === '住所'))}
      <tr><th scope="row">保険の種類</th><td>□ 会社などの健康保険　□ 国民健康保険　□ 後期高齢者医療　□ その他　□ 分からない</td></tr>
      ${['保険者の名前（分かる場合）', '勤め先の名前（会社などの健康保険の場合）'].map((label) => blank(label))}
      <tr><th scope="row">窓口の負担割合</th><td>□ 1割　□ 2割　□ 3割　□ 分からない</td></tr>
      <tr><th scope="row">前に受診したときから保険の変更</th><td>□ ない　□ ある　□ はじめて受診</td></tr>
      ${blank('署名')}
    </table>
    <p>この用紙は、はじめに受診したときに1枚だけ書いていただきます。お支払いは、ふだんの割合のままです。</p>
  </section>`;
};

/** What 緊急時医療情報・資格確認機能 asks for, for the patient to write down; staff type it in at the 資格確認端末. */
export const emergencyItemsPage = (model: PageModel): Markup => {
  const { emergencyItems, say, never } = model.catalogue().desk;
  const { year, month, day } = japanDate(model.nowMs());
  return html`<section class="form-sheet large">
    <p class="mute">${year}年${month}月${day}日　${model.context.settings().facilityName}</p>
    <p>${say}。次の${emergencyItems.length}つを書いてください。</p>
    <table>${emergencyItems.map((item) => blank(item, true))}</table>
    <p><b>${never}</b>この用紙は、保険の資格の確認だけに使い、確認のあと処分します。</p></section>`;
};
