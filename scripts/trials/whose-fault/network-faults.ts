import type { Party } from '../../../src/core/party.ts';
import { stepsWith } from '../misfortune-steps.ts';
import type { MisfortunesBed } from '../misfortunes-bed.ts';
import type { ClinicNetwork } from './clinic-network.ts';

/** One thing that is broken, and whose it is. */
export type PartyFault = {
  readonly name: string;
  readonly party: Party;
  readonly harm: () => unknown;
  readonly heal: () => unknown;
  /** It shows in a visit, from the moment that the clinic is asked (`service`) or the card is laid down (`card`) */
  readonly shows?: 'service' | 'card';
  readonly persona?: string;
  /** The patient finds no way that suits and calls staff */
  readonly callsStaff?: true;
  /** The terminal is cut off from the clinic, or the clinic's PC, whose page it is, is itself away */
  readonly pageCannotTell?: true;
};

export type Bed = { readonly bed: MisfortunesBed; readonly network: ClinicNetwork };

export const cableFaults = ({ bed, network }: Bed): readonly PartyFault[] => [
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

const firewallFaults = ({ network }: Bed): readonly PartyFault[] => {
  const input = (rule: string): string => `chain in { type filter hook input priority 0; ${rule} }`;
  const refuse = (by: string): string => `iif != "lo" tcp dport 8883 reject with ${by};`;
  const shut = (name: string, rules: string): PartyFault => ({
    name,
    party: 'clinic-pc',
    harm: () => network.filter('pc', rules),
    heal: () => network.filter('pc', null),
  });
  return [
    shut("the PC's firewall drops the broker's port", input('iif != "lo" tcp dport 8883 drop;')),
    shut("the PC's firewall drops everything", input('iif != "lo" drop;')),
    shut("the PC's firewall answers the broker's port with a reset", input(refuse('tcp reset'))),
    shut("the PC's firewall answers the broker's port with an ICMP word", input(refuse('icmpx port-unreachable'))),
    shut(
      "the PC's firewall forbids everything in so many words",
      input('iif != "lo" reject with icmpx admin-prohibited;'),
    ),
    shut("the PC's firewall lets nothing out", 'chain out { type filter hook output priority 0; oif != "lo" drop; }'),
  ];
};

export const pcFaults = ({ bed, network }: Bed): readonly PartyFault[] => [
  ...firewallFaults({ bed, network }),
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
  {
    name: "the clinic's PC is shut down in order: agent, broker, network",
    party: 'clinic-pc',
    harm: async () => {
      await bed.agent?.end('SIGTERM');
      await bed.mosquitto.kill('SIGTERM');
      network.plug('pc', false);
    },
    heal: async () => {
      network.plug('pc', true);
      await bed.startBroker();
      await bed.startAgent();
    },
  },
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

export const lineFaults = ({ network }: Bed): readonly PartyFault[] => [
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
  {
    name: 'the switch passes on what the terminal sends, and nothing comes back',
    party: 'line',
    harm: () => network.misleadAnswers(true),
    heal: () => network.misleadAnswers(false),
  },
];

export const routedFaults = ({ bed, network }: Bed): readonly PartyFault[] => [
  {
    name: 'behind a router: it is switched off',
    party: 'line',
    harm: () => network.plug('far', false),
    heal: () => network.plug('far', true),
  },
  {
    name: 'behind a router: it knows no way any more',
    party: 'line',
    harm: () => network.in('far', 'ip', 'route', 'del', '10.79.0.0/24', 'dev', 'to-pc'),
    heal: () => network.in('far', 'ip', 'route', 'add', '10.79.0.0/24', 'dev', 'to-pc'),
  },
  {
    name: 'behind a router: the broker is stopped in order',
    party: 'broker',
    harm: () => bed.mosquitto.kill('SIGTERM'),
    heal: () => bed.startBroker(),
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
