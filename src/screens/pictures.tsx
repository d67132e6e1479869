import { useEffect, useState } from 'preact/hooks';
import type { ScreenBody } from '../core/screen/screen-model.ts';
import type { ControlId } from '../core/visit/control-ids.ts';
import type { FaceHint } from '../core/visit/verification.ts';

/* Our own drawings; colours come from the theme (style/base.css). Whatever moves tells something. */

type PictureName = Extract<ScreenBody, { readonly kind: 'picture' }>['picture'];

/** The photo side of a card, 240 × 152, as it lies before the patient. */
const Card = () => (
  <g>
    <rect class="paper" width="240" height="152" rx="14" />
    <path class="band" d="M14 0h212a14 14 0 0 1 14 14v18H0V14A14 14 0 0 1 14 0z" />
    <rect class="tint line thin" x="20" y="48" width="66" height="84" rx="6" />
    <circle class="key" cx="53" cy="80" r="15" />
    <path class="key" d="M28 126c3-30 47-30 50 0z" />
    <rect class="soft" x="104" y="54" width="112" height="12" rx="6" />
    <rect class="soft" x="104" y="80" width="88" height="12" rx="6" />
    <rect class="soft" x="104" y="106" width="104" height="12" rx="6" />
    <rect class="line thin none" width="240" height="152" rx="14" />
  </g>
);

/** The device from the front: camera above, the bed for the card below. */
const Device = () => (
  <g>
    <rect class="tint line" x="60" y="14" width="360" height="402" rx="32" />
    <rect class="paper line thin" x="96" y="44" width="288" height="118" rx="12" />
    <circle class="key" cx="240" cy="29" r="6" />
    <path class="soft" d="M120 78h150v14H120zM120 108h100v14H120z" />
    <rect class="bed line thin" x="106" y="212" width="268" height="180" rx="20" />
  </g>
);

const Arrow = ({ up }: { readonly up: boolean }) => (
  <path class="arrow" d={up ? 'M0 40V-34M-28-6 0-34 28-6' : 'M0-40V34M-28 6 0 34 28 6'} />
);

const onBed = 'translate(120 226)';

/** The card above its bed, on the way there or away. */
const CardOnDevice = ({ motion, up = false }: { readonly motion: string; readonly up?: boolean }) => (
  <svg viewBox="0 0 480 440" aria-hidden="true">
    <Device />
    <g transform="translate(240 336)">
      <Arrow up={up} />
    </g>
    <g transform={onBed}>
      <g class={motion}>
        <Card />
      </g>
    </g>
  </svg>
);

/**
 * Laid down every so often. Between two movements nothing is drawn: the idle screen stands there all night, and a picture
 * that never rests took 6.5 % of a processor for it.
 */
const CardLaidDown = ({ everyMs }: { readonly everyMs: number }) => {
  const [laid, setLaid] = useState(false);
  useEffect(() => {
    const timer = setInterval(() => setLaid((was) => !was), everyMs / 2);
    return () => clearInterval(timer);
  }, [everyMs]);
  return <CardOnDevice motion={laid ? 'placing laid' : 'placing'} />;
};

const Reading = () => (
  <svg viewBox="0 0 480 440" aria-hidden="true">
    <Device />
    <g transform={onBed}>
      <Card />
    </g>
    <g class="waves" transform="translate(240 302)">
      <rect x="-140" y="-96" width="280" height="192" rx="26" />
      <rect x="-160" y="-116" width="320" height="232" rx="36" />
      <rect x="-178" y="-132" width="356" height="264" rx="44" />
    </g>
  </svg>
);

const Person = ({ x, y }: { readonly x: number; readonly y: number }) => (
  <g transform={`translate(${x} ${y})`}>
    <circle class="tint line" r="42" />
    <path class="tint line" d="M-74 144c0-110 148-110 148 0z" />
  </g>
);

