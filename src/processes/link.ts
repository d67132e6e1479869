/**
 * The link process: the device's way out. It keeps what the terminal has sealed until it is told that it may go, and
 * carries it to the broker and back. It holds the key of the connection, and none that opens a document.
 */

import { X509Certificate } from 'node:crypto';
import { dirname, join } from 'node:path';
import { listenAt } from '../../drivers/host/framed-socket.ts';
import { serveHealth } from '../../drivers/host/health-socket.ts';
import { createSystemdNotifier } from '../../drivers/host/systemd-notifier.ts';
import { createWaySight } from '../../drivers/host/way-evidence.ts';
import { toldOf } from '../../drivers/link/link-messages.ts';
import { serveLink } from '../../drivers/link/link-server.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { createSqliteStore } from '../../drivers/store/sqlite-store.ts';
import { catalogueAt } from '../catalogue/load-catalogue.ts';
import type { Failure } from '../core/failure.ts';
import { dayMs, hourMs } from '../core/time-units.ts';
import { hoursNow, openingHoursOf } from '../core/update/closed-hours.ts';
import type { EventLog } from '../log/event-log.ts';
import { logStoreNews } from '../log/log-store-news.ts';
import type { Clock } from '../ports/clock.ts';
import type { MessageBus } from '../ports/message-bus.ts';
import { lastWill } from '../terminal/delivery/tell-state.ts';
import type { LinkReport } from '../terminal/doctor/health.ts';
import { readLinkKeys } from '../trust/key-files.ts';
import { readTlsPairs } from '../trust/tls-pairs.ts';
import { certificateTopic } from '../wire/certificate-messages.ts';
import { compatibleHere } from './compatible.ts';
import { fetchBundles } from './fetch-bundle.ts';
import { LinkCertificate } from './link-certificate.ts';
import { withWayNamed } from './named-way.ts';
import { version } from './release.ts';
import { beatWith, collectNowAndThen, startRound } from './rounds.ts';
import { startLinkClock } from './terminal-clock.ts';
import type { Config } from './terminal-config.ts';

/** The audit chain is verified this often, first at the start. ms */
const auditMs = dayMs;

/** Whether the certificate is due is looked at this often. ms */
const certificateMs = hourMs;

type Link = { close(): Promise<void> };

/** The broker admits a device under the name in its certificate alone: keys of another one must not go unnoticed. */
const checkIdentity = (certificate: string, { device, paths }: Pick<Config, 'device' | 'paths'>): void => {
  const name = /^CN=(.+)$/m.exec(new X509Certificate(certificate).subject)?.[1];
  if (name !== device) throw new Error(`device: the configuration says ${device}, ${paths.provisioning} says ${name}`);
};

/** Has the certificate renewed in time. Returns how to end it. */
const keepCertificate = (
  { facility, device }: Config,
  parts: { readonly bus: MessageBus; readonly clock: Clock; readonly certificate: LinkCertificate },
  tell: () => void,
): (() => void) => {
  const { bus, clock, certificate } = parts;
  let mayAsk = false;
  // A broker of an older release would end the connection over such a message: asked only where it grants the topic.
  const endAnswers = bus.subscribe(
    certificateTopic(facility, device, 'answer'),
    ({ payload }) => void certificate.receive(payload),
    {
      granted: (isGranted) => {
        mayAsk = isGranted;
        if (isGranted) void certificate.look();
      },
    },
  );
  const endLooks = startRound(clock, certificateMs, 'later', () => {
    if (mayAsk) void certificate.look();
    tell();
  });
  return () => {
    endLooks();
    endAnswers();
  };
};

/** On a device with two slots: releases are fetched while the clinic is closed. Returns how to end it. */
const keepBundles = (
  { facility, device, updates }: Config,
  parts: { readonly bus: MessageBus; readonly clock: ReturnType<typeof startLinkClock>; readonly log: EventLog },
): (() => void) => {
  const compatible = compatibleHere();
  if (compatible === null) return () => {};
  const hours = openingHoursOf(updates);
  return fetchBundles({
    ...{ ...parts, facility, device, compatible, folder: updates.folder },
    mayFetch: () => hoursNow(parts.clock.time, hours, 0) === 'closed',
  });
};

