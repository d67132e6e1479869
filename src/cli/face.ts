import type { Command } from 'commander';
import { listenAt } from '../../drivers/host/framed-socket.ts';
import { faceSettingsOf, startFace } from '../processes/face.ts';
import { defaultConfigPath } from '../processes/terminal-config.ts';
import { readConfigOrExit } from './config.ts';
import { type ProcessOptions, untilStopped } from './until-stopped.ts';

/** `uketsuke face`: the camera and the comparison of faces, until SIGTERM. */
export const register = (program: Command): void => {
  program
    .command('face')
    .description('the camera and the comparison of faces, until SIGTERM')
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .option('--log <format>', 'json or pretty, on standard error', process.stderr.isTTY ? 'pretty' : 'json')
    .action((options: ProcessOptions) => {
      const config = readConfigOrExit(options.config);
      const start = (log: Parameters<typeof startFace>[2]) =>
        startFace(faceSettingsOf(config), listenAt(config.face.socket), log);
      return untilStopped('face', config, options.log, async (log) => start(log));
    });
};
