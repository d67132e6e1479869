import type { FailureCode } from './failure.ts';

/** What a terminal sees of its own way to the broker, without asking anybody who may be away. */
export type WayEvidence = {
  /** Of the interface towards the broker, or of any where no route is left; null: nothing is known */
  readonly carrier: boolean | null;
  /** `own`: the broker is on this machine; `direct`: on this network; `routed`: behind a router */
  readonly route: 'none' | 'own' | 'direct' | 'routed' | 'unknown';
  /** Whether it answers on the wire (ARP), which no firewall keeps from answering; null: nobody asked */
  readonly host: boolean | null;
  readonly router: boolean | null;
  /** A connection to the broker's port; `sent`: packets left this machine for it */
  readonly port: 'open' | 'refused' | 'silent' | 'no-network' | 'no-host' | 'failed';
  readonly sent: boolean | null;
};

/**
 * What this outage has shown so far. `ended`: how the last connection did: `closed` = by the other end in order, as the system
 * does for every program that ends; `cut` = reset or silent; `unknown` = there was none
 */
export type OutageSoFar = {
  readonly ended: 'closed' | 'cut' | 'unknown';
  /** The port took a connection that nobody served */
  readonly wasOpen: boolean;
  /** The machine was away from the wire */
  readonly wasAway: boolean;
  /** Since the machine last showed itself: a connection, or a port that answers. ms */
  readonly quietMs: number;
};

/** The wire's answer is that of a moment ago: an entry is asked about anew within so long (systemd/sysctl). ms */
export const wireSettlesMs = 4_000;

type WayFailure = Extract<FailureCode, `delivery.${string}`>;

/** Whoever refuses is there. That no program listens is one reason, a firewall that answers in its place is another. */
const judgeRefusal = ({ route }: WayEvidence, { ended, wasOpen, wasAway }: OutageSoFar): WayFailure => {
  if (route === 'own' || wasOpen || ended === 'closed') return 'delivery.broker-away';
  // The connection was cut while the machine stayed: a program that ends closes what it has open.
  return route === 'direct' && ended === 'cut' && !wasAway ? 'delivery.port-silent' : 'delivery.offline';
};

/** Why the broker is not reached. `delivery.offline` = not known (yet). */
export const judgeWay = (seen: WayEvidence, soFar: OutageSoFar): WayFailure => {
  const { carrier, route, host, router, port, sent } = seen;
  if (carrier === false) return 'delivery.cable-unplugged';
  // Whoever takes the connection and then serves nobody is a broker that hangs.
  if (port === 'open') return 'delivery.broker-away';
  if (port === 'refused') return judgeRefusal(seen, soFar);
  if (route === 'own') return port === 'silent' ? 'delivery.port-silent' : 'delivery.offline';
  // Before what was sent is looked at: to a machine that the wire does not know the kernel sends nothing.
  if (route === 'direct' && host === false) return router === false ? 'delivery.line-down' : 'delivery.clinic-pc-away';
  if (route === 'routed' && (router === false || port === 'no-network')) return 'delivery.line-down';
  // A rule on this machine holds it back: that is neither cable nor clinic.
  if (sent === false || route !== 'direct' || host !== true || port === 'failed') return 'delivery.offline';
  if (soFar.quietMs < wireSettlesMs) return 'delivery.offline';
  // Its broker ended in order and the machine stays: as Windows drops what comes to a port where nobody listens.
  return soFar.ended === 'closed' ? 'delivery.broker-away' : 'delivery.port-silent';
};
