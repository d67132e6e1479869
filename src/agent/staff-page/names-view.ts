import {
  enteredName,
  fillName,
  isAllPlaceholders,
  isUnfinishedName,
  type NameElement,
  nameElements,
  placeholderPlaces,
} from '../../protocol/oqs/oqs-names.ts';
import type { TodayNote } from '../journal/journal.ts';
import type { NamesByElement } from '../journal/kept-names.ts';
import { fillNames } from '../oqs-folder/put-kept-names.ts';
import { html, type Markup } from './html.ts';
import type { Notice, PageModel } from './page-model.ts';

const elementWords: Readonly<Record<NameElement, string>> = {
  Name: '氏名',
  InsuredName: '被保険者（世帯主）の氏名',
  NameOfOther: '氏名（その他・通称など）',
  NameKana: '氏名カナ',
  NameOfOtherKana: '氏名カナ（その他）',
};
/** Asked of everybody; the others only where one was sent with ●. */
const always: ReadonlySet<NameElement> = new Set(['Name', 'InsuredName', 'NameOfOther']);
const inFormOrder = ([...nameElements] as NameElement[]).sort(
  (a, b) => Object.keys(elementWords).indexOf(a) - Object.keys(elementWords).indexOf(b),
);

const isReference = (text: string): boolean => text !== '' && text.length <= 50 && !/\p{Cc}/u.test(text);
/** What the file's layout takes: `oqs-xml-schema.ts`. */
const isName = (text: string): boolean =>
  text.length <= 100 && /^[^\p{Cc}\p{Cs}\p{Emoji_Presentation}\ufffe\uffff]+$/u.test(text);

const placesText = (sent: string): string => {
  const { places, length } = placeholderPlaces(sent);
  return `${length}文字のうち ${places.join('・')}文字目が ● で届いています`;
};

/** Whether what staff entered since fills every ● of a visit. */
export const isFilledByNow = ({ referenceNumber, openNames = [] }: TodayNote, { context }: PageModel): boolean => {
  if (referenceNumber === '') return false;
  const kept = context.journal.names.of(referenceNumber);
  return openNames.every((open) => Object.keys(fillNames(open, kept).open).length === 0);
};

/** Names sent with ● to this 照会番号 today. */
const openNamesOf = ({ context }: PageModel, referenceNumber: string): readonly NamesByElement[] =>
  [...context.journal.todayNotes().values()]
    .filter((note) => referenceNumber !== '' && note.referenceNumber === referenceNumber)
    .flatMap(({ openNames = [] }) => openNames);

/** Each once, in the order in which they came. */
const sentAs = (open: readonly NamesByElement[], element: NameElement): readonly string[] => [
  ...new Set(open.flatMap((names) => names[element] ?? [])),
];

/**
 * Where staff enter, once, the right characters of a name that comes with ●. Nothing that was entered is shown again: the
 * page tells which characters are missing by their place alone.
 */
export const namesPage = (model: PageModel, address: URLSearchParams): Markup => {
  const requestId = address.get('request') ?? '';
  const note = model.context.journal.todayNotes([requestId]).get(requestId);
  const reference = note?.referenceNumber ?? '';
  const open = note?.openNames ?? [];
  return html`<section><h2>正しい字を登録する</h2>
    <ol><li>マイナポータルの「医療保険の資格情報」の画面、「資格情報のお知らせ」、または本人に、正しい字を確かめる</li>
      <li>照会番号（カルテ番号）と、氏名の全部を、正しい字で入力する（貼り付けもできます）</li>
      <li>次の受付から、レセコン用ファイルの ● がこの字になる。今日の分は、レセコンから番号で照会し直すと、この字で届く</li></ol>
    ${note !== undefined && reference === '' && html`<p class="message bad" role="status">この方は新しいカルテで、照会番号がまだありません。レセコンで番号を付けて（照会番号登録をして）から登録してください。</p>`}
    <form class="stack" method="post" action="/keep-name"><input type="hidden" name="token" value="${model.token}">
      <label>照会番号（カルテ番号）<input name="referenceNumber" required autocomplete="off" maxlength="50" value="${reference}"></label>
      ${inFormOrder
        .filter((element) => always.has(element) || sentAs(open, element).length > 0)
        .map((element) => {
          const places = [...new Set(sentAs(open, element).map(placesText))];
          return html`<label>${elementWords[element]}${places.map((text) => html` <span class="pill warn">${text}</span>`)}
            <input name="${element}" autocomplete="off" maxlength="100" lang="ja"></label>`;
        })}
      <button>登録する</button></form></section>
    <section><h2>登録を消す</h2><p>登録した氏名：${model.context.journal.names.count}件。最後に使ってから400日で自動的に消えます。</p>
      <form class="row" method="post" action="/forget-name"><input type="hidden" name="token" value="${model.token}">
        <label>照会番号（カルテ番号）<input name="referenceNumber" required autocomplete="off" maxlength="50"></label>
        <button>この番号の登録を消す</button></form></section>`;
};

const refused = (text: string): Notice => ({ good: false, text });

/** The form of `namesPage`. What was sent with ● today must be the same name but for ●: a slip of the hand shows at once. */
export const keepName = (form: URLSearchParams, model: PageModel): Notice => {
  const referenceNumber = (form.get('referenceNumber') ?? '').trim();
  const entered = inFormOrder.flatMap((element): [NameElement, string][] => {
    const name = enteredName(form.get(element) ?? '');
    return name === '' ? [] : [[element, name]];
  });
  if (!isReference(referenceNumber)) return refused('照会番号を50文字までで入力してください。');
  if (entered.length === 0) return refused('氏名を入力してください。');
  const open = openNamesOf(model, referenceNumber);
  for (const [element, name] of entered) {
    if (!isName(name)) return refused(`${elementWords[element]}：使えない文字があるか、100文字を超えています。`);
    if (isUnfinishedName(name))
      return refused(`${elementWords[element]}：● や ?、〓 のままです。正しい字を入力してください。`);
    const sent = sentAs(open, element);
    if (sent.length > 0 && sent.every(isAllPlaceholders))
      return refused(
        `${elementWords[element]}：届いた氏名が ● だけのため、同じ方の氏名か確かめられません。登録していません。`,
      );
    // One card may have names of two insurers: what fits none of them is a slip of the hand.
    if (sent.length > 0 && sent.every((one) => fillName(one, name) === null))
      return refused(
        `${elementWords[element]}：届いた氏名と、● のほかの字または文字数が違います。登録していません（${sent.map(placesText).join('、')}）。`,
      );
  }
  const { journal, clock } = model.context;
  journal.atOnce(() => {
    journal.names.keep(referenceNumber, Object.fromEntries(entered));
    journal.audit.append({ atMs: clock.now().wallMs, event: 'name-kept', subject: 'staff-page' });
  });
  model.context.changed();
  return { good: true, text: `照会番号 ${referenceNumber}：正しい字を登録しました。次の受付から使います。` };
};

export const forgetName = (form: URLSearchParams, model: PageModel): Notice => {
  const referenceNumber = (form.get('referenceNumber') ?? '').trim();
  const { journal, clock } = model.context;
  const isForgotten = journal.atOnce(() => {
    const was = journal.names.forget(referenceNumber);
    if (was) journal.audit.append({ atMs: clock.now().wallMs, event: 'name-forgotten', subject: 'staff-page' });
    return was;
  });
  return isForgotten
    ? { good: true, text: `照会番号 ${referenceNumber}：登録を消しました。` }
    : refused(`照会番号 ${referenceNumber}：登録はありません。`);
};
