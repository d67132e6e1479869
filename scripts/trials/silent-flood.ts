import { connect, type Socket } from 'node:net';

/*
 * Holds TCP connections that say nothing: `node silent-flood.ts HOST PORT COUNT ADDRESS…`, dealt to the local addresses in
 * turn. Prints one JSON line when every one was tried, another at each line on standard input; ends with it.
 */
const [host = '', port = '0', count = '0', ...addresses] = process.argv.slice(2);
const held = new Set<Socket>();
let refused = 0;

const dial = (index: number): Promise<void> =>
  new Promise((resolve) => {
    const localAddress = addresses[index % addresses.length];
    const socket = connect({ host, port: Number(port), ...(localAddress === undefined ? {} : { localAddress }) });
    socket.on('connect', () => {
      held.add(socket);
      resolve();
    });
    socket.on('error', () => {
      if (!held.delete(socket)) refused += 1;
      socket.destroy();
      resolve();
    });
    socket.on('close', () => held.delete(socket));
    // Dropped without an answer: the attempt goes on, the next may begin.
    setTimeout(resolve, 1_000).unref();
  });

const tell = (): void => void process.stdout.write(`${JSON.stringify({ held: held.size, refused })}\n`);
for (let begun = 0; begun < Number(count); begun += 100)
  await Promise.all(Array.from({ length: Math.min(100, Number(count) - begun) }, (_, index) => dial(begun + index)));
tell();
process.stdin.on('data', tell).on('end', () => process.exit(0));
