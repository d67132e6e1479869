/**
 * A kind of value that may stand in a log line. There is no kind for text: what a person is called, types, shows or
 * owns has no way into a log.
 */
export type Kind<T> = {
  readonly shown: string;
  readonly optional: boolean;
  readonly accepts: (value: unknown) => value is T;
};

export const kind = <T>(shown: string, accepts: (value: unknown) => boolean): Kind<T> => ({
  shown,
  optional: false,
  accepts: accepts as (value: unknown) => value is T,
});
export const pattern = (shown: string, form: RegExp): Kind<string> =>
  kind(shown, (value) => typeof value === 'string' && form.test(value));

export const oneOf = <const T extends string>(...words: readonly T[]): Kind<T> =>
  kind(words.join(' / '), (value) => words.some((word) => word === value));
export const maybe = <T>(required: Kind<T>): Kind<T | undefined> => ({
  ...required,
  optional: true,
  accepts: (value): value is T | undefined => value === undefined || required.accepts(value),
});
