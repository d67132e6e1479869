import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** Words that scroll only where large letters need more than the screen; a large arrow says that there is more. */
export const ScrollingText = ({ children }: { readonly children: ComponentChildren }) => {
  const area = useRef<HTMLDivElement>(null);
  const more = useSignal(false);
  const long = useSignal(false);
  const look = (): void => {
    const text = area.current;
    long.value = long.value || (text !== null && text.scrollHeight > text.clientHeight + 8);
    more.value = text !== null && text.scrollTop + text.clientHeight < text.scrollHeight - 8;
  };
  useEffect(() => {
    const text = area.current;
    if (text === null) return;
    const observer = new ResizeObserver(look);
    observer.observe(text);
    return () => observer.disconnect();
  });
  return (
    <div class={`scroll ${long.value ? 'long' : ''}`}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is too long for large letters must be reachable */}
      <div class="text" tabIndex={0} ref={area} onScroll={look}>
        {children}
      </div>
      {more.value && (
        <button
          type="button"
          class="more"
          aria-hidden="true"
          tabIndex={-1}
          onClick={() => area.current?.scrollBy({ top: area.current.clientHeight * 0.8, behavior: 'smooth' })}
        >
          <svg viewBox="0 0 24 24" class="icon" aria-hidden="true">
            <path d="M6 9l6 6 6-6" />
          </svg>
        </button>
      )}
    </div>
  );
};
