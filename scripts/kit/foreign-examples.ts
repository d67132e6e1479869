import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { pcscdMissing } from '../beds/pcscd-bed.ts';

/* The examples in other languages: how each is made and run, and what it wants of the machine. A kit runs them. */

const examples = join(import.meta.dirname, '../../docs/examples');
/** A busy machine compiles for tens of seconds. ms */
const longestMs = 120_000;

export type ForeignExample = {
  readonly name: string;
  readonly kit: 'card' | 'adapter';
  /** Debian's */
  readonly packages: string;
  readonly isThere: () => boolean;
  /** Makes it in the folder where it lies; most need nothing */
  readonly compile?: readonly string[];
  readonly program: readonly string[];
  readonly prints: RegExp;
};

const runs = (program: string, ...args: readonly string[]): boolean => spawnSync(program, args).status === 0;
const label = /^JPKIAPICCTOKEN2: 3 tries left$/m;
const labelAndCertificate = /^JPKIAPICCTOKEN2: 3 tries left\ncertificate 5E570001 until \d{4}-\d\d-\d\d$/m;
const nothingWrong = /^\{"findings":\[\]\}$/m;
const mono = '/usr/lib/mono/4.5';
const hasMono = (): boolean => runs('mcs', '--version') && runs('mono', '--version');

export const foreignExamples: readonly ForeignExample[] = [
  {
    ...{ name: 'read-card.py', kit: 'card', packages: 'python3-pyscard', prints: label },
    isThere: () => runs('/usr/bin/python3', '-c', 'import smartcard'),
    program: ['/usr/bin/python3', 'read-card.py'],
  },
  {
    ...{ name: 'read-card.pl', kit: 'card', packages: 'libpcsc-perl', prints: label },
    isThere: () => runs('perl', '-MChipcard::PCSC', '-e', '1'),
    program: ['perl', 'read-card.pl'],
  },
  {
    ...{ name: 'ReadCard.java', kit: 'card', packages: 'default-jdk-headless', prints: labelAndCertificate },
    isThere: () => runs('javac', '--version') && runs('java', '--version'),
    program: ['java', 'ReadCard.java'],
  },
  {
    ...{ name: 'ReadCard.cs', kit: 'card', packages: 'mono-mcs mono-runtime', prints: labelAndCertificate },
    isThere: hasMono,
    compile: ['mcs', '-warnaserror', 'ReadCard.cs'],
    program: ['mono', 'ReadCard.exe'],
  },
  {
    ...{ name: 'Adapter.cs', kit: 'adapter', prints: nothingWrong },
    packages: 'mono-mcs mono-runtime libmono-system-runtime-serialization4.0-cil libmono-system-xml-linq4.0-cil',
    isThere: () =>
      hasMono() &&
      ['System.Runtime.Serialization', 'System.Xml.Linq'].every((each) => existsSync(`${mono}/${each}.dll`)),
    compile: [
      ...['mcs', '-warnaserror', '-r:System.Runtime.Serialization', '-r:System.Xml', '-r:System.Xml.Linq'],
      'Adapter.cs',
    ],
    program: ['mono', 'Adapter.exe'],
  },
];

/** Why it cannot be run here; null: it can. */
export const foreignMissing = ({ kit, packages, isThere }: ForeignExample): string | null =>
  (kit === 'card' ? pcscdMissing() : null) ??
  (isThere() ? null : `not installed: ${packages} (scripts/debian-packages.txt, scripts/debian-packages-trials.txt)`);

/** The arguments of `uketsuke` that run it in `folder`, where it is laid and made first. Throws with what its compiler says. */
export const prepareForeign = ({ name, kit, compile, program }: ForeignExample, folder: string): readonly string[] => {
  for (const each of [name, 'adapter-people.json']) copyFileSync(join(examples, each), join(folder, each));
  if (compile !== undefined) {
    const [compiler = '', ...args] = compile;
    const { status, stdout, stderr } = spawnSync(compiler, args, { cwd: folder, encoding: 'utf8', timeout: longestMs });
    if (status !== 0) throw new Error(`${name}: ${stdout}${stderr}`);
  }
  const options = kit === 'card' ? ['--persona', 'hanako'] : ['--people', 'adapter-people.json'];
  return ['kit', kit, ...options, '--', ...program];
};

/** What it printed is what it promises, and its kit found nothing. */
export const isAsPromised = ({ prints }: ForeignExample, said: string): boolean =>
  prints.test(said) && said.trimEnd().endsWith('"findings":[]}');
