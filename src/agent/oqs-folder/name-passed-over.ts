import type { EventLog } from '../../log/event-log.ts';

/** Tells the log of elements that nobody here knows: each once in the life of a process, by name, never with a value. */
export const namePassedOver = (log: EventLog): ((unknown: readonly string[]) => void) => {
  const named = new Set<string>();
  return (unknown) => {
    const fresh = unknown.filter((name) => !named.has(name));
    for (const name of fresh) named.add(name);
    if (fresh.length > 0)
      log.event('agent.elements-passed-over', { elements: fresh.join(',').slice(0, 200).replace(/,$/, '') });
  };
};
