import { createEventLog } from '../../src/log/event-log.ts';
import { type FaceSettings, startFace } from '../../src/processes/face.ts';

/** The face process with settings of which a configuration file has no word: virtual cameras, films. */
const { settings, socket } = JSON.parse(process.argv[2] ?? '') as {
  readonly settings: FaceSettings;
  readonly socket: string;
};
const face = await startFace(settings, { path: socket }, createEventLog({ format: 'silent' }));
process.on('SIGTERM', () => void face.close().then(() => process.exit(0)));
// Ctrl-C on a terminal reaches the whole process group; whoever started this process decides when it ends.
process.on('SIGINT', () => undefined);
