import type { ScreenModel, Touch } from '../../../src/core/screen/screen-model.ts';
import type { Screen, ScreenEvent } from '../../../src/ports/screen.ts';
import type { Kernel, Life } from '../../trials/simulate/stand-ins/kernel.ts';

/** What the page of the patient's screen sends: as `drivers/kiosk-screen.ts` gets it over its socket. */
type FromPage = { readonly touch?: Touch; readonly painted?: number };

/** The driver of the patient's screen for a page that stands in a frame beside this one. */
export class PageGlass {
  readonly #kernel: Kernel;
  #listener: { readonly life: Life; readonly tell: (event: ScreenEvent) => void } | null = null;
  #page: ((message: string) => void) | null = null;
  now: ScreenModel | null = null;
  onShown: (model: ScreenModel) => void = () => {};

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  screenOf(life: Life): Screen {
    return {
      show: (model) => {
        if (life.dead) return;
        this.now = model;
        this.#page?.(JSON.stringify({ model }));
        this.onShown(model);
      },
      preview: () => {},
      subscribe: (listener) => {
        this.#listener = { life, tell: listener };
        listener({ type: this.#page === null ? 'disconnected' : 'connected' });
        return () => {
          if (this.#listener?.life === life) this.#listener = null;
        };
      },
      close: async () => {},
    };
  }

  /** The page's socket opens. */
  admit(page: (message: string) => void): void {
    this.#page = page;
    if (this.now !== null) page(JSON.stringify({ model: this.now }));
    this.#tell({ type: 'connected' });
  }

  receive(message: string | Uint8Array): void {
    if (typeof message !== 'string') {
      const [key] = message;
      if (message.length === 1 && key !== undefined) this.#tell({ type: 'pin-key', key });
      return;
    }
    const { touch, painted } = JSON.parse(message) as FromPage;
    if (touch !== undefined) this.#tell({ type: 'touched', touch });
    if (painted !== undefined) this.#tell({ type: 'painted', revision: painted });
  }

  #tell(event: ScreenEvent): void {
    const listener = this.#listener;
    if (listener !== null) this.#kernel.after(0, listener.life, () => listener.tell(event));
  }
}
