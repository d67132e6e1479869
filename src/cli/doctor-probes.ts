import { dirname } from 'node:path';
import { createPcscCardReader } from '../../drivers/card-reader/pcsc-card-reader.ts';
import { provenReaderDriver } from '../../drivers/card-reader/reader-driver-proof.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { type Failure, failure } from '../core/failure.ts';
import type { Config } from '../processes/terminal-config.ts';
import { readLinkKeys } from '../trust/key-files.ts';
import { readTlsPairs } from '../trust/tls-pairs.ts';

/* What only a driver can tell while no daemon runs: null = it works. Each answers within 3 s. */

const probeMs = 3_000;

/** The first word of `begin`'s listener, or `silent` after a while. */
const firstAnswer = (
  begin: (answer: (trouble: Failure | null) => void) => void,
  silent: () => Failure,
): Promise<Failure | null> =>
  new Promise((resolve) => {
    let last: Failure | null = null;
    const timer = setTimeout(() => resolve(last ?? silent()), probeMs);
    begin((trouble) => {
      last = trouble;
      // A failure may be the state before the first try: waited for until the end.
      if (trouble !== null) return;
      clearTimeout(timer);
      resolve(null);
    });
  });

export const probeReader = async (config: Pick<Config, 'cardReader'>): Promise<Failure | null> => {
  const unproven = await provenReaderDriver();
  if (unproven !== null) return failure('reader.driver-missing', unproven);
  const reader = createPcscCardReader({ reader: config.cardReader.name });
  const trouble = await firstAnswer(
    (answer) =>
      reader.subscribe((event) => {
        if (event.type === 'reader-found') answer(null);
        if (event.type === 'reader-lost') answer(event.failure);
      }),
    () => failure('reader.lost'),
  );
  await reader.close();
  return trouble;
};

/** Only when no link process answers: brokers admit a terminal under its own id alone, and the newer connection wins. */
export const probeBroker = async ({
  broker,
  device,
  paths,
}: Pick<Config, 'broker' | 'device'> & {
  readonly paths: Pick<Config['paths'], 'provisioning' | 'store'>;
}): Promise<Failure | null> => {
  const bus = createMqttMessageBus({
    host: broker.host,
    port: broker.port,
    ...(broker.serverName === '' ? {} : { serverName: broker.serverName }),
    tls: (await readTlsPairs(dirname(paths.store), await readLinkKeys(paths.provisioning)))[0],
    clientId: device,
    protocolVersion: broker.protocolVersion,
  });
  const trouble = await firstAnswer(
    (answer) =>
      bus.subscribeConnection((connected, cause) => answer(connected ? null : (cause ?? failure('delivery.offline')))),
    () => failure('delivery.offline'),
  );
  await bus.close();
  return trouble;
};
