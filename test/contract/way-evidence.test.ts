import { createServer } from 'node:net';
import { expect, test, vi } from 'vitest';
import { answersOnWire, routeTo, seeWay } from '../../drivers/host/way-evidence.ts';
import { freePort } from '../../scripts/beds/free-port.ts';
import { judgeWay } from '../../src/core/way-to-broker.ts';

const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
const table = `${head}eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
wlan0\t0002A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0
`;

test('the route of the kernel: the longest mask, then the smallest metric', () => {
  expect(routeTo(table, '192.168.2.10')).toEqual({ device: 'eth0', gateway: 0 });
  expect(routeTo(table, '203.0.113.9')).toEqual({ device: 'eth0', gateway: 0x0102a8c0 });
  expect(routeTo(head, '203.0.113.9')).toBeNull();
});

test('a neighbour that answered on the wire, one that did not, and one that nobody asked for', () => {
  const arp = `IP address       HW type     Flags       HW address            Mask     Device
192.168.2.10     0x1         0x2         52:54:00:12:34:56     *        eth0
192.168.2.1      0x1         0x0         00:00:00:00:00:00     *        eth0
`;
  expect(answersOnWire(arp, '192.168.2.10')).toBe(true);
  expect(answersOnWire(arp, '192.168.2.1')).toBe(false);
  expect(answersOnWire(arp, '192.168.2.100')).toBeNull();
});

test.skipIf(process.platform !== 'linux')(
  'a broker of this machine: one that refuses, one that takes and says nothing',
  async () => {
    const refused = await seeWay('127.0.0.1', await freePort());
    expect(refused).toMatchObject({ route: 'own', port: 'refused' });
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const open = await seeWay('127.0.0.1', typeof address === 'object' ? (address?.port ?? 0) : 0);
    silent.close();
    expect(open).toMatchObject({ route: 'own', port: 'open' });
    const soFar = { ended: 'unknown', wasOpen: false, wasAway: false, quietMs: 0 } as const;
    expect(judgeWay(refused, soFar)).toBe('delivery.broker-away');
  },
);

test.skipIf(process.platform !== 'linux')('on Windows no file in the place of the kernel is believed', async () => {
  // No packet leaves for such an address.
  expect((await seeWay('0.0.0.1', 1)).route).not.toBe('unknown');
  const platform = vi.spyOn(process, 'platform', 'get').mockReturnValue('win32');
  const seen = await seeWay('0.0.0.1', 1);
  platform.mockRestore();
  expect(seen).toMatchObject({ carrier: null, route: 'unknown', host: null, router: null, sent: null });
});
