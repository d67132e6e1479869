/** A visit as bars on a line of time: what each of the machine's parts took, and the least that it could have. */
import type { StageFigures } from './visit-figures.ts';

const labels = {
  card: 'card laid down → choice',
  face: 'face chosen → known',
  pin: 'last key of the PIN → known',
  receipt: 'last consent → receipt',
} as const;
const width = 760;
const left = 210;
const rowHeight = 34;

/** `foot`: when and how it was measured. */
export const timelineSvg = (stages: readonly StageFigures[], foot: string): string => {
  const methods = ['face', 'pin'] as const;
  const totals = methods.map((method) =>
    stages
      .filter((stage) => stage.method === method)
      .reduce((sum, { p50Ms, leastMs }) => sum + Math.max(p50Ms, leastMs), 0),
  );
  const scale = (width - left - 130) / Math.max(...totals);
  const parts: string[] = [];
  let y = 30;
  for (const method of methods) {
    parts.push(`<text x="10" y="${y}" class="head">${method === 'face' ? 'By face' : 'By PIN'}</text>`);
    y += 10;
    let at = left;
    for (const { stage, p50Ms, leastMs, deviceMs } of stages.filter((each) => each.method === method)) {
      const bar = (ms: number, top: number, of: string): string =>
        `<rect x="${at.toFixed(1)}" y="${y + top}" width="${Math.max(1, ms * scale).toFixed(1)}" height="10" class="${of}"/>`;
      parts.push(
        `<text x="10" y="${y + 16}">${labels[stage]}</text>`,
        ...[bar(p50Ms, 2, 'took'), bar(leastMs, 14, 'least'), bar(deviceMs, 14, 'device')],
        `<text x="${(at + Math.max(p50Ms, leastMs) * scale + 6).toFixed(1)}" y="${y + 16}">${p50Ms} / ${leastMs} ms</text>`,
      );
      at += Math.max(p50Ms, leastMs) * scale;
      y += rowHeight;
    }
    y += 24;
  }
  parts.push(
    `<text x="10" y="${y}" class="foot">dark: measured, median · middle: the least in the same run · light: of it card and wire</text>`,
  );
  parts.push(`<text x="10" y="${y + 18}" class="foot">${foot.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`);
  const style =
    'text{font:13px sans-serif;fill:#333}.head{font-weight:bold}.foot{font-size:12px;fill:#666}.took{fill:#0017c1}.least{fill:#7096f8}.device{fill:#c5d7fb}';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 30}" role="img" aria-label="Timeline of a visit"><title>Timeline of a visit</title><style>${style}</style><rect width="100%" height="100%" fill="#fff"/>\n${parts.join('\n')}\n</svg>\n`;
};
