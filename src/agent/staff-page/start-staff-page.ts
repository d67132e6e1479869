import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { describeError } from '../../log/event-log.ts';
import { type LocalAnswer, type LocalRequest, startLocalServer } from '../../web/local-server.ts';
import { fontStyle, pageFonts } from '../../web/served-fonts.ts';
import { prometheusType } from '../../wire/prometheus-text.ts';
import { monthOf } from '../journal/today-notes.ts';
import { bannerView } from './banner-view.ts';
import { companionsPage } from './companions-view.ts';
import { html, Markup } from './html.ts';
import { lanesView } from './lanes-view.ts';
import { agentMetrics } from './metrics.ts';
import { monthSheet } from './month-sheet-view.ts';
import { namesPage } from './names-view.ts';
import { carryOut } from './orders.ts';
import type { Notice, PageModel, StaffPageParts } from './page-model.ts';
import { PendingOrders } from './pending-orders.ts';
import { declarationPage, emergencyItemsPage } from './printed-forms.ts';
import { expiringCount, expiringPage, renewalPage } from './renewal-view.ts';
import { selfTestView } from './self-test-view.ts';
import { spareView } from './spare-view.ts';
import { tryNewTerminals, tryReleasesOnTrial } from './try-new-terminals.ts';
import { usageCsv, usagePage } from './usage-view.ts';
import { visitsView } from './visits-view.ts';
import { monthText } from './words.ts';

/** So many pages may listen at once; the oldest is let go, its browser asks again. */
const maximumListeners = 16;
/** An answer to an order, with the visit it was about: the lane and what went on there. */
type Told = { readonly notice: Notice; readonly atMs: number; readonly device: string; readonly visit: string };

/** Answers to the last orders, by the id in the address of the page that shows them. */
const maximumNotices = 32;
/** What was answered to an order is news for this long. ms */
const noticeMs = 60_000;

const asset = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const style = asset('./staff-page.css');
const fonts = pageFonts();
const script = asset('./staff-page.js');

const securityHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  // Not `no-referrer`: browsers then call the Origin of our own forms null.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

const parts: Readonly<Record<string, (model: PageModel, address: URLSearchParams) => Markup>> = {
  notice: (model, address) => noticeView(model.notice(address)),
  month: (model) => html`<a class="button" href="/expiring">更新が必要な方 ${expiringCount(model)}人</a>
    <a class="button" href="/names">氏名の ●</a> <a class="button" href="/usage">今月 ${model.context.journal.cardUses(model.nowMs())}件</a>`,
  banner: bannerView,
  lanes: lanesView,
  'self-test': selfTestView,
  visits: visitsView,
};

/** Where the answer to an order is shown, where that is not the first page. */
const pageOf: Readonly<Record<string, string>> = {
  '/official-usage': '/usage',
  '/receipt-share': '/usage',
  '/self-test': '/self-test',
  '/self-test-answer': '/self-test',
  '/keep-name': '/names',
  '/forget-name': '/names',
};

/** Nothing to tell = an empty element, which takes no room. */
const trimmed = (markup: Markup): Markup => new Markup(markup.text.trim());

/** A part that cannot be drawn says so and leaves the others as they are. null: there is no such part. */
const drawn = (name: string, model: PageModel, address: URLSearchParams): Markup | null => {
  const draw = Object.hasOwn(parts, name) ? parts[name] : undefined;
  try {
    return draw ? trimmed(draw(model, address)) : null;
  } catch (error) {
    model.context.log.event('process.error', describeError(error));
    return html`<p class="message bad" role="status">この欄を表示できません。ほかの欄は使えます。システム担当者に連絡してください。</p>`;
  }
};

const part = (name: string, model: PageModel, address: URLSearchParams): Markup => {
  return html`<div data-part="${name}">${drawn(name, model, address)}</div>`;
};

const toMonitor = html`<a class="button" href="/">受付モニターへ</a>`;

