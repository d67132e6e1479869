/**
 * What hands do to cards, at every APDU boundary of every flow: pull, swap for another card, unplug the reader (virtual
 * reader: all boundaries; real pcscd + vpcd: a sample, and pcscd killed). Counts what must never happen.
 *
 *   npm run card-physics -- [--json] [--pcscd-samples N]
 */
import { parseArgs } from 'node:util';
import type { MadeCard } from '../../drivers/virtual/card-maker.ts';
import type { CardReaderEvent, CardSession } from '../../src/ports/card-reader.ts';
import { parseCertificate } from '../../src/protocol/card/certificate.ts';
import { sha256DigestInfo, verifyRsaSignature } from '../../src/protocol/card/digest-info.ts';
import { checkPresenceProof, checkVisualEvidence } from '../../src/protocol/card/visual-ap.ts';
import { provePresence, signWithAuthKey, verifyPin } from '../../src/terminal/card/use-card-keys.ts';
import { cardCryptography } from '../../src/trust/card-cryptography.ts';
import { type CardReaderBench, openPcscdBench, openVirtualBench } from '../beds/card-reader-benches.ts';
import { pcscdMissing, pcscliteMissing } from '../beds/pcscd-bed.ts';
import { pinDigits, readTestCard, testCard, trustedCvIssuers } from '../beds/test-cards.ts';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean' }, 'pcscd-samples': { type: 'string', default: '8' } },
});
const pcscdSamples = Number(options['pcscd-samples']);
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const digest = new Uint8Array(32).fill(0xc3);

/** What a flow leaves behind: a signature with the key that must have made it, or the code it failed with. */
type Outcome = {
  readonly signed: boolean;
  readonly wrongSignature: boolean;
  readonly submits: number;
  readonly code: string;
};

const failedWith = (code: string, submits = 0): Outcome => ({ signed: false, wrongSignature: false, submits, code });

/** Face path: read everything, then the presence proof by the key of the visual record that was read. */
const faceFlow = async (session: CardSession, made: MadeCard): Promise<Outcome> => {
  const reading = await readTestCard(session, made);
  if (!reading.ok) return failedWith(reading.failure.code);
  const { visual } = reading.value.identity;
  if (visual.state !== 'read') return failedWith(visual.state === 'unavailable' ? visual.code : 'card.communication');
  const proof = await provePresence(session, digest);
  if (!proof.ok) return failedWith(proof.failure.code);
  const proven = checkVisualEvidence(visual.evidence, trustedCvIssuers, cardCryptography);
  const isGood = proven.ok && checkPresenceProof(proven.value.publicKey, digest, proof.value, cardCryptography).ok;
  return { signed: true, wrongSignature: !isGood, submits: 0, code: 'signed' };
};

/** PIN path: read without the photo, one submit, one signature by the certificate that was read. */
const pinFlow = async (session: CardSession, made: MadeCard): Promise<Outcome> => {
  const reading = await readTestCard(session, made, { cardFrontReader: null });
  if (!reading.ok) return failedWith(reading.failure.code);
  const pin = await verifyPin(session, pinDigits(made.persona.pins.auth?.secret ?? ''));
  if (!pin.ok) return failedWith(pin.failure.code, 1);
  const signature = await signWithAuthKey(session, digest);
  if (!signature.ok) return failedWith(signature.failure.code, 1);
  const certificate = parseCertificate(reading.value.identity.authCertificate);
  const isGood =
    certificate.ok &&
    certificate.value.publicKey.type === 'rsa' &&
    verifyRsaSignature(cardCryptography, certificate.value.publicKey.key, sha256DigestInfo(digest), signature.value);
  return { signed: true, wrongSignature: !isGood, submits: 1, code: 'signed' };
};

const flows = { face: faceFlow, pin: pinFlow } as const;
type FlowName = keyof typeof flows;
type Mishap = 'removal' | 'swap' | 'unplug';

const tally = {
  boundaries: 0,
  removals: 0,
  swaps: 0,
  unplugs: 0,
  serviceKills: 0,
  wrongSignatures: 0,
  pinTriesSpentByUs: 0,
  /** APDUs that reached another card over a session that was not its own. */
  foreignApdus: 0,
  unexpectedOutcomes: 0,
  notUsableAgain: 0,
};
const recoveryMs: number[] = [];

/** One reader, the cards of two people, and the session that is open now. */
class Counter {
  readonly bench: CardReaderBench;
  #session: CardSession | null = null;
  #waiting: ((session: CardSession) => void) | null = null;

  constructor(bench: CardReaderBench) {
    this.bench = bench;
    bench.reader.subscribe((event: CardReaderEvent) => {
      if (event.type === 'card-removed' || event.type === 'reader-lost') this.#session = null;
      if (event.type !== 'card-inserted') return;
      this.#session = event.session;
      this.#waiting?.(event.session);
      this.#waiting = null;
    });
  }

  session(): Promise<CardSession> {
    if (this.#session !== null) return Promise.resolve(this.#session);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no card within 10 s')), 10_000);
      this.#waiting = (session) => {
        clearTimeout(timer);
        resolve(session);
      };
    });
  }
}

const patient = await testCard('hanako');
const stranger = await testCard('taro');
const triesLeft = async (counter: Counter): Promise<number> => {
  const reading = await readTestCard(await counter.session(), patient, { cardFrontReader: null });
  return reading.ok && reading.value.identity.pin.state === 'usable' ? reading.value.identity.pin.triesLeft : -1;
};

