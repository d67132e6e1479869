import { type RuleWords, rule } from '../finding.ts';

/** What a program must not do with somebody's card. Each was seen to lock a card, to leak a number, or to fail in the field. */
export const cardRules = {
  'no-counter-read': rule(
    '残り回数を見ずに暗証番号を照合しました',
    'a PIN was verified without a look at the tries that are left',
    'VERIFY の前に、本体のない VERIFY（00 20 00 80）で残り回数を読む',
    'read the counter first by an empty VERIFY (00 20 00 80)',
  ),
  'last-try-spent': rule(
    '最後の1回を使いました',
    'the last try was spent',
    '63C1 のあとは、本人がはっきり「はい」と言うまで照合しない',
    'after 63C1 nothing is verified without an explicit yes of the person',
  ),
  'same-pin-again': rule(
    '断られた暗証番号をもう一度送りました',
    'a PIN that was refused was sent again',
    '63Cx のあとは必ず入力しなおしてもらう。自動の再送はしない',
    'after 63Cx ask anew; never send again by yourself',
  ),
  'verify-when-blocked': rule(
    'ロックされた暗証番号を照合しました',
    'a blocked PIN was verified',
    '63C0、6983、6984 のあとは照合しない',
    'after 63C0, 6983 or 6984 verify nothing',
  ),
  'wrong-pin-length': rule(
    '利用者証明用の暗証番号が数字4桁ではありません',
    'the authentication PIN is not four digits',
    'EF 0018 には ASCII の数字4桁だけを送る。1回の誤りとして数えられる',
    'send four ASCII digits to EF 0018; anything else costs a try',
  ),
  'sign-password-touched': rule(
    '署名用パスワード（EF 001B）を照合しました',
    'the signing password (EF 001B) was verified',
    '資格確認では署名用の鍵もパスワードも使わない',
    'eligibility needs neither the signing key nor its password',
  ),
  'individual-number-selected': rule(
    '個人番号（12桁）のファイルを選びました',
    'the file of the 12-digit number was selected',
    '券面事項入力補助 AP の EF 0001 は選ばない',
    'never select EF 0001 of the 券面事項入力補助 application',
  ),
  'number-a-used': rule(
    '照合番号A（個人番号）を送りました',
    '照合番号A, the 12-digit number, was sent',
    '照合番号B（生年月日・有効期限・セキュリティコード）を使う',
    'use 照合番号B',
  ),
  'number-b-looped': rule(
    '照合番号B を何度も試しました',
    '照合番号B was tried more than once',
    '1回の置き直しにつき1回だけ試す。10回でロックされ、市区町村の窓口が要る',
    'one try an insertion: ten burnt tries need a town hall',
  ),
  'number-b-few-left': rule(
    '残り5回以下で照合番号B を試しました',
    '照合番号B was tried with five or fewer tries left',
    '先に残り回数を読み、5回以下なら試さない',
    'read the counter first and stop at five',
  ),
  'application-not-selected': rule(
    'アプリケーションを選ばずにファイルを選びました',
    'a file was selected before an application',
    'SELECT（AID）を先に送る',
    'SELECT by AID comes first',
  ),
  'card-not-recognised': rule(
    'カードの種類を確かめずに暗証番号を送りました',
    'a PIN was sent to a card that was not recognised',
    'JPKI AP を選び EF 0006 のラベル（JPKIAPICCTOKEN2）を確かめてから。ATR では決めない',
    'select the JPKI application and read the label of EF 0006 first; never decide by ATR',
  ),
  'refused-selection-ignored': rule(
    '選べなかったファイルを読もうとしました',
    'a file was used whose selection had been refused',
    '6A82 のあとは前に選んだファイルが選ばれたまま。別のファイルとして読まない',
    'after 6A82 the file of before is still selected: do not use it for another',
  ),
  'select-between-verify-and-sign': rule(
    '照合と署名の間にアプリケーションを選びました',
    'an application was selected between VERIFY and SIGN',
    'ほかを先に読み、VERIFY → SELECT EF 0017 → SIGN の順にする。照合が消えることがある',
    'read all else first: VERIFY, SELECT EF 0017, SIGN; a selection may clear the PIN',
  ),
  'sign-without-verify': rule(
    '照合せずに署名しようとしました',
    'a signature was asked for without a verified PIN',
    '6982 のときは署名をくり返さず、暗証番号の照合からやりなおす',
    'after 6982 begin with the PIN again instead of asking for the signature',
  ),
  'sign-wrong-class': rule(
    '署名の CLA が 80 ではありません',
    'the class byte of SIGN is not 80',
    '80 2A 00 80 Lc <DigestInfo> 00',
    '80 2A 00 80 Lc <DigestInfo> 00',
  ),
  'sign-no-digest-info': rule(
    '署名の対象が DigestInfo ではありません',
    'what is to be signed is no DigestInfo',
    'SHA-256 なら 30 31 30 0D … 04 20 に続けて32バイト（計51バイト）',
    'for SHA-256: 30 31 30 0D … 04 20 and 32 bytes, 51 in all',
  ),
  'long-apdu': rule(
    '短い APDU ではありません',
    'not a short APDU',
    '本体は255バイトまで、Le は256まで。マイナンバーカードは拡張長を知らない',
    'at most 255 bytes of body and Le 256: the card knows no extended length',
  ),
  'read-past-end': rule(
    'ファイルの終わりを越えて読みました',
    'it was read beyond the end of the file',
    '最初の数バイト（証明書は4、FF20 は7）から長さを知り、その分だけ読む',
    'learn the length from the first bytes (certificate 4, FF20 7) and read so much',
  ),
  'read-twice': rule(
    '同じところを2度読みました',
    'the same bytes were read twice',
    '読んだものは覚えておく。非接触では1回に数十 ms かかる',
    'keep what was read: each answer takes tens of milliseconds on air',
  ),
  'wrong-length-ignored': rule(
    '6Cxx・61xx に続きませんでした',
    'no answer to 6Cxx or 61xx',
    '6Cxx は Le を直して送り直し、61xx は GET RESPONSE を送る',
    'after 6Cxx send again with that Le, after 61xx GET RESPONSE',
  ),
  'verify-resent': rule(
    '答えのない VERIFY を送り直しました',
    'a VERIFY without an answer was sent again',
    '答えがなくても1回に数えられていることがある。残り回数を読みなおす',
    'it may have counted: read the counter again first',
  ),
} as const satisfies Record<string, RuleWords>;
export type CardRule = keyof typeof cardRules;
