import type { TerminalAbout } from '../../wire/terminal-about.ts';
import type { SessionParts } from './session-parts.ts';

type Returns = TerminalAbout['returns'];

/** Counts how often reader, face process and page were away and came back, whoever sent them away. `changed` after each. */
export const countReturns = (
  { cardReader, faceVerifier, screen }: Pick<SessionParts, 'cardReader' | 'faceVerifier' | 'screen'>,
  changed: (returns: Returns) => void,
): (() => void) => {
  let returns: Returns = { reader: 0, face: 0, screen: 0 };
  const away = new Set<keyof Returns>();
  const note = (part: keyof Returns, isThere: boolean): void => {
    if (!isThere) away.add(part);
    else if (away.delete(part)) {
      returns = { ...returns, [part]: returns[part] + 1 };
      changed(returns);
    }
  };
  const unsubscribes = [
    cardReader.subscribe(({ type }) => {
      if (type === 'reader-found' || type === 'reader-lost') note('reader', type === 'reader-found');
    }),
    faceVerifier.subscribeHealth((trouble) => note('face', trouble === null)),
    screen.subscribe(({ type }) => {
      if (type === 'connected' || type === 'disconnected') note('screen', type === 'connected');
    }),
  ];
  return () => {
    for (const unsubscribe of unsubscribes) unsubscribe();
  };
};
