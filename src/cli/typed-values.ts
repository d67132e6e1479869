import { InvalidArgumentError, Option } from 'commander';

/* What stands behind an option, read strictly: full-width digits, blanks and ports that there are not are told at once. */

export const between =
  (least: number, most: number, what = `${least} to ${most}`) =>
  (text: string): number => {
    const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(what);
    return value;
  };

export const wholeNumber = between(0, 9_999_999, 'a whole number');
export const portNumber = between(1, 65_535, 'a TCP port');
/** 0: any that is free */
export const portOrAny = between(0, 65_535, 'a TCP port, or 0');

export const hostAndPort = (text: string): { readonly host: string; readonly port: number } => {
  const [, host, digits = ''] = /^(.+):([^:]*)$/.exec(text) ?? [];
  if (host === undefined) throw new InvalidArgumentError('host:port');
  return { host, port: between(1, 65_535, 'host:port')(digits) };
};

/** Another word would be taken for one of them. */
export const logOption = (about: string, formats: readonly string[], usual: string): Option =>
  new Option('--log <format>', about).choices(formats).default(usual);

export const processLogOption = (): Option =>
  logOption('json or pretty, on standard error', ['json', 'pretty'], process.stderr.isTTY ? 'pretty' : 'json');
