import { createHash } from 'node:crypto';
import type { MadeCard } from '../../drivers/virtual/card-maker.ts';
import { CardClientJudge } from '../../src/kit/card/judge-card-client.ts';
import { concatBytes, fromAscii, fromHex, uint16 } from '../../src/protocol/bytes.ts';
import { type CommandApdu, encodeCommand } from '../../src/protocol/card/apdu.ts';
import { sha256DigestInfo } from '../../src/protocol/card/digest-info.ts';
import { applications, files } from '../../src/protocol/card/myna-card.ts';
import { testCard } from '../beds/test-cards.ts';
import { type CheckedKit, defect } from './planted-defect.ts';

/* A small program of somebody else's for a My Number card, as it should be, and with each mistake that the card kit knows. */

const defects = [
  defect('no-counter-read'),
  defect('last-try-spent'),
  defect('same-pin-again'),
  defect('verify-when-blocked'),
  defect('wrong-pin-length'),
  defect('sign-password-touched'),
  defect('individual-number-selected'),
  defect('number-a-used'),
  defect('number-b-looped'),
  defect('number-b-few-left'),
  defect('application-not-selected'),
  defect('card-not-recognised'),
  defect('refused-selection-ignored'),
  defect('select-between-verify-and-sign'),
  defect('sign-without-verify'),
  defect('sign-wrong-class'),
  defect('sign-no-digest-info'),
  defect('long-apdu'),
  defect('read-past-end'),
  defect('read-twice'),
  defect('wrong-length-ignored'),
  defect('verify-resent'),
  // of what nobody may do to somebody else's card
  defect('never-spoken-to'),
  defect('pin-changed', 'card-written'),
  defect('counter-reset', 'card-written'),
  defect('file-written', 'card-written'),
  defect('sign-key-used'),
  defect('sign-certificate-read'),
  defect('resident-register-selected'),
  // of secrets
  defect('verify-other-parameters'),
  defect('number-b-cut', 'wrong-number-length'),
  defect('text-pin-cut', 'wrong-pin-length'),
  defect('counter-of-before', 'no-counter-read'),
  // of what is asked of it
  defect('read-in-crumbs'),
  defect('refused-read-again'),
  defect('signed-twice'),
  defect('proof-repeated', 'signed-twice'),
  defect('sha-1', 'weak-digest'),
  defect('fixed-digest', 'weak-digest'),
  defect('selection-wants-answer', 'refused-selection-ignored'),
  defect('application-cut', 'refused-selection-ignored'),
] as const;
type Defect = (typeof defects)[number]['name'];

class Client {
  readonly #made: MadeCard;
  readonly #judge: CardClientJudge;
  /** What the card says in place of its own answer to the next APDU */
  instead: Uint8Array | null = null;

  constructor(made: MadeCard, judge: CardClientJudge) {
    this.#made = made;
    this.#judge = judge;
  }

  raw(command: Uint8Array): Uint8Array {
    const own = this.#made.card.transmit(command);
    const response = this.instead ?? own;
    this.instead = null;
    this.#judge.see({ command, response });
    return response;
  }
  send(command: CommandApdu): Uint8Array {
    return this.raw(encodeCommand(command));
  }
  application(aid: Uint8Array): void {
    this.send({ cla: 0, ins: 0xa4, p1: 4, p2: 0x0c, body: aid });
  }
  file(fid: number): void {
    this.send({ cla: 0, ins: 0xa4, p1: 2, p2: 0x0c, body: uint16(fid) });
  }
  read(offset: number, le: number): Uint8Array {
    return this.send({ cla: 0, ins: 0xb0, p1: offset >> 8, p2: offset & 0xff, le });
  }
  counter(): void {
    this.send({ cla: 0, ins: 0x20, p1: 0, p2: 0x80 });
  }
  verify(secret: Uint8Array, p2 = 0x80): void {
    this.send({ cla: 0, ins: 0x20, p1: 0, p2, body: secret });
  }
  sign(digestInfo: Uint8Array, p2: number, cla = 0x80): void {
    this.send({ cla, ins: 0x2a, p1: 0, p2, body: digestInfo, le: 256 });
  }
  /** Taken off and laid down again, or another one in its place */
  laidAgain(): void {
    this.#made.card.reset();
    this.#judge.reset();
  }
}

const recognise = (client: Client): void => {
  client.application(applications.jpki);
  client.file(files.jpki.tokenInformation);
  client.read(0, 32);
};

/** 00 20 00 80: how often the counter is read before the secret is sent. */
const enterPin = (client: Client, is: (defect: Defect) => boolean): void => {
  const pin = fromAscii('1234');
  client.file(files.jpki.authPin);
  if (!is('no-counter-read')) client.counter();
  if (is('counter-of-before')) {
    client.laidAgain();
    recognise(client);
    client.file(files.jpki.authPin);
  }
  if (is('verify-other-parameters')) client.verify(pin, 0x00);
  if (is('wrong-pin-length')) client.verify(fromAscii('123456'));
  if (is('same-pin-again')) for (const wrong of ['9999', '9999']) client.verify(fromAscii(wrong));
  if (is('last-try-spent')) for (const wrong of ['9997', '9998', '9999']) client.verify(fromAscii(wrong));
  if (is('verify-when-blocked')) for (const wrong of ['9996', '9997', '9998', '9999']) client.verify(fromAscii(wrong));
  if (is('verify-resent')) {
    client.instead = new Uint8Array();
    client.verify(pin);
  }
  client.verify(pin);
};

