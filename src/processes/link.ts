/**
 * The link process: the device's way out. It keeps what the terminal has sealed until it is told that it may go, and
 * carries it to the broker and back. It holds the key of the connection, and none that opens a document.
 */
import { X509Certificate } from 'node:crypto';
import { dirname, join } from 'node:path';
import { listenAt } from '../../drivers/host/framed-socket.ts';
import { serveHealth } from '../../drivers/host/health-socket.ts';
import { createSystemdNotifier } from '../../drivers/host/systemd-notifier.ts';
import { toldOf } from '../../drivers/link/link-messages.ts';
import { serveLink } from '../../drivers/link/link-server.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { createSqliteStore } from '../../drivers/store/sqlite-store.ts';
import { catalogueAt } from '../catalogue/load-catalogue.ts';
import type { Failure } from '../core/failure.ts';
import type { EventLog } from '../log/event-log.ts';
import { logStoreNews } from '../log/log-store-news.ts';
import { lastWill } from '../terminal/delivery/tell-state.ts';
import type { LinkReport } from '../terminal/doctor/health.ts';
import { readLinkKeys } from '../trust/key-files.ts';
import { readTlsPairs } from '../trust/tls-pairs.ts';
import { certificateTopic } from '../wire/certificate-messages.ts';
import { LinkCertificate } from './link-certificate.ts';
import { version } from './release.ts';
import { startLinkClock } from './terminal-clock.ts';
import type { Config } from './terminal-config.ts';

/** The audit chain is verified this often, first at the start. ms */
const auditMs = 24 * 60 * 60_000;

/** Whether the certificate is due is looked at this often. ms */
const certificateMs = 3_600_000;

type Link = { close(): Promise<void> };

/** The broker admits a device under the name in its certificate alone: keys of another one must not go unnoticed. */
const checkIdentity = (certificate: string, { device, paths }: Pick<Config, 'device' | 'paths'>): void => {
  const name = /^CN=(.+)$/m.exec(new X509Certificate(certificate).subject)?.[1];
  if (name !== device) throw new Error(`device: the configuration says ${device}, ${paths.provisioning} says ${name}`);
};

/** Throws, naming the file, when it cannot run with what it was given; broker and terminal may come and go. */
export const startLink = async (config: Config, log: EventLog): Promise<Link> => {
  const startedAtMs = performance.now();
  log.event('process.started', { process: 'link', version, profile: config.profile });
  const { facility, device, lane, profile, broker } = config;
  const state = dirname(config.paths.store);
  const [tls, ...formerTls] = await readTlsPairs(state, await readLinkKeys(config.paths.provisioning));
  checkIdentity(tls.certificate, config);
  const timeFile = join(state, 'last-time');
  const clock = startLinkClock({ certificate: tls.certificate, timeFile, log });
  const since = clock.now().wallMs;
  const catalogueVersion = catalogueAt(since).version;
  const offline = lastWill(facility, { device, lane, version, profile, since, catalogueVersion });
  let storeDamage: Failure | null = null;
  const store = createSqliteStore(config.paths.store, (news) => {
    logStoreNews(log, news);
    if (news.type !== 'migrated') storeDamage = news.failure;
  });
  const bus = createMqttMessageBus({
    host: broker.host,
    port: broker.port,
    ...(broker.serverName === '' ? {} : { serverName: broker.serverName }),
    delays: { keepaliveMs: broker.keepaliveSeconds * 1_000 },
    tls,
    formerTls,
    clientId: device,
    protocolVersion: broker.protocolVersion,
    time: () => clock.time,
    will: offline,
  });
  const reached: { trouble: Failure | null } = { trouble: null };
  bus.subscribeConnection((connected, cause) => {
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
    ...{ listenAt: listenAt(config.link.socket), bus, store, log, offline },
    heard: (wallMs) => {
      clock.hear(wallMs, false);
      server.tellCertificate();
    },
    certificate: () => certificate.end,
  });
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
  const lookAtCertificate = (): void => {
    if (mayAsk) void certificate.look();
    server.tellCertificate();
    callOffCertificate = clock.wakeAt(clock.now().monotonicMs + certificateMs, lookAtCertificate);
  };
  let mayAsk = false;
  let callOffCertificate = clock.wakeAt(clock.now().monotonicMs + certificateMs, lookAtCertificate);
  const checkAudit = async (): Promise<void> => {
    const broken = await store.firstBrokenAuditEntry();
    if (broken.ok && broken.value !== null) log.event('audit.broken', { number: broken.value });
    callOffAudit = clock.wakeAt(clock.now().monotonicMs + auditMs, () => void checkAudit());
  };
  let callOffAudit = (): void => {};
  void checkAudit();
  const notifier = createSystemdNotifier();
  let callOff = (): void => {};
  const beat = async (everyMs: number): Promise<void> => {
    // Whatever the disk says, the store has said it.
    await store.readSettings();
    notifier.alive();
    callOff = clock.wakeAt(clock.now().monotonicMs + everyMs, () => void beat(everyMs));
  };
  if (notifier.aliveEveryMs !== null) void beat(notifier.aliveEveryMs);
  const health = await serveHealth(
    config.link.health,
    (): LinkReport => ({
      version,
      profile,
      upMs: Math.round(performance.now() - startedAtMs),
      terminalConnected: server.terminalConnected,
      brokerTrouble: reached.trouble?.code ?? null,
      storeDamage: storeDamage === null ? null : toldOf(storeDamage),
    }),
  );
  notifier.ready(`device ${device}`);
  log.event('process.ready', { ms: Math.round(performance.now() - startedAtMs) });
  return {
    close: async () => {
      notifier.stopping();
      callOff();
      callOffAudit();
      callOffCertificate();
      endAnswers();
      await health.close();
      await server.close();
      clock.close();
      await Promise.all([bus.close(), store.close()]);
    },
  };
};
