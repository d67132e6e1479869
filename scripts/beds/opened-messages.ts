import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { AgentKeys } from '../../src/agent/provisioning/agent-keys.ts';
import type { TerminalKeys } from '../../src/trust/key-files.ts';
import { openSealed } from '../../src/trust/seal.ts';
import { messageForms } from '../../src/wire/message-forms.ts';
import { parseTopic, publisherOf, type TopicLeaf } from '../../src/wire/topics.ts';

type OpenedMessage = { readonly leaf: TopicLeaf; readonly content: unknown };

/** What a message says inside its envelope, which must have the form that its leaf promises. Throws when it has not. */
export const openMessage = async (
  topic: string,
  payload: Uint8Array,
  keys: { readonly device: TerminalKeys; readonly agent: AgentKeys },
): Promise<OpenedMessage> => {
  const leaf = parseTopic(topic)?.leaf;
  if (leaf === undefined) throw new Error(`${topic} is no topic of ours`);
  const { envelope } = messageForms[leaf];
  let text = new TextDecoder().decode(payload);
  if (envelope === 'plain') return { leaf, content: JSON.parse(text) };
  if (envelope !== 'signed') {
    const openers = publisherOf[leaf] === 'agent' ? [keys.device.sealing] : keys.agent.sealing;
    const opened = await openSealed(leaf, payload, openers);
    if (!opened.ok) throw new Error(`${leaf}: ${opened.failure.detail}`);
    text = new TextDecoder().decode(opened.value);
  }
  if (envelope === 'sealed-document') {
    const document = JSON.parse(text) as { payload: string };
    return { leaf, content: JSON.parse(Buffer.from(document.payload, 'base64url').toString()) };
  }
  if (decodeProtectedHeader(text).typ !== `uketsuke-${leaf}`) throw new Error(`${leaf}: typ`);
  return { leaf, content: decodeJwt(text) };
};
