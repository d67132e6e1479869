/** How the simulated national service behaves: `slow` takes 7 s at the default delay, `unreadable` breaks the schema, `silent` says nothing */
export const serviceBehaviours = [
  'normal',
  'slow',
  'down',
  'unreadable',
  'in-maintenance',
  'line-down',
  'jpki-down',
  'silent',
] as const;
export type ServiceBehaviour = (typeof serviceBehaviours)[number];
