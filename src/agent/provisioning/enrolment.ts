import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';
import { parseJson } from '../../storage/parse-file.ts';
import { cvIssuersFile } from '../../trust/cv-trust.ts';
import { keyFiles, keyFolders, readJsonFile } from '../../trust/key-files.ts';
import { writeFileAtomically } from '../../trust/write-file.ts';
import { identifier, publicJwkSchema } from '../../wire/messages.ts';
import type { RegisteredDevice } from './agent-keys.ts';
import { postToClinic } from './ask-clinic.ts';
import type { AuthorityKeyAccess } from './authority-key.ts';
import type { EnrolmentCode } from './enrolment-code.ts';
import { answerLetters, closeOffer, EnrolmentRefused, lettersPath } from './enrolment-letters.ts';
import { deviceDirectory, distribute, enrolDevice, listDevices, readBrokerFiles } from './facility-authority.ts';
import { areDeviceKeys, type DevicePublicKeys } from './make-device-keys.ts';

/*
 * How a terminal becomes one of the facility's: the clinic's end writes a code (a file for a stick; or eight letters, by
 * which the terminal is told the code: enrolment-letters.ts) and listens for as long
 * as somebody stands beside it. The terminal makes its keys, believes only the facility's CA that the code names, and hands
 * its public keys over with the code's secret. One use: later only the same keys are answered again, with the same words
 * and however late, for a terminal that lost its power before it had written the answer; nobody else is.
 */

const requestSchema = z.strictObject({
  device: identifier,
  secret: z.string().max(64),
  tlsKey: z.string().max(1000),
  signingKey: publicJwkSchema,
  sealingKey: publicJwkSchema,
  attestationKey: publicJwkSchema.optional(),
});
const answerSchema = z.strictObject({
  tlsCertificate: z.string().max(4000),
  facilityCa: z.string().max(4000),
  trust: z.string().max(100_000),
  cvIssuers: z.string().max(1_000_000).nullable(),
});
type Answer = z.infer<typeof answerSchema>;

const offersFile = 'enrolments.json';
const offersSchema = z.array(
  z.strictObject({ device: identifier, lane: z.int(), secretHash: z.string(), until: z.int() }),
);
type Offer = z.infer<typeof offersSchema>[number];

/** Wrong secrets after which the listener answers nobody any more. */
const mostGuesses = 20;
const longestBody = 8192;
const enrolPath = '/enrol';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const readOffers = async (directory: string): Promise<readonly Offer[]> =>
  access(join(directory, offersFile)).then(
    () => readJsonFile(offersSchema, join(directory, offersFile)),
    () => [],
  );

/** A secret for one terminal, of which only the hash stays here; an earlier one of that terminal counts no more. */
export const offerEnrolment = async (
  directory: string,
  { device, lane, until }: { readonly device: string; readonly lane: number; readonly until: number },
): Promise<string> => {
  const secret = randomBytes(16).toString('base64url');
  const others = (await readOffers(directory)).filter((offer) => offer.device !== device);
  const offers = [...others, { device, lane, secretHash: sha256(secret), until }];
  await writeFileAtomically(join(directory, offersFile), `${JSON.stringify(offers)}\n`);
  return secret;
};

const answerFor = async (directory: string, device: string): Promise<Answer> => {
  const target = deviceDirectory(directory, device);
  const read = (...parts: string[]): Promise<string> => readFile(join(target, ...parts), 'utf8');
  return {
    tlsCertificate: await read(keyFolders.link, keyFiles.tlsCertificate),
    facilityCa: await read(keyFolders.link, keyFiles.facilityCa),
    trust: await read(keyFolders.terminal, keyFiles.trust),
    cvIssuers: await read(keyFolders.terminal, cvIssuersFile).catch(() => null),
  };
};

type Outcome =
  | { readonly status: 200; readonly device: string; readonly answer: Answer }
  | { readonly status: 400 | 403 | 409 };

type Reply = { readonly status: 200; readonly answer: object } | { readonly status: 400 | 403 | 409 };

const haveSameKeys = (known: RegisteredDevice, keys: DevicePublicKeys): boolean =>
  known.signingKey.kid === keys.signingKey.kid &&
  known.signingKey.x === keys.signingKey.x &&
  known.sealingKey.x === keys.sealingKey.x &&
  known.attestationKey?.x === keys.attestationKey?.x;

/** Whether terminals were given codes here: one that lost its power may still come back for its answer. */
export const hasOffers = async (directory: string): Promise<boolean> => (await readOffers(directory)).length > 0;

