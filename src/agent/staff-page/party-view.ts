import { encode } from 'uqr';
import type { FailureCode } from '../../core/failure.ts';
import { type Party, partyOf, telephoneText } from '../../core/party.ts';
import { html, Markup } from './html.ts';
import type { PageModel } from './page-model.ts';

/** Black on white in every theme, or a telephone does not read it. The same stands beside it in letters. */
const qrCode = (text: string): Markup => {
  const { data, size } = encode(text, { border: 2 });
  const dark = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return new Markup(
    `<svg class="qr" viewBox="0 0 ${size} ${size}" aria-hidden="true"><rect width="${size}" height="${size}" fill="#fff"/><path d="${dark.join('')}" fill="#000" shape-rendering="crispEdges"/></svg>`,
  );
};

/**
 * Whose fault it is, whom to telephone, and what to say there: a QR code, and the same in letters. `lane`: the counter;
 * null: all of them
 */
export const partyView = (
  { catalogue }: Pick<PageModel, 'catalogue'>,
  code: string,
  party: Party | null,
  { lane, sinceMs }: { readonly lane: number | null; readonly sinceMs: number },
): Markup => {
  const { name, call } = catalogue().parties[party ?? 'not-known-yet'];
  const said = telephoneText(code, party, { lane, wallMs: sinceMs });
  return html`<div class="party" data-party="${party ?? 'not-known-yet'}"><p>どこの故障か：<b>${name}</b>　${call}</p>
    ${party !== 'card' && html`<p class="row">${qrCode(said)}<span class="code">${said}</span></p>`}</div>`;
};

/** Of a code that the agent found itself */
export const ownPartyView = (model: Pick<PageModel, 'catalogue'>, code: FailureCode, sinceMs: number): Markup =>
  partyView(model, code, partyOf(code, 'agent'), { lane: null, sinceMs });
