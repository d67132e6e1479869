# 資格確認端末（Windows 10 / 11）に受付エージェントを入れます。管理者の PowerShell で:
#   powershell -ExecutionPolicy Bypass -File install.ps1 [-Answers answers.yaml] [-CardTrust フォルダ] [-CodesTo E:\] [-Test]
#   こわれた端末の代わり: install.ps1 -Replace terminal-01 -CaPassphraseFile E:\ca-passphrase
#   新しい PC に控えを戻す: install.ps1 -Restore E:\clinic.uketsuke -PassphraseFile E:\passphrase.txt
# 何度実行してもかまいません。あるものは残り、足りないものが作られます。取り除くとき: -Remove（データは残ります）
param(
  [string]$Answers,
  [string]$CardTrust,
  [string]$CodesTo,
  [string]$HostName,
  [string]$Replace,
  [string]$CaPassphraseFile,
  [string]$Restore,
  [string]$PassphraseFile,
  [switch]$Test,
  [switch]$Remove
)
$ErrorActionPreference = 'Stop'
$service = 'UketsukeAgent'
$target = Join-Path $env:ProgramFiles 'Uketsuke'
$source = $PSScriptRoot

$identity = [Security.Principal.WindowsPrincipal][Security.Principal.WindowsIdentity]::GetCurrent()
if (-not $identity.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
  Write-Error '管理者として実行してください（PowerShell を右クリック →「管理者として実行」）。'
}
if ($Restore -and -not $PassphraseFile) { Write-Error '-PassphraseFile に、控えの合言葉のファイルを指定してください。' }

function Stop-Agent {
  $found = Get-Service -Name $service -ErrorAction SilentlyContinue
  if ($found -and $found.Status -ne 'Stopped') {
    Stop-Service -Name $service
    $found.WaitForStatus('Stopped', [TimeSpan]::FromSeconds(30))
  }
}

if ($Remove) {
  Stop-Agent
  sc.exe delete $service | Out-Null
  foreach ($rule in 'Uketsuke broker', 'Uketsuke enrolment', 'Uketsuke search') {
    netsh.exe advfirewall firewall delete rule "name=$rule" | Out-Null
  }
  if ($source -ne $target) { Remove-Item -Recurse -Force $target }
  Write-Output "取り除きました。データは残っています: $env:ProgramData\Uketsuke"
  exit 0
}

# 鍵と記録の場所: だれでもフォルダを作れる ProgramData に、ほかの人が先に作ったものは使いません。
# 開ける人（SYSTEM、Administrators、LOCAL SERVICE）は、何かが書かれる前に provision clinic が決めます。
$data = Join-Path $env:ProgramData 'Uketsuke'
if (Test-Path $data) {
  $owner = (Get-Acl $data).GetOwner([Security.Principal.SecurityIdentifier]).Value
  if ($owner -notin 'S-1-5-18', 'S-1-5-32-544') {
    Write-Error "$data は管理者が作ったものではありません（所有者 $owner）。中を確かめ、消すか名前を変えてから、もう一度実行してください。"
  }
}

# 動いている施設は止めません。
if ($Restore -and (Test-Path (Join-Path $data 'facility.json'))) {
  Write-Error "$data にはもう施設があります。控えは施設のない PC にだけ戻せます。"
}

# 1. プログラム: 前の版は、新しい版が置けるまで残します。
Stop-Agent
if ($source -ne $target) {
  $fresh = "$target.new"
  if (Test-Path $fresh) { Remove-Item -Recurse -Force $fresh }
  Copy-Item -Recurse $source $fresh
  if (Test-Path "$target.old") { Remove-Item -Recurse -Force "$target.old" }
  if (Test-Path $target) { Rename-Item $target "$target.old" }
  Rename-Item $fresh $target
}

# 2. あとはすべて uketsuke が行います: 鍵、フォルダ、権限、サービス、ファイアウォール（TCP 8883・8884、UDP 8884）、
#    端末の登録コード。登録された端末は、サービスを再起動しなくても約 1 秒でつながります。
$arguments = @('provision', 'clinic')
if ($Answers) { $arguments += @('--answers', $Answers) }
if ($CardTrust) { $arguments += @('--card-trust', $CardTrust) }
if ($CodesTo) { $arguments += @('--codes-to', $CodesTo) }
if ($HostName) { $arguments += @('--host', $HostName) }
if ($Replace) { $arguments += @('--replace', $Replace) }
if ($CaPassphraseFile) { $arguments += @('--ca-passphrase-file', $CaPassphraseFile) }
if ($Test) { $arguments += '--test' }
# 控えを戻すときは、施設を作る代わりに戻します（もう施設のある PC では断られます）。
if ($Restore) { $arguments = @('provision', 'restore', $Restore, '--passphrase-file', $PassphraseFile) }
$env:LANG = 'ja_JP.UTF-8'
[Console]::OutputEncoding = [Text.Encoding]::UTF8
& (Join-Path $target 'node.exe') '--disable-warning=ExperimentalWarning' (Join-Path $target 'src\main.ts') @arguments
exit $LASTEXITCODE
