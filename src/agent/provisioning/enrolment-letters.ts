import { createHash, createHmac, randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { z } from 'zod';
import { parseJson } from '../../storage/parse-file.ts';
import { readJsonFile } from '../../trust/key-files.ts';
import { writeFileAtomically } from '../../trust/write-file.ts';
import { postToClinic, silentMs } from './ask-clinic.ts';
import { type EnrolmentCode, enrolmentCodeSchema } from './enrolment-code.ts';

/*
 * An enrolment code that a person types, or shows to the terminal's camera: eight letters instead of a file. The terminal
 * knows nobody yet, so it believes no certificate: both ends prove that they know the letters, bound to the TLS session
 * between them (its exported keying material), so that whoever sits between has two sessions and fits neither. Each guess
 * costs the guesser a scrypt of 32 MB, the letters live for half an hour, and the listener ends after twenty wrong ones;
 * to find forty bits from one recorded proof in that time takes some hundred million processors.
 */

/** No I, O, 0, 1: 32 signs, 5 bits each */
const signs = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const howMany = 8;
export const newLetters = (): string => Array.from({ length: howMany }, () => signs[randomInt(signs.length)]).join('');
/** ABCD-EFGH */
export const shownLetters = (letters: string): string => `${letters.slice(0, 4)}-${letters.slice(4)}`;
/** As somebody typed them; null: no eight letters of ours. */
export const readLetters = (typed: string): string | null => {
  const letters = typed.toUpperCase().replaceAll(/[\s-]/g, '');
  return letters.length === howMany && [...letters].every((sign) => signs.includes(sign)) ? letters : null;
};

/** The clinic has answered, and the code serves nobody: to ask again is one guess more, and the same answer. */
export class EnrolmentRefused extends Error {}

/** What a QR code holds: the letters, and where they count. */
type ShownCode = { readonly host: string; readonly port: number; readonly letters: string };
export const qrText = ({ host, port, letters }: ShownCode): string => `UKETSUKE1 ${host} ${port} ${letters}`;
export const readQrText = (text: string): ShownCode | null => {
  const [, host, port, typed = ''] = /^UKETSUKE1 ([A-Za-z0-9.:-]{1,253}) (\d{1,5}) ([A-Z2-9]{8})$/.exec(text) ?? [];
  const letters = readLetters(typed);
  return host === undefined || letters === null ? null : { host, port: Number(port), letters };
};

const lettersFile = 'enrolment-letters.json';
const offersSchema = z.array(z.strictObject({ letters: z.string(), code: enrolmentCodeSchema }));
type Offers = z.infer<typeof offersSchema>;

const readOffers = async (directory: string): Promise<Offers> =>
  access(join(directory, lettersFile)).then(
    () => readJsonFile(offersSchema, join(directory, lettersFile)),
    () => [],
  );
const writeOffers = (directory: string, offers: Offers): Promise<void> =>
  writeFileAtomically(join(directory, lettersFile), `${JSON.stringify(offers)}\n`);

/** Letters for a code; earlier ones of the same terminal count no more. */
export const offerLetters = async (directory: string, code: EnrolmentCode): Promise<string> => {
  const letters = newLetters();
  const others = (await readOffers(directory)).filter(({ code: { device } }) => device !== code.device);
  await writeOffers(directory, [...others, { letters, code }]);
  return letters;
};

/** Codes that still wait for their terminal. `nowMs`: ms since 1970 */
export const openOffers = async (directory: string, nowMs: number): Promise<readonly EnrolmentCode[]> =>
  (await readOffers(directory)).map(({ code }) => code).filter(({ until }) => until > nowMs);

/** One use: the terminal has its certificate. */
export const closeOffer = async (directory: string, device: string): Promise<void> =>
  writeOffers(
    directory,
    (await readOffers(directory)).filter(({ code }) => code.device !== device),
  );

const exportedBytes = 32;
const boundTo = (socket: TLSSocket): Buffer =>
  socket.exportKeyingMaterial(exportedBytes, 'EXPORTER-uketsuke-enrolment', Buffer.alloc(0));

const stretched = (letters: string, salt: string): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    scrypt(letters, salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 64 << 20 }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    ),
  );
const proofOf = (key: Buffer, by: 'terminal' | 'clinic', bound: Buffer, text: string): string =>
  createHmac('sha256', key).update(`${by}\n`).update(bound).update(text).digest('base64url');
const isSame = (a: string, b: string): boolean =>
  timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());

const base64url = z.string().regex(/^[\w-]{22,64}$/);
const requestSchema = z.strictObject({ salt: base64url, proof: base64url });
const answerSchema = z.strictObject({ code: z.string().max(20_000), proof: base64url });
export const lettersPath = '/letters';