const countApdus = async (counter: Counter, flow: FlowName): Promise<number> => {
  let apdus = 0;
  await counter.bench.insert(patient.card, ({ phase }) => {
    if (phase === 'after') apdus++;
  });
  const outcome = await flows[flow](await counter.session(), patient);
  if (!outcome.signed || outcome.wrongSignature) throw new Error(`the undisturbed ${flow} flow ended ${outcome.code}`);
  await counter.bench.pull();
  return apdus;
};

/** One flow with one mishap at one boundary, then the recovery: a fresh visit must go through. */
const disturb = async (
  counter: Counter,
  flow: FlowName,
  mishap: Mishap,
  at: number,
  phase: 'before' | 'after',
): Promise<void> => {
  const { bench } = counter;
  const authVerifies = { sent: 0 };
  let strangersApdus = 0;
  let done: Promise<void> = Promise.resolve();
  let index = 0;
  let isOver = false;
  const act = async (): Promise<void> => {
    if (mishap === 'unplug') return bench.lose();
    await bench.pull();
    if (mishap === 'swap')
      await bench.insert(stranger.card, () => {
        if (!isOver) strangersApdus++;
      });
  };
  await bench.insert(patient.card, (moment) => {
    const isVerifyOfPin = moment.command[1] === 0x20 && moment.command[4] === 4;
    if (moment.phase === 'after' && isVerifyOfPin) authVerifies.sent++;
    if (moment.phase === phase && index === at) done = act();
    if (moment.phase === 'after') index++;
  });
  const session = await counter.session();
  const outcome = await flows[flow](session, patient);
  await done;
  // The dead session stays dead, whatever lies there now.
  const late = await session.transmit(Uint8Array.of(0x00, 0x20, 0x00, 0x80));
  isOver = true;
  if (outcome.signed || outcome.submits > 1 || late.ok) tally.unexpectedOutcomes++;
  if (outcome.wrongSignature) tally.wrongSignatures++;
  tally.pinTriesSpentByUs += Math.max(0, authVerifies.sent - outcome.submits);
  tally.foreignApdus += strangersApdus;

  if (mishap === 'swap') await bench.pull();
  if (mishap === 'unplug') await bench.pull();
  const backAt = performance.now();
  if (mishap === 'unplug') await bench.recover();
  const insertedAt = mishap === 'unplug' ? backAt : performance.now();
  await bench.insert(patient.card);
  const again = await counter.session();
  recoveryMs.push(performance.now() - insertedAt);
  const second = await flows[flow](again, patient);
  if (!second.signed || second.wrongSignature) tally.notUsableAgain++;
  const left = await triesLeft(counter);
  tally.pinTriesSpentByUs += 3 - left;
  await bench.pull();
  tally[mishap === 'removal' ? 'removals' : mishap === 'swap' ? 'swaps' : 'unplugs']++;
};

const onVirtualReader = async (): Promise<void> => {
  const bench = await openVirtualBench();
  const counter = new Counter(bench);
  for (const flow of ['face', 'pin'] as const) {
    const apdus = await countApdus(counter, flow);
    say(`virtual reader, ${flow}: ${apdus} APDUs, ${apdus * 2} boundaries × removal, swap, unplug`);
    for (let at = 0; at < apdus; at++) {
      for (const phase of ['before', 'after'] as const) {
        tally.boundaries++;
        for (const mishap of ['removal', 'swap', 'unplug'] as const) await disturb(counter, flow, mishap, at, phase);
      }
    }
  }
  await bench.close();
};

const onPcscd = async (): Promise<void> => {
  const missing = pcscdMissing() ?? (await pcscliteMissing());
  if (missing !== null || pcscdSamples === 0) {
    say(`pcscd + vpcd skipped: ${missing ?? 'no samples asked for'}`);
    return;
  }
  const bench = await openPcscdBench();
  const counter = new Counter(bench);
  for (const flow of ['face', 'pin'] as const) {
    const apdus = await countApdus(counter, flow);
    const step = Math.max(1, Math.floor(apdus / pcscdSamples));
    say(
      `pcscd + vpcd, ${flow}: ${apdus} APDUs, every ${step}th boundary × removal, swap; pcscd killed at each second of them`,
    );
    for (let at = 0, sample = 0; at < apdus; at += step, sample++) {
      tally.boundaries++;
      const phase = sample % 2 === 0 ? 'after' : 'before';
      await disturb(counter, flow, 'removal', at, phase);
      await disturb(counter, flow, 'swap', at, phase);
      if (sample % 2 === 0) {
        await disturb(counter, flow, 'unplug', at, phase);
        tally.unplugs--;
        tally.serviceKills++;
      }
      say(`  boundary ${at}: recovery so far at most ${Math.round(Math.max(...recoveryMs))} ms`);
    }
  }
  await bench.close();
};

const virtualOnly = await onVirtualReader().then(() => Math.max(...recoveryMs));
await onPcscd();
const result = {
  ...tally,
  recoveryMs: { max: Math.round(Math.max(...recoveryMs)), virtualReaderMax: Math.round(virtualOnly) },
};
if (options.json !== true) for (const [name, value] of Object.entries(result)) say(`${name}: ${JSON.stringify(value)}`);
process.stdout.write(`${JSON.stringify(result)}\n`);
const isGood =
  tally.wrongSignatures +
    tally.pinTriesSpentByUs +
    tally.foreignApdus +
    tally.unexpectedOutcomes +
    tally.notUsableAgain ===
    0 && result.recoveryMs.max <= 2000;
process.exit(isGood ? 0 : 1);
