/*
 * In the frames of the patient's page and of the staff page: what a browser has and a page without a server has not. Each
 * asks the page around it, and never another machine.
 */
type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };
export type Around = {
  readonly openScreen: (hear: (message: string) => void) => (message: string | Uint8Array) => void;
  readonly ask: (method: 'GET' | 'POST', address: string, body?: string) => Promise<Answer>;
  readonly listen: (hear: () => void) => void;
  readonly go: (address: string) => void;
};
const around = (parent as unknown as { readonly uketsuke: Around }).uketsuke;

class FrameSocket {
  static readonly OPEN = 1;
  readonly readyState = FrameSocket.OPEN;
  binaryType = 'blob';
  onmessage: (event: { readonly data: string }) => void = () => {};
  onclose: () => void = () => {};
  // Never before whoever opened it has said who listens.
  readonly send = around.openScreen((data) => queueMicrotask(() => this.onmessage({ data })));
}

class FrameEvents extends EventTarget {
  constructor() {
    super();
    around.listen(() => this.dispatchEvent(new Event('changed')));
    setTimeout(() => this.dispatchEvent(new Event('open')));
  }
}

const fetchAround = async (address: string): Promise<{ readonly ok: boolean; text(): Promise<string> }> => {
  const { status, body } = await around.ask('GET', address);
  return { ok: status === 200, text: async () => body };
};

const remembered = new Map<string, string>();
const storage = {
  getItem: (key: string) => remembered.get(key) ?? null,
  setItem: (key: string, value: string) => void remembered.set(key, value),
  removeItem: (key: string) => void remembered.delete(key),
};
Object.defineProperty(window, 'localStorage', { value: storage });
Object.assign(window, { WebSocket: FrameSocket, EventSource: FrameEvents, fetch: fetchAround });

addEventListener('submit', (event) => {
  const form = event.target as HTMLFormElement;
  event.preventDefault();
  const fields = [...new FormData(form, event.submitter)].map(([name, value]) => [name, String(value)]);
  void around
    .ask('POST', form.getAttribute('action') ?? '/', new URLSearchParams(fields).toString())
    .then(({ headers }) => around.go(headers.Location ?? '/'));
});
addEventListener('click', (event) => {
  const link = (event.target as Element).closest('a[href^="/"]');
  if (link === null) return;
  event.preventDefault();
  around.go(link.getAttribute('href') ?? '/');
});
