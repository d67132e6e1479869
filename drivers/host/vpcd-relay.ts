import { connect, createServer } from 'node:net';

/**
 * Runs inside pcscd's network namespace: leads a Unix socket, which is reachable from outside, to vpcd's TCP port.
 * Arguments: path of the socket, port. It ends when its standard input is closed, and everything in its namespace with it:
 * whoever started it may be killed.
 */
const [path = '', port = ''] = process.argv.slice(2);
createServer((outside) => {
  const inside = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
  outside.pipe(inside);
  inside.pipe(outside);
  for (const socket of [outside, inside]) {
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      outside.destroy();
      inside.destroy();
    });
  }
}).listen(path, () => process.stdout.write('ready\n'));
process.stdin.once('close', () => process.exit()).resume();
