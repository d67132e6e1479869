import { randomFrom } from '../../drivers/virtual/random-from.ts';

/*
 * Bytes that nobody in his right mind sends, made from a seed: the same seed makes the same bytes.
 */

export class Dice {
  /** From 0 up to 1 */
  readonly next: () => number;

  constructor(seed: number) {
    this.next = randomFrom(seed);
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

const lengths = [0, 1, 2, 3, 7, 15, 16, 63, 64, 127, 128, 255, 256, 1_023, 4_096, 8_191, 8_192, 16_385, 65_536];

/** Some bytes changed, cut, doubled or put in. */
export const mutate = (dice: Dice, bytes: Buffer): Buffer => {
  let changed = Buffer.from(bytes);
  for (let times = 1 + dice.below(4); times > 0; times -= 1) {
    const at = dice.below(changed.length + 1);
    switch (dice.below(5)) {
      case 0:
        if (at < changed.length) changed[at] = dice.below(256);
        break;
      case 1:
        changed = changed.subarray(0, at);
        break;
      case 2:
        changed = Buffer.concat([changed.subarray(0, at), dice.bytes(dice.below(16)), changed.subarray(at)]);
        break;
      case 3:
        changed = Buffer.concat([changed.subarray(0, at), changed]);
        break;
      default:
        changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at + 1 + dice.below(8))]);
    }
  }
  return changed;
};

const targets = [
  '/',
  '//',
  '///',
  '//host/',
  '//:0/',
  '/../..',
  '/%',
  '/%00',
  '/?',
  '/?%',
  '?',
  '*',
  '',
  ' ',
  'http://[',
  'http://a/',
  '/part/lanes',
  '/part/__proto__',
  '/part/constructor',
  '/events',
  '/usage.csv',
  '/approve',
  '/restart',
  '/situation',
  '/action',
  '/screen',
  '/speech/../../etc/passwd',
  `/${'a'.repeat(7_900)}`,
  '/\u00e9',
  '/#',
  '/;',
  '\\',
  '/part/notice?notice=%ff',
];
const methods = ['GET', 'GET', 'GET', 'POST', 'HEAD', 'PUT', 'OPTIONS', 'CONNECT', 'TRACE', 'get', 'PRI', 'G\0T', ''];
const forms = [
  'token=x',
  'token=',
  '%',
  '&&&',
  'device=__proto__&token=1',
  '{"action":"pull"}',
  '{"action":"keypad","key":1e999}',
  '[',
  'null',
];

/** A request of HTTP, more or less. `host`: 127.0.0.1:port */
export const httpBytes = (dice: Dice, host: string): Buffer => {
  const lines = [
    `${dice.of(methods)} ${dice.of(targets)} ${dice.of(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/9', ''])}`,
  ];
  if (dice.chance(0.9))
    lines.push(`Host: ${dice.of([host, host, host, host, 'clinic.example', '', '127.0.0.1:0', `${host}, x`])}`);
  if (dice.chance(0.3)) lines.push(`Origin: ${dice.of([`http://${host}`, 'null', 'http://clinic.example', ''])}`);
  const body = Buffer.from(dice.chance(0.3) ? dice.of(forms) : dice.bytes(dice.of(lengths)));
  if (dice.chance(0.3))
    lines.push(`Content-Length: ${dice.of([body.length, 0, -1, 1e20, 'x', body.length + 5, '0x10'])}`);
  if (dice.chance(0.2))
    lines.push(`Transfer-Encoding: ${dice.of(['chunked', 'gzip, chunked', 'identity', 'chunked, chunked'])}`);
  if (dice.chance(0.2)) lines.push('Connection: Upgrade', `Upgrade: ${dice.of(['websocket', 'h2c', 'x'])}`);
  if (dice.chance(0.2))
    lines.push(
      `Sec-WebSocket-Version: ${dice.of(['13', '8', '-1', ''])}`,
      `Sec-WebSocket-Key: ${dice.of(['dGhlIHNhbXBsZSBub25jZQ==', 'x', ''])}`,
    );
  if (dice.chance(0.2)) lines.push(`Expect: ${dice.of(['100-continue', 'x'])}`);
  if (dice.chance(0.1)) for (let index = 0; index < 70; index += 1) lines.push(`X-${index}: ${index}`);
  if (dice.chance(0.1)) lines.push(`X-Long: ${'x'.repeat(dice.of(lengths))}`);
  const head = Buffer.from(`${lines.join(dice.chance(0.9) ? '\r\n' : '\n')}\r\n\r\n`, 'latin1');
  const whole = Buffer.concat([
    head,
    dice.chance(0.2) ? Buffer.from(`${body.length.toString(16)}\r\n`) : Buffer.alloc(0),
    body,
  ]);
  const sent = dice.chance(0.2) ? Buffer.concat([whole, whole]) : whole;
  return dice.chance(0.3) ? mutate(dice, sent) : sent;
};

/** What a terminal asks at its enrolment, with a secret that is none. */
export const enrolmentBytes = (dice: Dice): Buffer => {
  const key = '{"kty":"EC","crv":"P-256","x":"x","y":"y","kid":"k"}';
  const body = dice.of([
    `{"device":"terminal-07","secret":"x","tlsKey":"x","signingKey":${key},"sealingKey":${key}}`,
    '{"device":"__proto__","secret":"x"}',
    'null',
    '[',
    'x'.repeat(dice.of(lengths)),
  ]);
  const head = `POST /enrol HTTP/1.1\r\nHost: x\r\nContent-Length: ${dice.chance(0.8) ? body.length : 9_000}\r\n\r\n`;
  const whole = Buffer.from(head + body);
  return dice.chance(0.4) ? mutate(dice, whole) : whole;
};

export const upgradeBytes = (host: string, path: string): Buffer =>
  Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );

