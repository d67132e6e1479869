import { type ESTree, parseSync } from 'vite';
import type { Finding } from './lint-arrows.ts';

/*
 * What package.json exports is read by people who have its docstrings alone (npm run api-docs): a number says what it
 * counts or is measured in, and whoever throws says so. What fails otherwise is a `Result`, and its type tells.
 */

type Node = ESTree.Node;
type Doc = { readonly start: number; readonly end: number; readonly text: string };
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
const childrenOf = (node: Node): Node[] =>
  Object.values(node).flatMap((value: unknown) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  );

/** A unit at the end of the name; a plural counts what it names (`triesLeft`, `days`). */
const unitInName =
  /(Ms|At|Bytes|Mm|Mhz|Kbps|Px|Percent|Degrees|Length|Size|Index|Number|Version|Port|Lane|Left|Count|Sigma|Word|[^s]s|Day|Month|Year|Until)$|^(at|now|bytes|length|offset|index|count|port|lane|version|width|height|x|y|year|month|day|hour|minute|ms|percent|[a-z]*[^s]s|tag|p1|p2|cla|ins|le|fid|seed|line|statusWord)$/;
const unitInWords =
  /\b(ms|s|mm|digits|a second|counted|px|pixels?|bytes?|bits?|degrees?|per cent|%|yen|seconds|minutes|days|times|lines?|years|points|from 0|from 1|0 …|1 …|-1 …|how many|share|number of|status word|code|one more|later|instant|level|offset)\b|°|%|…/i;

const isNumber = (type: Node | null | undefined): boolean =>
  type?.type === 'TSNumberKeyword' || (type?.type === 'TSUnionType' && type.types.some(isNumber));

/** Whether running this function reaches a `throw` of its own. */
const throwsItself = (node: Node): boolean =>
  childrenOf(node).some(
    (child) => child.type === 'ThrowStatement' || (!/Function|Class/.test(child.type) && throwsItself(child)),
  );

const nameOf = (node: Node | null | undefined): string =>
  node !== null && node !== undefined && 'name' in node && typeof node.name === 'string' ? node.name : '';

/** Where package.json's `exports` lead, of modules. */
export const publishedTargets = (packageJson: string): readonly string[] => {
  const { exports = {} } = JSON.parse(packageJson) as { readonly exports?: Readonly<Record<string, string>> };
  return Object.values(exports).filter((target) => target.endsWith('.ts'));
};

/** Whether `file` is one of those; one star stands for any path. */
export const isPublished = (file: string, targets: readonly string[]): boolean =>
  targets.some((target) => {
    const [before = '', after] = target.replace('./', '').split('*');
    return after === undefined ? file === before : file.startsWith(before) && file.endsWith(after);
  });

/** Numbers without a unit and functions that throw without a word, among what a published file exports. */
export const checkPublishedWords = (file: string, text: string): Finding[] => {
  const { program, comments } = parseSync(file, text);
  const docs: Doc[] = comments
    .filter(({ type, value }) => type === 'Block' && value.startsWith('*'))
    .map(({ start, end, value }) => ({ start, end, text: value }));
  const docBefore = (node: Node): string => {
    const last = docs.findLast(({ end }) => end <= node.start);
    return last !== undefined && /^[\s|]*$/.test(text.slice(last.end, node.start)) ? last.text : '';
  };
  const findings: Finding[] = [];
  const tell = (node: Node, rule: string, what: string): void => {
    findings.push({ file, line: text.slice(0, node.start).split('\n').length, rule, what });
  };
  const saysUnit = (name: string, words: string): boolean =>
    unitInName.test(name) || unitInWords.test(words) || (name !== '' && words.includes(`\`${name}\``));

  const look = (node: Node, words: string, name: string): void => {
    const said = `${words} ${docBefore(node)}`;
    if (node.type === 'TSPropertySignature' || node.type === 'PropertyDefinition') {
      const own = nameOf(node.key);
      if (isNumber(node.typeAnnotation?.typeAnnotation) && !saysUnit(own, said))
        tell(node, 'unit', `${name}.${own} is a number of what? Its name or docstring says`);
    }
    // What a function does inside is nobody's who calls it.
    for (const child of childrenOf(node))
      if (!/BlockStatement|Expression$/.test(child.type) || child.type === 'ArrowFunctionExpression')
        look(child, said, name);
  };
  const thrower = (node: Node | null | undefined, holder: Node, name: string): void => {
    if (isNode(node) && /Function/.test(node.type) && throwsItself(node) && !/throw/i.test(docBefore(holder)))
      tell(holder, 'throws', `${name} throws, and its docstring does not say when`);
  };

  for (const statement of program.body) {
    if (statement.type !== 'ExportNamedDeclaration' || statement.declaration === null) continue;
    const { declaration } = statement;
    const words = docBefore(statement);
    if (declaration.type === 'VariableDeclaration')
      for (const { id, init } of declaration.declarations) thrower(init, statement, nameOf(id));
    const name = 'id' in declaration && isNode(declaration.id) ? nameOf(declaration.id) : '';
    if (declaration.type === 'ClassDeclaration')
      for (const member of declaration.body.body)
        if (member.type === 'MethodDefinition' && member.key.type !== 'PrivateIdentifier')
          thrower(member.value, member, `${name}.${nameOf(member.key)}`);
    look(declaration, words, name);
  }
  return findings;
};
