/** Files out of npm packages that are fetched but never installed. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type NpmPackage = {
  readonly name: string;
  readonly version: string;
  /** Subresource integrity of the tarball, as the registry and every lockfile name it. */
  readonly integrity: string;
};
export type SourceFile = {
  readonly npm: NpmPackage;
  /** Path inside the package. */
  readonly path: string;
  readonly sha256: string;
};

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** @throws Error naming the file and both hashes when they differ */
export const requireHash = (what: string, bytes: Uint8Array, sha256: string): void => {
  const found = sha256Of(bytes);
  if (found !== sha256) throw new Error(`refused: ${what} has sha256 ${found}, expected ${sha256}`);
};

const requireIntegrity = (what: string, tarball: Uint8Array, integrity: string): void => {
  const found = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  if (found !== integrity) throw new Error(`refused: ${what} has integrity ${found}, expected ${integrity}`);
};

/** Reads files of npm packages; a package is fetched (`npm pack`) only when one of its files is not kept yet. */
export class NpmSources {
  readonly #cacheDir: string;
  readonly #tell: (line: string) => void;
  fetchedBytes = 0;

  constructor(cacheDir: string, tell: (line: string) => void) {
    this.#cacheDir = cacheDir;
    this.#tell = tell;
  }

  #folderOf({ name, version }: NpmPackage): string {
    return join(this.#cacheDir, `${name.replace('@', '').replace('/', '-')}-${version}`);
  }

  async #fetch(npm: NpmPackage, path: string): Promise<void> {
    const { name, version } = npm;
    const folder = this.#folderOf(npm);
    await mkdir(folder, { recursive: true });
    const kept = join(this.#cacheDir, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
    if (!existsSync(kept)) {
      this.#tell(`fetching ${name}@${version} …`);
      const { stdout } = await run('npm', ['pack', `${name}@${version}`, '--json', '--loglevel=error'], {
        cwd: this.#cacheDir,
        maxBuffer: 2 ** 26,
        timeout: 900_000,
      });
      const packed = JSON.parse(stdout) as Record<string, { filename: string }>;
      const filename = Object.values(packed)[0]?.filename;
      if (filename === undefined) throw new Error(`npm pack ${name}@${version} did not say which file it wrote`);
      const written = join(this.#cacheDir, filename);
      const tarball = await readFile(written);
      this.fetchedBytes += tarball.length;
      this.#tell(`fetched ${name}@${version}: ${tarball.length} bytes`);
      if (written !== kept) await rename(written, kept);
    }
    try {
      requireIntegrity(`${name}@${version}`, await readFile(kept), npm.integrity);
    } catch (error) {
      await rm(kept);
      throw error;
    }
    await run('tar', ['-xzf', kept, '-C', folder, '--strip-components=1', `package/${path}`]);
  }

  /** What was needed of them is kept beside them, and npm's own cache has them still. */
  async dropTarballs(): Promise<void> {
    const names = (await readdir(this.#cacheDir)).filter((name) => name.endsWith('.tgz'));
    for (const name of names) await rm(join(this.#cacheDir, name));
  }

  /** The bytes of one file, checked. @throws Error on any hash mismatch, or when npm cannot fetch */
  async read({ npm, path, sha256 }: SourceFile): Promise<Uint8Array> {
    const file = join(this.#folderOf(npm), path);
    if (!existsSync(file)) await this.#fetch(npm, path);
    const bytes = await readFile(file);
    try {
      requireHash(`${npm.name}@${npm.version} ${path}`, bytes, sha256);
    } catch (error) {
      await rm(file);
      throw error;
    }
    return bytes;
  }
}
