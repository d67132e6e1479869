import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { parseJsonFile } from '../../src/storage/parse-file.ts';
import { giveToOwner, replaceDurably } from '../../src/storage/rename-durably.ts';
import type { Cells } from '../../src/storage/sql-engine.ts';

const keyFileSchema = z.strictObject({ epoch: z.number().int().min(1), key: z.base64() });

/** Two years of an agent that was away */
const mostSteps = 20_000;

type Link = { readonly epoch: number; readonly key: Buffer };

/** From each key the next can be had, and never the one before. */
const nextOf = ({ epoch, key }: Link): Link => ({
  epoch: epoch + 1,
  key: Buffer.from(hkdfSync('sha256', key, '', 'uketsuke journal key: step', 32)),
});

/** AES-256-GCM: iv 12 bytes, ciphertext, tag 16 bytes */
const encrypt = (key: Uint8Array, bytes: Uint8Array, place: string): string => {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(place));
  return Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]).toString('base64url');
};
/** Throws where key or place is another one. */
const decrypt = (key: Uint8Array, text: string, place: string): Buffer => {
  const bytes = Buffer.from(text, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(Buffer.from(place));
  decipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
};

/**
 * Personal cells of a database whose dead rows and logs nobody can wipe. Each cell has a key of its own, which lies beside it
 * wrapped by the facility's key of the hour; that one lies in a file of each agent alone. The hour's key steps on by a one-way
 * function: what still lives is wrapped anew, the file is written over, and whatever was deleted before can be read by nobody
 * any more, whoever has the database's files, its log and its backups. Agents need not tell each other the next key.
 */
export class JournalKey {
  readonly #path: string;
  #now: Link;

  /** Makes the file where there is none and `mayMake`. Throws. */
  constructor(path: string, mayMake: boolean) {
    this.#path = path;
    if (existsSync(path)) {
      const { epoch, key } = parseJsonFile(path, readFileSync(path, 'utf8'), keyFileSchema);
      this.#now = { epoch, key: Buffer.from(key, 'base64') };
      return;
    }
    if (!mayMake)
      throw new Error(
        `${path} is missing: copy it from another agent of this facility, whose journal lies in this database`,
      );
    this.#now = { epoch: 1, key: randomBytes(32) };
    this.#write();
  }

  get epoch(): number {
    return this.#now.epoch;
  }

  /** Another agent has stepped on, or this one has. */
  stepTo(epoch: number): void {
    if (epoch <= this.#now.epoch) return;
    // Whoever may write into the database must not make us spend the key.
    if (epoch > this.#now.epoch + mostSteps)
      throw new Error(`${this.#path}: epoch ${epoch} is none that agents came to`);
    while (this.#now.epoch < epoch) this.#now = nextOf(this.#now);
    this.#write();
  }

  #write(): void {
    const former = existsSync(this.#path) ? openSync(this.#path, 'r+') : null;
    const { epoch, key } = this.#now;
    replaceDurably(this.#path, `${JSON.stringify({ epoch, key: key.toString('base64') })}\n`, 0o600);
    giveToOwner(this.#path);
    if (former === null) return;
    // Its name is gone, its bytes are not.
    writeSync(former, Buffer.alloc(fstatSync(former).size), 0, undefined, 0);
    fsyncSync(former);
    closeSync(former);
  }

  /** `epoch.wrapped key.sealed text` */
  readonly cells: Cells = {
    seal: (place, text) => {
      const own = randomBytes(32);
      return [this.#now.epoch, encrypt(this.#now.key, own, place), encrypt(own, Buffer.from(text), '')].join('.');
    },
    open: (place, cell) => {
      const [epoch = '', wrapped = '', sealed = ''] = cell.split('.');
      if (Number(epoch) !== this.#now.epoch) return null;
      return decrypt(decrypt(this.#now.key, wrapped, place), sealed, '').toString();
    },
    index: (table, value) => indexOf(this.#now, table, value),
  };

  /** The step to the next key: how a cell is wrapped, and a person found, once it is taken. */
  next(): {
    readonly epoch: number;
    readonly index: (table: string, value: string) => string;
    /** null: it could be read no more as it stood */
    readonly rewrap: (place: string, cell: string, newPlace: string) => string | null;
  } {
    const next = nextOf(this.#now);
    return {
      epoch: next.epoch,
      index: (table, value) => indexOf(next, table, value),
      rewrap: (place, cell, newPlace) => {
        const [epoch = '', wrapped = '', sealed = ''] = cell.split('.');
        if (Number(epoch) !== this.#now.epoch) return null;
        return [next.epoch, encrypt(next.key, decrypt(this.#now.key, wrapped, place), newPlace), sealed].join('.');
      },
    };
  }
}

const indexOf = ({ key }: Link, table: string, value: string): string =>
  createHmac('sha256', Buffer.from(hkdfSync('sha256', key, '', `uketsuke journal key: index of ${table}`, 32)))
    .update(value)
    .digest('base64url');
