/**
 * Values that try a JSON Schema (draft 7, as zod writes it) at every place: a message that it takes, and one message for each
 * value that stands at or just beyond something it says of a field. Which of them are taken is for a validator to tell.
 */
export type JsonSchema = {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly default?: unknown;
  readonly [keyword: string]: unknown;
};

const seeds = [
  ...['', 'a', 'A', '0', 'ab', 'AB', 'ja', '1.0', 'a.b', 'A0b', '0123456789', '20240229', '1.2.3', '+81 3', '%', '13'],
  ...['00000000-0000-4000-8000-000000000001', 'ffffffff-ffff-4fff-bfff-ffffffffffff', '0'.repeat(64)],
  ...['one-two', 'Re-ady', 'x-1', 'ABCD1234', 'wait.why-not', '診療所'],
];
const strange = [
  ' ',
  '\n',
  '\t',
  '-',
  '_',
  '.',
  '+',
  '/',
  '=',
  ':',
  '~',
  '(',
  'é',
  'Z',
  'z',
  '9',
  'G',
  '\u0000',
  '\u0085',
  '\u202e',
  '\u2028',
  '\u2066',
  '木',
];

const boundsIn = (schema: JsonSchema): readonly number[] => [
  ...[...String(schema.pattern ?? '').matchAll(/\{(\d+)(?:,(\d+))?\}/g)].flatMap(([, low, high]) => [
    Number(low),
    Number(high ?? low),
  ]),
  ...['minLength', 'maxLength', 'minItems', 'maxItems'].flatMap((name) =>
    typeof schema[name] === 'number' ? [schema[name]] : [],
  ),
];
const around = (bounds: readonly number[]): readonly number[] => [
  ...new Set(bounds.flatMap((bound) => [bound - 1, bound, bound + 1, bound + 2]).filter((length) => length >= 0)),
];

const takesText = (schema: JsonSchema, text: string): boolean =>
  (schema.pattern === undefined || new RegExp(String(schema.pattern), 'u').test(text)) &&
  text.length >= Number(schema.minLength ?? 0) &&
  text.length <= Number(schema.maxLength ?? Number.POSITIVE_INFINITY);

const textsOf = (schema: JsonSchema): readonly string[] => {
  const lengths = around(boundsIn(schema));
  const stretched = lengths.flatMap((length) => ['a', 'A', '0', '木'].map((filler) => filler.repeat(length)));
  const joined = lengths.flatMap((length) => [
    `a.${'b'.repeat(Math.max(0, length - 2))}`,
    `A${'0'.repeat(Math.max(0, length - 1))}`,
  ]);
  const all = [...seeds, ...stretched, ...joined];
  const good = all.find((text) => takesText(schema, text));
  if (good === undefined) throw new Error(`no text for ${JSON.stringify(schema)}`);
  const middle = Math.floor(good.length / 2);
  const turned = strange.flatMap((sign) => [
    ...[sign + good, good + sign, good.slice(0, middle) + sign + good.slice(middle)],
    ...[sign + good.slice(1), good.slice(0, -1) + sign, good.slice(0, middle) + sign + good.slice(middle + 1)],
  ]);
  return [good, ...new Set([...all, ...turned])];
};

const numbersOf = (schema: JsonSchema): readonly number[] => {
  const bounds = [schema.minimum, schema.maximum].filter((bound) => typeof bound === 'number');
  const low = bounds[0] ?? 0;
  return [low, ...bounds.flatMap((bound) => [bound - 1, bound, bound + 1, bound + 0.5]), 0, 1, 7, -1, 0.5, 2 ** 53];
};

const noValue = Symbol('left out');
const otherKinds = [null, true, 0, 'no such word', [], {}, noValue];

/** Values for one place, the first of them taken. */
const valuesOf = (schema: JsonSchema): readonly unknown[] => {
  if ('const' in schema) return [schema.const, 'no such word'];
  if (schema.enum !== undefined) return [...schema.enum, ...schema.enum.map((word) => `${word}x`), ''];
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) {
    const each = choices.map(valuesOf);
    return [...each.map(([first]) => first), ...each.flat(), ...otherKinds];
  }
  switch (schema.type) {
    case 'string':
      return textsOf(schema);
    case 'integer':
    case 'number':
      return numbersOf(schema);
    case 'boolean':
      return [true, false];
    case 'null':
      return [null];
    case 'array':
      return listsOf(schema);
    default:
      return objectsOf(schema);
  }
};

const listsOf = (schema: JsonSchema): readonly unknown[] => {
  const each = valuesOf(schema.items ?? {});
  const least = Math.max(1, Number(schema.minItems ?? 0));
  const list = (length: number): readonly unknown[] => Array.from({ length }, () => each[0]);
  return [
    list(least),
    ...around(boundsIn(schema)).map(list),
    ...[...each, ...otherKinds.slice(0, -1)].map((one) => [...list(least - 1), one]),
  ];
};

const objectsOf = ({ properties = {}, propertyNames, additionalProperties }: JsonSchema): readonly unknown[] => {
  const fields = Object.entries(properties).map(([name, field]) => [name, valuesOf(field)] as const);
  const whole = Object.fromEntries(fields.map(([name, [first]]) => [name, first]));
  const varied = fields.flatMap(([name, values]) =>
    [...values, ...otherKinds].map((value) => {
      const { [name]: _replaced, ...rest } = whole;
      return value === noValue ? rest : { ...whole, [name]: value };
    }),
  );
  const named =
    propertyNames === undefined || typeof additionalProperties !== 'object'
      ? []
      : textsOf(propertyNames).flatMap((name) => valuesOf(additionalProperties).map((value) => ({ [name]: value })));
  return [whole, ...varied, ...named, { ...whole, planted: 1 }];
};

/** The first is taken. */
export const messagesOf = (schema: JsonSchema): readonly unknown[] => [...valuesOf(schema), ...otherKinds.slice(0, -1)];
