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

/** The wire's answer is that of a moment ago: an entry is asked about anew within so long (systemd/sysctl). ms */
export const wireSettlesMs = 5_500;

/** Why the broker is not reached. `delivery.offline` = not known (yet). `goneMs`: for how long already */
export const judgeWay = (
  { carrier, route, host, router, port, sent }: WayEvidence,
  goneMs: number,
): Extract<FailureCode, `delivery.${string}`> => {
  if (carrier === false) return 'delivery.cable-unplugged';
  // Whoever refuses is there, and no broker is; whoever takes the connection and then serves nobody is one that hangs.
  if (port === 'refused' || port === 'open') return 'delivery.broker-away';
  if (route === 'own') return port === 'silent' ? 'delivery.port-silent' : 'delivery.offline';
  // A rule on this machine holds it back: that is neither cable nor clinic.
  if (sent === false) return 'delivery.offline';
  if (route === 'direct') {
    if (host === false) return router === false ? 'delivery.line-down' : 'delivery.clinic-pc-away';
    return host === true && port === 'silent' && goneMs >= wireSettlesMs ? 'delivery.port-silent' : 'delivery.offline';
  }
  if (route === 'routed' && (router === false || port === 'no-network')) return 'delivery.line-down';
  return 'delivery.offline';
};
