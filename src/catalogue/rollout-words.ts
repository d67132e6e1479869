import type { RolloutReason } from '../core/rollout/rollout.ts';

type Words = { readonly ja: string; readonly en: string };
const words = (ja: string, en: string): Words => ({ ja, en });

/**
 * Why an order of the chain is not in force at a facility: what is wrong, and who does what. Staff page, command line and
 * documents say the same.
 */
export const rolloutWords: Readonly<Record<RolloutReason, Words>> = {
  unreadable: words(
    'ファイルがないか、途中で切れています：次の同期を待ち、続くときは本部の担当者へ',
    "the file is missing or cut: the next copy may be whole; if not, the chain's operator publishes it again",
  ),
  forged: words(
    'この施設が信頼する鍵の署名ではないか、署名後に中身が変わっています：本部の担当者へ（本部の鍵が替わったときは rollout-trust.json を置き直す）',
    "not signed by a key that this facility trusts, or changed since: ask the chain's operator; where the chain's keys have changed, a technician lays rollout-trust.json anew",
  ),
  'other-chain': words(
    '別の法人の指示です：技術者は rollout.folder を確認してください',
    'of another chain: a technician looks at rollout.folder',
  ),
  'other-order': words(
    'ファイルの中身が互いに合いません：本部の担当者が公開し直してください',
    "its parts do not belong together: the chain's operator publishes it again",
  ),
  older: words(
    'ここで見た指示・版より古いものです（古いものには戻しません）：本部の担当者は新しい番号で署名してください',
    "older than what was seen here, and nothing goes back: the chain's operator signs the next number",
  ),
  'same-number': words(
    'ここで見た指示と同じ番号の、別の指示です：本部の担当者は新しい番号で署名してください',
    "another order under a number that was seen here: the chain's operator signs the next number",
  ),
  replayed: words(
    '前に聞いたものより古い合図です：フォルダーの同期が戻っていないか、技術者が確認してください',
    'said before what was heard last: a technician looks whether the folder went back to an old copy',
  ),
  stopped: words(
    '止められています：本部の担当者が続けると署名するまで待ちます',
    "stopped: waits until somebody with the chain's key signs that it goes on",
  ),
  'no-consent': words(
    '止められたあと、続けるという署名がありません：本部の担当者へ',
    "goes on after a stop without a signature of the chain's key: ask the chain's operator",
  ),
  clock: words(
    'このPCの時刻が確認できません：技術者は時計を合わせてください',
    "nothing confirms this machine's clock: a technician sets it",
  ),
  'from-the-future': words(
    '未来の日時で署名されています：このPCか本部のPCの時計が違います（技術者が両方を確認）',
    "signed in time to come: this machine's clock or the operator's is wrong; a technician looks at both",
  ),
  expired: words(
    '指示の期限が過ぎています（時計が正しければ）：本部の担当者が署名し直してください',
    "the order has expired, if this clock is right: the chain's operator signs it anew",
  ),
  'silent-watch': words(
    '本部からの合図が古くなっています：フォルダーの同期と、本部の `uketsuke rollout look` を確認してください',
    "the operator's word is too old: a technician looks at the folder's copying, the operator at `uketsuke rollout look`",
  ),
  'not-addressed': words('この施設あてではありません', 'not for this facility'),
  'in-two-waves': words(
    'この施設が二つの組に入っています：本部の担当者が署名し直してください',
    "this facility stands in two waves: the chain's operator signs it anew",
  ),
  'not-yet': words('この施設の順番を待っています', 'waiting for this facility’s wave'),
  kept: words('この施設は独自の版・設定を使う決まりです', 'this facility keeps its own'),
  'opening-hours': words('診療時間が終わるのを待っています', 'waiting for the end of opening hours'),
  'content-missing': words(
    '中身のファイルがまだそろっていません：次の同期を待ち、続くときは技術者がフォルダーの同期を確認してください',
    'its content is not all there: the next copy may bring it; if not, a technician looks at the folder’s copying',
  ),
  'content-changed': words(
    '中身が署名されたものと違います：本部の担当者が公開し直してください',
    "its content is not what was signed: the chain's operator publishes it again",
  ),
  'no-room': words(
    '資格確認端末のディスクに空きが足りません：技術者は空きを作ってください',
    "no room on the clinic's disk: a technician makes some",
  ),
  unwritable: words(
    '資格確認端末のディスクに書き込めません：技術者はディスクと権限を確認してください',
    "the clinic's disk does not take it: a technician looks at disk and rights",
  ),
  'memory-damaged': words(
    '見た指示の記録（rollout-held.json）が読めません：技術者は控えから戻すか、本部と確かめてから取り除いてください',
    "the record of orders that were seen (rollout-held.json) cannot be read: a technician restores it, or removes it once the chain's operator agrees",
  ),
  unusable: words(
    '中身をこの施設では使えません（設定の誤り、または鍵が途切れます）：本部の担当者が直して署名し直してください',
    "its content cannot be used here (a wrong setting, or keys that would lock the chain out): the chain's operator mends and signs it",
  ),
};

/** Nobody has to do anything: it goes on by itself, or somebody has decided so. */
const restful: ReadonlySet<RolloutReason> = new Set(['not-addressed', 'not-yet', 'kept', 'opening-hours', 'stopped']);
export const needsSomebody = (reason: RolloutReason): boolean => !restful.has(reason);
