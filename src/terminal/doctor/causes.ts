import type { FaultName } from '../../catalogue/faults.ts';
import type { Diagnosis } from './examination.ts';

/*
 * One fault shows in many places: without keys there is no terminal, without a terminal no page. The doctor names the cause;
 * what follows from it is told as such and is no second fault.
 */

const processes: readonly FaultName[] = [
  'daemon.not-running',
  'daemon.cannot-start',
  'daemon.hung',
  'daemon.part-silent',
  'delivery.link-lost',
  'link.without-terminal',
  'face.process-lost',
];
/** What a terminal sees of a clinic's end that is not reached or does not answer */
const clinic: readonly FaultName[] = ['agent.silent', 'settings.missing', 'delivery.access-refused'];
/** What whoever connects sees of a broker that does not serve */
const wayGone = [
  'delivery.cable-unplugged',
  'delivery.clinic-pc-away',
  'delivery.port-silent',
  'delivery.line-down',
] as const satisfies readonly FaultName[];
const brokerAway: readonly FaultName[] = [
  'broker.port-closed',
  'delivery.offline',
  'delivery.broker-away',
  'delivery.broker-untrusted',
  ...wayGone,
];
/** Of the clinic's end on this machine */
const services: readonly FaultName[] = ['agent.cannot-start', 'broker.cannot-start', 'broker.hung'];
/** Not `storage.damaged`, nor one that was taken away: no disk that refuses writes does that, and somebody must hear of it. */
const stores: readonly FaultName[] = [
  'storage.unwritable',
  'delivery.store-failed',
  'disk.store-missing',
  'agent.disk-read-only',
  'agent.disk-failed',
  'agent.database-away',
];
const keys: readonly FaultName[] = ['keys.missing', 'keys.of-another-terminal', 'keys.shut'];

/**
 * What may follow from each, the deepest causes first: the order is that of telling. What somebody stopped (`*.stopped`)
 * follows from nothing; an agent waits for its broker, and does not end without it.
 */
export const follows: readonly (readonly [FaultName, readonly FaultName[]])[] = [
  [
    'program.damaged',
    [
      ...processes,
      ...clinic,
      ...brokerAway,
      ...services,
      'screen.not-built',
      'screen.font-missing',
      'screen.language-not-drawn',
      'screen.no-page',
      'face.models-missing',
      'face.model-unverified',
      'reader.driver-missing',
      'reader.lost',
      'check.unfinished',
    ],
  ],
  ['config.missing', processes],
  ['config.invalid', processes],
  ['config.unreadable', [...processes, 'keys.shut']],
  ['files.owner-wrong', [...processes, ...clinic, ...brokerAway, ...services, ...stores, ...keys]],
  ['keys.shut', [...processes, 'keys.missing', 'screen.no-page']],
  ['keys.missing', [...processes, ...clinic, 'delivery.offline', 'delivery.broker-untrusted']],
  ['keys.of-another-terminal', [...processes, ...clinic, 'delivery.offline']],
  // By a wrong clock every certificate is too young or too old, and by one that has ended nobody is let in.
  ['clock.wrong', [...clinic, 'delivery.offline', 'delivery.broker-untrusted', 'certificate.expired']],
  ['certificate.expired', [...clinic, 'delivery.offline', 'delivery.broker-untrusted']],
  ['disk.read-only', [...processes, ...stores, ...clinic, 'agent.cannot-start']],
  ['disk.nearly-full', [...stores, 'delivery.link-lost', 'agent.disk-full']],
  ['disk.store-missing', ['storage.unwritable', 'delivery.link-lost']],
  ['storage.newer', [...processes, 'storage.unwritable', 'settings.missing']],
  ['storage.not-ours', [...processes, 'storage.unwritable', 'settings.missing']],
  ['storage.unwritable', ['delivery.link-lost', 'link.without-terminal', 'settings.missing', 'agent.silent']],
  ['socket.place-taken', processes],
  ['machine.no-polkit', ['reader.service-down', 'reader.lost', 'daemon.part-silent']],
  ['reader.service-down', ['reader.lost']],
  ['reader.service-hung', ['reader.lost', 'reader.service-down', 'daemon.part-silent']],
  ['reader.driver-missing', ['reader.lost']],
  ['daemon.stopped', ['link.without-terminal', 'screen.no-page']],
  ['daemon.cannot-start', ['link.without-terminal', 'screen.no-page']],
  ['daemon.hung', ['link.without-terminal', 'screen.no-page', 'screen.frozen']],
  ['delivery.link-lost', ['settings.missing', 'delivery.offline', 'agent.silent', 'delivery.store-failed']],
  ['link.without-terminal', ['settings.missing', 'agent.silent']],
  ['broker.name-unknown', ['delivery.offline', ...clinic]],
  ['link.broker-not-allowed', ['delivery.offline', 'settings.missing', 'agent.silent']],
  ['broker.cannot-start', [...brokerAway, ...clinic]],
  ['broker.stopped', [...brokerAway, ...clinic]],
  ['broker.hung', [...brokerAway, ...clinic]],
  ['broker.port-closed', ['delivery.offline', ...clinic]],
  ...wayGone.map((fault) => [fault, clinic] as const),
  ['delivery.broker-away', clinic],
  ['delivery.offline', clinic],
  ['delivery.broker-untrusted', clinic],
  ['delivery.access-refused', ['agent.silent', 'settings.missing']],
  ['agent.cannot-start', ['agent.silent', 'settings.missing']],
  ['agent.stopped', ['agent.silent', 'settings.missing']],
  ['agent.silent', ['settings.missing']],
];
const rank = new Map(follows.map(([fault], index) => [fault, index]));

/** Causes first, then other faults, warnings, and what is well; what follows from a cause is not a fault of its own. */
export const causesFirst = (diagnoses: readonly Diagnosis[]): readonly Diagnosis[] => {
  const present = new Set(diagnoses.flatMap((each) => ('fault' in each ? [each.fault] : [])));
  const explained = new Map<FaultName, FaultName>();
  for (const [cause, effects] of follows)
    if (present.has(cause) && !explained.has(cause))
      for (const effect of effects)
        if (present.has(effect) && effect !== cause && !explained.has(effect)) explained.set(effect, cause);
  const told = new Set<FaultName>();
  const kept = diagnoses.map((each): Diagnosis => {
    if (!('fault' in each)) return each;
    const cause = explained.get(each.fault);
    if (cause === undefined && (each.fault === 'check.unfinished' || !told.has(each.fault))) {
      told.add(each.fault);
      return each;
    }
    return { check: each.check, state: 'skipped', detail: `follows from ${cause ?? each.fault}` };
  });
  const place = (each: Diagnosis): number => {
    if (!('fault' in each)) return 2_000;
    return (each.state === 'warning' ? 1_000 : 0) + (rank.get(each.fault) ?? 500);
  };
  return kept.toSorted((one, other) => place(one) - place(other));
};
