import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { references } from '../../scripts/trials/guides/references.ts';
import { guides } from '../../scripts/trials/guides/register.ts';
import type { Way } from '../../scripts/trials/guides/way.ts';
import { writtenCommands } from '../../scripts/trials/installed/guide.ts';

const all = Object.values(guides).flat();
/** Without what stands before a program, and what is only a place for something. */
const plain = (written: string): string => written.replace(/^sudo /, '').replace(/ ([A-Z]{2,}|\[|-- ).*$/, '');
const isRun = ({ way }: Way): boolean => way !== 'named' && way !== 'not run';
const figures = readFileSync('docs/figures.md', 'utf8');

describe('every command that a guide tells people to type', () => {
  test.each(Object.keys(guides))('%s: is run by a test, or says why not, in the order of the document', (document) => {
    expect((guides[document] ?? []).map(([written]) => written)).toEqual(writtenCommands(document));
  });

  test('a document with commands is a guide, or stands among the references with what holds them', () => {
    const known = [...Object.keys(guides), ...Object.keys(references)];
    const all = globSync(['README.md', '*/README.md', 'docs/*.md']);
    expect(all.filter((file) => !known.includes(file) && writtenCommands(file).length > 0)).toEqual([]);
  });

  test('what another file is to run stands there in those words', () => {
    for (const [written, way] of all)
      if (way.way === 'by') expect(readFileSync(way.file, 'utf8'), written).toContain(way.words);
  });

  test('what is a measurement itself has its figures', () => {
    for (const [written, way] of all)
      if (way.way === 'figure') expect(figures, written).toContain(written.split(' --')[0]?.split(' ./')[0]);
  });

  test('what is named in passing is run somewhere', () => {
    for (const [written, way] of all) {
      if (way.way !== 'named') continue;
      const [name = ''] = plain(written).split(',');
      const whole = all.filter(
        ([other, its]) =>
          isRun(its) && other.replaceAll(/scripts\/(node src\/main\.ts|uketsuke\.mjs)/g, 'uketsuke').includes(name),
      );
      expect(whole.length, written).toBeGreaterThan(0);
    }
  });

  test('what is not run says why', () => {
    for (const [written, way] of all)
      if (way.way === 'not run') expect(way.because.length, written).toBeGreaterThan(20);
  });

  test('a block of the technician’s guide is run by scripts/test-vm as it is written', () => {
    for (const [document, list] of Object.entries(guides))
      for (const [written, way] of list)
        if (way.way === 'guide') expect(document, written).toBe('docs/technician-guide.md');
  });
});
