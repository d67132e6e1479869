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
  verify(secret: Uint8Array): void {
    this.send({ cla: 0, ins: 0x20, p1: 0, p2: 0x80, body: secret });
  }
}

/** 00 20 00 80: how often the counter is read before the secret is sent. */
const enterPin = (client: Client, is: (defect: Defect) => boolean): void => {
  const pin = fromAscii('1234');
  client.file(files.jpki.authPin);
  if (!is('no-counter-read')) client.counter();
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
  for (const guess of [...tries, printed]) client.verify(fromAscii(guess));
};

const readCertificate = (client: Client, is: (defect: Defect) => boolean): void => {
  client.file(files.jpki.authCertificate);
  if (is('wrong-length-ignored')) client.instead = fromHex('6C20');
  const [, , high = 0, low = 0] = client.read(0, 4);
  if (is('wrong-length-ignored')) client.file(files.jpki.authCertificate);
  const length = is('read-past-end') ? 2_304 : 4 + ((high << 8) | low);
  for (let offset = 4; offset < length; offset += 256) client.read(offset, Math.min(256, length - offset));
  if (is('read-twice')) client.read(4, 256);
};

const sign = (client: Client, is: (defect: Defect) => boolean): void => {
  client.file(files.jpki.authKey);
  const digest = createHash('sha256').update('signing input').digest();
  const body = is('sign-no-digest-info') ? new Uint8Array(digest) : sha256DigestInfo(digest);
  client.send({ cla: is('sign-wrong-class') ? 0 : 0x80, ins: 0x2a, p1: 0, p2: 0x80, body, le: 256 });
};

/** One visit: recognise the card, read what is free, open the face, verify, sign. */
const visit = (client: Client, made: MadeCard, is: (defect: Defect) => boolean): void => {
  if (is('application-not-selected')) client.file(files.jpki.tokenInformation);
  readNumberB(client, made.printedNumberB ?? '', is);
  if (is('individual-number-selected')) {
    client.application(applications.text);
    client.file(0x0001);
  }
  client.application(applications.jpki);
  if (!is('card-not-recognised')) {
    client.file(files.jpki.tokenInformation);
    client.read(0, 32);
  }
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
    return { rules: new Set(judge.findings.map(({ rule }) => rule)) };
  },
};
