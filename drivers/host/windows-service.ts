import { createRequire } from 'node:module';

/*
 * A process that Windows' service manager starts must tell it within 30 s that it is one, and what becomes of it; Node
 * knows nothing of that. The four calls go by koffi, which is in the Windows folder alone. They stand in the watching
 * process: the agent itself is its child and has nothing foreign in it.
 */

type Callback = (...args: readonly never[]) => unknown;
type Koffi = {
  load(library: string): {
    func(declaration: string): ((...args: unknown[]) => unknown) & { async(...args: unknown[]): void };
  };
  struct(name: string, fields: Readonly<Record<string, string>>): unknown;
  proto(declaration: string): unknown;
  pointer(type: unknown): unknown;
  register(callback: Callback, type: unknown): unknown;
};

/** winsvc.h */
const ownProcess = 0x10;
const states = { stopped: 1, stopPending: 3, running: 4 } as const;
const controls = { stop: 1, interrogate: 4, shutdown: 5 } as const;
const acceptsStopAndShutdown = 0x1 | 0x4;
const noError = 0;
const notImplemented = 120;

/** `stop` is called once, when Windows stops the service or shuts down; the service has ended when it resolves. */
export const runAsWindowsService = (name: string, stop: () => Promise<void>, stopWithinMs: number): void => {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  const library = koffi.load('advapi32.dll');
  koffi.struct('ServiceStatus', {
    ...{ type: 'uint32', state: 'uint32', accepts: 'uint32', exitCode: 'uint32', specificCode: 'uint32' },
    ...{ checkPoint: 'uint32', waitHint: 'uint32' },
  });
  const mainType = koffi.proto('void __stdcall ServiceMain(uint32 count, void *words)');
  const handlerType = koffi.proto(
    'uint32 __stdcall ServiceHandler(uint32 control, uint32 type, void *data, void *context)',
  );
  koffi.struct('ServiceEntry', { name: 'str16', main: 'ServiceMain *' });
  const startDispatcher = library.func('int __stdcall StartServiceCtrlDispatcherW(ServiceEntry *table)');
  const registerHandler = library.func(
    'void * __stdcall RegisterServiceCtrlHandlerExW(str16 name, ServiceHandler *handler, void *context)',
  );
  const setStatus = library.func('int __stdcall SetServiceStatus(void *service, ServiceStatus *status)');

  let service: unknown = null;
  const say = (state: number): void => {
    const isRunning = state === states.running;
    setStatus(service, {
      ...{ type: ownProcess, state, accepts: isRunning ? acceptsStopAndShutdown : 0, exitCode: 0, specificCode: 0 },
      ...{
        checkPoint: state === states.stopPending ? 1 : 0,
        waitHint: state === states.stopPending ? stopWithinMs : 0,
      },
    });
  };
  let stopping = false;
  const handler = (control: number): number => {
    if (control === controls.interrogate) return noError;
    if (control !== controls.stop && control !== controls.shutdown) return notImplemented;
    if (stopping) return noError;
    stopping = true;
    say(states.stopPending);
    void stop().finally(() => say(states.stopped));
    return noError;
  };
  const handlerPointer = koffi.register(handler as Callback, koffi.pointer(handlerType));
  const main = koffi.register(
    (() => {
      service = registerHandler(name, handlerPointer, null);
      say(states.running);
    }) as Callback,
    koffi.pointer(mainType),
  );
  // Returns when the service has stopped, or at once where no service manager started this process.
  startDispatcher.async(
    [
      { name, main },
      { name: null, main: null },
    ],
    (error: Error | null, isDone: number) => {
      if (error === null && isDone !== 0) process.exit(0);
      process.stderr.write(`uketsuke: ${name} was not started by the service manager: sc start ${name}\n`);
      process.exit(2);
    },
  );
};
