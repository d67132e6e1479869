import type { Command } from 'commander';
import { listenAt } from '../../drivers/host/framed-socket.ts';
import { faceSettingsOf, startFace } from '../processes/face.ts';
import { registerProcess } from './until-stopped.ts';

/** `uketsuke face`: the camera and the comparison of faces, until SIGTERM. */
export const register = (program: Command): void =>
  registerProcess(program, 'face', 'the camera and the comparison of faces, until SIGTERM', async (config, log) =>
    startFace(faceSettingsOf(config), listenAt(config.face.socket), log),
  );
