import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createSqliteStore } from '../../drivers/store/sqlite-store.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { writeOqsFile } from '../../src/agent/oqs-folder/write-oqs-file.ts';
import { revokeDevice } from '../../src/agent/provisioning/facility-authority.ts';
import { createDemoFacility, writeTerminalConfig } from '../demonstration/facility.ts';

/*
 * npm run erase-check -- [--json]: a clinic's end and a terminal on a file system of their own (an image, mounted), with
 * keys, a journal with a patient in it, an outbox, files for the レセコン, and what was replaced and deleted before. Then
 * `uketsuke erase`, and the raw image is searched for 16-byte windows of every key and of everything about the patient.
 * Before the erasure the same search must find them all: else it would show nothing.
 */

const main = new URL('../../src/main.ts', import.meta.url).pathname;
const patient = ['カナリア 花子', 'CANARY-CERTIFICATE-0123456789', '照会番号-CANARY-77', '19010203-CANARY'];

type Canary = { readonly what: string; readonly windows: readonly Buffer[] };

/** Every 16 bytes of a secret, not overlapping, in the encodings in which it lies on a disk. */
const windowsOf = (secret: Buffer): readonly Buffer[] => {
  const windows: Buffer[] = [];
  for (let at = 0; at + 16 <= secret.length; at += 16) windows.push(secret.subarray(at, at + 16));
  return windows.length > 0 ? windows : [secret];
};

/** Private keys by what lies in the files: JWK `d`, and PEM bodies. */
const keyCanaries = (root: string): Canary[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      const text = readFileSync(path, 'latin1');
      const found = [
        ...[...text.matchAll(/"d":\s*"([\w-]{40,})"/g)].map(([, d]) => d ?? ''),
        ...[...text.matchAll(/BEGIN PRIVATE KEY-----\s+([\s\S]+?)-----END/g)].map(([, body]) => body ?? ''),
      ];
      return found.map((secret) => ({ what: path.slice(root.length + 1), windows: windowsOf(Buffer.from(secret)) }));
    });

const search = (image: string, canaries: readonly Canary[]): string[] => {
  const bytes = readFileSync(image);
  return canaries.filter(({ windows }) => windows.some((window) => bytes.includes(window))).map(({ what }) => what);
};

const fill = async (
  root: string,
): Promise<{ config: string; agentDirectory: string; oqs: string; canaries: Canary[] }> => {
  const facility = await createDemoFacility(join(root, 'facility'), { answerDelayMs: 0, staffPort: 0 });
  const config = writeTerminalConfig(facility, { brokerPort: 8883, screenPort: 0 });
  const { agentDirectory } = facility;
  const oqs = join(agentDirectory, 'oqs');
  for (const name of ['face', 'req', 'res']) mkdirSync(join(oqs, name), { recursive: true });
  const journal = new Journal(join(agentDirectory, 'journal.sqlite'));
  const now = Date.now();
  const request = (requestId: string, challenge: string) => ({
    ...{ requestId, device: 'terminal-01', lane: 1, session: randomUUID(), kind: 'eligibility' as const },
    ...{ documentHash: 'h', method: 'pin' as const, consents: {}, challenge, certificate: '', code: undefined },
    ...{ issuedAt: now, receivedAt: now, expiresAt: now + 1_000, personalLifeMs: 60_000 },
    personal: {
      authCertificate: patient[1],
      certificateSerial: '0A',
      limitApplication: false,
      approvedDocuments: [],
      consentTimes: [],
      birthdate: patient[3],
    },
  });
  journal.addChallenges(
    'terminal-01',
    [
      { nonce: 'a', issuedAt: now, expiresAt: now + 9_000 },
      { nonce: 'b', issuedAt: now, expiresAt: now + 9_000 },
    ],
    9,
  );
  journal.record(request('done', 'a'));
  journal.record(request('open', 'b'));
  journal.handOver('done', now, 'x.xml');
  journal.rememberToday('done', { referenceNumber: patient[2] ?? '', notices: [] }, now);
  journal.close();
  const store = createSqliteStore(join(root, 'facility', 'link.sqlite'));
  await store.close();
  const text = Buffer.from(`<Name>${patient[0]}</Name>${patient[1]}`);
  await writeOqsFile(join(oqs, 'face'), 'OQSsiquc01res_face_20261129.xml', text);
  // Deleted and replaced before: what erasing files alone would leave in free blocks.
  await writeOqsFile(join(oqs, 'res'), 'OQSsiquc01res_1.xml', text);
  rmSync(join(oqs, 'res', 'OQSsiquc01res_1.xml'));
  const old = join(agentDirectory, 'old-key.pem');
  writeFileSync(old, readFileSync(join(agentDirectory, 'tls-key.pem')));
  rmSync(old);
  await revokeDevice(join(root, 'facility'), 'terminal-01');
  writeFileSync(join(agentDirectory, 'agent.yaml'), stringify({ oqsFolder: oqs }));
  const about = patient.map((word) => ({ what: `patient: ${word}`, windows: [Buffer.from(word)] }));
  return { config, agentDirectory, oqs, canaries: [...keyCanaries(root), ...about] };
};

const run = (command: string, ...args: string[]): void => {
  const done = spawnSync(command, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${done.stderr.trim()}`);
};

type EraseFigures = {
  readonly profile: string;
  readonly canaries: number;
  /** Found on the raw image before */
  readonly foundBefore: number;
  readonly hits: number;
  readonly imageBytes: number;
};

export const checkErase = async (): Promise<EraseFigures> => {
  if (process.getuid?.() !== 0) throw new Error('an image is mounted by root alone');
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-erase-'));
  const [image, mounted] = [join(folder, 'disk.img'), join(folder, 'disk')];
  const imageBytes = 48 * 1_048_576;
  try {
    run('truncate', '--size', String(imageBytes), image);
    run('mkfs.ext4', '-q', '-m', '0', image);
    mkdirSync(mounted);
    run('mount', '-o', 'loop', image, mounted);
    const { config, agentDirectory, canaries } = await fill(mounted);
    run('umount', mounted);
    const foundBefore = search(image, canaries).length;
    run('mount', '-o', 'loop', image, mounted);
    const facility = join(mounted, 'facility');
    execFileSync(
      process.execPath,
      [main, 'erase', '--config', config, '--agent-dir', agentDirectory, '--facility-dir', facility, '--yes'],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    run('umount', mounted);
    const hits = search(image, canaries);
    if (hits.length > 0) process.stdout.write(`still there: ${hits.join(', ')}\n`);
    return { profile: 'ext4 image', canaries: canaries.length, foundBefore, hits: hits.length, imageBytes };
  } finally {
    spawnSync('umount', ['-l', mounted]);
    rmSync(folder, { recursive: true, force: true });
  }
};

if (import.meta.main) {
  const figures = await checkErase();
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  process.exit(figures.hits === 0 && figures.foundBefore === figures.canaries ? 0 : 1);
}
