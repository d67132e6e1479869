import { type RuleWords, rule } from '../finding.ts';

/** What a foreign terminal or agent must keep to on the clinic's bus (docs/asyncapi.yaml). */
export const busRules = {
  'topic-unknown': rule(
    '知らないトピックです',
    'a topic that nobody knows',
    'uketsuke/v1/<施設>/<端末>/ の決まった名前だけを使う',
    'use the names below uketsuke/v1/<facility>/<device>/ alone',
  ),
  form: rule(
    'メッセージの形が違います',
    'a message breaks its schema',
    'docs/asyncapi.yaml のとおり。知らない項目を入れない',
    'by docs/asyncapi.yaml, without fields of your own',
  ),
  signature: rule(
    '署名が正しくありません',
    'a signature does not hold',
    '自分の ES256 の鍵で署名し、typ は uketsuke-<名前>、kid は鍵の指紋',
    'ES256 by your own key, typ uketsuke-<leaf>, kid its thumbprint',
  ),
  'not-sealed': rule(
    '封をせずに送られました',
    'it was sent in the clear',
    'JWE（ECDH-ES、A256GCM）で相手の鍵に封をする',
    'seal it as JWE (ECDH-ES, A256GCM) to the other side',
  ),
  evidence: rule(
    '要求の署名（カードまたは端末）が成り立ちません',
    'the evidence of a request does not hold',
    'カードの署名が1つ目、端末の署名が2つ目。同じ payload に対して',
    'signature 1 by the card, 2 by the device, over one payload',
  ),
  'challenge-unknown': rule(
    '渡されていない challenge を使いました',
    'a challenge that nobody gave',
    'challenge で受けた nonce を使う',
    'use a nonce that came on challenge',
  ),
  'challenge-twice': rule(
    '1つの challenge を2つの要求に使いました',
    'one challenge for two requests',
    '1つの要求に1つ。再送は同じ文書をそのまま送る',
    'one for each request; a re-send is the same document',
  ),
  'other-agent': rule(
    'challenge を作ったエージェントと違う名前です',
    'the request names another agent than its challenge',
    'agent は challenge のものと同じ',
    'agent is that of the challenge',
  ),
  'longer-than-challenge': rule(
    '要求が challenge より長く有効です',
    'a request lives longer than its challenge',
    'expiresAt は challenge の expiresAt まで',
    'expiresAt is at most that of the challenge',
  ),
  'sent-expired': rule(
    '期限の切れた要求を送りました',
    'an expired request was sent',
    '期限のあとは送らず、窓口へ案内する',
    'send nothing after its end; the patient goes to the desk',
  ),
  'same-id-other-document': rule(
    '同じ requestId で別の文書を送りました',
    'one requestId with another document',
    '再送は1バイトも変えない',
    'a re-send changes no byte',
  ),
  'sent-after-receipt': rule(
    '受領のあとにもう一度送りました',
    'it was sent again after its receipt',
    'receipt が来たら送信箱から消す',
    'a receipt ends the re-sending',
  ),
  'question-twice': rule(
    '同じ id で2度尋ねました',
    'an id was asked twice',
    'challengeRequestId と lookupId は毎回新しくする',
    'challengeRequestId and lookupId are new each time',
  ),
  'command-expired-done': rule(
    '期限の切れた指示を実行しました',
    'an expired command was carried out',
    'エージェントの時刻で期限を見る',
    'judge by the agent’s clock',
  ),
  'command-twice-done': rule(
    '同じ指示を2度実行しました',
    'a command was carried out twice',
    'nonce を覚え、再起動のあとも断る',
    'remember nonces, over a restart too',
  ),
  'command-forged-done': rule(
    '署名の正しくない指示を実行しました',
    'a command with a broken signature was carried out',
    '署名を確かめてから',
    'verify the signature first',
  ),
  'answer-unasked': rule(
    '尋ねられていない答えです',
    'an answer that nobody asked for',
    'challengeRequestId・lookupId・requestId は尋ねられたもの',
    'name the id that was asked',
  ),
  'challenge-short': rule(
    'challenge の残りが短すぎます',
    'a challenge with too little life',
    '渡すときに5分より長く',
    'more than five minutes when it is given',
  ),
  'nonce-twice': rule(
    '同じ nonce を2度渡しました',
    'a nonce was given twice',
    '32バイトの乱数を毎回新しく',
    '32 random bytes each time',
  ),
  'receipt-hash': rule(
    '受領の documentHash が文書と違います',
    'the hash of a receipt is not that of the document',
    '開いた general JWS（UTF-8）の SHA-256',
    'SHA-256 of the general JWS as it was sealed',
  ),
  'receipt-differs': rule(
    '同じ要求に違う受領を返しました',
    'two receipts of one request differ',
    '同じ要求には同じ受領',
    'the same request gets the same receipt',
  ),
  'accepted-wrong': rule(
    '受け付けてはならない要求を受け付けました',
    'a request was accepted that must be refused',
    '署名・challenge・期限のどれかが違えば refused と code',
    'refused with a code where evidence, challenge or time is wrong',
  ),
  'result-before-receipt': rule(
    '受領の前に結果を送りました',
    'a result before the receipt',
    '帳票に書いてから receipt、そのあと result',
    'journal, receipt, then the result',
  ),
  'result-differs': rule(
    '同じ要求に違う結果を送りました',
    'two results of one request differ',
    '同じ要求には同じ結果',
    'the same request gets the same result',
  ),
  'settings-lower': rule(
    '設定の版が下がりました',
    'a lower version of settings',
    'version は上げるだけ',
    'versions only rise',
  ),
} as const satisfies Record<string, RuleWords>;
export type BusRule = keyof typeof busRules;
