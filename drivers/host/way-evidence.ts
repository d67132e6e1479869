import { lookup } from 'node:dns/promises';
import { readdir, readFile } from 'node:fs/promises';
import { connect, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { WayEvidence } from '../../src/core/way-to-broker.ts';

/*
 * What the kernel knows of the way to the broker, read from /sys and /proc: the link process may neither send anything but
 * to the broker nor ask the kernel by netlink. IPv4 alone has these files; of IPv6 only carrier and port are told, and on
 * Windows the port alone: there anybody may make C:\proc, and write into it what he likes.
 */

/** A clinic's machine answers within milliseconds; a SYN that was lost is made up for by the next look. ms */
const portMs = 800;
const loopback = /^127\.|^::1$|^::ffff:127\./;

const read = async (path: string): Promise<string | null> =>
  process.platform === 'linux' ? readFile(path, 'utf8').catch(() => null) : null;

/** The kernel writes addresses of /proc/net/route as little-endian hexadecimal. */
const numberOf = (address: string): number =>
  address.split('.').reduceRight((sum, part) => ((sum << 8) | Number(part)) >>> 0, 0);

type Route = { readonly device: string; readonly gateway: number };

/** The route that holds for an address: the longest mask, then the smallest metric; `gateway` 0: none is between. */
export const routeTo = (table: string, address: string): Route | null => {
  const wanted = numberOf(address);
  const fitting = table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 8)
    .map(([device = '', net = '', gateway = '', , , , metric = '', mask = '']) => ({
      ...{ device, gateway: Number.parseInt(gateway, 16), metric: Number(metric) },
      ...{ net: Number.parseInt(net, 16), mask: Number.parseInt(mask, 16) },
    }))
    .filter(({ net, mask }) => (wanted & mask) >>> 0 === net);
  const bits = (mask: number): number => mask.toString(2).replaceAll('0', '').length;
  const [best] = fitting.sort((a, b) => bits(b.mask) - bits(a.mask) || a.metric - b.metric);
  return best === undefined ? null : { device: best.device, gateway: best.gateway };
};

/** Whether a neighbour has answered on the wire; null: nobody has asked for it. */
export const answersOnWire = (table: string, address: string): boolean | null => {
  const fields = table
    .split('\n')
    .find((line) => line.startsWith(`${address} `))
    ?.trim()
    .split(/\s+/);
  return fields === undefined ? null : (Number.parseInt(fields[2] ?? '0', 16) & 2) !== 0;
};

const dotted = (gateway: number): string => [0, 8, 16, 24].map((shift) => (gateway >>> shift) & 0xff).join('.');

/** null: it is switched off or cannot be read. */
const carrierOf = async (device: string): Promise<boolean | null> => {
  const text = await read(`/sys/class/net/${device}/carrier`);
  return text === null ? null : text.trim() === '1';
};

/** Of all sockets for a cable together: a machine that lost its address with its carrier has no route to look at. */
const anyCarrier = async (): Promise<boolean | null> => {
  const names = await readdir('/sys/class/net').catch(() => []);
  const all = await Promise.all(names.filter((name) => name !== 'lo').map(carrierOf));
  const known = all.filter((each) => each !== null);
  return known.length === 0 ? null : known.includes(true);
};

const sentBy = async (device: string): Promise<number | null> => {
  const text = await read(`/sys/class/net/${device}/statistics/tx_packets`);
  return text === null ? null : Number(text);
};

const portWords: Readonly<Record<string, WayEvidence['port']>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'silent',
  ENETUNREACH: 'no-network',
  EHOSTUNREACH: 'no-host',
};

const tryPort = (host: string, port: number): Promise<WayEvidence['port']> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (said: WayEvidence['port']): void => {
      socket.destroy();
      resolve(said);
    };
    socket.setTimeout(portMs, () => end('silent'));
    socket.on('connect', () => end('open'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(portWords[error.code ?? ''] ?? 'failed'));
  });

const isOwn = (address: string): boolean =>
  loopback.test(address) ||
  Object.values(networkInterfaces()).some((all) => all?.some((each) => each.address === address));

/** Ends within 1 s. `address`: of the broker, no name */
export const seeWay = async (address: string, port: number): Promise<WayEvidence> => {
  if (isOwn(address))
    return {
      ...{ carrier: true, route: 'own', host: null, router: null, sent: null },
      port: await tryPort(address, port),
    };
  const table = isIP(address) === 4 ? await read('/proc/self/net/route') : null;
  const route = table === null ? null : routeTo(table, address);
  const carrier = route === null ? await anyCarrier() : await carrierOf(route.device);
  const before = route === null ? null : await sentBy(route.device);
  const said = await tryPort(address, port);
  const after = route === null ? null : await sentBy(route.device);
  const arp = (await read('/proc/self/net/arp')) ?? '';
  const gateway = route === null || table === null ? 0 : route.gateway || (routeTo(table, '0.0.0.0')?.gateway ?? 0);
  return {
    carrier,
    route: table === null ? 'unknown' : route === null ? 'none' : route.gateway === 0 ? 'direct' : 'routed',
    host: answersOnWire(arp, address),
    router: gateway === 0 ? null : answersOnWire(arp, dotted(gateway)),
    port: said,
    sent: before === null || after === null ? null : after > before,
  };
};

/** Looks at the way whenever it is asked, by the address that the name had last; null: the name has had none. */
export const createWaySight = (host: string, port: number): (() => Promise<WayEvidence | null>) => {
  let known: string | null = isIP(host) === 0 ? null : host;
  let asking = false;
  const ask = (): void => {
    if (asking || isIP(host) !== 0) return;
    asking = true;
    // A name server that is silent keeps its answer for later: nobody waits for it here.
    lookup(host)
      .then(({ address }) => {
        known = address;
      })
      .catch(() => {})
      .finally(() => {
        asking = false;
      });
  };
  ask();
  return async () => {
    ask();
    if (known !== null) return seeWay(known, port);
    return { carrier: await anyCarrier(), route: 'unknown', host: null, router: null, port: 'failed', sent: null };
  };
};
