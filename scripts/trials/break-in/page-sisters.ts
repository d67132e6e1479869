import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type Clinic, isAlive } from '../attacked-clinic-bed.ts';
import { type Attempts, isServed } from './attempts.ts';

/** Attacks on the pages that need patience or a long breath, beside the first ones of clinic-attacks.ts. */

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', reject);
    socket.resume();
  });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Memory of all processes of the clinic, MB */
const memoryOf = (clinic: Clinic): number =>
  clinic.processes.reduce((sum, { pid }) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return sum + Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }, 0);

const bytesTo = async (port: number, head: string, more: Buffer, times: number): Promise<string> => {
  const socket = await open(port);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1').slice(0, 200);
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(head);
  for (let index = 0; index < times && !socket.destroyed; index += 1) {
    if (!socket.write(more)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
  }
  await Promise.race([closed, pause(3_000)]);
  socket.destroy();
  return /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 'cut';
};

const upgrade = (port: number): string =>
  `GET /screen HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

const portOf = (address: string): number => Number(new URL(address).port);

const judge = async (clinic: Clinic, seen: string) => {
  const { dead, silent } = await isAlive(clinic);
  return { isIn: dead.length + silent.length > 0, seen: `${seen}; ${[...dead, ...silent].join(', ') || 'all answer'}` };
};

const attackPage = async (attempts: Attempts, clinic: Clinic, name: string, address: string): Promise<void> => {
  const port = portOf(address);
  await attempts.attempt(
    29,
    `slowloris: 300 connections, a byte of a header each now and then, at the ${name}`,
    async () => {
      const held = await Promise.all(Array.from({ length: 300 }, () => open(port).catch(() => null)));
      for (const letter of `GET / HTTP/1.1\r\nX: `) {
        for (const socket of held) if (socket !== null && !socket.destroyed) socket.write(letter);
        await pause(20);
      }
      const served = await isServed(address);
      for (const socket of held) socket?.destroy();
      return { isIn: !served, seen: served ? 'served' : 'not served' };
    },
  );
  await attempts.attempt(29, `200 bodies that never end at the ${name}`, async () => {
    const held = await Promise.all(Array.from({ length: 200 }, () => open(port).catch(() => null)));
    const head = `POST /action HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 4000\r\n\r\nx`;
    for (const socket of held) socket?.write(head);
    const served = await isServed(address);
    for (const socket of held) socket?.destroy();
    return { isIn: !served, seen: served ? 'served' : 'not served' };
  });
  await attempts.attempt(29, `a header of 4 MB and a body of 64 MB at the ${name}`, async () => {
    const own = `Host: 127.0.0.1:${port}\r\n`;
    const header = await bytesTo(port, `GET / HTTP/1.1\r\n${own}X: `, Buffer.alloc(65_536, 120), 64);
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 120), Buffer.from('\r\n')]);
    const body = await bytesTo(port, `POST / HTTP/1.1\r\n${own}Transfer-Encoding: chunked\r\n\r\n`, chunk, 1_024);
    const answer = await judge(clinic, `${header}, ${body}`);
    return { ...answer, isIn: answer.isIn || header === '200' || body === '200' };
  });
  await attempts.attempt(26, `two requests in one (length and chunks together) at the ${name}`, async () => {
    const inner = `POST /disaster HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 14\r\n\r\ndesignated=yes`;
    const outer = `POST /x HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    const status = await bytesTo(port, outer + inner, Buffer.alloc(0), 0);
    const after = await (await fetch(clinic.staffPage)).text();
    return { isIn: after.includes('指定が終わった</button>') || status === '200', seen: status };
  });
  await attempts.attempt(26, `a way out of the folder of the ${name}`, async () => {
    let seen = '';
    for (const path of [
      '/../../../../etc/passwd',
      '/..%2f..%2f..%2fetc/passwd',
      '/assets/..%5c..%5cpackage.json',
      '/assets/%2e%2e/%2e%2e/%2e%2e/package.json',
      '/speech/../../../package.json',
      '/assets//etc/passwd',
      '/file:///etc/passwd',
    ]) {
      const socket = await open(port);
      let text = '';
      socket.on('data', (data) => {
        text += data.toString('latin1');
      });
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
      await Promise.race([new Promise((resolve) => socket.once('close', resolve)), pause(3_000)]);
      socket.destroy();
      if (/root:x:0|"devDependencies"/.test(text)) seen += `${path} `;
    }
    return { isIn: seen !== '', seen: seen || 'nothing of it' };
  });
};

export const attackPagesPatiently = async (attempts: Attempts, clinic: Clinic): Promise<void> => {
  const [staff, screen] = [portOf(clinic.staffPage), portOf(clinic.screen)];
  await attackPage(attempts, clinic, 'staff page', clinic.staffPage);
  await attackPage(attempts, clinic, "patient's page", clinic.screen);
  await attempts.attempt(29, '1,000 listeners of news at the staff page', async () => {
    const held = await Promise.all(Array.from({ length: 1_000 }, () => open(staff).catch(() => null)));
    for (const socket of held) socket?.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${staff}\r\n\r\n`);
    await pause(1_000);
    const kept = held.filter((socket) => socket !== null && !socket.destroyed).length;
    const answer = await judge(clinic, `${kept} held`);
    for (const socket of held) socket?.destroy();
    return { ...answer, isIn: answer.isIn || kept > 200 };
  });
  await attempts.attempt(29, 'a message without end at the socket of the patient’s page', async () => {
    const before = memoryOf(clinic);
    const frame = Buffer.concat([Buffer.from([0x00, 0xfe, 0xff, 0xff, 0, 0, 0, 0]), Buffer.alloc(65_535, 32)]);
    const first = Buffer.from([0x01, 0x80, 0, 0, 0, 0]);
    await bytesTo(screen, upgrade(screen) + first.toString('latin1'), frame, 2_000);
    const grown = memoryOf(clinic) - before;
    const answer = await judge(clinic, `memory ${Math.round(grown)} MB more`);
    return { ...answer, isIn: answer.isIn || grown > 100 };
  });
  await attempts.attempt(
    29,
    'a frame of 2⁶² bytes, and 20,000 pings, at the socket of the patient’s page',
    async () => {
      const before = memoryOf(clinic);
      const huge = Buffer.from([0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      await bytesTo(screen, upgrade(screen), Buffer.concat([huge, Buffer.alloc(65_536)]), 100);
      await bytesTo(
        screen,
        upgrade(screen),
        Buffer.concat(Array(100).fill(Buffer.from([0x89, 0x80, 0, 0, 0, 0]))),
        200,
      );
      const grown = memoryOf(clinic) - before;
      const answer = await judge(clinic, `memory ${Math.round(grown)} MB more`);
      return { ...answer, isIn: answer.isIn || grown > 100 };
    },
  );
};