const touches = [
  '{"touch":{"session":null,"revision":1,"control":"agree"}}',
  '{"touch":{"session":"__proto__","revision":9007199254740991,"control":"call-staff","value":"x"}}',
  '{"painted":0}',
  '{"painted":1e308}',
  '{"touch":null}',
  '[]',
  '"',
];

/** Frames of a WebSocket: right ones, wrong lengths, wrong opcodes, unmasked, control frames that are too long. */
export const webSocketBytes = (dice: Dice): Buffer => {
  const frames = Array.from({ length: 1 + dice.below(6) }, () => {
    const payload = dice.chance(0.5) ? Buffer.from(dice.of(touches)) : dice.bytes(dice.of(lengths.slice(0, 14)));
    const masked = dice.chance(0.9);
    const first = dice.chance(0.8) ? 0x80 | dice.of([1, 2, 1, 2, 8, 9, 10]) : dice.below(256);
    const claimed = dice.chance(0.9) ? payload.length : dice.of([0, 125, 2_049, 65_536, 0xffff_ffff]);
    const length =
      claimed < 126
        ? Buffer.from([claimed | (masked ? 0x80 : 0)])
        : claimed < 65_536
          ? Buffer.from([126 | (masked ? 0x80 : 0), claimed >> 8, claimed & 255])
          : Buffer.concat([
              Buffer.from([127 | (masked ? 0x80 : 0), 0, 0, 0, 0]),
              Buffer.from(Uint32Array.of(claimed).buffer).reverse(),
            ]);
    return Buffer.concat([Buffer.from([first]), length, masked ? Buffer.alloc(4) : Buffer.alloc(0), payload]);
  });
  const all = Buffer.concat(frames);
  return dice.chance(0.3) ? mutate(dice, all) : all;
};

/** Packets of MQTT 3.1.1, of any type, with wrong lengths. */
export const mqttBytes = (dice: Dice): Buffer => {
  const connect = Buffer.from('\x10\x13\x00\x04MQTT\x04\x02\x00\x3c\x00\x07fuzz-me', 'latin1');
  const packets = Array.from({ length: 1 + dice.below(5) }, () => {
    if (dice.chance(0.3)) return dice.chance(0.5) ? connect : mutate(dice, connect);
    const body = dice.bytes(dice.of(lengths.slice(0, 12)));
    const claimed = dice.chance(0.8) ? Buffer.from([body.length & 127]) : Buffer.from([0xff, 0xff, 0xff, 0x7f]);
    return Buffer.concat([Buffer.from([dice.below(256)]), claimed, body]);
  });
  return Buffer.concat(packets);
};