const Desk = () => (
  <svg viewBox="0 0 480 440" aria-hidden="true">
    <Person x={140} y={150} />
    <Person x={340} y={130} />
    <path
      class="bubble line"
      d="M196 40h88a18 18 0 0 1 18 18v34a18 18 0 0 1-18 18h-30l-24 24v-24h-34a18 18 0 0 1-18-18V58a18 18 0 0 1 18-18z"
    />
    <path class="key" d="M206 66h68v8h-68zM206 84h44v8h-44z" />
    <rect class="paper line" x="40" y="284" width="400" height="26" rx="8" />
    <path class="tint line" d="M60 310h360v100H60z" />
  </svg>
);

/** The cover before the first word from the terminal, and after it has gone away. */
export const Waiting = ({ still }: { readonly still: boolean }) => (
  <svg viewBox="0 0 480 440" aria-hidden="true" class="waiting">
    <circle class="track" cx="240" cy="215" r="120" />
    <circle class={still ? 'track' : 'run'} cx="240" cy="215" r="120" stroke-dasharray="188 566" />
  </svg>
);

/** From the device to the reception's computer and back: what everybody is waiting for. */
const OnItsWay = () => (
  <svg viewBox="0 0 480 440" aria-hidden="true">
    <g transform="translate(12 92) scale(.36)">
      <Device />
      <g transform={onBed}>
        <Card />
      </g>
    </g>
    <rect class="paper line" x="292" y="106" width="172" height="124" rx="12" />
    <path class="soft" d="M312 134h92v12h-92zM312 162h132v12h-132zM312 190h112v12h-112z" />
    <path class="line none" d="M378 232v34M336 268h84" />
    <g class="dots-on-way">
      <circle class="key" cx="196" cy="172" r="10" />
      <circle class="key" cx="230" cy="172" r="10" />
      <circle class="key" cx="264" cy="172" r="10" />
    </g>
    <g transform="translate(378 356) scale(.5)">
      <circle class="tint line" r="42" />
      <path class="tint line" d="M-74 144c0-110 148-110 148 0z" />
    </g>
  </svg>
);

export const CheckMark = () => (
  <svg viewBox="0 0 48 48" aria-hidden="true" class="check">
    <circle cx="24" cy="24" r="22" />
    <path d="M13 25l8 8 15-17" />
  </svg>
);

/** A phone held to its reader, which stands beside the device. */
const PhoneAtReader = () => (
  <svg viewBox="0 0 480 440" aria-hidden="true">
    <rect class="tint line" x="70" y="300" width="340" height="100" rx="28" />
    <g class="waves" transform="translate(240 206)">
      <rect x="-92" y="-142" width="184" height="284" rx="34" />
      <rect x="-112" y="-162" width="224" height="324" rx="44" />
    </g>
    <rect class="paper line" x="168" y="84" width="144" height="244" rx="22" />
    <rect class="soft" x="212" y="102" width="56" height="10" rx="5" />
    <g transform="translate(192 160) scale(.4)">
      <Card />
    </g>
  </svg>
);

const phone = 'M14 4h20v40H14zM21 38h6';

const choicePictures: Partial<Record<ControlId, string>> = {
  'use-face': 'M24 6c-9 0-14 7-14 17s6 19 14 19 14-9 14-19S33 6 24 6zM18 21v2M30 21v2M18 31c4 4 8 4 12 0',
  'use-pin': 'M10 6h28v36H10zM17 14h.1M24 14h.1M31 14h.1M17 24h.1M24 24h.1M31 24h.1M17 34h.1M24 34h.1M31 34h.1',
  iphone: phone,
  android: phone,
  electronic: 'M14 4h20v40H14zM21 38h6M20 13h8M20 20h8',
  paper: 'M10 4h20l8 8v32H10zM30 4v8h8M17 20h14M17 28h14M17 36h9',
};

/** Choices that have a shape of their own carry it beside their name. */
export const ChoicePicture = ({ id }: { readonly id: ControlId }) => {
  const path = choicePictures[id];
  return path === undefined ? null : (
    <svg viewBox="0 0 48 48" aria-hidden="true" class="choice-picture">
      <path d={path} />
    </svg>
  );
};

