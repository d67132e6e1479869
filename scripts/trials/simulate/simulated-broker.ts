import { failure } from '../../../src/core/failure.ts';
import { err, ok, type Result } from '../../../src/core/result.ts';
import type { Delivery, MessageBus } from '../../../src/ports/message-bus.ts';
import { covers } from '../../../src/wire/broker-access-rules.ts';
import { type Kernel, type Life, never } from './stand-ins/kernel.ts';

type Listener = (delivery: Delivery) => void;
type Client = {
  readonly name: string;
  readonly life: Life | null;
  readonly subscriptions: Map<string, Set<Listener>>;
  /** Whose filters cover a topic that has passed */
  readonly routes: Map<string, readonly Set<Listener>[]>;
  readonly connections: Set<(connected: boolean, cause?: ReturnType<typeof failure>) => void>;
  /** What it believes itself */
  connected: boolean;
  readonly will: { readonly topic: string; readonly payload: Uint8Array } | null;
};

/** How a message travels now. */
type Weather = {
  /** The broker acknowledges and dies before it passes on */
  loses: number;
  duplicates: number;
  /** Held back by up to so long, so that others overtake it. ms */
  reordersMs: number;
};

/** One way within the clinic's network. ms */
const wayMs = 1;
/** A publish that nobody acknowledged is given up by the driver. ms */
const acknowledgedMs = 5_000;
/** Silence ends a connection after this: no answer to one to two pings. ms */
const silenceMs = 12_000;
const reconnectMs = 1_500;

/** A broker, the network around it, and all that may befall a message that was acknowledged. */
export class SimulatedBroker {
  readonly #kernel: Kernel;
  readonly #clients = new Map<string, Client>();
  readonly #retained = new Map<string, Uint8Array>();
  /** Nobody on that side reaches the broker; the connection still seems to stand until the silence is noticed */
  readonly #cut = new Set<string>();
  isUp = true;
  readonly weather: Weather = { loses: 0, duplicates: 0, reordersMs: 0 };
  /** Everything that the broker took, for who replays it */
  readonly passed: { readonly topic: string; readonly payload: Uint8Array }[] = [];
  keepsPassed = false;
  /** Whoever listens in */
  onTaken: (topic: string, payload: Uint8Array) => void = () => {};
  /** The next request is on its way; told once */
  onRequest: (() => void) | null = null;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** `life` null: somebody outside of the story. */
  connect(name: string, life: Life | null, will: Client['will'] = null): MessageBus {
    const client: Client = {
      name,
      life,
      ...{ subscriptions: new Map(), routes: new Map() },
      ...{ connections: new Set(), connected: false, will },
    };
    this.#clients.set(name, client);
    this.#kernel.after(life === null ? 0 : 5, life, () => this.#join(client));
    return {
      publish: (topic, payload, options = {}) => this.#publish(client, topic, payload, options.retain === true),
      subscribe: (filter, listener) => {
        const listeners = client.subscriptions.get(filter) ?? new Set();
        client.subscriptions.set(filter, listeners.add(listener));
        client.routes.clear();
        if (client.connected) this.#tellRetained(client, filter);
        return () => listeners.delete(listener);
      },
      subscribeConnection: (listener) => {
        client.connections.add(listener);
        if (client.connected) listener(true);
        else listener(false, failure('delivery.offline', 'not connected yet'));
        return () => client.connections.delete(listener);
      },
      close: async () => void this.#clients.delete(name),
    };
  }

  /** Its process is gone: the broker notices at once, and speaks its last will. */
  drop(name: string, life: Life): void {
    const client = this.#clients.get(name);
    if (client === undefined || client.life !== life) return;
    this.#clients.delete(name);
    if (client.will !== null && this.#isReached(name)) this.#pass(client.will.topic, client.will.payload, true);
  }

  /** Nothing passes to or from this side. `isNoticed`: the connection breaks at once instead of falling silent */
  cut(name: string, isNoticed: boolean): void {
    this.#cut.add(name);
    this.#kernel.after(isNoticed ? 1 : silenceMs, null, () => {
      if (this.#cut.has(name)) this.#part(name);
    });
  }
  heal(name: string): void {
    this.#cut.delete(name);
    this.#kernel.after(reconnectMs, null, () => this.#rejoin(name));
  }

