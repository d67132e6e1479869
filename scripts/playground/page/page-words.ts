import type { FaultName } from '../../trials/simulate/plan.ts';

/** Both languages of the page around the screens; those inside have the catalogue's own ten. */
export type Both = { readonly ja: string; readonly en: string };
const both = (ja: string, en: string): Both => ({ ja, en });

export const patients: Readonly<Record<string, Both>> = {
  hanako: both('花子さん（登録済み）', 'Hanako (registered)'),
  taro: both('太郎さん（登録済み）', 'Taro (registered)'),
  unregistered: both('はじめて使う方（利用登録がまだ）', 'first visit, not registered yet'),
  'near-expiry': both('電子証明書の期限が近い方', 'certificate ends soon'),
  grace: both('電子証明書の期限が切れて3か月以内の方', 'certificate ended less than three months ago'),
  'face-only': both('暗証番号のない顔認証マイナンバーカード', 'card without a PIN, by face only'),
  'no-photo': both('写真のない乳幼児のカード', "an infant's card, without a photo"),
  'pin-blocked': both('暗証番号がロックされた方', 'PIN is blocked'),
  revoked: both('電子証明書が失効した方', 'certificate was revoked'),
  dead: both('電子証明書の期限が切れて長い方', 'certificate ended long ago'),
  'old-juki': both('住民基本台帳カード（旧）', 'old resident card'),
  'driving-licence': both('運転免許証', 'driving licence'),
  'residence-card': both('在留カード', 'residence card'),
  iphone: both('iPhone', 'iPhone'),
  'empty-phone': both('マイナンバーカードの機能のないスマートフォン', 'a phone without the My Number application'),
  'android-phone': both('Android スマートフォン（カードの台に置いたとき）', 'Android phone, laid on the card bed'),
};

export const faces = {
  own: both('本人', 'the patient'),
  other: both('別の人', 'somebody else'),
  nobody: both('だれもいない', 'nobody'),
} as const;
export type FaceChoice = keyof typeof faces;

export const faults: Readonly<Partial<Record<FaultName | 'none', Both>>> = {
  none: both('なし', 'none'),
  'terminal cut off': both('受付端末のケーブルが抜けた', "the terminal's cable is out"),
  'agent cut off': both('PC のネットワークが切れた', "the PC's network is cut"),
  'broker dies': both('中継のソフトが止まった', 'the broker has died'),
  'messages twice': both('通信が二重に届く', 'messages come twice'),
  'messages overtake': both('通信の順番が入れ替わる', 'messages overtake each other'),
  'service away': both('オンライン資格確認等システムが応答しない', 'the national service is away'),
  'service slow': both('オンライン資格確認等システムが遅い', 'the national service is slow'),
  'folder refuses': both('レセコンとの共有フォルダに書けない', 'the shared folder takes no files'),
  'agent disk full': both('PC のディスクがいっぱい', "the PC's disk is full"),
  'reader unplugged': both('カードリーダーが抜けた', 'the card reader is unplugged'),
  'camera frozen': both('カメラの映像が止まった', 'the camera stands still'),
  'face process dead': both('顔認証の部品が止まった', 'the face process has died'),
};

/** Sizes of the patient's panel, CSS pixels */
export const sizes = {
  '10': { ...both('10.1型・横', '10.1 inch, landscape'), width: 1280, height: 800 },
  '7': { ...both('7型・横', '7 inch, landscape'), width: 1024, height: 600 },
  tall: { ...both('10.1型・縦', '10.1 inch, portrait'), width: 800, height: 1280 },
  '21': { ...both('21.5型・横', '21.5 inch, landscape'), width: 1920, height: 1080 },
} as const;
export type SizeName = keyof typeof sizes;

export const words = {
  title: both('受付 Uketsuke を試す', 'Try Uketsuke'),
  about: both(
    '顔認証付きカードリーダーの公開ソフトウェアです。このページの中だけで全体が動いています。通信はしません。人・カード・鍵・医療機関・国のシステムはすべて架空です。',
    'The open software of the face-authenticating card reader at a Japanese clinic. All of it runs inside this page; it speaks to no other machine. People, cards, keys, clinic and national service are all invented.',
  ),
  first: both('患者さんと故障を選ぶ', 'Choose a patient and a fault'),
  second: both('「カードを置く」を押す', 'Press "Lay the card down"'),
  third: both('患者さんの画面に触れて進む', "Touch the patient's screen and go on"),
  patient: both('患者さん', 'patient'),
  face: both('カメラの前', 'before the camera'),
  fault: both('故障', 'fault'),
  language: both('画面の言語', 'language'),
  size: both('画面の大きさ', 'size'),
  lay: both('カードを置く', 'Lay the card down'),
  pull: both('カードを取る', 'Take the card'),
  pin: both('暗証番号', 'PIN'),
  noPin: both('暗証番号なし', 'no PIN'),
  screen: both('患者さんの画面', "The patient's screen"),
  staff: both('受付モニター（スタッフの画面）', 'Staff page (Japanese)'),
  staffHint: both('目視確認の職員コードは 2580', 'staff code for a check by eye: 2580'),
  messages: both('院内の通信（MQTT）', "Messages on the clinic's network (MQTT)"),
  file: both('レセコンへのファイル', 'File for the billing computer (レセコン)'),
  none: both('まだありません。カードを置いて受付を終えると現れます。', 'None yet: it appears when a visit is done.'),
  states: both('受付の状態', 'states of the visit'),
  sealed: both('封をした中身（施設の鍵で開けたところ）', 'sealed; shown as opened with the facility’s key'),
  signed: both('署名つき', 'signed'),
  plain: both('そのまま', 'plain'),
  toAgent: both('端末 → PC', 'terminal → PC'),
  toTerminal: both('PC → 端末', 'PC → terminal'),
  again: both('最初から', 'Start again'),
} as const;
