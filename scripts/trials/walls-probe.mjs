// Runs inside the sandbox of one unit, as its user: tries each thing, one JSON line a try. argv: a file of tries.
import { openSync, readFileSync, readSync } from 'node:fs';
import { connect } from 'node:net';

const dial = (options) =>
  new Promise((resolve, reject) => {
    const socket = connect(options);
    socket.setTimeout(3_000, () => reject(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
    socket.on('connect', () => resolve(socket.destroy()));
    socket.on('error', reject);
  });

const ways = {
  read: async (target) => void readSync(openSync(target, 'r'), Buffer.alloc(1)),
  unix: (target) => dial({ path: target }),
  tcp: (target) => dial({ host: target.split(':')[0], port: Number(target.split(':')[1]) }),
};

for (const { way, target, ...rest } of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  let outcome = 'done';
  try {
    await ways[way](target);
  } catch (error) {
    outcome = error.code ?? 'failed';
  }
  process.stdout.write(`${JSON.stringify({ way, target, ...rest, outcome })}\n`);
}
process.exit(0);