  /** The broker dies; `forgets`: with all that it should have kept */
  die(forgets: boolean): void {
    this.isUp = false;
    if (forgets) this.#retained.clear();
    for (const name of this.#clients.keys()) this.#part(name);
  }
  rise(): void {
    this.isUp = true;
    for (const name of this.#clients.keys()) this.#kernel.after(reconnectMs, null, () => this.#rejoin(name));
  }

  #isReached(name: string): boolean {
    return this.isUp && !this.#cut.has(name);
  }

  #rejoin(name: string): void {
    const client = this.#clients.get(name);
    if (client !== undefined && !client.connected) this.#kernel.after(0, client.life, () => this.#join(client));
  }

  #join(client: Client): void {
    if (client.connected || this.#clients.get(client.name) !== client) return;
    if (!this.#isReached(client.name))
      return void this.#kernel.after(reconnectMs, client.life, () => this.#join(client));
    client.connected = true;
    this.#kernel.note(`${client.name} connected`);
    for (const listener of [...client.connections]) listener(true);
    for (const filter of client.subscriptions.keys()) this.#tellRetained(client, filter);
  }

  #part(name: string): void {
    const client = this.#clients.get(name);
    if (client === undefined || !client.connected) return;
    this.#kernel.after(0, client.life, () => {
      if (!client.connected) return;
      client.connected = false;
      this.#kernel.note(`${name} disconnected`);
      for (const listener of [...client.connections]) listener(false, failure('delivery.offline', 'cut'));
      this.#kernel.after(reconnectMs, client.life, () => this.#join(client));
    });
  }

  #publish(client: Client, topic: string, payload: Uint8Array, retain: boolean): Promise<Result<void>> {
    const offline = err(failure('delivery.offline', 'simulated'));
    const { life } = client;
    if (life?.dead) return never();
    return this.#kernel
      .outside(() => client.connected)
      .then(
        (connected) =>
          new Promise<Result<void>>((resolve) => {
            if (!connected) return resolve(offline);
            const kernel = this.#kernel;
            if (!this.#isReached(client.name)) return void kernel.after(acknowledgedMs, life, () => resolve(offline));
            kernel.after(wayMs, null, () => {
              if (!this.isUp) return void kernel.after(acknowledgedMs, life, () => resolve(offline));
              if (topic.endsWith('/request')) {
                const told = this.onRequest;
                this.onRequest = null;
                told?.();
              }
              this.onTaken(topic, payload);
              if (this.keepsPassed) this.passed.push({ topic, payload });
              this.#meddle(topic, payload, retain);
              kernel.after(wayMs, life, () => resolve(ok(undefined)));
            });
          }),
      );
  }

  #meddle(topic: string, payload: Uint8Array, retain: boolean): void {
    const { rng } = this.#kernel;
    const { loses, duplicates, reordersMs } = this.weather;
    if (loses > 0 && rng.chance(loses)) return this.#kernel.note(`lost ${topic.slice(topic.lastIndexOf('/') + 1)}`);
    const pass = (): void => this.#pass(topic, payload, retain);
    const later = (): number => (reordersMs === 0 ? 0 : rng.between(0, reordersMs));
    const waitMs = later();
    if (waitMs === 0) pass();
    else this.#kernel.after(waitMs, null, pass);
    if (duplicates > 0 && rng.chance(duplicates)) this.#kernel.after(later() + rng.between(1, 400), null, pass);
  }

  /** To everybody who is there and asked for it. */
  #pass(topic: string, payload: Uint8Array, retain: boolean): void {
    if (!this.isUp) return;
    if (retain) this.#retained.set(topic, payload);
    for (const client of this.#clients.values())
      for (const listeners of this.#routesOf(client, topic))
        if (listeners.size > 0) this.#deliver(client, listeners, topic, payload, false);
  }

  #routesOf(client: Client, topic: string): readonly Set<Listener>[] {
    const known = client.routes.get(topic);
    if (known !== undefined) return known;
    const routes = [...client.subscriptions].filter(([filter]) => covers(filter, topic)).map(([, told]) => told);
    client.routes.set(topic, routes);
    return routes;
  }

  /** What somebody sends again that had passed before. */
  replay({ topic, payload }: { readonly topic: string; readonly payload: Uint8Array }): void {
    this.#pass(topic, payload, false);
  }

  #deliver(client: Client, listeners: Set<Listener>, topic: string, payload: Uint8Array, retained: boolean): void {
    this.#kernel.after(wayMs, client.life, () => {
      if (!client.connected || !this.#isReached(client.name)) return;
      for (const listener of [...listeners]) listener({ topic, payload, retained });
    });
  }

  #tellRetained(client: Client, filter: string): void {
    const listeners = client.subscriptions.get(filter) ?? new Set();
    for (const [topic, payload] of this.#retained)
      if (covers(filter, topic)) this.#deliver(client, listeners, topic, payload, true);
  }
}