const connectBus = (
  { broker, device }: Config,
  parts: Required<Pick<Parameters<typeof createMqttMessageBus>[0], 'tls' | 'formerTls' | 'time' | 'will'>>,
) =>
  createMqttMessageBus({
    host: broker.host,
    port: broker.port,
    ...(broker.serverName === '' ? {} : { serverName: broker.serverName }),
    delays: { keepaliveMs: broker.keepaliveSeconds * 1_000 },
    clientId: device,
    protocolVersion: broker.protocolVersion,
    ...parts,
  });

/** `damage`: what the store told of itself as it opened */
const openLinkStore = (path: string, log: EventLog) => {
  let damage: Failure | null = null;
  const store = createSqliteStore(path, (news) => {
    logStoreNews(log, news);
    if (news.type !== 'migrated') damage = news.failure;
  });
  return { store, damage: () => damage };
};

/** Throws, naming the file, when it cannot run with what it was given; broker and terminal may come and go. */
export const startLink = async (config: Config, log: EventLog): Promise<Link> => {
  const startedAtMs = performance.now();
  log.event('process.started', { process: 'link', version, profile: config.profile });
  const { facility, device, lane, profile } = config;
  const state = dirname(config.paths.store);
  const [tls, ...formerTls] = await readTlsPairs(state, await readLinkKeys(config.paths.provisioning));
  checkIdentity(tls.certificate, config);
  const clock = startLinkClock({ certificate: tls.certificate, timeFile: join(state, 'last-time'), log });
  const since = clock.now().wallMs;
  const offline = lastWill(facility, {
    ...{ device, lane, version, profile, since },
    catalogueVersion: catalogueAt(since).version,
  });
  const { store, damage } = openLinkStore(config.paths.store, log);
  const bus = connectBus(config, { tls, formerTls, time: () => clock.time, will: offline });
  const named = withWayNamed(bus, clock, createWaySight(config.broker.host, config.broker.port));
  const reached: { trouble: Failure | null } = { trouble: null };
  named.subscribeConnection((connected, cause) => {
    reached.trouble = connected ? null : (cause ?? null);
  });
  const certificate = new LinkCertificate({
    ...{ directory: state, facility, device, inForce: tls, log, time: () => clock.time },
    send: (request) => bus.publish(certificateTopic(facility, device, 'request'), request),
    adopt: (renewed) => {
      bus.useTls(renewed);
      server.tellCertificate();
    },
  });
  const server = await serveLink({
    ...{ listenAt: listenAt(config.link.socket), bus: named, store, log, offline },
    heard: (wallMs) => {
      clock.hear(wallMs, false);
      server.tellCertificate();
    },
    certificate: () => certificate.end,
  });
  const endCertificate = keepCertificate(config, { bus, clock, certificate }, () => server.tellCertificate());
  const endBundles = keepBundles(config, { bus, clock, log });
  const endAudit = startRound(clock, auditMs, 'at-once', async () => {
    const broken = await store.firstBrokenAuditEntry();
    if (broken.ok && broken.value !== null) log.event('audit.broken', { number: broken.value });
  });
  const notifier = createSystemdNotifier();
  const endBeat = beatWith(notifier, clock, () => store.readSettings());
  const endCollecting = collectNowAndThen(clock);
  const health = await serveHealth(config.link.health, (): LinkReport => {
    const damaged = damage();
    return {
      version,
      profile,
      upMs: Math.round(performance.now() - startedAtMs),
      terminalConnected: server.terminalConnected,
      brokerTrouble: reached.trouble?.code ?? null,
      storeDamage: damaged === null ? null : toldOf(damaged),
    };
  });
  notifier.ready(`device ${device}`);
  log.event('process.ready', { ms: Math.round(performance.now() - startedAtMs) });
  return {
    close: async () => {
      notifier.stopping();
      for (const end of [endBeat, endCollecting, endAudit, endCertificate, endBundles]) end();
      await health.close();
      await server.close();
      clock.close();
      await Promise.all([named.close(), store.close()]);
    },
  };
};