const readNumberB = (client: Client, printed: string, is: (defect: Defect) => boolean): void => {
  client.application(applications.visual);
  client.file(is('number-a-used') ? 0x0013 : files.visual.verificationNumberB);
  if (is('number-a-used')) client.instead = fromHex('9000');
  if (is('number-a-used')) client.file(0x0013);
  if (is('number-b-few-left')) client.instead = fromHex('63C4');
  client.counter();
  if (is('number-a-used')) client.instead = fromHex('9000');
  const tries = is('number-b-looped') ? ['55021720350000', '55021720350001'] : [];
  const known = is('number-b-cut') ? printed.slice(2) : printed;
  for (const guess of [...tries, known]) client.verify(fromAscii(guess));
  if (!is('proof-repeated')) return;
  for (let times = 0; times < 2; times += 1) client.sign(sha256DigestInfo(digestOf('challenge')), 0x00);
};

const readCertificate = (client: Client, is: (defect: Defect) => boolean): void => {
  client.file(files.jpki.authCertificate);
  if (is('wrong-length-ignored')) client.instead = fromHex('6C20');
  const [, , high = 0, low = 0] = client.read(0, 4);
  if (is('wrong-length-ignored')) client.file(files.jpki.authCertificate);
  const length = is('read-past-end') ? 2_304 : 4 + ((high << 8) | low);
  for (let offset = 4; offset < length; offset += 256) client.read(offset, Math.min(256, length - offset));
  if (is('read-twice')) client.read(4, 256);
  if (is('read-in-crumbs')) for (let offset = 300; offset < 340; offset += 1) client.read(offset, 1);
};

const digestOf = (text: string): Uint8Array => createHash('sha256').update(text).digest();
/** DigestInfo of SHA-1 before its twenty bytes */
const sha1Head = fromHex('3021300906052B0E03021A05000414');

/** What no program at a counter has to do with a card. */
const meddle = (client: Client, is: (defect: Defect) => boolean): void => {
  if (is('pin-changed')) client.send({ cla: 0, ins: 0x24, p1: 1, p2: 0x80, body: fromAscii('1235') });
  if (is('counter-reset')) client.send({ cla: 0, ins: 0x2c, p1: 3, p2: 0x80 });
  if (is('file-written')) client.send({ cla: 0, ins: 0xd6, p1: 0, p2: 0, body: fromHex('00') });
  if (is('sign-certificate-read')) {
    client.application(applications.jpki);
    client.file(0x0001);
    client.instead = fromHex('308204009000');
    client.read(0, 4);
  }
  if (is('sign-key-used')) {
    client.application(applications.jpki);
    client.file(0x001a);
    client.sign(sha256DigestInfo(digestOf('contract')), 0x80);
  }
  if (is('resident-register-selected')) client.application(fromHex('D3921000310001010401'));
  if (is('text-pin-cut')) {
    client.application(applications.text);
    client.file(0x0011);
    client.counter();
    client.verify(fromAscii('567'));
  }
  if (is('refused-read-again')) {
    client.application(applications.visual);
    client.file(files.visual.record);
    for (let times = 0; times < 3; times += 1) client.read(0, 7);
  }
  if (is('selection-wants-answer')) {
    client.send({ cla: 0, ins: 0xa4, p1: 4, p2: 0, body: applications.jpki });
    client.file(files.jpki.tokenInformation);
    client.read(0, 32);
  }
  if (is('application-cut')) {
    client.application(applications.jpki.subarray(0, 5));
    client.file(files.jpki.tokenInformation);
    client.read(0, 32);
  }
};

const sign = (client: Client, is: (defect: Defect) => boolean): void => {
  client.file(files.jpki.authKey);
  const digest = is('fixed-digest') ? new Uint8Array(32) : digestOf('signing input');
  const whole = is('sha-1') ? concatBytes(sha1Head, digest.subarray(0, 20)) : sha256DigestInfo(digest);
  const body = is('sign-no-digest-info') ? digest : whole;
  client.sign(body, 0x80, is('sign-wrong-class') ? 0 : 0x80);
  if (is('signed-twice')) client.sign(body, 0x80);
};

/** One visit: recognise the card, read what is free, open the face, verify, sign. */
const visit = (client: Client, made: MadeCard, is: (defect: Defect) => boolean): void => {
  if (is('never-spoken-to')) return;
  if (is('application-not-selected')) client.file(files.jpki.tokenInformation);
  readNumberB(client, made.printedNumberB ?? '', is);
  if (is('individual-number-selected')) {
    client.application(applications.text);
    client.file(0x0001);
  }
  meddle(client, is);
  if (is('card-not-recognised')) client.application(applications.jpki);
  else recognise(client);
  if (is('refused-selection-ignored')) {
    client.file(0x7777);
    client.read(64, 32);
  }
  if (is('long-apdu')) client.raw(concatBytes(fromHex('00B00000000400')));
  readCertificate(client, is);
  if (is('sign-password-touched')) {
    client.file(0x001b);
    client.counter();
    client.verify(fromAscii('TEST01'));
  }
  if (!is('sign-without-verify')) enterPin(client, is);
  if (is('select-between-verify-and-sign')) client.application(applications.jpki);
  sign(client, is);
};

export const cardKit: CheckedKit = {
  kit: 'card',
  defects,
  run: async (planted) => {
    const judge = new CardClientJudge();
    const made = await testCard('hanako');
    const own = { ...made, card: made.asMade() };
    visit(new Client(own, judge), own, (name) => name === planted);
    judge.finish();
    return { rules: new Set(judge.findings.map(({ rule }) => rule)) };
  },
};
