/** Waiting times of an update, each with its reason. ms */
export const updateDelays = {
  /** Two slots of about a gigabyte are written and checked at the 10 MB/s of a slow card, twice over. */
  installMs: 15 * 60_000,
  /** The release that runs says at once whether it reaches the agent; beyond this it is not well and nothing is begun. */
  checkBeforeMs: 20_000,
  /** What does not pass is looked at again after this: a line, a visit, an agent. */
  lookAgainMs: 5 * 60_000,
  /** A restart that does not come (something holds it up) is ordered again. */
  restartMs: 60_000,
  /** A copy of a few megabytes. */
  takeOverMs: 10_000,
  /**
   * From the start of the program to the test request's answer. Two bad boots and the way back, each boot within 30 s:
   * 2 × (30 + 45) + 30 = 180 s, the longest that a terminal may be away.
   */
  proveMs: 45_000,
  /** The terminal connects within a second or two; it is asked again at this rhythm until then. */
  askHealthAgainMs: 3_000,
  /** One sector; RAUC is asked over D-Bus and may have to be started for it. */
  commitMs: 15_000,
  /**
   * No update begins so short before the clinic opens: writing, two bad boots and the way back take less; so does a gigabyte on
   * its way to an agent at 5 Mbit/s.
   */
  beforeOpeningMs: 30 * 60_000,
} as const;

/** Boots of a release that did not prove itself before it is given up. */
export const mostTries = 2;
/** Times that writing may be cut off (power) before the bundle is given up. */
export const mostWrites = 3;
