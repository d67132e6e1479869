import type { RenewalState } from '../../core/catalogue/desk-order.ts';
import { deskSteps, deskToken } from '../../core/catalogue/desk-order.ts';
import { html, type Markup } from './html.ts';
import type { PageModel } from './page-model.ts';
import { renewalAddress } from './renewal-view.ts';

/** The printed form in Japanese, and in each language that this facility offers. */
const declarationLinks = (model: PageModel, code: string): Markup => {
  const { languages } = model.catalogue();
  const offered = model.context.settings().languages.filter((language) => language !== 'ja');
  return html` <a href="/declaration?code=${code}">印刷する</a>${offered.map(
    (language) =>
      html` <a href="/declaration?code=${code}&language=${language}"><span lang="${language}">${languages[language]?.name ?? language}</span></a>`,
  )}`;
};

/** What the desk does when a card cannot be checked: the catalogue's one order, with what this facility has. */
const deskOrderList = (model: PageModel, nationalOutage = false, code = ''): Markup => {
  const { desk } = model.catalogue();
  const { homeConsent, qualificationApp } = model.context.settings();
  return html`<ol>${deskSteps(desk, { homeConsent, qualificationApp, nationalOutage }).map(
    ({ id, text }) => html`<li>${text}${id === 'declaration' && declarationLinks(model, code)}</li>`,
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
