import { posix } from 'node:path';
import { type ESTree, parseSync } from 'vite';

/**
 * How a module reaches another. `type` is erased before running, `dynamic` runs only when reached, `worker` is started
 * from its URL (`new URL('….ts', import.meta.url)`).
 */
type ImportWay = 'type' | 'static' | 'dynamic' | 'worker';

export type Import = {
  readonly specifier: string;
  readonly line: number;
  readonly way: ImportWay;
  /** The exported names that are asked for; `*`: any of them */
  readonly names: readonly string[] | '*';
};

type Module = {
  readonly imports: readonly Import[];
  readonly exports: readonly { readonly name: string; readonly line: number }[];
  /** Functions and methods with what they are called, and how many lines they have */
  readonly functions: readonly { readonly name: string; readonly line: number; readonly lines: number }[];
  /** What the parser could not read */
  readonly errors: readonly string[];
};

type Node = ESTree.Node;
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

const childrenOf = (node: Node): Node[] =>
  Object.values(node).flatMap((value: unknown) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  );

const textOf = (node: Node | null | undefined): string | null => {
  // `import('./x.mjs' as string)`: a module without types.
  if (node?.type === 'TSAsExpression') return textOf(node.expression);
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0]?.value.cooked ?? null;
  return null;
};

const nameOf = (node: Node): string =>
  'name' in node && typeof node.name === 'string' ? node.name : (textOf(node) ?? '');

const isImportMetaUrl = (node: Node | undefined): boolean =>
  node?.type === 'MemberExpression' && node.object.type === 'MetaProperty' && nameOf(node.property) === 'url';

const namesOfPattern = (pattern: Node): string[] => {
  if (pattern.type === 'Identifier') return [pattern.name];
  return childrenOf(pattern).flatMap((child) =>
    child.type === 'Property' ? namesOfPattern(child.value) : namesOfPattern(child),
  );
};

const namesOfDeclaration = (declaration: Node): string[] => {
  if (declaration.type === 'VariableDeclaration')
    return declaration.declarations.flatMap(({ id }) => namesOfPattern(id));
  return 'id' in declaration && isNode(declaration.id) ? [nameOf(declaration.id)] : [];
};

/** The line of an offset in `text`, both as parsers count them: lines from 1, offsets from 0. */
const linesOf = (text: string): ((offset: number) => number) => {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
};

/** What a module imports, exports and how long its functions are, by its syntax tree. */
export const parseModule = (file: string, text: string): Module => {
  const { program, errors } = parseSync(file, text);
  const lineAt = linesOf(text);
  const imports: Import[] = [];
  const exports: Module['exports'][number][] = [];
  const functions: Module['functions'][number][] = [];
  const add = (source: Node | null | undefined, at: Node, way: ImportWay, names: Import['names']): void => {
    const specifier = textOf(source);
    if (specifier !== null) imports.push({ specifier, line: lineAt(at.end - 1), way, names });
  };

  const visit = (node: Node, called: string): void => {
    let inner = called;
    switch (node.type) {
      case 'ImportDeclaration': {
        const asked = node.specifiers.map((each) =>
          each.type === 'ImportSpecifier'
            ? nameOf(each.imported)
            : each.type === 'ImportDefaultSpecifier'
              ? 'default'
              : '*',
        );
        add(node.source, node, node.importKind === 'type' ? 'type' : 'static', asked.includes('*') ? '*' : asked);
        break;
      }
      case 'ExportAllDeclaration':
        add(node.source, node, node.exportKind === 'type' ? 'type' : 'static', '*');
        break;
      case 'ExportNamedDeclaration': {
        const asked = node.specifiers.map(({ local }) => nameOf(local));
        if (node.source !== null) add(node.source, node, node.exportKind === 'type' ? 'type' : 'static', asked);
        const line = lineAt(node.start);
        for (const each of node.specifiers) exports.push({ name: nameOf(each.exported), line });
        if (node.declaration !== null)
          for (const name of namesOfDeclaration(node.declaration)) exports.push({ name, line });
        break;
      }
      case 'ExportDefaultDeclaration':
        exports.push({ name: 'default', line: lineAt(node.start) });
        break;
      case 'ImportExpression':
        add(node.source, node, 'dynamic', '*');
        break;
      case 'TSImportType':
        add(node.source, node, 'type', '*');
        break;
      case 'NewExpression': {
        const [path, base] = node.arguments;
        const isModule = /\.(ts|tsx|js|mjs)$/.test(textOf(path) ?? '');
        if (nameOf(node.callee) === 'URL' && isModule && isImportMetaUrl(base)) add(path, node, 'worker', '*');
        break;
      }
      case 'VariableDeclarator':
      case 'MethodDefinition':
      case 'PropertyDefinition':
      case 'Property':
      case 'FunctionDeclaration':
        inner = nameOf('id' in node && isNode(node.id) ? node.id : 'key' in node ? (node.key as Node) : node) || called;
        break;
    }
    if (/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) {
      const line = lineAt(node.start);
      functions.push({ name: inner, line, lines: lineAt(node.end) - line + 1 });
    }
    for (const child of childrenOf(node)) visit(child, inner);
  };
  visit(program, '');
  return { imports, exports, functions, errors: errors.map(({ message }) => message) };
};

/** The file that a specifier of `file` means: a path of the repository, or null for a package. */
export const targetOf = (file: string, { specifier, way }: Import): string | null => {
  if (way === 'worker') return posix.join(posix.dirname(file), specifier);
  return specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : null;
};

/** An arrow between two modules of the repository. */
export type Arrow = { readonly from: string; readonly to: string; readonly line: number; readonly way: ImportWay };

export type ModuleGraph = { readonly modules: ReadonlyMap<string, Module>; readonly arrows: readonly Arrow[] };

/** `sources`: path of the repository → text, for every .ts, .tsx, .js and .mjs file. */
export const moduleGraph = (sources: ReadonlyMap<string, string>): ModuleGraph => {
  const modules = new Map([...sources].map(([file, text]) => [file, parseModule(file, text)] as const));
  const arrows = [...modules].flatMap(([from, { imports }]) =>
    imports.flatMap((each): Arrow[] => {
      const to = targetOf(from, each);
      return to !== null && modules.has(to) ? [{ from, to, line: each.line, way: each.way }] : [];
    }),
  );
  return { modules, arrows };
};
