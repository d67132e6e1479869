import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

type Values = Readonly<Record<string, string>>;

/**
 * A configuration out of `NAME.template`, with each `{{name}}` filled in. `usable`: what a given value may be, so that it begins
 * no line or word of its own; `made`: what we made, which may. Throws when a value is not known or not usable.
 */
export const fillTemplate = async (template: URL, usable: RegExp, given: Values, made: Values = {}): Promise<string> =>
  (await readFile(template, 'utf8')).replaceAll(/\{\{(\w+)\}\}/g, (_whole, name: string) => {
    const value = made[name] ?? given[name];
    if (value === undefined || !(name in made || usable.test(value)))
      throw new Error(`${basename(template.pathname, '.template')}: no usable value for ${name}`);
    return value;
  });
