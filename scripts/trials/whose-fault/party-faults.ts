import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  createAuthority,
  issueCertificate,
  validFor,
  yearMs,
} from '../../../src/agent/provisioning/certificate-authority.ts';
import type { Party } from '../../../src/core/party.ts';
import type { ServiceBehaviour } from '../../../src/core/service-behaviour.ts';
import { stepsWith } from '../misfortune-steps.ts';
import type { MisfortunesBed } from '../misfortunes-bed.ts';
import type { ClinicNetwork, Plan } from './clinic-network.ts';

/** One thing that is broken, and whose it is. */
export type PartyFault = {
  readonly name: string;
  readonly party: Party;
  readonly harm: () => unknown;
  readonly heal: () => unknown;
  /** It shows in a visit, from the moment that the clinic is asked (`service`) or the card is laid down (`card`) */
  readonly shows?: 'service' | 'card';
  readonly persona?: string;
};

type Leaf = { readonly key: string; readonly certificate: string };
type Bed = { readonly bed: MisfortunesBed; readonly network: ClinicNetwork };
const nothing = (): void => {};

/** Of the facility: what signs the broker's certificate */
const authorityOf = ({ directory }: MisfortunesBed): Leaf => {
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
  return { key: read('facility-ca-key.pem'), certificate: read('facility-ca.pem') };
};

/** The form of the link's store, as another release would have written it; answers that of before. The link must not run. */
const setStoreForm = ({ disks }: MisfortunesBed, form: number): number => {
  const database = new DatabaseSync(join(disks.link, 'link.sqlite'));
  const before = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  database.exec(`PRAGMA user_version = ${form}`);
  database.close();
  return before;
};

const cardFaults: readonly PartyFault[] = (
  [
    ['a certificate that ended long ago', 'dead'],
    ['a certificate that was revoked', 'revoked'],
    ['a PIN that is blocked', 'pin-blocked'],
    ["a driver's licence", 'driving-licence'],
    ['a residence card', 'residence-card'],
    ['an old 住基 card', 'old-juki'],
  ] as const
).map(([name, persona]) => ({
  name,
  persona,
  party: 'card',
  shows: persona === 'revoked' ? 'service' : 'card',
  harm: nothing,
  heal: nothing,
}));

const cableFaults = ({ bed, network }: Bed): readonly PartyFault[] => [
  {
    name: "the terminal's cable is pulled",
    party: 'cable',
    harm: () => network.plug('terminal', false),
    heal: () => network.plug('terminal', true),
  },
  {
    name: "the terminal's cable is pulled, and its address goes with it",
    party: 'cable',
    harm: () => {
      network.plug('terminal', false);
      network.in('terminal', 'ip', 'address', 'flush', 'dev', 'eth0');
    },
    heal: () => {
      network.plug('terminal', true);
      network.in('terminal', 'ip', 'address', 'add', '10.78.0.2/24', 'dev', 'eth0');
      network.in('terminal', 'ip', 'route', 'add', 'default', 'via', '10.78.0.254');
    },
  },
  {
    name: 'the link begins without a cable',
    party: 'cable',
    harm: async () => {
      network.plug('terminal', false);
      await bed.link?.end('SIGKILL');
      await bed.startLink();
    },
    heal: () => network.plug('terminal', true),
  },
  {
    name: 'the switch loses its power',
    party: 'cable',
    harm: () => {
      for (const cable of ['terminal', 'pc', 'far'] as const) network.plug(cable, false);
    },
    heal: () => {
      for (const cable of ['terminal', 'pc', 'far'] as const) network.plug(cable, true);
    },
  },
];

const pcFaults = ({ bed, network }: Bed): readonly PartyFault[] => {
  const input = (rule: string): string => `chain in { type filter hook input priority 0; ${rule} }`;
  const shut = (name: string, rules: string): PartyFault => ({
    name,
    party: 'clinic-pc',
    harm: () => network.filter('pc', rules),
    heal: () => network.filter('pc', null),
  });
  return [
    {
      name: "the clinic's PC is switched off",
      party: 'clinic-pc',
      harm: () => network.plug('pc', false),
      heal: () => network.plug('pc', true),
    },
    {
      name: "the clinic's PC has another address",
      party: 'clinic-pc',
      harm: () => {
        network.in('pc', 'ip', 'address', 'flush', 'dev', 'eth0');
        network.in('pc', 'ip', 'address', 'add', '10.78.0.9/24', 'dev', 'eth0');
      },
      heal: () => {
        network.in('pc', 'ip', 'address', 'flush', 'dev', 'eth0');
        network.in('pc', 'ip', 'address', 'add', '10.78.0.3/24', 'dev', 'eth0');
      },
    },
    shut("the PC's firewall drops the broker's port", input('iif != "lo" tcp dport 8883 drop;')),
    shut("the PC's firewall drops everything", input('iif != "lo" drop;')),
    {
      name: 'the agent is killed',
      party: 'clinic-pc',
      harm: () => bed.agent?.end('SIGKILL'),
      heal: () => bed.startAgent(),
    },
    {
      name: 'the agent is stopped in order',
      party: 'clinic-pc',
      harm: () => bed.agent?.end('SIGTERM'),
      heal: () => bed.startAgent(),
    },
    {
      name: 'the agent hangs',
      party: 'clinic-pc',
      harm: () => bed.agent?.child.kill('SIGSTOP'),
      heal: () => bed.agent?.child.kill('SIGCONT'),
    },
    {
      name: "the disk of the agent's journal is full",
      party: 'clinic-pc',
      harm: () => stepsWith(bed).fill(bed.disks.journal),
      heal: () => stepsWith(bed).empty(bed.disks.journal),
    },
  ];
};