export const Picture = ({ name }: { readonly name: PictureName }) => {
  switch (name) {
    case 'place-card':
      // Seen by whoever stands there for a moment; what moves more often takes more than a hundredth of a processor all night.
      return <CardLaidDown everyMs={30_000} />;
    case 'present-phone':
      return <PhoneAtReader />;
    case 'put-back-card':
      // There are five seconds for it.
      return <CardLaidDown everyMs={2_000} />;
    case 'take-card':
      return <CardOnDevice motion="taking" up />;
    case 'reading-card':
      return <Reading />;
    case 'desk':
      return <Desk />;
    case 'wait':
      return <OnItsWay />;
  }
};

/** Where the arrow of a hint points, in degrees clockwise from the right. The picture is mirrored, as a mirror is. */
const directions: Partial<Record<FaceHint, number>> = {
  'move-left': 180,
  'move-right': 0,
  'move-up': 270,
  'move-down': 90,
  'turn-left': 180,
  'turn-right': 0,
};

/** The ring around the picture, where the head belongs, and which way to move. */
export const FaceOutline = ({ hint, picture }: { readonly hint: FaceHint | null; readonly picture: boolean }) => {
  const angle = hint === null ? undefined : directions[hint];
  return (
    <svg viewBox="0 0 480 480" aria-hidden="true" class="outline">
      <circle class="track" cx="240" cy="240" r="226" />
      <circle class="run" cx="240" cy="240" r="226" stroke-dasharray="355 1065" />
      {!picture && (
        <g class={`head hint-${hint ?? 'none'}`}>
          <ellipse class="paper line" cx="240" cy="206" rx="88" ry="112" />
          <circle class="key" cx="208" cy="194" r="9" />
          <circle class="key" cx="272" cy="194" r="9" />
          <path class="mouth" d="M212 250q28 20 56 0" />
          <path class="line none" d="M96 416c16-104 272-104 288 0" />
        </g>
      )}
      {picture && hint !== null && <ellipse class="guide" cx="240" cy="222" rx="108" ry="140" />}
      {angle !== undefined && (
        <g transform={`translate(240 240) rotate(${angle}) translate(176 0)`}>
          <path class="arrow outlined" d="M-52 0H26M-4-30 28 0-4 30" />
          <path class="arrow" d="M-52 0H26M-4-30 28 0-4 30" />
        </g>
      )}
    </svg>
  );
};

const icons: Partial<Record<ControlId, string>> = {
  language: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM2 12h20M12 2c-6 6-6 14 0 20M12 2c6 6 6 14 0 20',
  voice: 'M3 9v6h4l6 5V4L7 9zM17 8c2 2 2 6 0 8M19.5 5c4 4 4 10 0 14',
  softer: 'M3 9v6h4l6 5V4L7 9zM16.5 12h6',
  louder: 'M3 9v6h4l6 5V4L7 9zM16.5 12h6M19.5 9v6',
  repeat: 'M4 12a8 8 0 1 1 3 6.2M4 12l-2-3M4 12l3-2.4',
  'text-size': 'M2 19 7 6l5 13M4 15h6M14 19l4-9 4 9M15.500 16h5',
  'call-help': 'M12 3a6 6 0 0 0-6 6v5l-2 3h16l-2-3V9a6 6 0 0 0-6-6zM10 20a2 2 0 0 0 4 0',
  theme: 'M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18',
  layout: 'M3 3h18v18H3zM3 15h18M12 5v7M9 9l3 3 3-3',
};

/** Line icons, 24 × 24. A tool that is off is struck through. */
export const ToolIcon = ({ id, on }: { readonly id: ControlId; readonly on: boolean }) => (
  <svg viewBox="0 0 24 24" aria-hidden="true" class="icon">
    <path d={icons[id] ?? ''} />
    {id === 'theme' && <path class="filled" d="M12 3a9 9 0 1 0 0 18z" />}
    {id === 'voice' && !on && <path d="M3 3l18 18" />}
  </svg>
);
