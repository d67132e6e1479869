// Which Node runs this project. Syntax of Node 18: whatever the machine has must be able to read this.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const oldestMajor = 24;

/** @param {string} version as in process.version */
export const isNewEnough = (version) => Number(/^v?(\d+)\./.exec(version)?.[1] ?? 0) >= oldestMajor;

/** What `file --version` says; '' when it does not answer like a Node. */
const versionOf = (file) => {
  const { status, stdout } = spawnSync(file, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 && /^v\d+\./.test(stdout) ? stdout.trim() : '';
};

/**
 * The file of a Node that is new enough: the running one, the project's own, or the first on the PATH; undefined: none.
 * @param {{ root: string, execPath: string, version: string, searchPath: string }} machine
 */
export const findNode = ({ root, execPath, version, searchPath }) => {
  if (isNewEnough(version)) return execPath;
  const { platform, arch } = process;
  const name = platform === 'win32' ? 'node.exe' : 'node';
  const candidates = [
    join(root, 'scripts', 'node24', 'node_modules', `node-${platform}-${arch}`, 'bin', name),
    // As an installed terminal has it.
    join(root, 'node', 'bin', name),
    ...searchPath
      .split(delimiter)
      .filter((folder) => folder !== '')
      .map((folder) => join(folder, name)),
  ];
  return candidates.find((file) => existsSync(file) && isNewEnough(versionOf(file)));
};
