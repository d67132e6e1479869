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
import { ScrollingText } from './scrolling-text.tsx';

/** Draws the model, and nothing that is not in it. */
export const Page = () => {
  const choosingLanguage = useSignal(false);
  useSignalEffect(() => {
    document.documentElement.lang = htmlLanguage(model.value?.language ?? 'ja');
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

const Main = ({ shown }: { readonly shown: ScreenModel }) => (
  <main key={`${shown.screen} ${shown.heading}`}>
    <div class="content">
      <Body shown={shown} side />
      <div class="words">
        <ScrollingText>
          <h1>
            {shown.tone === 'good' && <CheckMark />}
            {shown.heading}
          </h1>
          {shown.lead.map((line) => (
            <p class="lead" key={line}>
              {line}
            </p>
          ))}
          <Body shown={shown} side={false} />
          <Rows shown={shown} />
          {shown.note !== null && <p class="note">{shown.note}</p>}
        </ScrollingText>
        <Controls shown={shown} />
      </div>
      {shown.pinKeys !== null && <PinPad shown={shown} words={shown.pinKeys} />}
    </div>
  </main>
);
