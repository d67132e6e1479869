/**
 * docs/times.md: every waiting time of the product, from the code that waits. `--check` compares instead of writing.
 *
 *   scripts/node scripts/generate/render-times.ts [--check]
 */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type ESTree, parseSync } from 'vite';
import { z } from 'zod';
import { dayMs, hourMs } from '../../src/core/time-units.ts';
import { facilitySettingsSchema } from '../../src/wire/facility-settings.ts';

type Row = { readonly name: string; readonly ms: string; readonly place: string; readonly why: string };

const document = new URL('../../docs/times.md', import.meta.url);
const isTime = (name: string): boolean => /(Ms|Seconds)$/.test(name);

const namedUnits: Readonly<Record<string, number>> = { dayMs, hourMs };

/** The value of `5 * 60_000`, `7 * dayMs` and the like; null: it comes from somewhere else. */
const numberOf = (node: ESTree.Node): number | number[] | null => {
  if (node.type === 'Identifier') return namedUnits[node.name] ?? null;
  if (node.type === 'Literal' && typeof node.value === 'number') return node.value;
  if (node.type === 'TSAsExpression') return numberOf(node.expression);
  if (node.type === 'BinaryExpression') {
    const [left, right] = [numberOf(node.left), numberOf(node.right)];
    if (typeof left !== 'number' || typeof right !== 'number') return null;
    if (node.operator === '*') return left * right;
    if (node.operator === '+') return left + right;
    return node.operator === '-' ? left - right : null;
  }
  if (node.type === 'ArrayExpression') {
    const values = node.elements.map((element) => (element === null ? null : numberOf(element)));
    return values.every((value) => typeof value === 'number') ? values : null;
  }
  return null;
};

const units = [
  ['d', dayMs],
  ['h', hourMs],
  ['min', 60_000],
  ['s', 1_000],
] as const;
const shown = (value: number | number[]): string => {
  if (Array.isArray(value)) return value.map(shown).join(', ');
  const [unit, size] = units.find(([, of]) => value >= of && value % of === 0) ?? ['ms', 1];
  return `${(value / size).toLocaleString('en')} ${unit}`;
};

const oneLine = (comment: string): string =>
  comment
    .replace(/^\*+/, '')
    .replace(/\n\s*\*/g, ' ')
    .replace(/\s+/g, ' ')
    .replaceAll('|', '\\|')
    .trim();

/** Constants of a module, and members of its constant objects, whose name says that they are a time. */
const timesOf = (file: string): Row[] => {
  const text = readFileSync(file, 'utf8');
  const { program, comments } = parseSync(file, text);
  const before = (node: ESTree.Node): string => {
    const above = comments.findLast(({ end }) => end <= node.start && text.slice(end, node.start).trim() === '');
    return above === undefined ? '' : oneLine(above.value);
  };
  /** Of a member of a constant object the reason may stand at the type that the object has. */
  const atType = (type: string, member: string): string => {
    const declared = program.body
      .map((each) => (each.type === 'ExportNamedDeclaration' ? each.declaration : each))
      .find((each) => each?.type === 'TSTypeAliasDeclaration' && each.id.name === type);
    if (declared?.type !== 'TSTypeAliasDeclaration' || declared.typeAnnotation.type !== 'TSTypeLiteral') return '';
    const found = declared.typeAnnotation.members.find(
      (each) => each.type === 'TSPropertySignature' && each.key.type === 'Identifier' && each.key.name === member,
    );
    return found === undefined ? '' : before(found);
  };
  const row = (name: string, said: ESTree.Node, init: ESTree.Node, why = before(said)): Row[] => {
    const value = numberOf(init);
    const seconds = /Seconds$/.test(name) ? 1_000 : 1;
    if (value === null) return [];
    const scaled = Array.isArray(value) ? value.map((each) => each * seconds) : value * seconds;
    return [{ name, ms: shown(scaled), place: file, why }];
  };
  return program.body.flatMap((statement) => {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declaration?.type !== 'VariableDeclaration' || declaration.kind !== 'const') return [];
    return declaration.declarations.flatMap(({ id, init }) => {
      if (id.type !== 'Identifier' || init === null) return [];
      if (isTime(id.name)) return row(id.name, statement, init);
      const object = init.type === 'TSAsExpression' ? init.expression : init;
      if (object.type !== 'ObjectExpression') return [];
      const annotation = id.typeAnnotation?.typeAnnotation;
      const type =
        annotation?.type === 'TSTypeReference' && annotation.typeName.type === 'Identifier'
          ? annotation.typeName.name
          : '';
      return object.properties.flatMap((property) =>
        property.type === 'Property' && property.key.type === 'Identifier' && isTime(property.key.name)
          ? row(
              `${id.name}.${property.key.name}`,
              property,
              property.value,
              before(property) || atType(type, property.key.name),
            )
          : [],
      );
    });
  });
};

