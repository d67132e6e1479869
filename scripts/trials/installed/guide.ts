import { readFileSync } from 'node:fs';

/** The commands of a guide, in its order: every line of its ```sh blocks, comments left out. */
export const guideCommands = (file: string): readonly string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^( *)```sh\n(.*?)^\1```$/gms)]
    .flatMap(([, indent = '', block = '']) => block.split('\n').map((line) => line.slice(indent.length)))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

/** The first ```yaml block: the answers that `uketsuke provision clinic` reads. */
export const guideAnswers = (file: string): string => {
  const [, indent = '', block = ''] = /^( *)```yaml\n(.*?)^\1```$/ms.exec(readFileSync(file, 'utf8')) ?? [];
  return block
    .split('\n')
    .map((line) => line.slice(indent.length))
    .join('\n');
};
