import { japanDate } from '../../core/japan-time.ts';
import { failureTexts } from './failure-texts.ts';
import { html, type Markup } from './html.ts';
import type { PageModel } from './page-model.ts';

const blank = (label: Markup | string, wide = false): Markup =>
  html`<tr><th scope="row">${label}</th><td class="${wide ? 'wide' : ''}"></td></tr>`;

/** Words of the form: Japanese, and under it the patient's language where it is another. */
type Said = (key: string) => Markup;

const saidIn = (model: PageModel, language: string): Said => {
  const { languages } = model.catalogue();
  const japanese = languages.ja?.texts ?? {};
  const theirs = language === 'ja' ? {} : (languages[language]?.texts ?? {});
  return (key) => {
    const translated = theirs[key];
    return html`${japanese[key]}${translated !== undefined && html`<br><small lang="${language}">${translated}</small>`}`;
  };
};

const boxes = (choices: readonly Markup[]): Markup =>
  html`${choices.map((choice) => html`<span class="box">□ ${choice}</span> `)}`;

const row = (label: Markup, content: Markup): Markup => html`<tr><th scope="row">${label}</th><td>${content}</td></tr>`;

/** The languages that the form can be printed in. */
const languageLinks = (model: PageModel, code: string, now: string): Markup =>
  html`<p class="tools">${Object.values(model.catalogue().languages).map(
    ({ language, name }) =>
      html`<a class="button" href="/declaration?code=${code}&language=${language}" ${language === now && html`aria-current="page"`}><span lang="${language}">${name}</span></a>`,
  )} <button type="button" data-print>印刷する</button></p>`;

/**
 * 被保険者資格申立書 to print: facility, day and reason are filled in; what only the patient knows is theirs to write, as
 * far as they know it. `code`: of the failure that led here; an unknown one leaves the reason open. Japanese for the desk,
 * with the patient's language beside it.
 */
export const declarationPage = (model: PageModel, address: URLSearchParams): Markup => {
  const code = address.get('code') ?? '';
  const asked = address.get('language') ?? 'ja';
  const language = Object.hasOwn(model.catalogue().languages, asked) ? asked : 'ja';
  const { facilityName, medicalInstitutionCode } = model.context.settings();
  const { year, month, day } = japanDate(model.nowMs());
  const said = saidIn(model, language);
  const form = (key: string): Markup => said(`declaration.${key}`);
  const failed = failureTexts(model, code);
  const theirReason = model.catalogue().languages[language]?.texts[`failure.${failed?.patientText}`];
  return html`${languageLinks(model, code, language)}<section class="form-sheet">
    <p class="mute">${year}年${month}月${day}日　${facilityName}（医療機関等コード ${medicalInstitutionCode}）</p>
    ${language !== 'ja' && html`<p lang="${language}"><b>${model.catalogue().languages[language]?.texts['declaration.title']}</b></p>`}
    <p>${form('lead')}</p>
    <p>${form('reason')}${language === 'ja' ? '：' : html`<br>`}<b>${failed?.staff.summary ?? '　　　　　　　　　　　　'}</b>${language !== 'ja' && theirReason !== undefined && html`<br><small lang="${language}">${theirReason}</small>`}</p>
    <table>
      ${['kana', 'name', 'birthdate', 'sex', 'address', 'phone'].map((key) => blank(form(key), key === 'address'))}
      ${row(form('insurance'), boxes(['insurance-employee', 'insurance-national', 'insurance-elderly', 'other', 'unknown'].map(form)))}
      ${['insurer', 'employer'].map((key) => blank(form(key)))}
      ${row(form('share'), boxes([html`1割 (10%)`, html`2割 (20%)`, html`3割 (30%)`, form('unknown')]))}
      ${row(form('changed'), boxes(['changed-no', 'changed-yes', 'changed-first'].map(form)))}
      ${blank(form('signature'))}
    </table>
    <p>${form('note')}</p>
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
