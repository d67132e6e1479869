import { isAnnounced, type MaintenanceWindow } from '../../core/catalogue/catalogue.ts';
import type { ClockFault } from '../../core/trusted-time.ts';
import type { FolderFault } from '../oqs-folder/hand-over.ts';
import { meanwhile } from './desk-order-view.ts';
import { html, type Markup } from './html.ts';
import { type Outage, outageOf } from './outage.ts';
import type { PageModel } from './page-model.ts';
import { ownPartyView } from './party-view.ts';
import { dayAndTimeText, timeText } from './words.ts';

/** So far back the last visits are looked at, and at so many of them. ms */
const lookBackMs = 30 * 60_000;
const lookedAtVisits = 200;

const serviceOutage = (model: PageModel): Outage | null =>
  outageOf(
    model.context.journal
      .newestVisits(model.nowMs() - lookBackMs, lookedAtVisits)
      .reverse()
      .filter((visit) => visit.outcome !== null && visit.kind !== 'test'),
  );

const banner = (title: string, content: Markup, kind = ''): Markup =>
  html`<section class="banner ${kind}" role="status"><h2>${title}</h2>${content}</section>`;

const waitingText = ({ folder, code, waiting }: FolderFault): string => {
  if (code === 'files.not-a-file' && folder !== 'req')
    return `結果ファイルの名前のフォルダがあり、${waiting}件の結果を置けません。そのフォルダを移すと自動で置きます。ほかの結果は置いています。`;
  if (code === 'files.not-a-file')
    return `照会ファイルの名前で、ファイルでないもの（フォルダ・リンクなど）が${waiting}件あります。読まずに置いてあります。ほかの照会は続けています。`;
  if (code === 'files.request-unreadable')
    return `${waiting}件。理由を結果ファイルで答え、元のファイルは名前の終わりに .unreadable を付けて置いてあります。ほかの照会は続けています。`;
  if (code === 'files.request-unknown') return `${waiting}件。読まずに置いてあります。ほかの照会は続けています。`;
  if (code === 'files.in-use')
    return `${waiting}件以上が待っています。閉じられしだい自動で続けます。ほかの照会と顔認証の受付は続けています。`;
  if (folder === 'req') return 'レセコンからの照会が見えません。直りしだい自動で答えます。顔認証の受付は続けています。';
  return `${waiting}件以上の結果がレセコンへの書込みを待っています。直りしだい自動で書き込みます。`;
};

/** Something is wrong with the journal's file: staff go on, and somebody must look. */
const storeFaults = ({ context: { journal }, catalogue }: PageModel): readonly Markup[] =>
  [
    ...journal.news.flatMap((news) => (news.type === 'set-aside' ? [news.failure] : [])),
    ...journal.mishaps(),
    ...[journal.damage, journal.auditFault].filter((fault) => fault !== null),
  ].map(({ code, detail = '' }) => {
    const { summary, cause, steps } = catalogue().failures[code].staff;
    return banner(
      summary,
      html`<p>${cause}</p>
        <ol>${steps.map((step) => html`<li>${step}</li>`)}</ol>
        <p class="code">${code} ${detail}</p>`,
    );
  });

const clockWords: Readonly<Record<ClockFault, string>> = {
  behind: '遅れています',
  ahead: '進んでいます',
  moved: '動作中に変えられました',
  'long-away': '前回の動作から2週間より多く進んでいます',
};

/** New visits are held back: what could not be written down would be lost. */
const diskFault = (model: PageModel): Markup | null => {
  const { fault } = model.context.disk;
  if (fault === null) return null;
  const { staff } = model.catalogue().failures[fault];
  return banner(
    staff.summary,
    html`<p>${staff.cause}</p><ol>${staff.steps.map((step) => html`<li>${step}</li>`)}</ol>${meanwhile(model)}<p class="code">${fault}</p>${ownPartyView(model, fault, model.nowMs())}`,
  );
};

/** The agent goes on by the time it trusts; what it trusts is shown beside what the machine says. */
const clockFault = (model: PageModel): Markup | null => {
  const { fault, wallMs, machineAheadMs } = model.context.time();
  if (fault === null) return null;
  const { staff } = model.catalogue().failures['clock.wrong'];
  return banner(
    staff.summary,
    html`<p>PC の時計：${dayAndTimeText(wallMs + machineAheadMs)}（${clockWords[fault]}）。受付に使っている時刻：${dayAndTimeText(wallMs)}</p>
      <p>${staff.cause}</p><ol>${staff.steps.map((step) => html`<li>${step}</li>`)}</ol><p class="code">clock.wrong</p>`,
    'notice',
  );
};

const whoseWords = {
  agent: 'この PC',
  issuer: '証明書を更新するための鍵（発行局）',
  broker: '院内の中継機器',
} as const;

