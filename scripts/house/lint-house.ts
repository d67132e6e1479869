/**
 * The house rules that no compiler holds: which folder may import which, file length, no path of one machine in a
 * tracked file, the paths in README's "where do I change X" exist. Prints `file:line  rule  what`, exit code 1.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checkArrows, checkCycles, type Finding } from './lint-arrows.ts';

const longestFileLines = 400;

// Put together here so that this file does not find itself.
const machinePaths = new RegExp(
  `(?<![\\w.])/(?:${['wo' + 'rk', 'ro' + 'ot', 'ho' + 'me/\\w'].join('|')})/|${'\\.\\./sha'}red/|registry\\.${'npm'}js`,
);

export const checkLength = (file: string, text: string): Finding[] => {
  if (!/^(src|drivers|scripts)\/.*\.(ts|tsx|css)$/.test(file)) return [];
  const lines = text.split('\n').length - 1;
  return lines <= longestFileLines
    ? []
    : [{ file, line: longestFileLines + 1, rule: 'file-length', what: `${lines} lines, at most ${longestFileLines}` }];
};

export const checkMachinePaths = (file: string, text: string): Finding[] =>
  text.split('\n').flatMap((line, index) => {
    const match = machinePaths.exec(line);
    return match === null
      ? []
      : [{ file, line: index + 1, rule: 'machine-path', what: `names ${match[0]}, which only one machine has` }];
  });

/** Every path in back-ticks in README's table "where do I change X" must exist. */
export const checkReadmePaths = (text: string, exists: (path: string) => boolean): Finding[] => {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /^#+ .*where do I change/i.test(line));
  if (start < 0) return [{ file: 'README.md', line: 1, rule: 'readme-paths', what: 'has no "Where do I change X"' }];
  const findings: Finding[] = [];
  for (let index = start + 1; index < lines.length && !/^#+ /.test(lines[index] ?? ''); index += 1) {
    for (const match of (lines[index] ?? '').matchAll(/`([\w./-]+\/[\w./-]*)`/g)) {
      const path = match[1] ?? '';
      if (!exists(path))
        findings.push({ file: 'README.md', line: index + 1, rule: 'readme-paths', what: `${path} does not exist` });
    }
  }
  return findings;
};

const isText = /\.(ts|tsx|mjs|js|json|md|css|html|svg|txt|yaml|yml|conf|service|rules|sh|toml|acl)$|^[^.]*$/;

const lintTree = (): Finding[] => {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '' && existsSync(file));
  const findings: Finding[] = [];
  const sources = new Map<string, string>();
  for (const file of files) {
    if (!isText.test(file)) continue;
    const text = readFileSync(file, 'utf8');
    if (/\.tsx?$/.test(file)) sources.set(file, text);
    findings.push(...checkMachinePaths(file, text), ...checkLength(file, text), ...checkArrows(file, text));
  }
  findings.push(...checkCycles(sources));
  if (existsSync('README.md')) findings.push(...checkReadmePaths(readFileSync('README.md', 'utf8'), existsSync));
  return findings;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const findings = lintTree();
  for (const { file, line, rule, what } of findings) console.log(`${file}:${line}  ${rule}  ${what}`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
