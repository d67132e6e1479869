/** Topics of one device: `uketsuke/v1/<facility>/<device>/<leaf>`. Direction and sealing: see `messages.ts`. */
export const topicLeaves = [
  'state',
  'challenge-request',
  'challenge',
  'lookup',
  'lookup-result',
  'request',
  'receipt',
  'result',
  'command',
  'command-result',
  'settings',
] as const;
export type TopicLeaf = (typeof topicLeaves)[number];

/** Who publishes a leaf: one source for schemas, documents and the brokers' access control lists. */
export const publisherOf: Record<TopicLeaf, 'device' | 'agent'> = {
  state: 'device',
  'challenge-request': 'device',
  challenge: 'agent',
  lookup: 'device',
  'lookup-result': 'agent',
  request: 'device',
  receipt: 'agent',
  result: 'agent',
  command: 'agent',
  'command-result': 'device',
  settings: 'agent',
};

const prefix = 'uketsuke/v1';

export const topicOf = (facility: string, device: string, leaf: TopicLeaf): string =>
  `${prefix}/${facility}/${device}/${leaf}`;

type ParsedTopic = { readonly facility: string; readonly device: string; readonly leaf: TopicLeaf };

export const parseTopic = (topic: string): ParsedTopic | null => {
  const match = /^uketsuke\/v1\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(topic);
  if (match === null) return null;
  const [, facility, device, leaf] = match;
  const known = topicLeaves.find((name) => name === leaf);
  return facility && device && known ? { facility, device, leaf: known } : null;
};
