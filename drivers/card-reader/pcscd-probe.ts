import { connect } from 'node:net';

/** `hung`: takes the connection and says nothing. `away`: there is nobody to connect to. */
type PcscdState = 'answers' | 'hung' | 'away';

/**
 * pcsc-lite's own greeting (winscard_msg.h): a header of size and command, then the version of the protocol. Every client
 * begins with it, and pcscd answers it with its own version whatever ours is.
 */
const versionBytes = 12;
const commandVersion = 0x11;
const greeting = (): Uint8Array => {
  const words = [versionBytes, commandVersion, 4, 4, 0];
  const view = new DataView(new ArrayBuffer(4 * words.length));
  for (const [index, word] of words.entries()) view.setUint32(4 * index, word, true);
  return new Uint8Array(view.buffer);
};

/** Asks pcscd whether it still works. The library itself would wait for ever, and with it whoever closes it. */
export const probePcscd = (path: string, timeoutMs: number): Promise<PcscdState> =>
  new Promise((resolve) => {
    const socket = connect(path);
    let connected = false;
    let heard = 0;
    const end = (state: PcscdState): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(state);
    };
    const timer = setTimeout(() => end(connected ? 'hung' : 'away'), timeoutMs);
    socket.on('connect', () => {
      connected = true;
      socket.write(greeting());
    });
    socket.on('data', (bytes) => {
      heard += bytes.length;
      if (heard >= versionBytes) end('answers');
    });
    // It hangs up on whom it does not serve: that, too, is an answer.
    socket.on('close', () => end(connected ? 'answers' : 'away'));
    socket.on('error', () => end(connected ? 'answers' : 'away'));
  });
