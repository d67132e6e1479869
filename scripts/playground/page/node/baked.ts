import type { Persona } from '../../../../drivers/virtual/personas.ts';
import type { FacilitySettings } from '../../../../src/wire/facility-settings.ts';

/** A card as `scripts/playground/bake-clinic.ts` writes it down; bytes in base64. */
export type BakedFile =
  | { readonly kind: 'secret'; readonly secret: string; readonly triesLeft: number; readonly tries: number }
  | { readonly kind: 'key'; readonly openedBy: number; readonly key: string }
  /** Filled up with FF to `size` bytes */
  | {
      readonly kind: 'transparent';
      readonly content: string;
      readonly size: number;
      readonly openedBy: readonly number[];
    };

/** Of an RSA key, base64url */
export type BakedKey = { readonly n: string; readonly e: string; readonly d: string };

export type BakedCard = {
  readonly persona: Persona;
  readonly atr: string;
  readonly printedNumberB: string | null;
  readonly photoJp2: string;
  readonly applications: readonly {
    readonly aid: string;
    readonly presenceKey: string | null;
    readonly files: readonly (readonly [fid: number, file: BakedFile])[];
  }[];
};

/** Everything that the page has in the place of a disk: made once, at the build. No key or person of it is real. */
export type Baked = {
  /** When the simulated day begins. ms since 1970 UTC */
  readonly startMs: number;
  /** Text files by their path in the project, or below /clinic */
  readonly files: Readonly<Record<string, string>>;
  readonly cards: readonly BakedCard[];
  /** RSA keys of the cards by name, as JWK */
  readonly keys: Readonly<Record<string, BakedKey>>;
  /** Private files of device and agent */
  readonly folders: { readonly device: string; readonly agent: string };
  readonly settings: FacilitySettings;
};

export const baked: Baked = (globalThis as unknown as { readonly uketsukeBaked: Baked }).uketsukeBaked;
