import type { FailedBundle, RefusalReason, UpdateState, WaitReason } from '../core/update/update.ts';

type Words = { readonly ja: string; readonly en: string };
const words = (ja: string, en: string): Words => ({ ja, en });

/** What an update is about, for whoever looks after the terminals: command line, staff page and documents say the same. */
export const updateStateWords: Readonly<Record<UpdateState['name'], Words>> = {
  starting: words('起動中', 'starting'),
  current: words('更新はありません', 'nothing to install'),
  waiting: words('更新待ち', 'waiting'),
  installing: words(
    'もう一方の領域へ書き込み中（受付は続きます）',
    'writing into the other slot (patients are served meanwhile)',
  ),
  checkingBefore: words('再起動の前に、いまの版の様子を確認中', 'a look at the present release before the restart'),
  restarting: words('再起動中', 'restarting'),
  takingOver: words('新しい版が起動：記録を引き継ぎ中', 'the new release runs: taking over what is kept'),
  proving: words('新しい版をテスト受付で確認中', 'the new release proves itself by a test request'),
  committing: words('新しい版に切り替え中', 'making the new release the standard'),
};

export const updateWaitWords: Readonly<Record<WaitReason, Words>> = {
  'boot-loader': words(
    '本体のブートローダー（EEPROM）が古く、新しい版を試せません：Raspberry Pi OS のカードで起動し、rpi-eeprom-update -a で更新してください',
    "the board's boot loader (EEPROM) is too old to try a release: rpi-eeprom-update -a in Raspberry Pi OS, then restart",
  ),
  'agent-first': words('資格確認端末のプログラムを先に更新してください', "the clinic's agent is updated first"),
  wave: words('前の番号の窓口が終わるのを待っています', 'the lanes before this one are not through yet'),
  clock: words(
    '時刻が確認できないため、診療時間外か分かりません',
    'nothing confirms the clock: opening hours are unknown',
  ),
  'opening-hours': words('診療時間が終わるのを待っています', 'waiting for the end of opening hours'),
  busy: words('受付が空くのを待っています', 'somebody is being served'),
  unwell: words(
    'いまの版が agent とつながっていないか、ディスクに書き込めません（5分後にもう一度）',
    "the present release does not reach the clinic's agent, or the disk takes nothing (once more in 5 minutes)",
  ),
};

/** Who must act: a refused bundle is the technician's, all of them. */
export const updateRefusalWords: Readonly<Record<RefusalReason | FailedBundle['reason'], Words>> = {
  foreign: words(
    '署名が信頼できる鍵のものではありません：配布元から取り直してください',
    'not signed by a trusted key: fetch it again from its source',
  ),
  tampered: words(
    '署名後に中身が変わっています：配布元から取り直してください',
    'changed after it was signed: fetch it again from its source',
  ),
  'other-device': words('別の機種用です：この機種用を置いてください', 'for another kind of device'),
  'no-version': words('版の番号が読めません', 'its version cannot be read'),
  older: words('この端末で動いたことのある版より新しくありません', 'not newer than what has run here'),
  'failed-before': words(
    'この端末で一度失敗しています：原因を除いたら systemctl kill --signal=SIGHUP uketsuke-update',
    'has failed here before; once the cause is gone: systemctl kill --signal=SIGHUP uketsuke-update',
  ),
  'fell-back': words(
    '新しい版が確認を通らず、前の版に戻りました',
    'did not prove itself; the release before runs again',
  ),
  unwritable: words('書き込めませんでした：SDカード・SSDを確認してください', 'could not be written: look at the disk'),
};
