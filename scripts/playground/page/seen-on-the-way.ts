import { decodeOqs } from '../../../src/agent/oqs-folder/oqs-encoding.ts';
import { messageForms } from '../../../src/wire/message-forms.ts';
import { parseTopic, publisherOf } from '../../../src/wire/topics.ts';
import { openMessage } from '../../beds/opened-messages.ts';
import type { Clinic, PassedMessage } from './clinic.ts';
import { type Both, words } from './page-words.ts';

type InOurs = (both: Both) => string;

export const made = (tag: string, text: string, name = ''): HTMLElement => {
  const one = document.createElement(tag);
  one.textContent = text;
  one.className = name;
  return one;
};

/** What nobody could read in a few lines is shortened: a certificate, a signature. */
const shown = (content: unknown): string =>
  JSON.stringify(
    content,
    (_, value) => (typeof value === 'string' && value.length > 90 ? `${value.slice(0, 60)}… (${value.length})` : value),
    2,
  );

const timeOf = (clinic: Clinic, atMs: number): string =>
  new Date(clinic.wallMs - clinic.kernel.nowMs + atMs).toLocaleTimeString('ja-JP', { timeZone: 'Asia/Tokyo' });

/** A message as a line that can be opened; null: no topic of ours. */
export const messageLine = (clinic: Clinic, message: PassedMessage, inOurs: InOurs): HTMLElement | null => {
  const { topic, payload, atMs } = message;
  const leaf = parseTopic(topic)?.leaf;
  if (leaf === undefined) return null;
  const { envelope } = messageForms[leaf];
  const line = document.createElement('details');
  const way = publisherOf[leaf] === 'agent' ? words.toTerminal : words.toAgent;
  const kind = envelope === 'plain' ? words.plain : envelope === 'signed' ? words.signed : words.sealed;
  const summary = made('summary', '');
  summary.append(
    made('span', timeOf(clinic, atMs), 'time'),
    made('b', leaf),
    made('span', inOurs(way)),
    made('span', `${payload.length} B`, 'size'),
  );
  line.append(summary);
  line.addEventListener('toggle', async () => {
    if (line.childElementCount > 1) return;
    const { device, agent } = clinic.ground.facility;
    const { content } = await openMessage(topic, payload, { device, agent });
    line.append(made('p', inOurs(kind), 'kind'), made('pre', shown(content)));
  });
  return line;
};

/** The newest file for the レセコン, as it reads it. */
export const newestFile = (clinic: Clinic): { readonly name: string; readonly text: string } | null => {
  const file = clinic.files().at(-1);
  if (file === undefined) return null;
  const text = decodeOqs(file.bytes);
  return { name: file.name, text: text.ok ? text.value : (text.failure.detail ?? '') };
};
