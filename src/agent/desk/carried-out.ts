import type { CommandMessage, StateMessage } from '../../wire/messages.ts';

type Command = CommandMessage['command'];
/** Orders whose effect shows in what the terminal says of itself afterwards. */
export type ShownOrder = Extract<Command, { name: 'restart' | 'reboot' | 'log-level' | 'support-bundle' }> & {
  readonly commandId: string;
};

/**
 * Whether what an order was for can be seen in what the terminal says now, compared with what it said before. A terminal
 * that says nothing of its orders (an older release) counts as back when it is ready for patients.
 */
export const isCarriedOut = (order: ShownOrder, before: StateMessage | null, now: StateMessage): boolean => {
  const isReady = now.status === 'idle' || now.status === 'busy';
  const [was, is] = [before?.about, now.about];
  if (was === undefined || is === undefined) return isReady && order.name === 'restart';
  switch (order.name) {
    case 'restart':
      if (order.part === 'daemon') return isReady && is.run !== was.run;
      return is.run !== was.run || is.returns[order.part] > was.returns[order.part];
    case 'reboot':
      return isReady && is.run !== was.run && is.boot !== was.boot;
    case 'log-level':
      return is.logLevel === order.level;
    case 'support-bundle':
      return is.reported === order.commandId;
    default:
      return order satisfies never;
  }
};
