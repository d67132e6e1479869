import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../package/tree.ts';

/* The commands that the documents tell people to type. */

/** Of the technician's guide, what an earlier release is needed for. */
export const wayBackSection = '新しい版にするとき、前の版に戻すとき';

const sectionOf = (text: string, title: string): string =>
  text.split(/^(?=## )/m).find((section) => section.startsWith(`## ${title}\n`)) ?? '';

const withoutIndent = (block: string, indent: string): readonly string[] =>
  block.split('\n').map((line) => line.slice(indent.length));

/** The lines that are typed: comments left out, a line that ends in `\` with the next one. */
const typedIn = (lines: readonly string[]): readonly string[] =>
  lines
    .join('\n')
    .replaceAll(/\\\n(?=\s)\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/\s+#( .*)?$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

/** The commands of a guide, or of one section, in its order: every line of its ```sh blocks. */
export const guideCommands = (file: string, section?: string): readonly string[] => {
  const text = readFileSync(file, 'utf8');
  return [...(section === undefined ? text : sectionOf(text, section)).matchAll(/^( *)```sh\n(.*?)^\1```$/gms)].flatMap(
    ([, indent = '', block = '']) => typedIn(withoutIndent(block, indent)),
  );
};

/** The first ```yaml block: the answers that `uketsuke provision clinic` reads. */
export const guideAnswers = (file: string): string => {
  const [, indent = '', block = ''] = /^( *)```yaml\n(.*?)^\1```$/ms.exec(readFileSync(file, 'utf8')) ?? [];
  return withoutIndent(block, indent).join('\n');
};

const typed = [
  ...['sudo', 'uketsuke', 'uketsuke\\.cmd', 'npm', 'npx', 'node', 'systemctl', 'systemd-\\w+', 'journalctl', 'udevadm'],
  ...[
    'apt',
    'apt-get',
    'echo',
    'install',
    'install\\.ps1',
    'rauc',
    'git',
    'powershell',
    'netsh',
    'Restart-Service',
    'Stop-Service',
    '&',
  ],
  ...['rpicam-vid', 'ln', 'mv', 'cp', 'nsenter', 'unshare'],
].join('|');
const isCommand = (code: string): boolean => {
  const [first = ''] = code.split(' ');
  const path = join(project, first);
  // A file of scripts that is named alone, with its ending, is named.
  if (/^(\.\/)?scripts\//.test(first))
    return existsSync(path) && statSync(path).isFile() && (code.includes(' ') || !/\.\w+$/.test(first));
  return code.includes(' ') && new RegExp(`^(${typed})$`).test(first);
};

/**
 * Everything that a document tells people to type, in its order, each once: blocks of shell, indented lines, and the
 * words between backquotes that begin with a program. From a quotation over a line's end to the end of its block is one
 * command.
 */
export const writtenCommands = (file: string): readonly string[] => {
  const text = readFileSync(file, 'utf8');
  const shown = /^( *)```(\w*)\n(.*?)^\1```$|^ {4}(\S[^\n]*)$|`([^`]+)`/gms;
  const found = [...text.matchAll(shown)].flatMap(
    ([, indent = '', language = '', block, indented, code]): readonly string[] => {
      if (block !== undefined) {
        if (!['', 'sh', 'powershell'].includes(language)) return [];
        const lines = typedIn(withoutIndent(block, indent));
        const open = lines.findIndex((line) => (line.match(/'/g) ?? []).length % 2 === 1);
        return open < 0 ? lines : [...lines.slice(0, open), lines.slice(open).join('\n')];
      }
      if (indented !== undefined) return /^[-*|']/.test(indented) ? [] : typedIn([indented]);
      const line = (code ?? '').replaceAll(/\s+/g, ' ');
      return isCommand(line) ? [line] : [];
    },
  );
  return [...new Set(found)];
};