/** What whoever knows letters is told: the code, proven. null: nobody's letters. */
export const answerLetters = async (
  directory: string,
  body: string,
  socket: TLSSocket,
  nowMs: number,
): Promise<z.infer<typeof answerSchema> | null> => {
  const asked = parseJson(body, requestSchema);
  if (asked === null) return null;
  const { salt, proof } = asked;
  const bound = boundTo(socket);
  for (const { letters, code } of await readOffers(directory)) {
    if (code.until <= nowMs) continue;
    const key = await stretched(letters, salt);
    if (!isSame(proofOf(key, 'terminal', bound, ''), proof)) continue;
    const text = JSON.stringify(code);
    return { code: text, proof: proofOf(key, 'clinic', bound, text) };
  }
  return null;
};

const sessionWith = (host: string, port: number): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    // Not by its certificate: by the letters, below.
    const socket = connect({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1.3', timeout: silentMs });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${silentMs / 1_000} s`)));
    socket.once('error', reject);
  });

/** The terminal's side: the code behind the letters. Throws with what helps. */
export const askByLetters = async ({ host, port, letters }: ShownCode): Promise<EnrolmentCode> => {
  const unreached = (error: Error): never => {
    throw new Error(
      `${host}:${port} is not reached (${error.message}): does \`uketsuke provision clinic\` wait there?`,
    );
  };
  const socket = await sessionWith(host, port).catch(unreached);
  try {
    const salt = randomBytes(16).toString('base64url');
    const key = await stretched(letters, salt);
    const bound = boundTo(socket);
    const asked = JSON.stringify({ salt, proof: proofOf(key, 'terminal', bound, '') });
    const over = { createConnection: () => socket, path: lettersPath };
    const { status, text } = await postToClinic(over, asked).catch(unreached);
    if (status >= 400 && status < 500)
      throw new EnrolmentRefused(
        "these letters are wrong, used or too old: `uketsuke provision clinic` at the clinic's PC shows new ones",
      );
    if (status !== 200) throw new Error(`the clinic's PC answered ${status}`);
    const answer = answerSchema.parse(JSON.parse(text));
    if (!isSame(answer.proof, proofOf(key, 'clinic', bound, answer.code)))
      throw new Error(`${host}:${port} does not know the letters: somebody stands in for the clinic's PC`);
    // As it was reached: the clinic's PC may know itself by another address.
    return { ...enrolmentCodeSchema.parse(JSON.parse(answer.code)), host };
  } finally {
    socket.destroy();
  }
};

const question = 'uketsuke-enrolment?';
const foundSchema = z.strictObject({ port: z.int().min(1).max(65_535) });

/** Anybody in the network may ask, from whatever address he writes: nothing that he asks ends this process. */
export const answerSearch = (
  socket: Pick<Socket, 'send'>,
  asked: Uint8Array,
  from: { readonly address: string; readonly port: number },
  enrolmentPort: number,
): void => {
  if (Buffer.from(asked).toString() !== question || from.port === 0) return;
  socket.send(JSON.stringify({ port: enrolmentPort }), from.port, from.address, () => {});
};

/** Answers terminals that look for the clinic's PC in their network. */
export const answerSearches = (
  port: number,
  host: string,
  enrolmentPort: number,
): Promise<{ readonly port: number; close(): void }> =>
  new Promise((resolve, reject) => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.on('message', (asked, from) => answerSearch(socket, asked, from, enrolmentPort));
    socket.on('error', reject);
    socket.bind(port, host, () => resolve({ port: socket.address().port, close: () => socket.close() }));
  });

/** A clinic's PC that was told a moment ago to wait for terminals begins to within seconds, a busy one later: asked so often, each second. */
const searchTurns = 10;

/** Who in this network waits for terminals. Nobody: empty, after 10 s. */
export const searchClinics = async (
  port: number,
  broadcast: string = '255.255.255.255',
): Promise<readonly { readonly host: string; readonly port: number }[]> => {
  const found = new Map<string, { host: string; port: number }>();
  const socket = createSocket('udp4');
  socket.on('message', (text, { address }) => {
    try {
      found.set(address, { host: address, port: foundSchema.parse(JSON.parse(text.toString())).port });
    } catch {
      // Somebody else's answer.
    }
  });
  // Without a network there is nobody: the next turn asks again.
  socket.on('error', () => {});
  try {
    await new Promise<void>((resolve) => socket.bind(0, resolve));
    socket.setBroadcast(true);
    for (let turn = 0; turn < searchTurns && found.size === 0; turn += 1) {
      socket.send(question, port, broadcast, () => {});
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  } finally {
    socket.close();
  }
  return [...found.values()];
};
