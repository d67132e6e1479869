import { japanDate } from '../../core/japan-time.ts';
import type { StateName } from '../../core/visit/session.ts';

/** What staff read: one word for each state of a visit, method, outcome and notice. Staff texts are Japanese. */
export const phaseWords: Readonly<Record<StateName, string>> = {
  idle: 'カードをお待ちしています',
  choosingPhone: 'スマートフォンの種類を選択中',
  enteringPhonePin: 'スマートフォンの暗証番号を入力中',
  awaitingPhone: 'スマートフォンをかざすのを待っています',
  verifyingPhone: 'スマートフォンを確認中',
  readingCard: 'カードを読み取り中',
  choosingMethod: '本人確認の方法を選択中',
  verifyingFace: '顔認証中',
  enteringPin: '暗証番号を入力中',
  awaitingStaffCheck: '目視の確認を待っています',
  awaitingLookup: '資格情報を確認中',
  registering: '健康保険証利用の申込中',
  askingConsent: '同意の確認中',
  signing: 'カードで署名中',
  sending: '受付の内容を送信中',
  awaitingResult: '資格確認の結果待ち',
  showingResult: '結果を表示中',
  awaitingCardRemoval: 'カードの取り出し待ち',
  interrupted: '窓口へご案内中',
  outOfService: '使用できません',
};

export const isPhase = (name: string | undefined): name is StateName =>
  name !== undefined && Object.hasOwn(phaseWords, name);

export const kindWords = { eligibility: '受付', registration: '利用申込', test: 'テスト' } as const;

/** The languages of the patient's screen, as staff know them. */
export const languageWords: Readonly<Record<string, string>> = {
  ja: '日本語',
  'ja-easy': 'やさしい日本語',
  en: '英語',
  'zh-Hans': '中国語（簡体）',
  'zh-Hant': '中国語（繁体）',
  ko: '韓国語',
  vi: 'ベトナム語',
  pt: 'ポルトガル語',
  tl: 'フィリピン語',
  ne: 'ネパール語',
};

export const methodWords = { face: '顔認証', pin: '暗証番号', staff: '目視' } as const;

export const outcomeWords = {
  eligible: '資格あり',
  'not-eligible': '資格なし・要確認',
  registered: '利用申込 完了',
  failed: '確認できず',
  tested: 'テスト 正常',
} as const;

const characterWords: Readonly<Record<string, string>> = {
  'removed-selector': '氏名などの異体字指定を外して書きました',
  twin: '同じ形の別コードの記号に置き換えました',
  lacking: '氏名などに、レセコンで表示できないことがある文字があります（省略せずに書いています）',
  'sent-as-placeholder':
    '氏名に ● または ? が届いています。マイナポータルの「医療保険の資格情報」の画面、「資格情報のお知らせ」、または本人に字を確かめてください',
};

/** U+20BB7 → 𠮷: staff know the letter, not its number. */
const characterOf = (codePoint = ''): string =>
  /^U\+[0-9A-F]{4,6}$/.test(codePoint) ? String.fromCodePoint(Number.parseInt(codePoint.slice(2), 16)) : codePoint;

/** Words of `staff-notice.ts`. */
export const noticeText = (notice: string): string => {
  const [kind, what, codePoint] = notice.split(':');
  if (kind === 'name-character') return `${characterWords[what ?? ''] ?? ''}（${characterOf(codePoint)}）`;
  if (kind === 'medical-subsidy-wanted') return '医療費助成の受給者証の利用を希望されています';
  if (kind === 'documents-opened') return `診療情報提供書 ${what ?? ''}件の閲覧に同意されました`;
  if (kind === 'prescriptions-chosen') return `電子処方箋 ${what ?? ''}件を当薬局で調剤してほしいとのことです`;
  if (kind === 'file-not-writable') return 'レセコン用ファイルを作れませんでした。システム担当者へ連絡してください';
  if (kind === 'file-given-up')
    return 'レセコン用ファイルを書けないまま保存期限が過ぎました。番号で照会するか、もう一度カードで受付してください';
  if (kind === 'several-qualifications') return '資格が複数あります。レセコンで選んでください';
  if (kind === 'ticket-of-another-institution')
    return '医療券の指定医療機関が当院ではありません。福祉事務所に確認してください';
  if (kind === 'kept-name-differs')
    return '登録してある氏名と、届いた氏名が合いません（改姓、番号の付け違いなど）。届いたまま書いています';
  if (kind === 'consent-lapsed') return '訪問・オンライン診療の同意の期限が切れています';
  if (kind === 'consent-not-obtainable') return '救急：同意は取得困難として記録されました';
  return notice;
};

/** Made once: each formatter holds 30 KB outside of V8's sight, and a page of 200 visits asks for 200 times of day. */
const timeOfDay = new Intl.DateTimeFormat('ja-JP', {
  timeZone: 'Asia/Tokyo',
  hour: '2-digit',
  minute: '2-digit',
  hour12: false,
});

/** HH:mm in Japan. */
export const timeText = (wallMs: number): string => timeOfDay.format(wallMs);

/** M月d日 HH:mm in Japan. */
export const dayAndTimeText = (wallMs: number): string => {
  const { month, day } = japanDate(wallMs);
  return `${month}月${day}日 ${timeText(wallMs)}`;
};

/** yyyy年M月d日 in Japan. */
export const dayText = (wallMs: number): string => {
  const { year, month, day } = japanDate(wallMs);
  return `${year}年${month}月${day}日`;
};

export const monthText = (month: string): string => `${month.slice(0, 4)}年${Number(month.slice(4))}月`;