/** What one request is answered. `nowMs`: ms since 1970 */
export const enrol = async (
  directory: string,
  body: string,
  nowMs: number,
  caKey: AuthorityKeyAccess,
): Promise<Outcome> => {
  const asked = parseJson(body, requestSchema);
  if (asked === null) return { status: 400 };
  const { device, secret, ...keys } = asked;
  const offer = (await readOffers(directory)).find((one) => one.device === device);
  const given = Buffer.from(sha256(secret));
  if (offer === undefined || !timingSafeEqual(given, Buffer.from(offer.secretHash))) return { status: 403 };
  const known = (await listDevices(directory)).find((one) => one.device === device);
  const isSame = known !== undefined && known.revokedAt === undefined && haveSameKeys(known, keys);
  if (!isSame && nowMs > offer.until) return { status: 403 };
  if (!(await areDeviceKeys(keys))) return { status: 400 };
  if (known !== undefined && !isSame) return { status: 409 };
  if (known === undefined) await enrolDevice(directory, device, offer.lane, keys, caKey);
  // Power lost here, between the registry and what the terminal is told of it.
  else await distribute(directory);
  return { status: 200, device, answer: await answerFor(directory, device) };
};

/** Wrong ones count against the codes of one time: whoever gives out new ones stands beside it. */
class Guesses {
  wrong = 0;
  readonly #directory: string;
  readonly #codes = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  async areUsedUp(): Promise<boolean> {
    for (const { secretHash } of await readOffers(this.#directory)) {
      if (!this.#codes.has(secretHash)) this.wrong = 0;
      this.#codes.add(secretHash);
    }
    return this.wrong >= mostGuesses;
  }
}

/** Listens with the broker's certificate. `onEnrolled` is waited for before the terminal is answered. */
export const listenForEnrolments = async (
  directory: string,
  caKey: AuthorityKeyAccess,
  { host, port }: { readonly host: string; readonly port: number },
  onEnrolled: (device: string, address: string) => Promise<void>,
): Promise<{ readonly port: number; close(): void }> => {
  const { key, certificate } = await readBrokerFiles(directory);
  const guesses = new Guesses(directory);
  let turn: Promise<unknown> = Promise.resolve();
  const answer = async (path: string | undefined, body: string, socket: TLSSocket): Promise<Reply> => {
    if (path !== enrolPath && path !== lettersPath) return { status: 400 };
    if (await guesses.areUsedUp()) return { status: 403 };
    if (path === lettersPath) {
      const told = await answerLetters(directory, body, socket, Date.now());
      if (told !== null) return { status: 200, answer: told };
      guesses.wrong += 1;
      return { status: 403 };
    }
    const outcome = await enrol(directory, body, Date.now(), caKey);
    if (outcome.status === 403) guesses.wrong += 1;
    if (outcome.status === 200) {
      await onEnrolled(outcome.device, socket.remoteAddress ?? '');
      await closeOffer(directory, outcome.device);
    }
    return outcome;
  };
  const server = createServer(
    { key, cert: certificate, minVersion: 'TLSv1.3', handshakeTimeout: 5_000 },
    (asked, reply) => {
      let body = '';
      asked.on('data', (chunk) => {
        body += String(chunk);
        if (body.length > longestBody) asked.destroy();
      });
      asked.on('end', () => {
        // One after the other: two would read and write the registry at once.
        turn = turn
          .then(async () => {
            const outcome: Reply =
              asked.method === 'POST' ? await answer(asked.url, body, asked.socket as TLSSocket) : { status: 400 };
            reply.writeHead(outcome.status, { 'content-type': 'application/json', connection: 'close' });
            reply.end(outcome.status === 200 ? JSON.stringify(outcome.answer) : '');
          })
          .catch(() => reply.writeHead(500).end());
      });
    },
  );
  // Whoever says nothing is gone within the time of a handshake.
  server.maxConnections = 1_024;
  server.requestTimeout = 10_000;
  server.headersTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};

const refusals: Readonly<Record<number, string>> = {
  403: "the code is wrong or too old: `uketsuke provision clinic` at the clinic's PC writes a new one",
  409: 'a terminal of this name was enrolled with other keys: revoke it there, or take the code of another terminal',
};

/** The terminal's side: its public keys for what it needs to know. Throws with what helps. */
export const askForEnrolment = async (code: EnrolmentCode, keys: DevicePublicKeys): Promise<Answer> => {
  const body = JSON.stringify({ device: code.device, secret: code.secret, ...keys });
  const clinic = { host: code.host, port: code.enrolmentPort, path: enrolPath, ca: code.facilityCa } as const;
  const { status, text } = await postToClinic({ ...clinic, minVersion: 'TLSv1.3' }, body).catch((error: Error) => {
    throw new Error(
      `${code.host}:${code.enrolmentPort} is not reached (${error.message}): is \`uketsuke provision clinic\` running there?`,
    );
  });
  const answered = refusals[status] ?? `the clinic's PC answered ${status}`;
  if (status >= 400 && status < 500) throw new EnrolmentRefused(answered);
  if (status !== 200) throw new Error(answered);
  return answerSchema.parse(JSON.parse(text));
};