/** What may be said to a process of the device by its own kind, in part with fields that are not. */
const saidToLink = [
  '{"type":"publish","id":1,"topic":"uketsuke/x/y/state"}',
  '{"type":"publish","id":-1,"topic":"#","responseTopic":"\\u0000"}',
  '{"type":"subscribe","filter":"#"}',
  '{"type":"subscribe","filter":"+/+/\\u0000"}',
  '{"type":"time","wallMs":1e308}',
  '{"type":"time","wallMs":-1}',
  '{"type":"store","id":1,"call":{"method":"outboxRows"}}',
  '{"type":"store","id":2,"call":{"method":"raiseSettings","version":9007199254740991,"atMs":0}}',
  '{"type":"store","id":3,"call":{"method":"rememberNonce","nonce":"__proto__","expiresAtMs":1e308,"nowMs":0.5}}',
  '{"type":"store","id":4,"call":{"method":"addOutboxRow","row":{"requestId":"a","session":"b","documentHash":"c","createdAtMs":1e308,"expiresAtMs":-1,"visitMark":null}}}',
  '{"type":"store","id":5,"call":{"method":"removeOutboxRow","requestId":"a","entry":{"atMs":0.5,"event":"request-cancelled","subject":"a"}}}',
];
const saidToFace = [
  '{"type":"begin","attempt":1,"padStrength":"active"}',
  '{"type":"begin","attempt":9007199254740991,"padStrength":"off"}',
  '{"type":"reference","attempt":1}',
  '{"type":"reference","attempt":1}',
  '{"type":"stop","attempt":1}',
  '{"type":"stop","attempt":1e308}',
];
const saidToAny = ['{"alive":true}', '{"protocol":null}', '{"call":"__proto__","id":1}', '{', 'null', '[[[]]]'];

const frame = (dice: Dice, text: string): Buffer => {
  const parts = Array.from({ length: dice.chance(0.5) ? 0 : dice.below(4) }, () => dice.bytes(dice.of(lengths)));
  const body = Buffer.from(text);
  const size = 5 + 4 * parts.length + body.length + parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(9 + 4 * parts.length);
  head.writeUInt32BE(dice.chance(0.9) ? size : dice.of([0, 4, 5, 524_288, 524_289, 0xffff_ffff]), 0);
  head.writeUInt32BE(dice.chance(0.95) ? body.length : dice.below(0xffff_ffff), 4);
  head.writeUInt8(dice.chance(0.95) ? parts.length : dice.below(256), 8);
  for (const [index, part] of parts.entries()) head.writeUInt32BE(part.length, 9 + 4 * index);
  return Buffer.concat([head, body, ...parts]);
};

/** Frames between the processes of a device: mostly a right greeting, then what its peer may say and what nobody may. */
export const frameBytes = (dice: Dice, kind: 'link' | 'face' | 'other'): Buffer => {
  const said = { link: saidToLink, face: saidToFace, other: saidToAny }[kind];
  const greeting = dice.chance(0.8) ? [Buffer.from(`{"protocol":"uketsuke-${kind}/1"}`)] : [];
  const greetings = greeting.map((text) => {
    const head = Buffer.alloc(9);
    head.writeUInt32BE(5 + text.length, 0);
    head.writeUInt32BE(text.length, 4);
    return Buffer.concat([head, text]);
  });
  const frames = Array.from({ length: 1 + dice.below(6) }, () =>
    frame(dice, dice.chance(0.75) ? dice.of(said) : dice.of(saidToAny)),
  );
  const rest = Buffer.concat(frames);
  return Buffer.concat([...greetings, dice.chance(0.3) ? mutate(dice, rest) : rest]);
};

/** A ClientHello as browsers and terminals begin, changed. */
export const tlsBytes = (dice: Dice, hello: Buffer): Buffer => {
  if (dice.chance(0.2)) return dice.bytes(dice.of(lengths.slice(0, 15)));
  return dice.chance(0.1) ? hello : mutate(dice, hello);
};

/** What lies in a request's file: XML, more or less. */
export const fileBytes = (dice: Dice): Buffer => {
  const xml = Buffer.from(
    '<?xml version="1.0" encoding="Shift_JIS"?><XmlMsg><MessageHeader><MedicalInstitutionCode>1310000001</MedicalInstitutionCode><ArbitraryFileIdentifier>a</ArbitraryFileIdentifier></MessageHeader><MessageBody><QualificationConfirmSearchInfo><InsurerNumber>  138057</InsurerNumber><InsuredIdentificationNumber>1000001</InsuredIdentificationNumber></QualificationConfirmSearchInfo></MessageBody></XmlMsg>',
  );
  if (dice.chance(0.1))
    return Buffer.from(`<!DOCTYPE x [<!ENTITY a "${'a'.repeat(100)}">]>${'<x>'.repeat(dice.of(lengths))}`);
  if (dice.chance(0.1)) return dice.bytes(dice.of(lengths));
  return dice.chance(0.3) ? xml : mutate(dice, xml);
};
