/** How the simulated national service behaves: `slow` takes 7 s at the default delay, `unreadable` breaks the schema, `silent` takes the question and says nothing; `line-silent`: the line loses it */
export const serviceBehaviours = [
  'normal',
  'slow',
  'down',
  'unreadable',
  'in-maintenance',
  'line-down',
  'jpki-down',
  'silent',
  'line-silent',
] as const;
export type ServiceBehaviour = (typeof serviceBehaviours)[number];
