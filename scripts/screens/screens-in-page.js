// Runs inside the page (injected by scripts/screens/screens.ts): measures what a person would stumble over.
window.lookAtScreen = async (theme) => {
  // Letters are measured as they stand when their font is there; the layout asks for it.
  document.body.getBoundingClientRect();
  await document.fonts.ready;
  // What fits is decided anew with the font's own letters, and stands in the next picture but one at the latest.
  for (let frames = 0; frames < 2; frames += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
  document.querySelector('.screen').dataset.theme = theme;
  const visible = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: false });
  const where = (element) =>
    `${element.tagName.toLowerCase()}${element.className && typeof element.className === 'string' ? `.${element.className.trim().replaceAll(/\s+/g, '.')}` : ''}`;

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
  /** How wide a line of the words in this element can be. px */
  const lineOf = (element) => {
    let block = element;
    while (getComputedStyle(block).display.startsWith('inline') || getComputedStyle(block).display.startsWith('ruby'))
      block = block.parentElement;
    const { paddingLeft, paddingRight } = getComputedStyle(block);
    return block.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  };
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
      const rects = [...range.getClientRects()];
      // Longer than a line of such letters is, it has to.
      const wide = rects.reduce((sum, { width }) => sum + width, 0);
      if (wide > lineOf(parent)) continue;
      const tops = rects.map(({ top }) => Math.round(top));
      if (tops.some((top) => Math.abs(top - tops[0]) > 4))
        clipped.push(`${where(parent)} "${word}" goes on in the next line`);
    }
  }
  // Boxes that lie over each other hide words without being cut.
  const parts = [
    ...document.querySelectorAll(
      'header .facility, header .steps, header .tools, footer .help, footer .tools, main .text, main .controls, main .pad, main .visual',
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
  // Less than the blank below the last line hides nothing. The arrow comes with a frame of its own.
  const unsaid = () => scrolled > 8 && document.querySelector('.more') === null;
  for (let frames = 0; frames < 5 && unsaid(); frames += 1) await new Promise(requestAnimationFrame);
  if (unsaid()) overflow.push(`words go on for ${scrolled} px and nothing says so`);
  const readable = text === null ? innerHeight : text.clientHeight;

  const targets = [...document.querySelectorAll('button')].filter(visible).map((button) => {
    const { width, height } = button.getBoundingClientRect();
    return { what: where(button), px: Math.min(width, height) };
  });
  // Ruby is read with the letters it stands over.
  const letters = textNodes
    .filter((node) => node.parentElement.closest('rt') === null)
    .map((node) => ({
      what: where(node.parentElement),
      px: parseFloat(getComputedStyle(node.parentElement).fontSize),
    }));

  // What a question is about is on the screen, or the way to it is and the buttons wait.
  const subjectsHidden = [];
  const answers = [...document.querySelectorAll('.choice.equal, .choice.primary, button.key')].filter(visible);
  if (text !== null) {
    const area = text.getBoundingClientRect();
    const arrow = document.querySelector('.more');
    const subjects = [...text.querySelectorAll('[data-subject]')];
    for (const subject of subjects) {
      const { top, bottom } = subject.getBoundingClientRect();
      if (top >= area.top - 4 && bottom <= area.bottom + 4) continue;
      if (arrow === null) subjectsHidden.push(`${where(subject)} is hidden and nothing says so`);
      else if (answers.some((answer) => answer.getAttribute('aria-disabled') !== 'true'))
        subjectsHidden.push(`${where(subject)} is hidden beside a button that is ready`);
    }
    // Of what was answered the first is seen whole before anything is moved.
    const first = text.querySelector('.summary li');
    if (first !== null && first.getBoundingClientRect().bottom > area.bottom + 4)
      subjectsHidden.push(`${where(first)}: nothing of what was answered is seen whole`);
    // Read in the order in which it stands.
    const tops = [...text.children].filter(visible).map((each) => each.getBoundingClientRect().top);
    if (tops.some((top, index) => index > 0 && top < tops[index - 1] - 1)) subjectsHidden.push('not in reading order');
    // The rest can be reached, and then the buttons are ready.
    if (arrow !== null) {
      text.scrollTop = text.scrollHeight;
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const waiting = answers.filter((answer) => answer.isConnected && answer.getAttribute('aria-disabled') === 'true');
      if (waiting.length > 0) subjectsHidden.push('a button waits though all has been seen');
      text.scrollTop = 0;
    }
  }

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
    targets,
    letters,
    subjectsHidden,
    lowContrast,
    scrolled,
    readable,
    texts: [
      ...textNodes.filter((node) => node.parentElement.closest('.furigana') === null).map((node) => node.data),
      // A text with furigana is one text: its letters without what stands above them.
      ...[...document.querySelectorAll('.furigana')].filter(visible).map((each) => {
        const copy = each.cloneNode(true);
        for (const above of copy.querySelectorAll('rt')) above.remove();
        return copy.textContent;
      }),
    ].map((text) => text.replaceAll('\u200b', '').trim()),
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