/** Renewal works by itself from 60 days before: whoever reads this long afterwards has something to do. */
const certificateWarnings = ({ certificates, desk }: PageModel): Markup | null => {
  const lanes = desk.lanes.all().flatMap(({ lane, state }) => {
    const warning = state?.certificateWarning;
    return warning === undefined ? [] : [{ whose: `窓口${lane}`, days: warning.days, endsMs: warning.endsAt }];
  });
  const own = certificates.warnings().map(({ what, days, endsMs }) => ({ whose: whoseWords[what], days, endsMs }));
  const soon = [...own, ...lanes].sort((a, b) => a.endsMs - b.endsMs);
  if (soon.length === 0) return null;
  return banner(
    '通信の証明書の期限が近づいています',
    html`<ul>${soon.map(({ whose, days, endsMs }) => html`<li>${whose}：${dayAndTimeText(endsMs)} まで（${days}日以内）</li>`)}</ul>
      <ol><li>端末とこの PC は自動で更新します。電源を入れたままにしてください</li>
      <li>30日以内になっても残るときは、システム担当者が施設の鍵（USBメモリなど）を用意して <code>uketsuke agent issuer renew</code> を行う</li></ol>`,
    soon.some(({ days }) => days <= 14) ? '' : 'notice',
  );
};

/** The service does not answer: whom it hits, since when, what the desk does for them. */
const outageBanner = (model: PageModel, { hits, code, sinceMs }: Outage): Markup => {
  const { desk, failures } = model.catalogue();
  const { name, text } = desk.outages[hits];
  const summary = failures[code].staff.summary;
  return banner(
    hits === 'everyone' ? summary : name,
    html`<p>${timeText(sinceMs)} から。${hits === 'everyone' ? html`${name}。${failures[code].staff.cause}` : `${summary}。`}</p>
      <p>${text}</p>${meanwhile(model, true)}<p class="code">${code} ${hits}</p>${ownPartyView(model, code, sinceMs)}`,
  );
};

/** An announced interruption: when, whom it hits, whether it is this area's alone. */
const windowBanner = (model: PageModel, { fromMs, untilMs, areas, hits = 'everyone' }: MaintenanceWindow): Markup => {
  const { name, text } = model.catalogue().desk.outages[hits];
  const goesOn = fromMs <= model.nowMs();
  return banner(
    `オンライン資格確認のメンテナンス${areas.length > 0 ? '（当院の地域）' : '（全国）'}`,
    html`<p>${dayAndTimeText(fromMs)} から ${dayAndTimeText(untilMs)} まで。<b>${goesOn ? name : `その間、${name}`}</b></p>
      ${goesOn && html`<p>${hits !== 'everyone' && text}</p>${meanwhile(model)}`}`,
    'notice',
  );
};

/** Whatever concerns all lanes at once, worst first. Empty when all is well. */
export const bannerView = (model: PageModel): Markup => {
  const { desk, problems } = model;
  const catalogue = model.catalogue();
  const faults = model.folderFaults();
  const outage = serviceOutage(model);
  const disasterSince = model.context.journal.disasterSince();
  const lanes = desk.lanes.all();
  const dark = lanes.length > 0 && lanes.every(({ state }) => state === null || state.status === 'offline');
  const area = model.context.settings().area;
  const windows = catalogue.maintenance.filter((each) => isAnnounced(each, area, model.nowMs()));
  return html`
    ${!desk.connected && banner('院内の中継機器につながりません', html`<p>この PC と中継機器の電源・LAN ケーブルを確認してください。自動でつなぎ直しています。</p>${ownPartyView(model, desk.disconnection, model.nowMs())}${meanwhile(model)}`)}
    ${desk.connected && dark && banner('どの窓口とも通信できません', html`<p>端末の電源と院内のネットワークを確認してください。</p>${meanwhile(model)}`)}
    ${outage !== null && outageBanner(model, outage)}
    ${diskFault(model)}
    ${clockFault(model)}
    ${certificateWarnings(model)}
    ${faults.map((fault) =>
      banner(
        catalogue.failures[fault.code].staff.summary,
        html`<p>${timeText(fault.sinceMs)} から。${waitingText(fault)}</p>
        <ol>${catalogue.failures[fault.code].staff.steps.map((step) => html`<li>${step}</li>`)}</ol>
        <p class="code">${fault.code} ${model.context.options.oqsFolder}/${fault.folder}</p>${ownPartyView(model, fault.code, fault.sinceMs)}`,
      ),
    )}
    ${storeFaults(model)}
    ${model.staffCodes.guessed().map(({ label, wrong, lockedUntil }) =>
      banner(
        `職員コードの誤りが続いています：${label}`,
        html`<p>続けて${wrong}回。${lockedUntil > model.nowMs() && html`${timeText(lockedUntil)} までこの方の入力を止めています。`}</p>
        <ol><li>本人の打ち間違いか確かめる</li><li>心当たりがなければ、この PC を使った人を確かめ、コードを登録し直す</li></ol>`,
      ),
    )}
    ${
      disasterSince !== null &&
      banner(
        '災害時：当院の地域は災害救助法の適用地域です',
        html`<p>カードも資格確認書もない方は、氏名・生年月日・住所などの申し出で受付できます。</p>
        <ol><li>資格確認端末で「災害時医療情報閲覧」を開き、本人の同意を口頭で確かめる</li><li>指定の期間が終わったら、この画面の下の「指定が終わった」を押す</li></ol>`,
        'notice',
      )
    }
    ${windows.map((window) => windowBanner(model, window))}
    ${problems().map((problem) => banner('設定ファイルに誤りがあります（前の設定で動いています）', html`<p class="code">${problem}</p>`, 'notice'))}`;
};
