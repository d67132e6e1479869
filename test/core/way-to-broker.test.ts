import { expect, test } from 'vitest';
import { parties, partyOf, telephoneText } from '../../src/core/party.ts';
import { judgeWay, type WayEvidence, wireSettlesMs } from '../../src/core/way-to-broker.ts';

const direct: WayEvidence = {
  ...{ carrier: true, route: 'direct', host: true, router: null, port: 'silent', sent: true },
};

test.each<[string, Partial<WayEvidence>, string | null]>([
  ['no carrier, whatever else is remembered', { carrier: false }, 'cable'],
  ['no carrier and no route left', { carrier: false, route: 'none', host: null, port: 'no-network' }, 'cable'],
  ['a carrier and no address of our own', { route: 'none', host: null, port: 'no-network' }, null],
  ['the port is refused', { port: 'refused' }, 'broker'],
  ['the port is taken and nothing is served', { port: 'open' }, 'broker'],
  ['refused behind a router', { route: 'routed', host: null, port: 'refused' }, 'broker'],
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
  ['IPv6, where the kernel has no such files', { route: 'unknown', host: null, port: 'silent' }, null],
])('%s', (_, seen, party) => {
  expect(partyOf(judgeWay({ ...direct, ...seen }, wireSettlesMs), 'terminal')).toBe(party);
});

test('what the wire said before the fault proves nothing yet', () => {
  expect(judgeWay(direct, wireSettlesMs - 1)).toBe('delivery.offline');
  expect(judgeWay({ ...direct, host: false }, 0)).toBe('delivery.clinic-pc-away');
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