/** What a clinic chooses, by the schema itself: default and range. */
const settingsRows = (): string[] => {
  const schema = z.toJSONSchema(facilitySettingsSchema.shape.timeouts, { io: 'input' }) as {
    properties: Record<string, { default: number; minimum: number; maximum: number }>;
  };
  const source = readFileSync('src/wire/facility-settings.ts', 'utf8');
  return Object.entries(schema.properties).map(([name, { default: preset, minimum, maximum }]) => {
    const why = new RegExp(`/\\*\\* ([^*]*) \\*/\\s*${name}:`).exec(source)?.[1] ?? '';
    return `| \`timeouts.${name}\` | ${shown(preset)} | ${shown(minimum)} … ${shown(maximum)} | ${why} |`;
  });
};

const allRows = (): readonly Row[] => {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src', 'drivers'], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter(
      (file) =>
        /\.tsx?$/.test(file) &&
        !file.startsWith('drivers/virtual/') &&
        !['src/wire/v1-messages.ts', 'src/core/time-units.ts'].includes(file),
    );
  return files.flatMap(timesOf);
};

const render = (rows: readonly Row[]): string => {
  const ofVisit = rows.filter(({ place }) => place === 'src/core/visit/delays.ts');
  const others = rows.filter(({ place }) => place !== 'src/core/visit/delays.ts');
  return [
    '# Times',
    '',
    'Made from the code by `scripts/generate/render-times.ts`; do not edit. Each time stands once, where it is waited for,',
    'with its reason: the check refuses one that has none. Units: `src/core/time-units.ts`.',
    '',
    '## What a clinic chooses',
    '',
    'In its settings (`src/wire/facility-settings.ts`); the defaults are applied once, by the schema.',
    '',
    '| setting | default | range | what |',
    '|---|---|---|---|',
    ...settingsRows(),
    '',
    '## A visit',
    '',
    'In `src/core/visit/delays.ts`.',
    '',
    '| delay | time | why |',
    '|---|---|---|',
    ...ofVisit.map(({ name, ms, why }) => `| \`${name}\` | ${ms} | ${why} |`),
    '',
    '## Everything else',
    '',
    '| name | time | where | why |',
    '|---|---|---|---|',
    ...others.map(({ name, ms, place, why }) => `| \`${name}\` | ${ms} | \`${place}\` | ${why} |`),
    '',
  ].join('\n');
};

const rows = allRows();
const text = render(rows);
for (const { name, place } of rows.filter(({ why }) => why === '')) {
  process.stderr.write(`${place}: ${name} says no reason: a comment above it, or at its member in the type\n`);
  process.exitCode = 1;
}
if (!process.argv.includes('--check')) writeFileSync(document, text);
else if (readFileSync(document, 'utf8') !== text) {
  process.stderr.write('docs/times.md: the times have changed; run scripts/node scripts/generate/render-times.ts\n');
  process.exitCode = 1;
}
