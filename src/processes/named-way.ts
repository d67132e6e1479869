import { type Failure, failure } from '../core/failure.ts';
import { judgeWay, type OutageSoFar, type WayEvidence } from '../core/way-to-broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { MessageBus } from '../ports/message-bus.ts';

/** While the broker is away the way is looked at so often: what two looks agree on is told. ms */
const lookEveryMs = 500;
/** A router says only now and then, to everybody together, that it knows no way: a look without its word is none against it. ms */
const routersWordMs = 8_000;
/**
 * Behind a router that passes nothing on, one look and nothing else goes out in this time: Linux, which most small routers are,
 * tells nobody that it knows no way while we send more often than every 2 s (each packet to nowhere takes one of its tokens, of
 * which one comes each second, and a word costs two). The bus tries at once when a look finds anything but silence. ms
 */
const routedEveryMs = 2_200;
/** What shows at once cannot be a moment's, and what was waited for has been looked at: no second look is needed. */
const certain: ReadonlySet<string> = new Set(['delivery.cable-unplugged', 'delivery.port-silent']);

/** What stays of one outage from look to look. */
const createMemory = (now: () => number) => {
  let ended: OutageSoFar['ended'] = 'unknown';
  let wasOpen = false;
  let wasAway = false;
  let shownAtMs = now();
  let noNetworkAtMs: number | null = null;
  return {
    /** A connection ended. */
    begin: (closedByBroker: boolean): void => {
      ended = closedByBroker ? 'closed' : 'cut';
      wasOpen = false;
      wasAway = false;
      shownAtMs = now();
      noNetworkAtMs = null;
    },
    /** That it knows no way */
    routerSaid: (): void => {
      noNetworkAtMs = now();
    },
    judge: (seen: WayEvidence): ReturnType<typeof judgeWay> => {
      const atMs = now();
      if (seen.port === 'open' || seen.port === 'refused') shownAtMs = atMs;
      wasOpen ||= seen.port === 'open';
      wasAway ||= seen.host === false;
      if (seen.port === 'no-network') noNetworkAtMs = atMs;
      const isWordOld = noNetworkAtMs === null || atMs - noNetworkAtMs > routersWordMs;
      const port = seen.port === 'silent' && !isWordOld ? 'no-network' : seen.port;
      return judgeWay({ ...seen, port }, { ended, wasOpen, wasAway, quietMs: atMs - shownAtMs });
    },
  };
};

type Resting = { readonly rest: (ms: number) => void };

/**
 * When the next look is due, monotonic ms; the bus rests meanwhile, where a router is to be heard. `isSettled`: the last one
 * saw what is named already; anything else is looked at once more soon.
 */
const createPace = (bus: Resting, now: () => number) => {
  let rests = false;
  return (seen: WayEvidence | null, beganMs: number, isSettled: boolean): number => {
    const isRouted = seen?.route === 'routed' && (seen.port === 'silent' || seen.port === 'no-network');
    if (isRouted) bus.rest(routedEveryMs + lookEveryMs);
    else if (rests) bus.rest(0);
    rests = isRouted;
    return isRouted && isSettled ? beganMs + routedEveryMs : now() + lookEveryMs;
  };
};

type Listener = (connected: boolean, cause?: Failure) => void;

/**
 * The same bus, whose `delivery.offline` is told by its cause as soon as that is known: cable, clinic's PC, broker or line. What the
 * bus itself knows better (a certificate, the access rules) stays as it said it.
 */
export const withWayNamed = (
  bus: MessageBus & Resting,
  clock: Pick<Clock, 'now' | 'wakeAt'>,
  see: () => Promise<WayEvidence | null>,
): MessageBus => {
  const listeners = new Set<Listener>();
  let connected = false;
  const memory = createMemory(() => clock.now().monotonicMs);
  const nextLook = createPace(bus, () => clock.now().monotonicMs);
  let said: Failure = failure('delivery.offline', 'not connected yet');
  let named: Failure | null = null;
  let before: string | null = null;
  let looking = false;
  let callOff = (): void => {};
  let closed = false;
  const tell = (): void => {
    for (const listener of [...listeners]) {
      if (connected) listener(true);
      else listener(false, named ?? said);
    }
  };
  const isOpen = (): boolean => !closed && !connected && said.code === 'delivery.offline';
  const look = async (): Promise<void> => {
    if (looking || !isOpen()) return;
    looking = true;
    const beganMs = clock.now().monotonicMs;
    const seen = await see().catch(() => null);
    looking = false;
    if (!isOpen()) return;
    const code = seen === null ? 'delivery.offline' : memory.judge(seen);
    const agreed = certain.has(code) || code === before;
    before = code;
    const now = code === 'delivery.offline' ? null : failure(code, said.detail);
    if (agreed && now?.code !== named?.code) {
      named = now;
      tell();
    }
    callOff = clock.wakeAt(nextLook(seen, beganMs, now?.code === named?.code), () => void look());
  };
  const end = bus.subscribeConnection((isConnected, cause, how) => {
    if (connected && !isConnected) memory.begin(how?.closedByBroker === true);
    if (how?.noNetwork === true) memory.routerSaid();
    connected = isConnected;
    if (cause !== undefined) said = cause;
    if (isConnected || said.code !== 'delivery.offline') {
      named = null;
      before = null;
    }
    tell();
    callOff();
    if (isOpen()) void look();
  });
  return {
    publish: (topic, payload, options) => bus.publish(topic, payload, options),
    subscribe: (filter, listener, choice) => bus.subscribe(filter, listener, choice),
    subscribeConnection: (listener) => {
      listeners.add(listener);
      if (connected) listener(true);
      else listener(false, named ?? said);
      return () => listeners.delete(listener);
    },
    close: () => {
      closed = true;
      callOff();
      end();
      return bus.close();
    },
  };
};
