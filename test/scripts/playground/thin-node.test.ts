import * as node from 'node:crypto';
import * as nodePath from 'node:path';
import { DatabaseSync as NodeDatabase } from 'node:sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { Buffer as ThinBuffer } from '../../../scripts/playground/page/node/buffer.ts';
import * as thin from '../../../scripts/playground/page/node/crypto.ts';
import * as path from '../../../scripts/playground/page/node/path.ts';
import { DatabaseSync, loadSqlite } from '../../../scripts/playground/page/node/sqlite.ts';

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 83 + 7) & 0xff);

describe('what the playground has in the place of Node says what Node says', () => {
  test.each([0, 1, 55, 64, 200])('hashes of %i bytes', (length) => {
    for (const name of ['sha256', 'sha512', 'sha1', 'md5'] as const) {
      expect(thin.createHash(name).update(bytes(length)).digest('hex')).toBe(
        node.createHash(name).update(bytes(length)).digest('hex'),
      );
      expect(thin.createHmac(name, 'key').update(bytes(length)).digest('base64url')).toBe(
        node.createHmac(name, 'key').update(bytes(length)).digest('base64url'),
      );
    }
  });

  test('scrypt, by which staff codes are kept', () => {
    const own = new Promise<Uint8Array>((resolve) => thin.scrypt('2580', bytes(16), 32, (_, key) => resolve(key)));
    return expect(own.then((key) => [...key])).resolves.toEqual([...node.scryptSync('2580', bytes(16), 32)]);
  });

  test('a raw signature of a card, and what opens it', () => {
    const { privateKey, publicKey } = node.generateKeyPairSync('rsa', { modulusLength: 1024 });
    const digestInfo = bytes(51);
    const jwk = privateKey.export({ format: 'jwk' }) as { n: string; e: string; d: string };
    const signed = thin.privateEncrypt(thin.createPrivateKey({ key: jwk, format: 'jwk' }), digestInfo);
    expect([...signed]).toEqual([...node.privateEncrypt(privateKey, digestInfo)]);
    const opened = thin.publicDecrypt({ key: thin.createPublicKey({ key: jwk, format: 'jwk' }) }, signed);
    const padding = node.constants.RSA_NO_PADDING;
    expect([...opened]).toEqual([...node.publicDecrypt({ key: publicKey, padding }, signed)]);
    expect(() =>
      thin.publicDecrypt({ key: thin.createPublicKey({ key: jwk, format: 'jwk' }) }, bytes(128).fill(0xff)),
    ).toThrow();
  });

  test.each([0, 1, 2, 3, 32, 100])('base64url of %i bytes, both ways', (length) => {
    const text = Buffer.from(bytes(length)).toString('base64url');
    expect(ThinBuffer.from(bytes(length)).toString('base64url' as 'hex')).toBe(text);
    expect([...ThinBuffer.from(text, 'base64url' as 'hex')]).toEqual([...bytes(length)]);
  });

  test.each([['/a/b', '..', 'c'], ['/a', './b/../c'], ['', 'a', 'b'], ['/']])('paths: %j', (...parts) => {
    const joined = nodePath.join(...parts);
    expect(path.join(...parts)).toBe(joined);
    expect(path.basename('/a/b.xml')).toBe(nodePath.basename('/a/b.xml'));
    expect(path.dirname('/a/b.xml')).toBe(nodePath.dirname('/a/b.xml'));
    expect(path.extname('/a/b.xml')).toBe(nodePath.extname('/a/b.xml'));
  });
});

describe('SQLite of the page and of Node', () => {
  beforeAll(loadSqlite);

  /** The same statements; answers what both tell. */
  const told = (database: DatabaseSync | NodeDatabase): unknown[] => {
    const own = database as DatabaseSync;
    own.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT UNIQUE, body BLOB) STRICT');
    const add = own.prepare('INSERT INTO t (word, body) VALUES (?, ?)');
    const said: unknown[] = [add.run('a', bytes(3)).changes, own.isTransaction];
    own.prepare('BEGIN IMMEDIATE').run();
    said.push(own.isTransaction, add.run('b', null).changes);
    own.exec('ROLLBACK');
    said.push(own.isTransaction);
    try {
      add.run('a', null);
    } catch (error) {
      said.push((error as Error).message);
    }
    own.exec('BEGIN');
    said.push(own.prepare('UPDATE t SET word = ? RETURNING id, word').get('c'));
    own.prepare('COMMIT').run();
    said.push(own.isTransaction, own.prepare('SELECT word, length(body) AS size FROM t').all());
    said.push(own.prepare('SELECT 1 WHERE 0').get());
    const copy = new (own.constructor as new (path: string) => DatabaseSync)(':memory:');
    copy.deserialize(own.serialize());
    said.push(copy.prepare('SELECT count(*) AS rows FROM t').get());
    return JSON.parse(JSON.stringify(said)) as unknown[];
  };

  test('say the same of transactions, refusals and rows', () => {
    expect(told(new DatabaseSync())).toEqual(told(new NodeDatabase(':memory:')));
  });
});
