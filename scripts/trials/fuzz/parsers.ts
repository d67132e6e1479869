import { encodeFrame, FrameReader } from '../../../drivers/host/frames.ts';
import { HostAddress } from '../../../drivers/message-bus/host-address.ts';
import { bundleOf } from '../../../drivers/update-board/rauc-bundle.ts';
import { encodeGreyJp2 } from '../../../drivers/virtual/jp2.ts';
import { decodeOqs } from '../../../src/agent/oqs-folder/oqs-encoding.ts';
import { decodeReference } from '../../../src/face/models/decode-reference.ts';
import { loadConfig } from '../../../src/processes/terminal-config.ts';
import { decodeCommand, decodeResponse } from '../../../src/protocol/card/apdu.ts';
import { parseCertificate } from '../../../src/protocol/card/certificate.ts';
import { readTlvs } from '../../../src/protocol/card/tlv.ts';
import { parseVisual } from '../../../src/protocol/card/visual-ap.ts';
import { parseDocument } from '../../../src/protocol/evidence.ts';
import { parseXml } from '../../../src/protocol/oqs/oqs-xml-parser.ts';
import { cardCryptography } from '../../../src/trust/card-cryptography.ts';
import { stateSchema } from '../../../src/wire/messages.ts';
import { takeKnown } from '../../../src/wire/translate.ts';
import { cardKeys, certificateFor } from '../../beds/evidence-fixtures.ts';
import { Dice, fileBytes, frameBytes } from '../fuzz-bytes.ts';

/** Something that reads what others wrote. It may refuse; it may not throw, hang or grow. */
export type Parser = {
  readonly name: string;
  /** Right inputs, to be changed */
  readonly seeds: readonly Uint8Array[];
  readonly parse: (bytes: Uint8Array) => unknown;
  /** A slow one has its turn in so many rounds. */
  readonly everyRounds?: number;
  /** It may take so long, ms, where that is more than for others */
  readonly limitMs?: number;
};

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
/** A tag with its value, of fewer than 128 bytes */
const tlv = (tag: readonly number[], ...value: number[]): readonly number[] => [...tag, value.length, ...value];

const state = {
  ...{ device: 'front-1', lane: 1, version: '0.1.0', profile: 'demo', status: 'idle', phase: 'idle', since: 1 },
  catalogueVersion: '1',
};
const visual = Uint8Array.from(
  tlv(
    [0xff, 0x20],
    ...tlv([0xdf, 0x22], ...bytesOf('19800217')),
    ...tlv([0xdf, 0x23], 0x32),
    ...tlv([0xdf, 0x27], 0, 0),
  ),
);
const rauc = '{"compatible":"uketsuke-device","version":"0.1.0","images":[]}';
const xml = fileBytes(new Dice(3));
const configuration = 'profile: demo\nfacility: clinic-0001\ndevice: front-1\nlane: 1\nbroker: { host: localhost }\n';

/** Name servers say a list, an empty one, or that there is none; whatever it is, there is an address or a refusal. */
const askNames = async (bytes: Uint8Array): Promise<void> => {
  const answers = textOf(bytes).split('\n');
  const address = new HostAddress('broker.clinic', async () => {
    const answer = answers.shift() ?? '';
    if (answer.startsWith('!')) throw new Error('ENOTFOUND');
    return answer === '' ? [] : answer.split(',');
  });
  for (let turn = 0; turn < 8; turn += 1) {
    const next = await address.next().catch(() => null);
    if (next !== null && typeof next !== 'string') throw new Error('neither an address nor a refusal');
    address.failed();
  }
};

/** All of them; cards and pictures are made once. */
export const makeParsers = async (): Promise<readonly Parser[]> => {
  const keys = await cardKeys();
  const certificate = await certificateFor(keys.auth, Date.now(), { serial: '5E570001' });
  const grey = Uint8Array.from({ length: 32 * 32 }, (_, at) => (at * 7) & 0xff);
  const jp2 = await encodeGreyJp2({ width: 32, height: 32, grey });
  return [
    { name: 'apdu-answer', seeds: [Uint8Array.of(0x90, 0), Uint8Array.of(1, 2, 0x61, 4)], parse: decodeResponse },
    { name: 'apdu-command', seeds: [Uint8Array.of(0, 0x20, 0, 0x80, 4, 49, 50, 51, 52)], parse: decodeCommand },
    { name: 'tlv', seeds: [visual, certificate], parse: (bytes) => readTlvs(bytes) },
    { name: 'visual-record', seeds: [visual], parse: (bytes) => parseVisual(bytes, bytes, cardCryptography.sha256) },
    { name: 'certificate', seeds: [certificate], parse: parseCertificate },
    // A decoder of its own for each picture, thrown away with all that it held.
    { name: 'jp2', seeds: [jp2], parse: (bytes) => decodeReference(bytes), everyRounds: 200, limitMs: 1_000 },
    {
      name: 'frames',
      seeds: [encodeFrame({ alive: true }, [Uint8Array.of(1, 2, 3)]), frameBytes(new Dice(1), 'face')],
      parse: (bytes) => new FrameReader().push(Buffer.from(bytes)),
    },
    { name: 'document', seeds: [bytesOf('{"payload":"e30","signatures":[]}')], parse: parseDocument },
    {
      name: 'state-message',
      seeds: [bytesOf(JSON.stringify(state))],
      parse: (bytes) => {
        let content: unknown;
        try {
          content = JSON.parse(textOf(bytes));
        } catch {
          return null;
        }
        return takeKnown(stateSchema, content);
      },
    },
    { name: 'configuration', seeds: [bytesOf(configuration)], parse: (bytes) => loadConfig(bytes), everyRounds: 10 },
    {
      name: 'oqs-file',
      everyRounds: 10,
      seeds: [xml],
      parse: (bytes) => {
        const text = decodeOqs(bytes);
        return text.ok ? parseXml(text.value) : text;
      },
    },
    {
      name: 'update-bundle',
      seeds: [bytesOf(rauc), bytesOf('null'), bytesOf('[]')],
      parse: (bytes) => bundleOf('id', { code: 0, output: textOf(bytes), words: textOf(bytes) }),
    },
    { name: 'name-server', seeds: [bytesOf('127.0.0.1,::1\n!\n\n10.0.0.1')], parse: askNames, everyRounds: 5 },
  ];
};