const brokerFaults = ({ bed }: Bed): readonly PartyFault[] => {
  const at = (name: string): string => join(bed.mosquitto.directory, name);
  /** The broker begins again with a file that is not the right one. */
  const withFile = (name: string, file: string, change: (path: string) => unknown): PartyFault => ({
    name,
    party: 'broker',
    harm: async () => {
      await bed.mosquitto.kill();
      copyFileSync(at(file), at(`${file}.kept`));
      await change(at(file));
      await bed.startBroker();
    },
    heal: async () => {
      await bed.mosquitto.kill();
      renameSync(at(`${file}.kept`), at(file));
      await bed.startBroker();
    },
  });
  /** A certificate that the terminal must not believe, by whichever authority. */
  const withCertificate = (name: string, make: () => Promise<Leaf>): PartyFault => {
    const files = ['tls-key.pem', 'tls-certificate.pem'] as const;
    return {
      name,
      party: 'broker',
      harm: async () => {
        const { key, certificate } = await make();
        await bed.mosquitto.kill();
        for (const file of files) copyFileSync(at(file), at(`${file}.kept`));
        writeFileSync(at('tls-key.pem'), key);
        writeFileSync(at('tls-certificate.pem'), certificate);
        await bed.startBroker();
      },
      heal: async () => {
        await bed.mosquitto.kill();
        for (const file of files) renameSync(at(`${file}.kept`), at(file));
        await bed.startBroker();
      },
    };
  };
  const broker = { commonName: 'broker', names: ['localhost'] };
  return [
    { name: 'the broker is killed', party: 'broker', harm: () => bed.mosquitto.kill(), heal: () => bed.startBroker() },
    {
      name: 'the broker is stopped in order',
      party: 'broker',
      harm: () => bed.mosquitto.kill('SIGTERM'),
      heal: () => bed.startBroker(),
    },
    {
      name: 'the broker hangs',
      party: 'broker',
      harm: () => bed.mosquitto.signal('SIGSTOP'),
      heal: () => bed.mosquitto.signal('SIGCONT'),
    },
    withFile('the broker listens on another port', 'mosquitto.conf', (path) =>
      writeFileSync(path, readFileSync(path, 'utf8').replace(/^listener 8883/m, 'listener 8899')),
    ),
    withFile('the access rules deny the terminal', 'acl', (path) =>
      writeFileSync(path, readFileSync(path, 'utf8').replace(/^user terminal-01$/m, 'user nobody-01')),
    ),
    withFile('the access rules are empty', 'acl', (path) => writeFileSync(path, '')),
    withCertificate("the broker's certificate is of another clinic", async () => {
      const authority = await createAuthority('another clinic', validFor(Date.now(), 1));
      return issueCertificate(authority, { ...broker, ...validFor(Date.now(), 1) });
    }),
    withCertificate("the broker's certificate has ended", async () =>
      issueCertificate(authorityOf(bed), { ...broker, ...validFor(Date.now() - 2 * yearMs, 1) }),
    ),
  ];
};

const serviceFaults = ({ bed }: Bed): readonly PartyFault[] => {
  const behaving = async (behaviour: ServiceBehaviour): Promise<void> => {
    bed.configureAgent({ service: { answerDelayMs: 100, behaviour } });
    await bed.agent?.end('SIGTERM');
    await bed.startAgent();
  };
  const of = (name: string, party: Party, behaviour: ServiceBehaviour, persona = 'taro'): PartyFault => ({
    ...{ name, party, persona, shows: 'service' },
    harm: () => behaving(behaviour),
    heal: () => behaving('normal'),
  });
  return [
    of('the national service is down', 'national-service', 'down'),
    of('the national service answers what nobody can read', 'national-service', 'unreadable'),
    of('the national service is being maintained', 'national-service', 'in-maintenance'),
    of('the national service says nothing', 'national-service', 'silent'),
    of('JPKI does not say whether a certificate is valid', 'jpki', 'jpki-down'),
    of('JPKI does not say so for another patient', 'jpki', 'jpki-down', 'hanako'),
    of("the clinic's line is cut", 'line', 'line-down'),
    of("the clinic's line is cut for another patient", 'line', 'line-down', 'hanako'),
  ];
};

