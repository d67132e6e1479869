import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ProgramEnd, runProgram } from '../../drivers/host/run-program.ts';
import { cardRules } from '../kit/card/card-rules.ts';
import { CardClientJudge } from '../kit/card/judge-card-client.ts';
import { printFindings } from '../kit/finding.ts';
import { createTraceRedactor, formatTrace, type TraceLine } from '../protocol/card/card-trace.ts';
import { makeOwnFolder } from '../storage/own-folder.ts';
import { readGiven } from '../storage/read-given.ts';
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
 * reader. A pcscd of the machine's own, or what one that was killed left behind, is not met: this one has a folder of its
 * own in place of /run/pcscd, and programs find it by PCSCLITE_CSOCK_NAME. Nagle and delayed ACK would cost 44 ms an APDU:
 * the routes of this namespace acknowledge at once.
 */
const inNamespace = [
  'ip link set lo up',
  'for net in 127.0.0.0/8 127.0.0.1; do ip route change table local local $net dev lo proto kernel scope host src 127.0.0.1 quickack 1; done',
  'mkdir -p /run/pcscd && mount --bind "$3" /run/pcscd',
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

type OwnReader = {
  readonly path: string;
  /** By which programs find this pcscd and no other */
  readonly environment: { readonly PCSCLITE_CSOCK_NAME: string };
  stop(): Promise<void>;
};

/** Throws with what is missing. */
const startOwnReader = async (): Promise<OwnReader> => {
  const missing = whatIsMissing(existsSync, process.getuid?.() === 0);
  if (missing !== null) throw new Error(missing);
  const folder = makeOwnFolder('uketsuke-kit-card');
  const path = join(folder, 'vpcd.sock');
  const relay = fileURLToPath(new URL('../../drivers/host/vpcd-relay.ts', import.meta.url));
  const { promise: ready, resolve: tellReady } = Promise.withResolvers<true>();
  // The whole process namespace ends with the program that was started.
  const args = [
    ...['--net', '--mount', '--pid', '--fork', '--kill-child', 'bash', '-c', inNamespace],
    ...[process.execPath, relay, path, folder],
  ];
  // pcscd has words of its own before the relay's.
  let said = '';
  const program = runProgram('unshare', args, {
    // Closed with us: whatever kills this process, the relay hears it.
    takesInput: true,
    onOutput: (piece) => {
      said += piece.toString('latin1');
      if (/^ready$/m.test(said)) tellReady(true);
    },
  });
  const limit = new AbortController();
  const late = pause(startMs, null, { signal: limit.signal }).catch(() => null);
  const ended = await Promise.race([ready, program.ended, late]);
  limit.abort();
  if (ended !== true) {
    program.stop();
    throw new Error(`${inWords('pcscd with vpcd cannot be started')}: ${ended?.words || said.slice(-300)}`);
  }
  // Programs of other users may speak to it, as to any pcscd.
  chmodSync(folder, 0o711);
  return {
    path,
    environment: { PCSCLITE_CSOCK_NAME: join(folder, 'pcscd.comm') },
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

/** Runs the program that is to be judged, where its pcscd is. */
const runClient = async ([program = '', ...args]: readonly string[], own: OwnReader): Promise<ProgramEnd> => {
  const running = runProgram(program, args, {
    environment: { ...process.env, ...own.environment },
    onOutput: (piece) => process.stdout.write(piece),
  });
  const end = await running.ended;
  if (end.words !== '') process.stderr.write(`${end.words}\n`);
  return end;
};

/** `own`: the reader that was started for it; null: a vpcd that runs already. */
const judgeClient = async (client: readonly string[], options: CardOptions, own: OwnReader | null): Promise<number> => {
  const { playCard } = await import('../../drivers/virtual/play-card.ts');
  const { parseCardFaults } = await import('../../drivers/virtual/card-faults.ts');
  const judge = new CardClientJudge();
  const redact = createTraceRedactor(cardCryptography.sha256);
  const lines: TraceLine[] = [];
  const leave = new AbortController();
  let apdus = 0;
  if (client.length > 0 && own === null) throw new Error(inWords('a program is run beside a reader of our own alone'));
  if (client.length === 0) {
    tell('the card lies on the reader; any PC/SC program may speak to it now. Ctrl-C ends it and tells what was seen');
    if (own !== null)
      tell('your program finds it by PCSCLITE_CSOCK_NAME={path}', { path: own.environment.PCSCLITE_CSOCK_NAME });
  }
  // pcscd powers what it has noticed; before that a program is told that there is no card.
  const begin = Promise.withResolvers<boolean>();
  const judged = begin.promise.then(async (isPowered) => {
    if (!isPowered || own === null || client.length === 0) return null;
    return runClient(client, own).finally(() => leave.abort());
  });
  await playCard({
    persona: options.persona,
    vpcd: own ?? placeOf(options.vpcd ?? ''),
    timing: { kbps: Number(options.kbps) as 0 | 106 | 212 | 424 | 848, signatureMs: 0, commandMs: 0 },
    faults: options.faults === undefined ? [] : parseCardFaults(readGiven(options.faults).toString('utf8')),
    cache: cacheFolder,
    leave: leave.signal,
    watch: {
      reset: () => {
        begin.resolve(true);
        judge.reset();
      },
      exchange: (exchange) => {
        apdus += 1;
        judge.see(exchange);
        const line = redact(exchange);
        if (line !== null) lines.push(line);
      },
    },
  });
  begin.resolve(false);
  const end = await judged;
  // It has said nothing, and can mend nothing.
  if (end?.how === 'not-started')
    throw new Error(inWords('{program} cannot be started: is it installed?', { program: client[0] ?? '' }));
  judge.finish();
  if (options.trace !== undefined) writeFileSync(options.trace, formatTrace(lines));
  process.stdout.write(printFindings(judge.findings, cardRules, speaksJapanese() ? 'ja' : 'en'));
  process.stdout.write(`${JSON.stringify({ apdus, findings: judge.findings })}\n`);
  return judge.findings.length === 0 && (end === null || end.code === 0) ? 0 : 1;
};

/** Exit status: 1 where the program that spoke to the card broke a rule, or failed itself. */
export const playKitCard = async (client: readonly string[], options: CardOptions): Promise<number> => {
  if (options.list === true) {
    const { listPersonas } = await import('../../drivers/virtual/play-card.ts');
    listPersonas();
    return 0;
  }
  const own = options.vpcd === undefined ? await startOwnReader() : null;
  // Whatever ends it, a wrong option too: pcscd and its namespaces go with it.
  try {
    return await judgeClient(client, options, own);
  } finally {
    await own?.stop();
  }
};
