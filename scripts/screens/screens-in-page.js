// Runs inside the page (injected by scripts/screens/screens.ts): measures what a person would stumble over.
window.lookAtScreen = async (theme) => {
  // Letters are measured as they stand when their font is there; the layout asks for it.
  document.body.getBoundingClientRect();
  await document.fonts.ready;
  document.querySelector('.screen').dataset.theme = theme;
  const visible = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: false });
  const where = (element) =>
    `${element.tagName.toLowerCase()}${element.className && typeof element.className === 'string' ? `.${element.className.trim().replaceAll(/\s+/g, '.')}` : ''}`;
  const unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

  const textNodes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (node.data.trim() !== '' && parent !== null && visible(parent) && !parent.closest('script,style,.unseen'))
      textNodes.push(node);
  }
  const scroller = (element) => element.closest('.text, .languages');
  const boxes = textNodes.flatMap((node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [...range.getClientRects()].map((box) => ({ node, box }));
  });

  // Out of the window, out of its own button, or cut by a box that does not scroll.
  const overflow = [];
  const clipped = [];
  if (document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight)
    overflow.push('page');
  for (const { node, box } of boxes) {
    const parent = node.parentElement;
    const scrolls = scroller(parent);
    const out = box.left < -1 || box.right > innerWidth + 1 || box.top < -1 || box.bottom > innerHeight + 1;
    if (out && scrolls === null) overflow.push(`${where(parent)} "${node.data}"`);
    if (scrolls !== null) {
      const area = scrolls.getBoundingClientRect();
      if (box.left < area.left - 1 || box.right > area.right + 1) clipped.push(`${where(parent)} "${node.data}"`);
    }
    const button = parent.closest('button');
    if (button !== null) {
      const edge = button.getBoundingClientRect();
      if (
        box.left < edge.left - 1 ||
        box.right > edge.right + 1 ||
        box.top < edge.top - 1 ||
        box.bottom > edge.bottom + 1
      )
        clipped.push(`${where(button)} "${node.data}"`);
    }
    for (let up = parent; up !== null && up !== scrolls; up = up.parentElement) {
      const style = getComputedStyle(up);
      const edge = up.getBoundingClientRect();
      const hides = style.overflowX !== 'visible' || style.overflowY !== 'visible';
      if (hides && up !== document.body && (box.right > edge.right + 1 || box.bottom > edge.bottom + 1))
        clipped.push(`${where(up)} "${node.data}"`);
    }
  }
  // A word, or in headings and on buttons a phrase, that goes on in the next line; the code for staff may.
  const han = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
  for (const node of textNodes) {
    const parent = node.parentElement;
    if (parent.closest('.notice, .facility') !== null) continue;
    for (const { 0: word, index } of node.data.matchAll(/[^\s\u200b「」『』（）()・-]+/g)) {
      if (han.test(word) && parent.closest('h1, button') === null) continue;
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const tops = [...range.getClientRects()].map(({ top }) => Math.round(top));
      if (tops.some((top) => Math.abs(top - tops[0]) > 4))
        clipped.push(`${where(parent)} "${word}" goes on in the next line`);
    }
  }
  // Boxes that lie over each other hide words without being cut.
  const parts = [
    ...document.querySelectorAll(
      'header .facility, header .steps, header .tools, footer p, footer .tools, main .text, main .controls, main .pad, main .visual',
    ),
  ].filter((element) => visible(element) && element.getBoundingClientRect().width > 0);
  for (const [index, one] of parts.entries())
    for (const other of parts.slice(index + 1)) {
      const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1 && high > 1) overflow.push(`${where(one)} over ${where(other)}`);
    }
  const text = document.querySelector('main .text');
  const scrolled = text === null ? 0 : text.scrollHeight - text.clientHeight;
  const readable = text === null ? innerHeight : text.clientHeight;

  const smallTargets = [...document.querySelectorAll('button')]
    .filter(visible)
    .filter((button) => {
      const { width, height } = button.getBoundingClientRect();
      return width < 56 * unit - 0.5 || height < 56 * unit - 0.5;
    })
    .map(where);

  // WCAG 2.2 relative luminance; a translucent colour is laid over what is below it.
  const known = new Map();
  const colourOf = (value) => {
    const before = known.get(value);
    if (before !== undefined) return before;
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    canvas.fillStyle = value;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    const colour = { r, g, b, a: a / 255 };
    known.set(value, colour);
    return colour;
  };
  const groundOf = (element) => {
    for (let up = element; up !== null; up = up.parentElement) {
      const colour = colourOf(getComputedStyle(up).backgroundColor);
      if (colour.a > 0.99) return colour;
    }
    return { r: 255, g: 255, b: 255, a: 1 };
  };
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const lowContrast = [];
  for (const node of textNodes) {
    const element = node.parentElement;
    const [one, other] = [luminance(colourOf(getComputedStyle(element).color)), luminance(groundOf(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 7) lowContrast.push(`${where(element)} ${ratio.toFixed(2)}`);
  }
  return {
    overflow,
    clipped,
    smallTargets,
    lowContrast,
    scrolled,
    readable,
    texts: textNodes.map((node) => node.data.replaceAll('\u200b', '').trim()),
  };
};

// Touch → change: from the finger's going up to the first frame painted with a new revision or a felt control.
window.touchTimes = [];
addEventListener(
  'pointerup',
  () => {
    const from = performance.now();
    const observer = new MutationObserver(() => {
      observer.disconnect();
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => window.touchTimes.push(performance.now() - from);
        channel.port2.postMessage(null);
      });
    });
    observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  },
  { capture: true },
);
