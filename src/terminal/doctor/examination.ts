import type { FaultName } from '../../catalogue/faults.ts';
import type { Actor, Failure } from '../../core/failure.ts';
import type { Party } from '../../core/party.ts';
import type { WayEvidence } from '../../core/way-to-broker.ts';
import type { PartsTried } from '../visit/try-parts.ts';
import type { HealthReport, LinkReport } from './health.ts';

/** ok, a fault by name, or not to be checked because of something told elsewhere. `detail`: for technicians, no secrets. */
export type Finding =
  | { readonly state: 'ok'; readonly detail: string }
  | {
      readonly state: 'found';
      readonly fault: FaultName;
      readonly detail: string;
      /** What stands for `{path}`, `{user}`, `{unit}` … in the remedy */
      readonly where?: Readonly<Record<string, string>>;
    }
  | { readonly state: 'skipped'; readonly detail: string };

/** The settings that the doctor looks at: those of the configuration, by the same names. */
export type Examined = {
  readonly facility: string;
  readonly device: string;
  readonly lane: number;
  readonly cardReader: { readonly driver: string; readonly name: string };
  readonly cardFrontReader: { readonly driver: string; readonly device: string };
  readonly keypad: { readonly driver: string; readonly device: string };
  readonly statusLight: { readonly driver: string; readonly device: string };
  readonly speaker: { readonly driver: string; readonly device: string };
  readonly screen: { readonly port: number };
  readonly broker: { readonly host: string; readonly port: number; readonly serverName: string };
  readonly link: { readonly socket: string; readonly health: string };
  readonly face: { readonly socket: string };
  readonly health: { readonly socket: string };
  readonly paths: {
    readonly provisioning: string;
    readonly store: string;
    readonly models: string;
    readonly screens: string;
  };
};

export type Examination = {
  readonly config: Examined;
  /** null: no daemon answers */
  readonly report: HealthReport | null;
  /** null: no link process answers */
  readonly linkReport: LinkReport | null;
  readonly wallMs: number;
  /** Of the directory's file system; another one in tests. */
  readonly freeBytes: (directory: string) => Promise<number>;
  /** Whether the card service takes connections and answers; ends within 2.5 s */
  readonly askPcscd: () => Promise<'answers' | 'hung' | 'away'>;
  /** What the machine lacks for the configured camera; null = nothing that shows without opening it. */
  readonly missingForCamera: () => string | null;
  /** Each part made to do once what a patient needs of it, by the terminal that runs, else here; null: nobody answered */
  readonly tryParts: () => Promise<PartsTried | null>;
  /** What only a driver can tell when no daemon does: no trouble = it works. Each answers within 2 s. */
  readonly probeReader: () => Promise<{ readonly trouble: Failure | null; readonly slots: readonly string[] }>;
  readonly probeBroker: () => Promise<Failure | null>;
  /** The way to the broker as the kernel sees it; `address`: no name. Ends within 1.5 s */
  readonly seeWay: (address: string, port: number) => Promise<WayEvidence>;
  readonly machine: Machine;
};

/** `beginning`: for the first time; `stopped`: by somebody, or masked; `failing`: it begins and ends again and again, or gave up. */
export type UnitState = {
  readonly state: 'beginning' | 'running' | 'stopped' | 'failing';
  /** Enabled, or masked by somebody; a package's unit that nobody ever set up is neither */
  readonly isWanted: boolean;
  /** What one that runs tells systemd of itself; else the last line that it or systemd said of its end; '' when there is none */
  readonly lastWords: string;
};

/** A file of an installed package that is missing or not as it was installed */
export type DamagedFile = { readonly package: string; readonly path: string };

export type Machine = {
  /** null: no systemd here, or no such unit */
  readonly unit: (name: string) => Promise<UnitState | null>;
  /** Whether the agent that is set up on this machine serves the terminal; null: no registry here that can be read */
  readonly agentKnows: (device: string) => Promise<boolean | null>;
  /** Numeric id of a user; null: there is none of this name */
  readonly userId: (name: string) => Promise<number | null>;
  /** The first one of the name; `silent`: no name server answers within 1.5 s */
  readonly addressOf: (host: string) => Promise<{ readonly value: string } | 'silent' | 'unknown'>;
  /** Addresses that the machine asks for names */
  readonly nameServers: () => readonly string[];
  /** Whether the link's unit lets it speak with this address; null: nothing is known */
  readonly mayReach: (address: string) => Promise<boolean | null>;
  /** Whether the place lies on a file system that takes no writes */
  readonly isReadOnly: (path: string) => Promise<boolean>;
  /** Of the installed packages; null: no packages, or not known in time */
  readonly damagedFiles: () => Promise<readonly DamagedFile[] | null>;
  readonly hasSoundCard: () => Promise<boolean>;
  /** When the board's boot loader was made, ms since 1970 UTC; null: no board with two slots, or it does not tell */
  readonly bootLoaderBuiltMs: () => number | null;
};

export type DoctorCheck = (examination: Examination) => Promise<Finding>;

/** One line of the doctor: well, not checked, or what is wrong, why, what helps and who does it. */
export type Diagnosis = { readonly check: string; readonly detail: string } & (
  | { readonly state: 'ok' | 'skipped' }
  | {
      readonly state: 'fault' | 'warning';
      readonly fault: FaultName;
      readonly actor: Actor;
      /** Whose fault it is; null: not known (yet) */
      readonly party: Party | null;
      readonly cause: string;
      /** Commands stand between backticks */
      readonly remedy: string;
      /** The same one by one, the likeliest first: the next is for where the one before did not help */
      readonly steps: readonly string[];
      /** What stands for `{path}` … in it */
      readonly where?: Readonly<Record<string, string>>;
    }
);
