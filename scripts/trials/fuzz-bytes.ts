/*
 * Bytes that nobody in his right mind sends, made from a seed: the same seed makes the same bytes.
 */

/** Mulberry32: small, quick, the same everywhere. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
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
const mutate = (dice: Dice, bytes: Buffer): Buffer => {
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

/** Frames between the processes of a device. */
export const frameBytes = (dice: Dice): Buffer => {
  const texts = [
    '{"protocol":"uketsuke-link/1"}',
    '{"alive":true}',
    '{"protocol":null}',
    '{"call":"__proto__","id":1}',
    '{',
    'null',
    '[[[]]]',
  ];
  const text = Buffer.from(dice.of(texts));
  const frame = Buffer.alloc(9 + text.length);
  frame.writeUInt32BE(dice.chance(0.8) ? 5 + text.length : dice.of([0, 4, 5, 524_288, 524_289, 0xffff_ffff]), 0);
  frame.writeUInt32BE(dice.chance(0.8) ? text.length : dice.below(0xffff_ffff), 4);
  frame.writeUInt8(dice.chance(0.8) ? 0 : dice.below(256), 8);
  text.copy(frame, 9);
  return dice.chance(0.4) ? mutate(dice, frame) : frame;
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
