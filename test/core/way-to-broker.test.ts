import { expect, test } from 'vitest';
import { parties, partyOf, telephoneText } from '../../src/core/party.ts';
import { judgeWay, type OutageSoFar, type WayEvidence, wireSettlesMs } from '../../src/core/way-to-broker.ts';

const direct: WayEvidence = {
  ...{ carrier: true, route: 'direct', host: true, router: null, port: 'silent', sent: true },
};

/** A connection that fell silent, and the wire has settled since */
const fellSilent: OutageSoFar = { ended: 'cut', wasOpen: false, wasAway: false, quietMs: wireSettlesMs };

test.each<[string, Partial<WayEvidence>, string | null, Partial<OutageSoFar>?]>([
  ['no carrier, whatever else is remembered', { carrier: false }, 'cable'],
  ['no carrier and no route left', { carrier: false, route: 'none', host: null, port: 'no-network' }, 'cable'],
  ['a carrier and no address of our own', { route: 'none', host: null, port: 'no-network' }, null],
  ['its broker ended, and the port is refused', { port: 'refused' }, 'broker', { ended: 'closed' }],
  ['the same where the system drops what comes to no program (Windows)', {}, 'broker', { ended: 'closed' }],
  ['cut and refused while the machine stays: a firewall that answers', { port: 'refused' }, 'clinic-pc'],
  ['cut, away, and refused since: it began again without its broker', { port: 'refused' }, null, { wasAway: true }],
  ['a broker that hung is killed', { port: 'refused' }, 'broker', { wasOpen: true }],
  ['refused from the first on: no program or a firewall', { port: 'refused' }, null, { ended: 'unknown' }],
  ['a firewall that answers as a router does', { port: 'no-host' }, 'clinic-pc'],
  ['nobody on the wire: then the kernel sends nothing, either', { host: false, sent: false }, 'clinic-pc'],
  ['the broker ended, and the machine went after it', { host: false }, 'clinic-pc', { ended: 'closed' }],
  ['the port is taken and nothing is served', { port: 'open' }, 'broker'],
  ['refused behind a router', { route: 'routed', host: null, port: 'refused' }, 'broker', { ended: 'closed' }],
  ['cut and refused behind a router: whose firewall?', { route: 'routed', host: null, port: 'refused' }, null],
  ['a router that is away while nothing is sent', { route: 'routed', host: null, router: false, sent: false }, 'line'],
  ['nobody on the wire', { host: false, port: 'no-host' }, 'clinic-pc'],
  ['nobody on the wire, while the router answers', { host: false, router: true, port: 'silent' }, 'clinic-pc'],
  ['neither the PC nor the router on the wire', { host: false, router: false, port: 'silent' }, 'line'],
  ['there, and its port says nothing', {}, 'clinic-pc'],
  ['our own filter lets nothing out', { sent: false, host: true }, null],
  ['nobody has asked the wire yet', { host: null }, null],
  ['a router that does not answer', { route: 'routed', host: null, router: false }, 'line'],
  ['a router that knows no way', { route: 'routed', host: null, router: true, port: 'no-network' }, 'line'],
  ['silence behind a router', { route: 'routed', host: null, router: true, port: 'silent' }, null],
  ['no host behind a router', { route: 'routed', host: null, router: true, port: 'no-host' }, null],
  ['the broker is this machine, and refuses', { route: 'own', host: null, port: 'refused' }, 'broker'],
  ['the broker is this machine, and a rule drops', { route: 'own', host: null, port: 'silent' }, 'clinic-pc'],
  ['the broker is this machine, and nothing more is known', { route: 'own', host: null, port: 'failed' }, null],
  ['IPv6, where the kernel has no such files', { route: 'unknown', host: null, port: 'silent' }, null],
])('%s', (_, seen, party, soFar = {}) => {
  expect(partyOf(judgeWay({ ...direct, ...seen }, { ...fellSilent, ...soFar }), 'terminal')).toBe(party);
});

test('what the wire said before the fault proves nothing yet', () => {
  const early = { ...fellSilent, quietMs: wireSettlesMs - 1 };
  expect(judgeWay(direct, early)).toBe('delivery.offline');
  expect(judgeWay(direct, { ...early, ended: 'closed' })).toBe('delivery.offline');
  expect(judgeWay({ ...direct, host: false }, { ...early, quietMs: 0 })).toBe('delivery.clinic-pc-away');
});

test('a file that is damaged is that of whoever tells of it', () => {
  expect(partyOf('storage.damaged', 'terminal')).toBe('terminal');
  expect(partyOf('storage.damaged', 'agent')).toBe('clinic-pc');
});

test('what is read out on the telephone names no patient and fits a small code', () => {
  const at = { lane: 2, wallMs: Date.parse('2026-11-21T08:30:15Z') };
  expect(telephoneText('delivery.cable-unplugged', 'cable', at)).toBe(
    'uketsuke delivery.cable-unplugged cable lane-2 2026-11-21T08:30Z',
  );
  expect(telephoneText('delivery.offline', null, { ...at, lane: null })).toContain(' not-known-yet ');
  expect(parties).toHaveLength(9);
});
