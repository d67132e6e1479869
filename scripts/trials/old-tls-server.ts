import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'node:tls';

/** Listens where the broker should, with its right certificate, and speaks TLS 1.1 at most. */
const directory = process.argv[2] ?? '';
const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
createServer(
  {
    key: read('tls-key.pem'),
    cert: read('tls-certificate.pem'),
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'ALL:@SECLEVEL=0',
  },
  (socket) => socket.end(),
)
  .on('tlsClientError', () => {})
  .listen(8883, '10.77.0.1', () => process.stdout.write('listening\n'));