const printButton = html`<p class="tools"><button type="button" data-print>印刷する</button></p>`;

/** Sound, once and soft, whenever a lane newly needs somebody; muted for the day by whoever sits there. */
const bell = html`<button type="button" id="bell" aria-pressed="true">お知らせ音</button>
  <button type="button" id="notify" hidden>デスクトップ通知を許可</button>`;

const icon = (isCalled: boolean): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="${isCalled ? '#a90000' : '#0017c1'}"/><path d="M7 17l6 6L25 10" fill="none" stroke="#fff" stroke-width="4"/></svg>`;

/** Whole page. `title` is the heading, too. */
const layout = (
  title: string,
  navigation: Markup,
  content: Markup,
  phone: string | undefined = undefined,
): Markup => html`<!doctype html>
<html lang="ja"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><link rel="icon" href="/icon.svg" id="icon"><link rel="stylesheet" href="${fontStyle}"><link rel="stylesheet" href="/staff-page.css"><script src="/staff-page.js" defer></script></head>
<body><header><h1>${title}</h1><nav>${navigation}</nav></header>
<main>${content}</main>
<footer>この画面に患者さまの氏名・番号は表示しません。この PC からだけ開けます。${phone && `　機械の連絡先（保守）：${phone}`}</footer></body></html>`;

const noticeView = (notice: Notice | undefined): Markup =>
  notice === undefined
    ? html``
    : html`<p class="message ${notice.good ? 'ok' : 'bad'}" role="status">${notice.text}</p>`;

const disasterSection = (model: PageModel): Markup => {
  const designated = model.context.journal.disasterSince() !== null;
  return html`<section aria-labelledby="disaster"><h2 id="disaster">災害時</h2>
    <p>災害救助法の適用地域に指定されたときは、資格確認端末の「災害時医療情報閲覧」でカードのない方の情報を見られます（この受付端末では行いません）。</p>
    <form class="row" method="post" action="/disaster"><input type="hidden" name="token" value="${model.token}">
      <input type="hidden" name="designated" value="${designated ? 'no' : 'yes'}">
      <button>${designated ? '指定が終わった' : '当院の地域が指定された'}</button></form></section>`;
};

const monitorPage = (model: PageModel, address: URLSearchParams): Markup => {
  const { facilityName, technicianPhone } = model.context.settings();
  return layout(
    `受付モニター　${facilityName}`,
    html`${bell}<a class="button" href="/self-test">始業前点検</a><a class="button" href="/companions">付き添いの方へ</a>${part('month', model, address)}`,
    html`<p id="page-offline" class="message bad" hidden>この画面が受付システムとつながっていません。PC のサービス「uketsuke agent」を確認してください。</p>
      ${part('notice', model, address)}
      ${part('banner', model, address)}
      <section aria-labelledby="lanes"><h2 id="lanes">窓口</h2>${part('lanes', model, address)}</section>
      <section aria-labelledby="visits"><h2 id="visits">今日の受付</h2>${part('visits', model, address)}</section>
      <section aria-labelledby="seen"><h2 id="seen">今月カードを確認したか（月1回の確認）</h2>
        <form class="row" method="post" action="/card-seen"><input type="hidden" name="token" value="${model.token}">
          <label>照会番号（カルテ番号）<input name="referenceNumber" required autocomplete="off" maxlength="40"></label>
          <button>調べる</button></form></section>
      ${disasterSection(model)}`,
    technicianPhone,
  );
};

const page = (
  status: number,
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): LocalAnswer => ({
  status,
  headers: { 'Content-Type': `${type}; charset=utf-8`, ...headers },
  body,
});

const bundleAnswer = ({ desk }: PageModel, device: string): LocalAnswer => {
  const bundle = desk.commands.bundleOf(device);
  if (bundle === undefined) return page(404, 'text/plain', 'not found');
  const day = new Date(bundle.at).toISOString().slice(0, 10);
  const disposition = `attachment; filename="uketsuke-${device}-${day}.json.gz"`;
  return {
    status: 200,
    headers: { 'Content-Type': 'application/gzip', 'Content-Disposition': disposition },
    body: bundle.bytes,
  };
};

const sameToken = (given: string | null, token: string): boolean => {
  const a = Buffer.from(given ?? '');
  const b = Buffer.from(token);
  return a.length === b.length && timingSafeEqual(a, b);
};

/**
 * The staff page, on loopback only. A foreign page in the same browser can do nothing here: the Host must be ours (DNS
 * rebinding), an order needs our own Origin and the token that stands in our forms, nothing may frame or read the page.
 */
export const startStaffPage = async (
  pageParts: StaffPageParts,
): Promise<{ readonly address: string; close(): Promise<void> }> => {
  const listeners = new Set<ServerResponse>();
  const notices = new Map<string, Told>();
  const model: PageModel = {
    ...pageParts,
    token: randomBytes(32).toString('base64url'),
    orders: new PendingOrders(),
    nowMs: () => pageParts.context.clock.now().wallMs,
    notice: (address) => {
      const told = notices.get(address.get('notice') ?? '');
      return told && model.nowMs() - told.atMs < noticeMs && visitAt(told.device) === told.visit
        ? told.notice
        : undefined;
    },
  };
  /** What goes on at a lane; a message about it goes away with it. */
  const visitAt = (device: string): string => {
    const state = model.desk.lanes.all().find((lane) => lane.device === device)?.state;
    return `${state?.session ?? ''} ${state?.status === 'offline'}`;
  };
  const listen = (response: ServerResponse): void => {
    const oldest = listeners.size >= maximumListeners ? listeners.values().next().value : undefined;
    oldest?.end();
    response.write('retry: 1000\n\nevent: changed\ndata:\n\n');
    listeners.add(response);
    response.on('close', () => listeners.delete(response));
  };

  const read = async (path: string, address: URLSearchParams): Promise<LocalAnswer> => {
    const font = await fonts(path);
    if (font !== null) return font;
    const shown = pages[path];
    if (shown !== undefined) return page(200, 'text/html', shown(model, address).text);
    if (path === '/metrics')
      return { status: 200, headers: { 'Content-Type': prometheusType }, body: agentMetrics(model) };
    if (path === '/support-bundle') return bundleAnswer(model, address.get('device') ?? '');
    if (path === '/favicon.ico') return { status: 204 };
    if (path === '/icon.svg' || path === '/icon-called.svg')
      return { status: 200, headers: { 'Content-Type': 'image/svg+xml' }, body: icon(path === '/icon-called.svg') };
    if (path === '/usage.csv')
      return page(200, 'text/csv', usageCsv(model), {
        'Content-Disposition': 'attachment; filename="uketsuke-usage.csv"',
      });
    if (path === '/staff-page.css') return page(200, 'text/css', style);
    if (path === '/staff-page.js') return page(200, 'text/javascript', script);
    if (path === '/events') return { status: 200, headers: { 'Content-Type': 'text/event-stream' }, stream: listen };
    const view = path.startsWith('/part/') ? drawn(path.slice('/part/'.length), model, address) : null;
    return view === null ? page(404, 'text/plain', 'not found') : page(200, 'text/html', view.text);
  };

  const write = async ({ path, isFromOwnPage, body }: LocalRequest): Promise<LocalAnswer> => {
    const form = new URLSearchParams(body.toString('utf8'));
    if (!isFromOwnPage || !sameToken(form.get('token'), model.token))
      return page(403, 'text/plain', 'この操作は受付モニターの画面から行ってください');
    const notice = await carryOut(path, form, model);
    if (notice === null) return page(404, 'text/plain', 'not found');
    // The answer is a page of its own address, so that reloading it orders nothing again.
    const id = randomBytes(9).toString('base64url');
    const device = form.get('device') ?? '';
    notices.set(id, { notice, atMs: model.nowMs(), device, visit: visitAt(device) });
    for (const old of [...notices.keys()].slice(0, -maximumNotices)) notices.delete(old);
    return { status: 303, headers: { Location: `${pageOf[path] ?? '/'}?notice=${id}` } };
  };

  const server = await startLocalServer({
    port: pageParts.port,
    headers: () => securityHeaders,
    answer: (request) => (request.method === 'POST' ? write(request) : read(request.path, request.query)),
    onError: (error) => pageParts.context.log.event('process.error', describeError(error)),
  });

  const tryThem = pageParts.triesNewTerminals ? tryNewTerminals(model) : () => {};
  const trials = tryReleasesOnTrial(model);
  const unsubscribe = pageParts.subscribe(() => {
    tryThem();
    trials.look();
    for (const listener of listeners) listener.write('event: changed\ndata:\n\n');
  });
  return {
    address: `http://127.0.0.1:${server.port}/`,
    close: async () => {
      unsubscribe();
      trials.close();
      for (const listener of listeners) listener.end();
      await server.close();
    },
  };
};

