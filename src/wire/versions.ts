/**
 * Versions of what terminal and agent say to each other. 1: as released at 19854c3, whose receivers refuse every key that
 * they do not know. From 2 on a receiver of state, settings and commands leaves out what it does not know.
 */
export const newestWire = 2;
const oldestWire = 1;

/** Spoken by every agent that knows the mended texts of consents (src/catalogue/mended-texts): no release before did. */
export const mendedTextsWire = 2;

const said = /\+wire\.(\d{1,3})$/;

/** `state.version` as a terminal tells it: its release, and which wire it speaks. Version 1 takes any text there. */
export const sayWire = (release: string): string => `${release}+wire.${newestWire}`;

/** The release alone, for people. */
export const releaseOf = (version: string): string => version.replace(said, '');

/** The newest wire that both ends speak. A `state.version` that says none speaks version 1. */
export const wireOf = (version: string): number => bothSpeak(Number(said.exec(version)?.[1] ?? oldestWire));

/** Of what the other end says it speaks; undefined = it does not say. */
export const bothSpeak = (other: number | undefined): number =>
  Math.max(oldestWire, Math.min(newestWire, other ?? oldestWire));
