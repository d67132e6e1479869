import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lane } from '../../src/agent/desk/lanes.ts';
import { RolloutDesk, type RolloutStand } from '../../src/agent/rollout/rollout-desk.ts';
import { rolloutMetrics } from '../../src/agent/staff-page/metrics.ts';
import { healthOf } from '../../src/cli/rollout-health.ts';
import {
  goOnWithRollout,
  initOperator,
  lookAtRollouts,
  type OperatorPlace,
  type RolloutLook,
  signOrder,
  stopRollout,
} from '../../src/cli/rollout-operator.ts';
import { readPlan } from '../../src/cli/rollout-plan.ts';
import { printYaml } from '../../src/config-file/plain-yaml.ts';
import type { TrustedTime } from '../../src/core/trusted-time.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { prometheusText } from '../../src/wire/prometheus-text.ts';
import type { RolloutKind } from '../../src/wire/rollout-papers.ts';
import { sayWire } from '../../src/wire/versions.ts';

/*
 * A chain of facilities over real files and keys: the operator's end, the folder, and at each facility the part of the agent that
 * follows. Its one terminal is played: it installs what lies where terminals are given releases, and falls back from a bad one.
 */

export const bundleName = 'uketsuke-terminal-arm64.raucb';

export type ChainFacility = {
  readonly name: string;
  readonly isOn: boolean;
  /** Critical alerts that ring there */
  readonly alerts: readonly string[];
  look(): Promise<unknown>;
  /** What its agent tells Prometheus */
  metrics(): Promise<string>;
};
/** When no patient may come, Japan */
type ClosedHours = { readonly closedFrom: string; readonly closedUntil: string };

/** Of the played Prometheus and of the exposition that a facility's agent tells */
type Sample = { readonly metric: Readonly<Record<string, string>>; readonly value: number };

/** Samples of Prometheus' text format, each with the facility's name, as its own Prometheus adds it. */
const samplesOf = (text: string, facility: string): readonly Sample[] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text]);
      return { metric: { __name__: name, facility, ...Object.fromEntries(pairs) }, value: Number(value) };
    });

const answerOf = (samples: readonly Sample[], nowMs: number): string =>
  JSON.stringify({
    status: 'success',
    data: {
      resultType: 'vector',
      result: samples.map(({ metric, value }) => ({ metric, value: [nowMs / 1_000, String(value)] })),
    },
  });

type Bundle = { readonly version: string; readonly isBad: boolean };
const bundleText = ({ version, isBad }: Bundle): string => JSON.stringify({ version, isBad, fill: 'x'.repeat(5_000) });

type ChainTime = { nowMs: number; certainty: TrustedTime['certainty'] };

/** One facility. Its time is the chain's but for `aheadMs`. */
export class PlayedFacility implements ChainFacility {
  readonly name: string;
  readonly directory: string;
  readonly #chain: PlayedChain;
  #desk: RolloutDesk | null = null;
  aheadMs = 0;
  certainty: TrustedTime['certainty'] = 'plausible';
  ownRelease = false;
  isOn = true;
  /** What the folder is here; another where a copy of its own is meant */
  folder: string;
  runs = '0.2.0';
  failed: string | null = null;
  alerts: readonly string[] = [];
  /** The terminal installs what it is given; false: it is being served, or its agent is of an older release */
  installs = true;
  /** Even a bad release serves here */
  isLucky = false;
  /** Versions that were ever given to terminals here */
  readonly given = new Set<string>();
  tried: object | null = null;
  isGood = true;
  freeBytes = 10_000_000_000;
  /** Where what was seen is kept */
  heldFile = 'rollout-held.json';

  /** `place`: the name of its directory */
  constructor(chain: PlayedChain, name: string, place = name) {
    this.#chain = chain;
    this.name = name;
    this.directory = join(chain.root, 'facilities', place);
    this.folder = chain.place.folder;
    mkdirSync(this.directory, { recursive: true });
    writeFileSync(this.at('rollout-trust.json'), readFileSync(join(chain.place.directory, 'rollout-trust.json')));
  }

  at(name: string): string {
    return join(this.directory, name);
  }
  get bundle(): string {
    return this.at(`bundles/${bundleName}`);
  }

  /** The agent's process begins anew: what was only in memory is gone. */
  restart(): void {
    this.#desk = null;
  }

