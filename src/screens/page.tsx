import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { ScreenModel } from '../core/screen/screen-model.ts';
import { Body } from './body.tsx';
import { away, model, touch, touched } from './connection.ts';
import { Controls, Rows } from './controls.tsx';
import { Footer, Header } from './frame.tsx';
import { htmlLanguage } from './html-language.ts';
import { LanguagePicker } from './language-picker.tsx';
import { inPhrases } from './phrases.ts';
import { CheckMark, Waiting } from './pictures.tsx';
import { PinPad } from './pin-pad.tsx';
import { ScrollingText, unseenSubject } from './scrolling-text.tsx';
import { WithRuby } from './with-ruby.tsx';

/** Draws the model, and nothing that is not in it. */
/** An inch, in mm */
const inch = 25.4;

/** On a large panel letters need not be larger than this at 100 %; a small one has what its glass can hold. mm */
const largestLetterMm = 12;

/** Of one rem at most, by the size of the glass: letters of the size that is read stand at 1.875 rem. px */
const remLimit = (diagonalInches: number | null): string => {
  const pxPerMm = Math.hypot(innerWidth, innerHeight) / ((diagonalInches ?? 10.1) * inch);
  return `${Math.max(10, (largestLetterMm * pxPerMm) / 1.875)}px`;
};

export const Page = () => {
  const choosingLanguage = useSignal(false);
  useSignalEffect(() => {
    document.documentElement.lang = htmlLanguage(model.value?.language ?? 'ja');
    document.documentElement.style.setProperty('--rem-limit', remLimit(model.value?.diagonalInches ?? null));
  });
  const told = useComputed(() => (model.value === null ? null : inPhrases(model.value)));
  const shown = told.value;
  if (shown === null)
    return (
      <div class="cover" aria-hidden="true">
        <Waiting still={!away.value} />
      </div>
    );
  // By touch, or by keys that stand on a language.
  const picking = choosingLanguage.value || (shown.focused ?? 0) >= shown.controls.length + shown.tools.length;
  const closeAnd = (code: string | null): void => {
    choosingLanguage.value = false;
    if (code !== null) touch('language', code);
  };
  return (
    <div
      class={`screen body-${shown.body.kind} tone-${shown.tone} layout-${shown.layout} text-${shown.textPercent}`}
      data-theme={shown.theme}
      data-screen={shown.screen}
      data-revision={shown.revision}
      data-sent={touched.value?.revision === shown.revision ? 'yes' : undefined}
    >
      <Header
        shown={shown}
        choosingLanguage={picking}
        onLanguage={() => {
          choosingLanguage.value = !choosingLanguage.value;
        }}
      />
      {picking ? <LanguagePicker shown={shown} onChosen={closeAnd} /> : <Main shown={shown} />}
      <Footer shown={shown} />
    </div>
  );
};

const Lead = ({ shown }: { readonly shown: ScreenModel }) =>
  shown.lead.map((line) => (
    <p class="lead" key={line}>
      <WithRuby text={line} ruby={shown.ruby} />
    </p>
  ));

/**
 * In the order in which it is read: what the question is about first, for it must have been on the screen before the
 * question can be answered; where something went wrong, why. What has been typed of a PIN is never below the edge, nor is
 * what staff photograph for the technician.
 */
const Words = ({ shown }: { readonly shown: ScreenModel }) => {
  const isPin = shown.body.kind === 'pin';
  const isNotice = shown.tone === 'attention' || isPin;
  const isPhotographed = shown.body.kind === 'code' && shown.body.qr !== null;
  return (
    <>
      <h1 data-subject>
        {shown.tone === 'good' && <CheckMark />}
        <WithRuby text={shown.heading} ruby={shown.ruby} />
      </h1>
      {isPin && <Note shown={shown} />}
      {isPin && <Body shown={shown} side={false} />}
      {isNotice && <Lead shown={shown} />}
      {isNotice && !isPin && !isPhotographed && <Note shown={shown} />}
      {!isPin && <Body shown={shown} side={false} />}
      {isPhotographed && <Note shown={shown} />}
      <Rows shown={shown} />
      {!isNotice && <Note shown={shown} />}
      {!isNotice && <Lead shown={shown} />}
      {!shown.lead.includes(shown.footer[0]) && (
        <p class="promise">
          <WithRuby text={shown.footer[0]} ruby={shown.ruby} />
        </p>
      )}
    </>
  );
};

const Note = ({ shown: { note, ruby } }: { readonly shown: ScreenModel }) =>
  note === null ? null : (
    <p class="note" data-subject>
      <WithRuby text={note} ruby={ruby} />
    </p>
  );

const Main = ({ shown }: { readonly shown: ScreenModel }) => {
  // Another list under the same heading is another question; a digit more is not.
  const { body, lead } = shown;
  const list = body.kind === 'items' || body.kind === 'summary' ? JSON.stringify([body, lead]) : '';
  const question = `${shown.session} ${shown.screen} ${shown.heading} ${shown.textPercent} ${list}`;
  return (
    <main key={`${shown.screen} ${shown.heading}`}>
      <div class="content">
        <Body shown={shown} side />
        <div class="words">
          <ScrollingText question={question}>
            <Words shown={shown} />
          </ScrollingText>
          <Controls shown={shown} waits={unseenSubject.value === question} />
        </div>
        {shown.pinKeys !== null && <PinPad shown={shown} words={shown.pinKeys} />}
      </div>
    </main>
  );
};
