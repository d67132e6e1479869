import { deskSteps } from '../../core/catalogue/desk-order.ts';
import { html, type Markup } from './html.ts';
import type { PageModel } from './page-model.ts';

/** What the desk does when a card cannot be checked: the catalogue's one order, with what this facility has. */
export const deskOrderList = (model: PageModel, nationalOutage = false): Markup => {
  const { desk } = model.catalogue();
  const { homeConsent, qualificationApp } = model.context.settings();
  return html`<ol>${deskSteps(desk, { homeConsent, qualificationApp, nationalOutage }).map(
    ({ text }) => html`<li>${text}</li>`,
  )}</ol><p><b>${desk.never}</b></p>`;
};

/** The same for all lanes at once: with what to say to patients, and whom to call in an outage of the whole country. */
export const meanwhile = (model: PageModel, nationalOutage = false): Markup => {
  const { desk } = model.catalogue();
  return html`${deskOrderList(model, nationalOutage)}
    ${
      nationalOutage &&
      html`<p>緊急時医療情報・資格確認機能で入力する項目：${desk.emergencyItems.join('、')}</p>
        <ul>${desk.contacts.map(({ name, number, hours }) => html`<li>${name} <b>${number}</b>（${hours}）</li>`)}</ul>`
    }
    <p class="say">患者さまへ：「${desk.say}」</p>`;
};
