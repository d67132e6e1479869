import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPcscCardReader } from '../../drivers/card-reader/pcsc-card-reader.ts';
import { endChild } from '../../scripts/beds/end-child.ts';
import { PcscdBed, pcscdMissing, pcscliteMissing } from '../../scripts/beds/pcscd-bed.ts';
import { readOptions } from '../../scripts/beds/test-cards.ts';
import type { CardSession } from '../../src/ports/card-reader.ts';
import { readCard } from '../../src/terminal/card/read-card.ts';

const openscMissing = (): string | null =>
  spawnSync('pkcs15-tool', ['--version']).error === undefined &&
  spawnSync('pkcs11-tool', ['--version']).error === undefined
    ? null
    : 'opensc is not installed';

const skipReason = pcscdMissing() ?? (await pcscliteMissing()) ?? openscMissing();
if (skipReason !== null) console.warn(`skipped: the virtual card judged by OpenSC: ${skipReason}`);

/** A card that lies there is told at once; one that is only just noticed within pcscd's 0.4 s. ms */
const noticedMs = 3_000;

/** OpenSC knows nothing of us: what it reads, verifies and refuses on the card that `uketsuke virtual-card` plays. */
describe.skipIf(skipReason !== null)('the virtual card judged by OpenSC', () => {
  const bed = new PcscdBed();
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-opensc-'));
  const message = join(folder, 'message');
  let card: ChildProcess | null = null;

  const environment = () => ({ ...process.env, PCSCLITE_CSOCK_NAME: bed.socketPath, OPENSC_DRIVER: 'jpki' });
  const opensc = (command: string, ...args: string[]): string =>
    execFileSync(command, args, {
      ...{ env: environment(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 },
    });

  /** Plays a persona until the next one; what the command printed until the card lay there. */
  const play = async (...args: string[]): Promise<string[]> => {
    await stopPlaying();
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const enter = ['-t', `${bed.pid}`, '-n', process.execPath, main, 'virtual-card', ...args];
    card = spawn('nsenter', enter, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (card.stdout === null) throw new Error('no output');
    const printed: string[] = [];
    for await (const line of createInterface(card.stdout)) {
      printed.push(line);
      if (line === 'inserted') break;
    }
    if (printed.at(-1) !== 'inserted') throw new Error(`the card was not played: ${printed.join(' / ')}`);
    await readSoon();
    return printed;
  };
  const stopPlaying = async (): Promise<void> => {
    await endChild(card, 'SIGTERM');
    card = null;
  };
  /** What our own stack reads of the same card; also the sign that pcscd has seen it. */
  const ourReading = async (): Promise<Uint8Array | null> => {
    const reader = createPcscCardReader();
    let giveUp: NodeJS.Timeout | undefined;
    const session = await new Promise<CardSession | null>((resolve) => {
      giveUp = setTimeout(() => resolve(null), noticedMs);
      reader.subscribe((event) => {
        if (event.type === 'card-inserted') resolve(event.session);
        if (event.type === 'card-unreadable') resolve(null);
      });
    });
    clearTimeout(giveUp);
    const reading = session === null ? null : await readCard(session, readOptions(null, { wallMs: Date.now() }));
    await session?.end();
    await reader.close();
    return reading?.ok ? reading.value.identity.authCertificate : null;
  };
  /** pcscd looks at its reader every 0.4 s: before it has noticed what lies there now, a reading meets the end of what lay there. */
  const readSoon = async (): Promise<Uint8Array | null> => {
    const last = performance.now() + 60_000;
    let read = await ourReading();
    while (read === null && performance.now() < last) read = await ourReading();
    return read;
  };

  beforeAll(async () => {
    writeFileSync(message, 'hello');
    await bed.start();
  });
  afterAll(async () => {
    await stopPlaying();
    await bed.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const sign = (slot: string, pin: string, id: string): Uint8Array => {
    const signature = join(folder, `signature-${id}`);
    const login = ['--module', 'opensc-pkcs11.so', '--slot', slot, '--login', '--pin', pin];
    opensc('pkcs11-tool', ...login, '--sign', '--id', id, '-m', 'SHA256-RSA-PKCS', '-i', message, '-o', signature);
    return readFileSync(signature);
  };

  test('the test PINs are printed at the start', async () => {
    const printed = await play('--persona', 'hanako');
    expect(printed.join('\n')).toMatch(/PIN +1234, 3 tries[\s\S]*TEST01[\s\S]*照合番号B +5502172\d{3}2285/);
  });

  test('PINs, keys and certificates are listed', () => {
    const listed = opensc('pkcs15-tool', '--list-pins', '--list-keys', '--list-certificates');
    for (const name of [
      'User Authentication PIN',
      'Digital Signature PIN',
      'User Authentication Key',
      'Digital Signature Key',
      'User Authentication Certificate CA',
    ])
      expect(listed).toContain(name);
    expect(listed).toMatch(/User Authentication PIN][\s\S]*?Tries left +: 3/);
    expect(listed).toContain('5E570001');
  });

  test('the certificate is byte for byte the one we read', async () => {
    const theirs = new X509Certificate(opensc('pkcs15-tool', '--read-certificate', '01'));
    expect(Buffer.from((await ourReading()) ?? []).equals(theirs.raw)).toBe(true);
  });

  test('both keys sign, each with its own PIN, and the signatures verify', () => {
    const auth = new X509Certificate(opensc('pkcs15-tool', '--read-certificate', '01'));
    expect(verify('sha256', Buffer.from('hello'), auth.publicKey, sign('0', '1234', '01'))).toBe(true);
    const signKey = readFileSync(new URL('../../.cache/virtual-card-keys/sign.pem', import.meta.url));
    expect(verify('sha256', Buffer.from('hello'), createPublicKey(signKey), sign('1', 'TEST01', '02'))).toBe(true);
  });

  test('a wrong PIN counts down, the right one counts up again', () => {
    expect(() => sign('0', '9999', '01')).toThrow();
    expect(opensc('pkcs15-tool', '--list-pins')).toMatch(/User Authentication PIN][\s\S]*?Tries left +: 2/);
    sign('0', '1234', '01');
    expect(opensc('pkcs15-tool', '--list-pins')).toMatch(/User Authentication PIN][\s\S]*?Tries left +: 3/);
  });

  test('a trace recorded at the reader is replayed by the same code, and holds no certificate', () => {
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const trace = join(folder, 'trace.jsonl');
    const uketsuke = (...args: string[]): string =>
      execFileSync(process.execPath, [main, 'trace', ...args], {
        env: environment(),
        encoding: 'utf8',
        timeout: 30_000,
      });
    expect(uketsuke('record', trace)).toMatch(/read: valid\n\d+ exchanges/);
    expect(uketsuke('replay', trace)).toContain('as recorded');
    expect(uketsuke('diff', trace, trace)).toContain('the same');
    expect(readFileSync(trace, 'utf8')).not.toContain('5E570001');
  });

  test('a blocked PIN is shown as blocked, not as an unsupported card', async () => {
    await play('--persona', 'pin-blocked');
    expect(opensc('pkcs15-tool', '--list-pins')).toMatch(/User Authentication PIN][\s\S]*?Tries left +: 0/);
    expect(opensc('pkcs15-tool', '--read-certificate', '01')).toContain('BEGIN CERTIFICATE');
    expect(() => sign('0', '1234', '01')).toThrow();
  });

  test('chip and wire take their time, faults come when they are told to', async () => {
    const faults = join(folder, 'faults.json');
    writeFileSync(faults, JSON.stringify([{ at: 5, do: 'pull', backAfterMs: 1000 }]));
    await play('--persona', 'taro', '--kbps', '424', '--signature-ms', '120', '--faults', faults);
    // The fifth APDU met its fault while `play` looked; a second later the card lies there again.
    expect(await readSoon()).not.toBeNull();
    const startMs = performance.now();
    sign('0', '2468', '01');
    // 120 ms on the chip and about 5 KB at 424 kbit/s, 100 ms: less is impossible.
    expect(performance.now() - startMs).toBeGreaterThan(200);
  });
});
