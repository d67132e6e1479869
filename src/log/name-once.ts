import type { TopicLeaf } from '../wire/topics.ts';
import type { EventLog } from './event-log.ts';

/** Whoever makes up keys fills neither log nor memory. */
const mostNames = 50;

/** Tells each unknown key of a message once in the life of the process. */
export const nameUnknownKeys = (log: EventLog) => {
  const named = new Set<string>();
  return (leaf: TopicLeaf, keys: readonly string[], device?: string): void => {
    for (const key of keys) {
      const name = `${device ?? ''} ${leaf} ${key}`;
      if (named.has(name) || named.size >= mostNames) continue;
      named.add(name);
      log.event('message.key-unknown', { leaf, key, ...(device === undefined ? {} : { device }) });
    }
  };
};