  async desk(): Promise<RolloutDesk> {
    const time = (): TrustedTime => {
      const wallMs = this.#chain.time.nowMs + this.aheadMs;
      return { wallMs, floorMs: 0, certainty: this.certainty, fault: null, machineAheadMs: 0 };
    };
    const clock: Clock = {
      now: () => ({ monotonicMs: this.#chain.time.nowMs, wallMs: time().wallMs }),
      wakeAt: () => () => {},
    };
    this.#desk ??= await RolloutDesk.open(
      { clock, time, log: createEventLog({ format: 'silent' }), changed: () => {}, facility: () => this.name },
      {
        ...{ folder: this.folder, trust: this.at('rollout-trust.json'), held: this.at(this.heldFile) },
        bundles: this.at('bundles'),
        freeBytes: async () => this.freeBytes,
      },
      { ownRelease: this.ownRelease, ...this.#chain.hours },
      async (laid) => {
        this.tried = laid;
        if (!this.isGood) throw new Error('not for this release');
      },
    );
    return this.#desk;
  }

  #lanes(): readonly Lane[] {
    const state = {
      ...{ device: 'front-1', lane: 1, version: sayWire(this.runs), status: 'idle' },
      ...{ update: { state: 'current' } },
    };
    return [{ device: 'front-1', lane: 1, state, receivedAt: 0, clockAheadMs: 0 }] as unknown as readonly Lane[];
  }

  async look(): Promise<RolloutStand> {
    const desk = await this.desk();
    await desk.look();
    if (existsSync(this.bundle)) {
      const { version, isBad } = JSON.parse(readFileSync(this.bundle, 'utf8')) as Bundle;
      this.given.add(version);
      if (this.installs) {
        const falls = isBad && !this.isLucky;
        this.failed = falls ? version : null;
        if (!falls) this.runs = version;
      }
    }
    const stand = desk.stands(this.#lanes()).find(({ kind }) => kind === 'release');
    if (stand === undefined) throw new Error('no release');
    return stand;
  }

  async stands(): Promise<readonly RolloutStand[]> {
    return (await this.desk()).stands(this.#lanes());
  }

  /** What the agent tells Prometheus. */
  async metrics(): Promise<string> {
    const families = rolloutMetrics(await this.stands());
    const gauge = { help: '', type: 'gauge' as const };
    const labels = { device: 'front-1', lane: '1', version: this.failed ?? '' };
    return prometheusText([
      { name: 'uketsuke_agent_broker_up', ...gauge, samples: [{ value: 1 }] },
      ...families,
      {
        ...{ name: 'uketsuke_terminal_update_failed', ...gauge },
        samples: this.failed === null ? [] : [{ labels, value: 1 }],
      },
    ]);
  }
}

export class PlayedChain {
  readonly root: string;
  readonly time: ChainTime;
  readonly place: OperatorPlace;
  readonly keyPath: string;
  readonly facilities: PlayedFacility[] = [];
  /** Beside the played ones */
  readonly others: ChainFacility[] = [];
  readonly hours: ClosedHours;

  constructor(root: string, startMs: number, hours: ClosedHours) {
    this.root = root;
    this.hours = hours;
    this.time = { nowMs: startMs, certainty: 'plausible' };
    const directory = join(root, 'operator');
    this.place = { directory, folder: join(root, 'folder'), nowMs: () => this.time.nowMs };
    this.keyPath = join(root, 'stick/chain-key.jwk.json');
  }

  static async make(
    root: string,
    startMs: number,
    names: readonly string[],
    hours: ClosedHours = { closedFrom: '21:00', closedUntil: '07:00' },
  ): Promise<PlayedChain> {
    const chain = new PlayedChain(root, startMs, hours);
    await initOperator(chain.place.directory, 'midori', chain.keyPath);
    mkdirSync(chain.place.folder, { recursive: true });
    for (const name of names) chain.facilities.push(new PlayedFacility(chain, name));
    return chain;
  }

  facility(name: string): PlayedFacility {
    const found = this.facilities.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no facility ${name}`);
    return found;
  }

  /** A plan's file, with a bundle of its own beside it where it is a release. */
  writePlan(plan: Readonly<Record<string, unknown>>, bundle?: Bundle): string {
    const folder = join(
      this.root,
      `plan-${createHash('sha256')
        .update(JSON.stringify([plan, bundle]))
        .digest('hex')
        .slice(0, 8)}`,
    );
    mkdirSync(folder, { recursive: true });
    if (bundle !== undefined) writeFileSync(join(folder, bundleName), bundleText(bundle));
    const content = bundle === undefined ? {} : { version: bundle.version, content: [bundleName] };
    const path = join(folder, 'plan.yaml');
    writeFileSync(path, printYaml({ ...content, ...plan }));
    return path;
  }

  async sign(plan: Readonly<Record<string, unknown>>, bundle?: Bundle, keyPath = this.keyPath): Promise<number> {
    return signOrder(this.place, await readPlan(this.writePlan(plan, bundle)), keyPath);
  }

  /** What the chain's Prometheus would answer now. */
  async answer(): Promise<string> {
    const samples: Sample[] = [];
    for (const facility of [...this.facilities, ...this.others]) {
      if (!facility.isOn) continue;
      samples.push(...samplesOf(await facility.metrics(), facility.name));
      for (const alertname of facility.alerts) {
        const metric = { __name__: 'ALERTS', alertname, alertstate: 'firing', severity: 'critical' };
        samples.push({ metric: { ...metric, facility: facility.name, device: 'front-1' }, value: 1 });
      }
    }
    return answerOf(samples, this.time.nowMs);
  }

  /** Every facility that is on looks, then the operator. */
  async round(): Promise<readonly RolloutLook[]> {
    await this.lookEverywhere();
    return this.lookByOperator();
  }

  async lookEverywhere(): Promise<void> {
    for (const facility of [...this.facilities, ...this.others]) if (facility.isOn) await facility.look();
  }

  async lookByOperator(given?: string): Promise<readonly RolloutLook[]> {
    const answer = given ?? (await this.answer());
    return lookAtRollouts(this.place, async () => healthOf(answer, this.time.nowMs));
  }

  stop(kind: RolloutKind): Promise<RolloutLook> {
    return stopRollout(this.place, kind);
  }
  goOn(kind: RolloutKind, keyPath = this.keyPath): Promise<readonly string[]> {
    return goOnWithRollout(this.place, kind, keyPath);
  }
}
