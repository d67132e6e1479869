/* Of node:path what the product asks for, for the one kind of path there is here. */
export const sep = '/';
const normal = (path: string): string => {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `${path.startsWith('/') ? '/' : ''}${parts.join('/')}`;
};
export const join = (...parts: readonly string[]): string => normal(parts.filter((part) => part !== '').join('/'));
export const dirname = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
export const basename = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
export const extname = (path: string): string => /\.[^./]*$/.exec(path)?.[0] ?? '';
