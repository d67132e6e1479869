import { signal, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** The question whose subject has not yet been on the screen as a whole; null: all has been. Its buttons wait. */
export const unseenSubject = signal<string | null>(null);

/** Shows what has not been seen of the question, as the arrow does. */
export const scrollOn = (): void => {
  const area = document.querySelector('.scroll .text');
  area?.scrollBy({ top: area.clientHeight * 0.8, behavior: 'smooth' });
};

/** Words that scroll only where large letters need more than the screen; a large arrow says that there is more. */
export const ScrollingText = ({
  question,
  children,
}: {
  readonly question: string;
  readonly children: ComponentChildren;
}) => {
  const area = useRef<HTMLDivElement>(null);
  const seen = useRef({ question: '', untilPx: 0 });
  const more = useSignal(false);
  const long = useSignal(false);
  const look = (): void => {
    const text = area.current;
    if (text === null) return;
    long.value = long.value || text.scrollHeight > text.clientHeight + 8;
    more.value = text.scrollTop + text.clientHeight < text.scrollHeight - 8;
    const top = text.getBoundingClientRect().top - text.scrollTop;
    const ends = [...text.querySelectorAll('[data-subject]')].map((each) => each.getBoundingClientRect().bottom - top);
    if (seen.current.question !== question) seen.current = { question, untilPx: 0 };
    seen.current.untilPx = Math.max(seen.current.untilPx, text.scrollTop + text.clientHeight);
    const isUnseen = Math.max(0, ...ends) > seen.current.untilPx + 2;
    if (isUnseen) unseenSubject.value = question;
    else if (unseenSubject.value !== null) unseenSubject.value = null;
  };
  // Before it is painted: no button is ready for a moment, and no words end without their arrow, on a busy machine.
  useLayoutEffect(() => {
    const text = area.current;
    if (text === null) return;
    const observer = new ResizeObserver(look);
    observer.observe(text);
    // Letters that come late make what is read longer, not the area it is read in.
    for (const part of text.children) observer.observe(part);
    look();
    return () => observer.disconnect();
  });
  return (
    <div class={`scroll ${long.value ? 'long' : ''}`}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is too long for large letters must be reachable */}
      <div class="text" tabIndex={0} ref={area} onScroll={look}>
        {children}
      </div>
      {more.value && (
        <button type="button" class="more" aria-hidden="true" tabIndex={-1} onClick={scrollOn}>
          <svg viewBox="0 0 24 24" class="icon" aria-hidden="true">
            <path d="M6 9l6 6 6-6" />
          </svg>
        </button>
      )}
    </div>
  );
};
