import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../drivers/host/run-program.ts';
import { cardRules } from '../kit/card/card-rules.ts';
import { CardClientJudge } from '../kit/card/judge-card-client.ts';
import { printFindings } from '../kit/finding.ts';
import { createTraceRedactor, formatTrace, type TraceLine } from '../protocol/card/card-trace.ts';
import { cardCryptography } from '../trust/card-cryptography.ts';
import { inWords, speaksJapanese, tell } from './say.ts';

export type CardOptions = {
  readonly persona: string;
  readonly faults?: string;
  readonly trace?: string;
  readonly vpcd?: string;
  readonly kbps: string;
  readonly list?: true;
};

/** pcscd, its driver and the relay start within this. ms */
const startMs = 15_000;
const cacheFolder = fileURLToPath(new URL('../../.cache', import.meta.url));

/**
 * vpcd asks nobody who they are and listens everywhere: pcscd goes where no other machine is, and a Unix socket leads to its
 * reader. Nagle and delayed ACK would cost 44 ms an APDU: the routes of this namespace acknowledge at once.
 */
const inNamespace = [
  'ip link set lo up',
  'for net in 127.0.0.0/8 127.0.0.1; do ip route change table local local $net dev lo proto kernel scope host src 127.0.0.1 quickack 1; done',
  'mkdir -p /run/pcscd',
  'pcscd --foreground $(pcscd --help | grep --only-matching -e --disable-polkit) &',
  'until (exec 3<>/dev/tcp/127.0.0.1/35963) 2>/dev/null; do sleep 0.1; done',
  'exec "$0" "$1" "$2" 35963',
].join('\n');

/** What it is made of, and the Debian package of each. */
const needed = [
  ['/usr/sbin/pcscd', 'pcscd'],
  ['/etc/reader.conf.d/vpcd', 'vsmartcard-vpcd'],
  ['/usr/sbin/ip', 'iproute2'],
] as const;

/** What keeps a reader of our own from being started; null: nothing. */
export const whatIsMissing = (isThere: (path: string) => boolean, isRoot: boolean): string | null => {
  const packages = needed.filter(([path]) => !isThere(path)).map(([, name]) => name);
  if (packages.length > 0)
    return inWords('Debian packages are missing: {command}', {
      command: `${isRoot ? '' : 'sudo '}apt-get install -y --no-install-recommends ${packages.join(' ')}`,
    });
  return isRoot ? null : inWords('needs root, for pcscd in a network namespace of its own: sudo …');
};

type OwnReader = { readonly path: string; stop(): Promise<void> };

/** Throws with what is missing. */
const startOwnReader = async (): Promise<OwnReader> => {
  const missing = whatIsMissing(existsSync, process.getuid?.() === 0);
  if (missing !== null) throw new Error(missing);
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-kit-card-'));
  const path = join(folder, 'vpcd.sock');
  const relay = fileURLToPath(new URL('../../drivers/host/vpcd-relay.ts', import.meta.url));
  const { promise: ready, resolve: tellReady } = Promise.withResolvers<true>();
  // The whole process namespace ends with the program that was started.
  const args = ['--net', '--pid', '--fork', '--kill-child', 'bash', '-c', inNamespace, process.execPath, relay, path];
  const program = runProgram('unshare', args, { onOutput: () => tellReady(true) });
  const ended = await Promise.race([ready, program.ended, pause(startMs, null)]);
  if (ended !== true) {
    program.stop();
    throw new Error(`${inWords('pcscd with vpcd cannot be started')}: ${ended?.words ?? ''}`);
  }
  return {
    path,
    stop: async () => {
      program.stop();
      await program.gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

const placeOf = (vpcd: string): { readonly host: string; readonly port: number } => {
  const [host = '', port = ''] = vpcd.split(':');
  return { host, port: Number(port) };
};

/** Exit status: 1 where the program that spoke to the card broke a rule. */
export const playKitCard = async (options: CardOptions): Promise<number> => {
  const { listPersonas, playCard } = await import('../../drivers/virtual/play-card.ts');
  const { parseCardFaults } = await import('../../drivers/virtual/card-faults.ts');
  if (options.list === true) {
    listPersonas();
    return 0;
  }
  const own = options.vpcd === undefined ? await startOwnReader() : null;
  const judge = new CardClientJudge();
  const redact = createTraceRedactor(cardCryptography.sha256);
  const lines: TraceLine[] = [];
  let apdus = 0;
  tell('the card lies on the reader; any PC/SC program may speak to it now. Ctrl-C ends it and tells what was seen');
  await playCard({
    persona: options.persona,
    vpcd: own ?? placeOf(options.vpcd ?? ''),
    timing: { kbps: Number(options.kbps) as 0 | 106 | 212 | 424 | 848, signatureMs: 0, commandMs: 0 },
    faults: options.faults === undefined ? [] : parseCardFaults(readFileSync(options.faults, 'utf8')),
    cache: cacheFolder,
    watch: {
      reset: () => judge.reset(),
      exchange: (exchange) => {
        apdus += 1;
        judge.see(exchange);
        const line = redact(exchange);
        if (line !== null) lines.push(line);
      },
    },
  });
  await own?.stop();
  if (options.trace !== undefined) writeFileSync(options.trace, formatTrace(lines));
  process.stdout.write(printFindings(judge.findings, cardRules, speaksJapanese() ? 'ja' : 'en'));
  process.stdout.write(`${JSON.stringify({ apdus, findings: judge.findings })}\n`);
  return judge.findings.length === 0 ? 0 : 1;
};