const monthLayout = (model: PageModel): Markup =>
  layout(
    `月の集計　${model.context.settings().facilityName}`,
    html`<a class="button" href="/usage">利用件数へ</a>`,
    html`${printButton}${monthSheet(model)}`,
  );

const selfTestLayout = (model: PageModel, address: URLSearchParams): Markup =>
  layout(
    '始業前点検',
    toMonitor,
    html`${printButton}<p id="page-offline" class="message bad" hidden>この画面が受付システムとつながっていません。</p>${part('notice', model, address)}${part('self-test', model, address)}`,
  );

const spareLayout = (model: PageModel): Markup =>
  layout('予備の端末に替える', toMonitor, html`${printButton}${spareView(model)}`);

const usageLayout = (model: PageModel, address: URLSearchParams): Markup =>
  layout(
    `利用件数の報告　${model.context.settings().facilityName}`,
    toMonitor,
    html`<p id="page-offline" class="message bad" hidden>この画面が受付システムとつながっていません。</p>${part('notice', model, address)}${usagePage(model)}`,
  );

const namesLayout = (model: PageModel, address: URLSearchParams): Markup =>
  layout(
    '氏名の ● を正しい字にする',
    toMonitor,
    html`<p id="page-offline" class="message bad" hidden>この画面が受付システムとつながっていません。</p>${part('notice', model, address)}${namesPage(model, address)}`,
  );

