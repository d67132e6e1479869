import type { PhoneKind } from '../visit/session.ts';
import { control, type DrawnControl, type Part, part } from './draw-screen-part.ts';
import type { Dictionary } from './draw-screen-words.ts';

/** On the idle screen, where the facility has smartphones read */
export const toSmartphone = (d: Dictionary): DrawnControl =>
  control('use-smartphone', 'secondary', d.words('control.use-smartphone'));

/** Which smartphone, both alike; then where to hold it and where its owner is authenticated. */
export const drawPhone = (d: Dictionary, phone: PhoneKind | null): Part => {
  const back = control('back', 'secondary', d.words('control.phone-back'));
  const choices = (['iphone', 'android'] as const).map((kind) =>
    control(kind, 'equal', d.words(`control.${kind}`), { note: d.words(`control.${kind}.note`) }),
  );
  return phone === null
    ? part('choose-phone', 1, d, d.words('choose-phone.heading'), {
        lead: [d.words('choose-phone.lead')],
        controls: [...choices, back],
      })
    : part('present-phone', 1, d, d.words('present-phone.heading'), {
        lead: [d.words(`present-phone.${phone}`)],
        body: { kind: 'picture', picture: 'present-phone' },
        controls: [back],
      });
};
