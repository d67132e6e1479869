import { bundleTopic } from './bundle-messages.ts';
import { certificateTopic } from './certificate-messages.ts';
import { publisherOf, topicLeaves, topicOf } from './topics.ts';

/**
 * Who may write and read which topics: the one source of mosquitto's ACL file, RabbitMQ's permissions and the embedded broker's checks.
 * The user is the CN of the client's certificate. Nobody may what is not listed; a revoked device is not listed.
 */
type AccessRule = { readonly user: string; readonly access: 'write' | 'read'; readonly filter: string };

export type BrokerUsers = {
  readonly facility: string;
  readonly agents: readonly string[];
  readonly devices: readonly string[];
};

export const accessRules = ({ facility, agents, devices }: BrokerUsers): readonly AccessRule[] => {
  const rulesOf = (user: string, role: 'device' | 'agent'): readonly AccessRule[] => {
    const whose = role === 'device' ? user : '+';
    const access = (publisher: 'device' | 'agent'): AccessRule['access'] => (publisher === role ? 'write' : 'read');
    return [
      ...topicLeaves.map((leaf) => ({
        user,
        access: access(publisherOf[leaf]),
        filter: topicOf(facility, whose, leaf),
      })),
      { user, access: access('device'), filter: certificateTopic(facility, whose, 'request') },
      { user, access: access('agent'), filter: certificateTopic(facility, whose, 'answer') },
      { user, access: access('device'), filter: bundleTopic(facility, whose, 'request') },
      { user, access: access('agent'), filter: bundleTopic(facility, whose, 'answer') },
    ];
  };
  return [
    ...devices.flatMap((device) => rulesOf(device, 'device')),
    ...agents.flatMap((agent) => rulesOf(agent, 'agent')),
  ];
};

/**
 * Whether everything that `requested` (a topic or a filter) stands for lies within `allowed`.
 * `a/+/c` covers `a/b/c` and `a/+/c`, but neither `a/#` nor `a/b/c/d`.
 */
export const covers = (allowed: string, requested: string): boolean => {
  const wide = allowed.split('/');
  const narrow = requested.split('/');
  for (let level = 0; level < wide.length; level++) {
    if (wide[level] === '#') return true;
    const asked = narrow[level];
    if (asked === '#') return false;
    if (wide[level] !== '+' && wide[level] !== asked) return false;
  }
  return wide.length === narrow.length;
};

export const permits = (
  rules: readonly AccessRule[],
  user: string,
  access: AccessRule['access'],
  requested: string,
): boolean => rules.some((rule) => rule.user === user && rule.access === access && covers(rule.filter, requested));

/** mosquitto's `acl_file`. */
export const renderAclFile = (users: BrokerUsers): string => {
  const rules = accessRules(users);
  const sections = [...users.devices, ...users.agents].map((name) => {
    const topics = rules.filter(({ user }) => user === name);
    return `\nuser ${name}\n${topics.map(({ access, filter }) => `topic ${access} ${filter}\n`).join('')}`;
  });
  return `# Rendered by \`uketsuke agent\`: change the device registry, not this file.\n${sections.join('')}`;
};

/**
 * One level of a filter as RabbitMQ sees it: a dot between levels, `*` for `+`. `+` grants a name or `*`, but not `#`, which
 * stands for any number of levels there.
 */
const levelExpression = (level: string): string =>
  level === '+' ? '[^.#]+' : level.replaceAll(/[^\w-]/g, (sign) => `\\${sign}`);

/** Also a line end behind the name is none of its: PCRE's `$` stands before it. */
const exactly = (expressions: readonly string[]): string => `^(${expressions.join('|')})$(?!\\n)`;

/** Where MQTT's topics live in RabbitMQ */
const rabbitExchange = 'amq.topic';
const rabbitVhost = 'uketsuke';

/**
 * RabbitMQ's `load_definitions`: each user by the name of its certificate alone (an empty hash admits no password), may make,
 * fill and read the queues of its own client id, and write and read the topics of the rules.
 */
export const rabbitDefinitions = (users: BrokerUsers) => {
  const rules = accessRules(users);
  const names = [...users.devices, ...users.agents];
  const topicsOf = (user: string, access: AccessRule['access']): string =>
    exactly(
      rules
        .filter((rule) => rule.user === user && rule.access === access)
        .map(({ filter }) => filter.split('/').map(levelExpression).join('\\.')),
    );
  return {
    vhosts: [{ name: rabbitVhost }],
    users: names.map((name) => ({ name, password_hash: '', tags: [] })),
    permissions: names.map((user) => {
      const own = [`mqtt-subscription-${user}qos[01]`, `mqtt-will-${user}`];
      const whole = exactly([levelExpression(rabbitExchange), ...own]);
      return { user, vhost: rabbitVhost, configure: exactly(own), write: whole, read: whole };
    }),
    topic_permissions: names.map((user) => ({
      ...{ user, vhost: rabbitVhost, exchange: rabbitExchange },
      ...{ write: topicsOf(user, 'write'), read: topicsOf(user, 'read') },
    })),
  };
};
