import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { build, type Plugin } from 'vite';
import { projectRoot } from '../demonstration/facility.ts';
import { standIns } from '../trials/simulate/hooks.ts';
import { bakeClinic } from './bake-clinic.ts';
import { words } from './page/page-words.ts';

const page = join(import.meta.dirname, 'page');
const ownFonts = join(projectRoot, '.cache/page/fonts');
const simulated = join(projectRoot, 'scripts/trials/simulate/stand-ins');

/** Node's own modules as a page has them; and the one server of the house. */
const inPage: Readonly<Record<string, string>> = {
  ...{ 'node:buffer': 'buffer.ts', buffer: 'buffer.ts', 'node:path': 'path.ts', path: 'path.ts' },
  ...{ 'node:fs': 'fs.ts', fs: 'fs.ts', 'node:fs/promises': 'fs-promises.ts', 'node:os': 'os.ts' },
  ...{ 'node:crypto': 'crypto.ts', crypto: 'crypto.ts', 'node:sqlite': 'sqlite.ts', 'node:util': 'util.ts' },
};
/** What the simulator puts in the place of disks: the folder for the レセコン and the journal. Its cheap signatures stay away. */
const disks = standIns.filter(([, , file]) => file.startsWith('simulated-'));

/** Functions of Node that its stand-in lacks refuse when they are called: nobody has to know here what the product takes next. */
const withRefusals = (code: string, node: object): string => {
  const own = new Set([...code.matchAll(/^export (?:const|class|\{) (\w+)/gm)].map(([, name]) => name));
  const lacking = Object.entries(node).filter(([name, one]) => typeof one === 'function' && !own.has(name));
  const names = lacking.map(([name]) => name).filter((name) => name !== 'default');
  const refusal = own.has('unwritable')
    ? ''
    : "const unwritable = function () { throw new Error('not in a page'); };\n";
  return `${code}\n${refusal}export { ${names.map((name) => `unwritable as ${name}`).join(', ')} };\n`;
};

const thinNode: Plugin = {
  name: 'thin-node',
  enforce: 'pre',
  resolveId: (wanted, importer = '') => {
    const disk = disks.find(([name, from]) => name === wanted && from.test(importer));
    if (disk !== undefined) return join(simulated, disk[2]);
    const thin = inPage[wanted];
    if (thin !== undefined) return join(page, 'node', thin);
    return wanted.endsWith('/web/local-server.ts') ? join(page, 'node/server-in-page.ts') : null;
  },
  transform: async (code, id) => {
    const [wanted] = Object.entries(inPage).find(([, file]) => id === join(page, 'node', file)) ?? [];
    if (wanted !== undefined) return withRefusals(code, await import(wanted));
    if (!id.startsWith(projectRoot) || id.includes('node_modules') || !code.includes('import.meta')) return null;
    const path = `/${relative(projectRoot, id)}`;
    return code
      .replaceAll('import.meta.dirname', JSON.stringify(path.slice(0, path.lastIndexOf('/'))))
      .replaceAll('import.meta.url', JSON.stringify(`file://${path}`));
  },
};

/** One classic script: a browser refuses modules from a file. */
const bundle = async (entry: string, name: string, outDir: string): Promise<void> => {
  await build({
    configFile: false,
    root: page,
    logLevel: 'warn',
    plugins: [thinNode],
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir,
      emptyOutDir: false,
      target: 'chrome120',
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      lib: {
        entry: join(page, entry),
        formats: ['iife'],
        name: `uketsuke_${name}`,
        fileName: () => `${name}.js`,
        cssFileName: name,
      },
    },
  });
};

type BuiltFile = { readonly name: string; readonly bytes: number };

/** Makes the folder anew; answers its files. Nothing in it asks any server. */
export const buildPlayground = async (outDir: string): Promise<readonly BuiltFile[]> => {
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(outDir, { recursive: true });
  const baked = bakeClinic();
  await bundle('visitor.ts', 'playground', outDir);
  await bundle('screen-page.ts', 'screen', outDir);
  await bundle('frame.ts', 'frame', outDir);
  const script = join(outDir, 'playground.js');
  const json = JSON.stringify(JSON.stringify(await baked));
  writeFileSync(script, `globalThis.uketsukeBaked=JSON.parse(${json});\n${readFileSync(script, 'utf8')}`);
  copyFileSync(join(page, 'playground.css'), join(outDir, 'playground.css'));
  const html = readFileSync(join(page, 'index.html'), 'utf8');
  writeFileSync(
    join(outDir, 'index.html'),
    html.replace(/\{(\w+)\}/g, (_, name) => words[name as keyof typeof words].ja),
  );
  for (const name of ['staff-page.css', 'staff-page.js'])
    copyFileSync(join(projectRoot, 'src/agent/staff-page', name), join(outDir, name));
  // The product's own letters, as the patient's page has them (scripts/generate/cut-page-fonts.ts, made by scripts/setup).
  if (!existsSync(ownFonts)) throw new Error(`${ownFonts} is missing: scripts/setup makes it`);
  cpSync(ownFonts, join(outDir, 'fonts'), { recursive: true, filter: (path) => !/\.(json|conf)$/.test(path) });
  const files = readdirSync(outDir, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(outDir, name)).isFile(),
  );
  return files.map((name) => ({ name, bytes: statSync(join(outDir, name)).size }));
};
