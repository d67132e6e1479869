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
import type { Plan } from './clinic-network.ts';
import { type Bed, cableFaults, lineFaults, type PartyFault, pcFaults, routedFaults } from './network-faults.ts';

type Leaf = { readonly key: string; readonly certificate: string };
const nothing = (): void => {};
const untold = (faults: readonly PartyFault[]): readonly PartyFault[] =>
  faults.map((fault) => ({ ...fault, pageCannotTell: true }));

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
  ...(persona === 'pin-blocked' && { callsStaff: true }),
  harm: nothing,
  heal: nothing,
}));

const brokerFaults = ({ bed, network }: Bed): readonly PartyFault[] => [
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
  {
    name: 'the broker is killed on a PC that drops what comes to no program, as Windows does',
    party: 'broker',
    harm: async () => {
      await bed.mosquitto.kill();
      network.filter('pc', `chain in { type filter hook input priority 0; iif != "lo" tcp dport 8883 drop; }`);
    },
    heal: async () => {
      network.filter('pc', null);
      await bed.startBroker();
    },
  },
  {
    name: 'the broker hangs, and is killed then',
    party: 'broker',
    harm: async () => {
      bed.mosquitto.signal('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      await bed.mosquitto.kill();
    },
    heal: () => bed.startBroker(),
  },
];

const brokerFileFaults = ({ bed }: Bed): readonly PartyFault[] => {
  const at = (name: string): string => join(bed.mosquitto.directory, name);
  /** The broker begins again with files that are not the right ones. */
  const withFiles = (
    name: string,
    files: readonly string[],
    change: (...paths: readonly string[]) => unknown,
  ): PartyFault => ({
    name,
    party: 'broker',
    harm: async () => {
      await bed.mosquitto.kill();
      for (const file of files) copyFileSync(at(file), at(`${file}.kept`));
      await change(...files.map(at));
      await bed.startBroker();
    },
    heal: async () => {
      await bed.mosquitto.kill();
      for (const file of files) renameSync(at(`${file}.kept`), at(file));
      await bed.startBroker();
    },
  });
  const replaced =
    (pattern: RegExp, by: string) =>
    (path = '') =>
      writeFileSync(path, readFileSync(path, 'utf8').replace(pattern, by));
  /** A certificate that the terminal must not believe, by whichever authority. */
  const withCertificate = (name: string, make: () => Promise<Leaf>): PartyFault =>
    withFiles(name, ['tls-key.pem', 'tls-certificate.pem'], async (keyFile = '', certificateFile = '') => {
      const { key, certificate } = await make();
      writeFileSync(keyFile, key);
      writeFileSync(certificateFile, certificate);
    });
  const broker = { commonName: 'broker', names: ['localhost'] };
  return [
    withFiles('the broker listens on another port', ['mosquitto.conf'], replaced(/^listener 8883/m, 'listener 8899')),
    withFiles('the access rules deny the terminal', ['acl'], replaced(/^user terminal-01$/m, 'user nobody-01')),
    withFiles('the access rules are empty', ['acl'], replaced(/.*/s, '')),
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
    of("the clinic's line is cut", 'line', 'line-down'),
    of("the clinic's line loses what is sent on it", 'line', 'line-silent'),
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

export const faultsOf = (plan: Plan, parts: Bed): readonly PartyFault[] =>
  plan === 'routed'
    ? untold(routedFaults(parts))
    : [
        ...untold(cableFaults(parts)),
        ...pcFaults(parts).map((fault) =>
          fault.name.includes('disk') ? fault : { ...fault, pageCannotTell: true as const },
        ),
        ...brokerFaults(parts),
        ...brokerFileFaults(parts).map((fault) =>
          fault.name.includes('access rules') ? { ...fault, pageCannotTell: true as const } : fault,
        ),
        ...serviceFaults(parts),
        ...folderFaults(parts),
        ...terminalFaults(parts).map((fault) =>
          fault.name.includes('reader') ? fault : { ...fault, pageCannotTell: true as const },
        ),
        ...cardFaults,
        ...untold(lineFaults(parts)),
      ];
