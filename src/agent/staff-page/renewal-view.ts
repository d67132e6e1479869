import { type RenewalState, renewalStates } from '../../core/catalogue/desk-order.ts';
import {
  formatJapanDate,
  type JapanDate,
  japanDate,
  parseJapanDate,
  startOfJapanDay,
  startOfJapanMonth,
} from '../../core/japan-time.ts';
import { certificateStateAt, graceEndMs } from '../../core/visit/certificate-state.ts';
import { html, type Markup } from './html.ts';
import type { PageModel } from './page-model.ts';
import { dayText } from './words.ts';

const isRenewalState = (text: string): text is RenewalState => (renewalStates as readonly string[]).includes(text);

/** yyyyMMdd of a Japanese day to the last instant that belongs to it. */
const lastMsOf = (day: JapanDate): number => startOfJapanDay({ ...day, day: day.day + 1 }) - 1_000;

/** `state` and the last day of the certificate, as an address of `renewalPage`. */
export const renewalAddress = (state: RenewalState, endsMs: number | null = null): string =>
  `/renewal?state=${state}${endsMs === null ? '' : `&ends=${formatJapanDate(japanDate(endsMs))}`}`;

/**
 * 電子証明書の更新, in large letters, to print and hand over: where, until when, what to bring, how this visit stands. One
 * of four slips, by the address; nothing of the person.
 */
export const renewalPage = (model: PageModel, address: URLSearchParams): Markup => {
  const { renewal } = model.catalogue().desk;
  const asked = address.get('state') ?? '';
  const state = isRenewalState(asked) ? asked : 'near-expiry';
  const { title, deadline, openDeadline, today } = renewal.states[state];
  const day = parseJapanDate(address.get('ends') ?? '');
  const until =
    day === null
      ? openDeadline
      : deadline.replace('{ends}', dayText(lastMsOf(day))).replace('{grace}', dayText(graceEndMs(lastMsOf(day))));
  return html`<p class="tools">${renewalStates.map(
    (each) =>
      html`<a class="button" href="${`/renewal?state=${each}`}" ${each === state && html`aria-current="page"`}>${renewal.states[each].name}</a>`,
  )} <button type="button" data-print>印刷する</button></p>
  <section class="slip">
    <p><b>${title}。</b></p>
    <dl><dt>どこで</dt><dd>${renewal.place}<br><small>${renewal.placeNote}</small></dd>
    <dt>いつまで</dt><dd>${until}</dd>
    <dt>持ちもの</dt><dd><ul>${renewal.bring.map((item) => html`<li>${item}</li>`)}</ul></dd></dl>
    <p>${today}</p>
    <p class="mute">${model.context.settings().facilityName}</p></section>`;
};

/** How one of the list stands today: what was near its end may have ended since. */
const stateNow = (endsAt: number, nowMs: number): RenewalState => {
  const state = certificateStateAt('my-number-card', endsAt, nowMs);
  return state === 'dead' ? 'expired' : state === 'grace' ? 'grace' : 'near-expiry';
};

/** Of this month's patients those whose certificate ends within three months or has ended. */
export const expiringCount = (model: PageModel): number =>
  model.context.journal.certificateEnds.countSince(startOfJapanMonth(model.nowMs()));

/** By 照会番号 alone: staff find the name in their レセコン. The earliest end first. */
export const expiringPage = (model: PageModel): Markup => {
  const { states } = model.catalogue().desk.renewal;
  const ends = model.context.journal.certificateEnds.since(startOfJapanMonth(model.nowMs()));
  const lead = html`<p>今月カードで受付した方のうち、電子証明書の期限が3か月以内か、切れている方です。照会番号のない方（新しいカルテ）は、今日の受付の欄で確認してください。</p>`;
  if (ends.length === 0) return html`<section>${lead}<p class="mute">いまのところ、いません。</p></section>`;
  return html`<section>${lead}
    <table><thead><tr><th scope="col">照会番号</th><th scope="col">期限</th><th scope="col">いまの状態</th><th scope="col">今月の受付</th><th scope="col">すること</th></tr></thead><tbody>
    ${ends.map(({ referenceNumber, endsAt, seenAt }) => {
      const state = stateNow(endsAt, model.nowMs());
      return html`<tr><td>${referenceNumber}</td><td class="short">${dayText(endsAt)}</td>
        <td><span class="pill ${state === 'near-expiry' ? 'quiet' : 'warn'}">${states[state].name}</span></td>
        <td class="short">${dayText(seenAt)}</td>
        <td>${states[state].next}<br><a href="${renewalAddress(state, endsAt)}">更新のご案内を印刷する</a></td></tr>`;
    })}</tbody></table></section>`;
};

/** A notice of a visit, `certificate:near-expiry:20270115`: the state, its last day, what to do, the slip. */
export const certificateNotice = (model: PageModel, notice: string): Markup | null => {
  const [kind, state = '', ends = ''] = notice.split(':');
  const day = parseJapanDate(ends);
  if (kind !== 'certificate' || !isRenewalState(state) || day === null) return null;
  const { name, next } = model.catalogue().desk.renewal.states[state];
  return html`<p><span class="pill ${state === 'near-expiry' ? 'quiet' : 'warn'}">電子証明書：${name}</span> ${dayText(lastMsOf(day))}まで。${next} <a href="${renewalAddress(state, lastMsOf(day))}">更新のご案内を印刷する</a></p>`;
};