const folderFaults = ({ bed }: Bed): readonly PartyFault[] => {
  const { fill, empty, remount } = stepsWith(bed);
  const { oqs } = bed.disks;
  const of = (name: string, harm: () => unknown, heal: () => unknown): PartyFault => ({
    ...{ name, party: 'receipt-folder', persona: 'taro', shows: 'service', harm, heal },
  });
  const face = join(oqs, 'oqs', 'face');
  return [
    of(
      'the folder of the レセコン is full',
      () => fill(oqs),
      () => empty(oqs),
    ),
    of(
      'the folder of the レセコン takes no writes',
      () => remount(oqs, 'ro'),
      () => remount(oqs, 'rw'),
    ),
    of(
      'the folder of the レセコン is gone',
      () => renameSync(face, `${face}-away`),
      () => {
        rmSync(face, { recursive: true, force: true });
        renameSync(`${face}-away`, face);
      },
    ),
    of(
      'a file lies where the folder of the レセコン was',
      () => {
        renameSync(face, `${face}-away`);
        writeFileSync(face, '');
      },
      () => {
        rmSync(face, { recursive: true, force: true });
        renameSync(`${face}-away`, face);
      },
    ),
  ];
};

const terminalFaults = ({ bed }: Bed): readonly PartyFault[] => {
  let form = 0;
  return [
    {
      name: 'the reader is unplugged',
      party: 'terminal',
      harm: () => bed.order({ type: 'unplug-reader' }),
      heal: () => bed.order({ type: 'plug-reader' }),
    },
    {
      name: 'the link is killed and does not come back',
      party: 'terminal',
      harm: () => bed.link?.end('SIGKILL'),
      heal: () => bed.startLink(),
    },
    {
      name: 'the link hangs',
      party: 'terminal',
      harm: () => bed.link?.child.kill('SIGSTOP'),
      heal: () => bed.link?.child.kill('SIGCONT'),
    },
    {
      name: "the terminal's store is of a later release",
      party: 'terminal',
      harm: async () => {
        await bed.link?.end('SIGTERM');
        form = setStoreForm(bed, 999);
        await bed.startLink();
      },
      heal: async () => {
        await bed.link?.end('SIGTERM');
        setStoreForm(bed, form);
        await bed.startLink();
      },
    },
  ];
};

const routedFaults = ({ bed, network }: Bed): readonly PartyFault[] => [
  {
    name: 'behind a router: it is switched off',
    party: 'line',
    harm: () => network.plug('far', false),
    heal: () => network.plug('far', true),
  },
  {
    name: 'behind a router: it knows no way any more',
    party: 'line',
    harm: () => network.in('far', 'ip', 'route', 'add', 'unreachable', '10.79.0.3/32'),
    heal: () => network.in('far', 'ip', 'route', 'del', 'unreachable', '10.79.0.3/32'),
  },
  {
    name: "behind a router: the terminal's cable is pulled",
    party: 'cable',
    harm: () => network.plug('terminal', false),
    heal: () => network.plug('terminal', true),
  },
  {
    name: 'behind a router: the broker is killed',
    party: 'broker',
    harm: () => bed.mosquitto.kill(),
    heal: () => bed.startBroker(),
  },
  {
    name: 'behind a router: the agent hangs',
    party: 'clinic-pc',
    harm: () => bed.agent?.child.kill('SIGSTOP'),
    heal: () => bed.agent?.child.kill('SIGCONT'),
  },
];

export const faultsOf = (plan: Plan, parts: Bed): readonly PartyFault[] =>
  plan === 'routed'
    ? routedFaults(parts)
    : [
        ...cableFaults(parts),
        ...pcFaults(parts),
        ...brokerFaults(parts),
        ...serviceFaults(parts),
        ...folderFaults(parts),
        ...terminalFaults(parts),
        ...cardFaults,
        ...lineFaults(parts),
      ];

const lineFaults = ({ network }: Bed): readonly PartyFault[] => [
  {
    name: 'the cable between two switches is cut: neither PC nor router is reached',
    party: 'line',
    harm: () => {
      network.plug('pc', false);
      network.plug('far', false);
    },
    heal: () => {
      network.plug('pc', true);
      network.plug('far', true);
    },
  },
];
