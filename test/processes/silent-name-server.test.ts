import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDemoFacility, projectRoot, writeTerminalConfig } from '../../scripts/demonstration/facility.ts';

/**
 * What a process does while the system waits for a name server: it ends when it is told to, and goes on by the next server. In
 * a network of its own; of 192.0.2.53 nothing ever comes, and where no other is listed each look-up takes 150 s.
 */
const folder = mkdtempSync(join(tmpdir(), 'uketsuke-silent-names-'));
const resolvers = join(folder, 'resolv.conf');
writeFileSync(resolvers, 'nameserver 192.0.2.53\noptions timeout:30 attempts:5\n');
/** What a loaded machine may take to end; the look-up takes four times as long. ms */
const limitMs = 40_000;
const silent = `mount --bind ${resolvers} /etc/resolv.conf && ip link set lo up &&
ip link add silent0 type veth peer name silent1 && ip link set silent1 up && ip link set silent0 up &&
ip address add 192.0.2.1/24 dev silent0 && ip neighbour add 192.0.2.53 lladdr 02:00:00:00:00:53 dev silent0`;
const inSilence = (script: string) =>
  spawnSync('unshare', ['--net', '--mount', 'sh', '-c', `${silent} && ${script}`], {
    ...{ encoding: 'utf8', cwd: projectRoot, timeout: 2 * limitMs, killSignal: 'SIGKILL' },
  });
const may = process.platform === 'linux' && inSilence('true').status === 0;
if (!may) console.warn('skipped: a name server that is silent needs root, unshare, mount and iproute2');
const node = `${process.execPath} --disable-warning=ExperimentalWarning`;

describe.skipIf(!may)('a look-up that has no answer yet', () => {
  let config = '';
  beforeAll(async () => {
    const facility = await createDemoFacility(folder, { answerDelayMs: 0, staffPort: 0 });
    config = writeTerminalConfig(facility, { brokerPort: 8883, screenPort: 8480 });
    const named = readFileSync(config, 'utf8').replace('host: localhost', 'host: broker.clinic.test');
    expect(named).toContain('broker.clinic.test');
    writeFileSync(config, named);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('the link ends in order when it is told to, and does not wait for the name server', () => {
    // Its own word that it runs; the name has been asked for by then.
    const ran = inSilence(`${node} src/main.ts link --config ${config} --log json 2>${folder}/said &
link=$!
until grep -q '"event":"process.ready"' ${folder}/said; do kill -0 $link || exit 3; done
kill -TERM $link; began=$(date +%s)
wait $link; echo "$? $(($(date +%s) - began))"`);
    const [status, seconds] = ran.stdout.trim().split(' ').map(Number);
    expect(readFileSync(join(folder, 'said'), 'utf8')).toContain('"event":"process.stopping"');
    // 143: by SIGTERM, as systemd takes for an end in order.
    expect(status).toBe(143);
    expect(seconds).toBeLessThan(limitMs / 1_000);
  });

  test('one that stumbled ends at once, too, and not in order', () => {
    const stumble = `import { lookup } from 'node:dns';
import { endProcess } from './src/cli/end-process.ts';
lookup('broker.clinic.test', () => {});
endProcess(70);`;
    writeFileSync(join(folder, 'stumble.mjs'), stumble.replace('./src', `${projectRoot}/src`));
    const beganMs = performance.now();
    const ran = inSilence(`exec ${node} ${join(folder, 'stumble.mjs')}`);
    expect([ran.signal, ran.status]).toEqual(['SIGKILL', null]);
    expect(performance.now() - beganMs).toBeLessThan(limitMs);
  });

  test('with no look-up under way the status is what it was given', () => {
    const plain = `import { endProcess } from '${projectRoot}/src/cli/end-process.ts'; endProcess(70);`;
    writeFileSync(join(folder, 'plain.mjs'), plain);
    expect(inSilence(`exec ${node} ${join(folder, 'plain.mjs')}`).status).toBe(70);
  });

  test('where only the first name server is silent, the second one is asked, and its answer is used', () => {
    // The answer to every question: 192.0.2.10 where an IPv4 address is asked for, else that there is none.
    const second = `import { createSocket } from 'node:dgram';
import { HostAddress } from '${projectRoot}/drivers/message-bus/host-address.ts';
const server = createSocket('udp4');
server.on('message', (asked, { port, address }) => {
  const question = asked.subarray(12, asked.indexOf(0, 12) + 5);
  const isIpv4 = question.readUInt16BE(question.length - 4) === 1;
  const head = Buffer.from([asked[0], asked[1], 0x81, 0x80, 0, 1, 0, isIpv4 ? 1 : 0, 0, 0, 0, 0]);
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 10]);
  server.send(Buffer.concat(isIpv4 ? [head, question, answer] : [head, question]), port, address);
});
server.bind(53, '192.0.2.1', async () => {
  process.stdout.write(await new HostAddress('broker.clinic.test').next());
  server.close();
});`;
    writeFileSync(join(folder, 'second.mjs'), second);
    writeFileSync(resolvers, 'nameserver 192.0.2.53\nnameserver 192.0.2.1\noptions timeout:1\n');
    const beganMs = performance.now();
    expect(inSilence(`exec ${node} ${join(folder, 'second.mjs')}`).stdout).toBe('192.0.2.10');
    // So long the system waits for the first one.
    expect(performance.now() - beganMs).toBeGreaterThan(1_000);
  });
});