const declarationLayout = (model: PageModel, address: URLSearchParams): Markup =>
  layout('被保険者資格申立書', toMonitor, declarationPage(model, address));

const renewalLayout = (model: PageModel, address: URLSearchParams): Markup =>
  layout('電子証明書の更新のご案内', toMonitor, renewalPage(model, address));

const expiringLayout = (model: PageModel): Markup =>
  layout(`更新が必要な方　${monthText(monthOf(model.nowMs()))}`, toMonitor, expiringPage(model));

const companionsLayout = (model: PageModel): Markup =>
  layout('付き添いの方へ', toMonitor, html`${printButton}${companionsPage(model)}`);

const emergencyItemsLayout = (model: PageModel): Markup =>
  layout('緊急時医療情報・資格確認機能のための用紙', toMonitor, html`${printButton}${emergencyItemsPage(model)}`);

const pages: Readonly<Record<string, (model: PageModel, address: URLSearchParams) => Markup>> = {
  '/': monitorPage,
  '/self-test': selfTestLayout,
  '/spare': spareLayout,
  '/usage': usageLayout,
  '/month': monthLayout,
  '/names': namesLayout,
  '/expiring': expiringLayout,
  '/renewal': renewalLayout,
  '/declaration': declarationLayout,
  '/emergency-items': emergencyItemsLayout,
  '/companions': companionsLayout,
};

/** Every page that staff can open, by its path. */
export const staffPagePaths: readonly string[] = Object.keys(pages);
