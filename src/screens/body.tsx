import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { encode } from 'uqr';
import type { ScreenBody, ScreenModel } from '../core/screen/screen-model.ts';
import { modelAtMs, preview } from './connection.ts';
import { FaceOutline, Picture } from './pictures.tsx';
import { WithRuby } from './with-ruby.tsx';

type Of<K extends ScreenBody['kind']> = Extract<ScreenBody, { readonly kind: K }>;

/** The middle of the screen: pictures stand beside the words (`side`), lists and summaries below them. */
export const Body = ({ shown: { body, ruby }, side }: { readonly shown: ScreenModel; readonly side: boolean }) => {
  switch (body.kind) {
    case 'plain':
      return null;
    case 'picture':
      return side ? (
        <div class="visual">
          <Picture name={body.picture} />
        </div>
      ) : null;
    case 'face':
      return side ? <Face body={body} /> : null;
    case 'countdown':
      return side ? <Countdown body={body} /> : null;
    case 'pin':
      return side ? null : <Dots body={body} />;
    case 'items':
      return side ? null : <Items body={body} ruby={ruby} />;
    case 'summary':
      return side ? null : <Summary body={body} ruby={ruby} />;
    case 'code':
      return side ? null : <Code body={body} />;
  }
};

/** The mirrored live picture in a circle; a drawn outline until the first one comes. */
const Face = ({ body }: { readonly body: Of<'face'> }) => {
  const canvas = useRef<HTMLCanvasElement>(null);
  const seen = useSignal(false);
  useSignalEffect(() => {
    const picture = preview.value;
    if (picture === null) {
      seen.value = false;
      return;
    }
    void createImageBitmap(picture).then(
      (bitmap) => {
        const target = canvas.current;
        if (target !== null) {
          target.width = bitmap.width;
          target.height = bitmap.height;
          target.getContext('2d')?.drawImage(bitmap, 0, 0);
          seen.value = true;
        }
        bitmap.close();
      },
      () => undefined,
    );
  });
  return (
    <div class={`visual face-view ${!body.looking ? 'resting' : body.hint === null ? 'comparing' : 'guiding'}`}>
      <canvas ref={canvas} class={seen.value ? '' : 'hidden'} />
      <FaceOutline hint={body.hint} picture={seen.value} />
    </div>
  );
};

const ringLength = 2 * Math.PI * 44;

/** Seconds that are left, as a number and as a ring that runs out. */
const Countdown = ({ body }: { readonly body: Of<'countdown'> }) => {
  const left = useSignal(body.remainingMs);
  useEffect(() => {
    const tick = (): void => {
      left.value = Math.max(0, body.remainingMs - (performance.now() - modelAtMs.value));
    };
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [body]);
  const part = Math.min(1, left.value / body.totalMs);
  return (
    <div class="visual countdown">
      <svg viewBox="0 0 100 100" aria-hidden="true">
        <circle class="track" cx="50" cy="50" r="44" />
        <circle class="run" cx="50" cy="50" r="44" stroke-dasharray={`${ringLength * part} ${ringLength}`} />
      </svg>
      <b>{Math.ceil(left.value / 1_000)}</b>
    </div>
  );
};

const Dots = ({ body }: { readonly body: Of<'pin'> }) => (
  <div class={`dots ${body.checking ? 'checking' : ''}`} aria-hidden="true">
    {Array.from({ length: body.length }, (_, index) => (
      <i key={index} class={index < body.entered ? 'on' : ''} />
    ))}
  </div>
);

type Ruby = { readonly ruby: ScreenModel['ruby'] };

const Items = ({ body, ruby }: Ruby & { readonly body: Of<'items'> }) => (
  <ul class="items" data-subject>
    {body.items.map(({ label, note }) => (
      <li key={label}>
        <b>
          <WithRuby text={label} ruby={ruby} />
        </b>
        <span>
          <WithRuby text={note} ruby={ruby} />
        </span>
      </li>
    ))}
  </ul>
);

const List = ({
  title,
  lines,
  className,
  ruby,
}: Ruby & { title: string; lines: readonly string[]; className: string }) => (
  <section class={className}>
    <h2>
      <WithRuby text={title} ruby={ruby} />
    </h2>
    <ul>
      {lines.map((line) => (
        <li key={line}>
          <WithRuby text={line} ruby={ruby} />
        </li>
      ))}
    </ul>
  </section>
);

const Summary = ({ body, ruby }: Ruby & { readonly body: Of<'summary'> }) => (
  <div class="summary" data-subject>
    <List className="provided" title={body.providedTitle} lines={body.provided} ruby={ruby} />
    <List className="withheld" title={body.withheldTitle} lines={body.withheld} ruby={ruby} />
  </div>
);

/** For the receptionist, in Japanese whatever language the patient reads. */
const Code = ({ body }: { readonly body: Of<'code'> }) => (
  <section class="code" lang="ja">
    {body.qr === null ? null : <QrCode text={body.qr} />}
    <h2>{body.title}</h2>
    <p class="notice">{body.code}</p>
    {body.lines.map((line) => (
      <p key={line}>{line}</p>
    ))}
  </section>
);

/** Black on white in every theme, or a telephone does not read it. */
const QrCode = ({ text }: { readonly text: string }) => {
  const { data, size } = encode(text, { border: 2 });
  const dark = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={text}>
      <rect width={size} height={size} fill="#fff" />
      <path d={dark.join('')} fill="#000" shape-rendering="crispEdges" />
    </svg>
  );
};
