/** What Node calls a look-up of a name that it has begun and that has no answer */
const lookUp = 'GetAddrInfoReqWrap';

/**
 * Ends this process now. `process.exit` waits for a look-up that has begun, 10 s and more where no name server answers, and
 * whoever stops or restarts us waits with it. Then the system ends us: by SIGTERM where all is well, which a service manager
 * takes for the order that it gave, else by SIGKILL. Elsewhere than on Windows.
 */
export const endProcess: (code: number) => never = (code) => {
  if (process.platform !== 'win32' && process.getActiveResourcesInfo().includes(lookUp)) {
    process.removeAllListeners('SIGTERM');
    process.kill(process.pid, code === 0 ? 'SIGTERM' : 'SIGKILL');
  }
  process.exit(code);
};
