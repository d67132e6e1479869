// Draws anew what the server says has changed. No rule lives here; without this script the page works by reloading.
const events = new EventSource('/events');
const offline = document.getElementById('page-offline');

const isBusy = (part) => part.contains(document.activeElement) && document.activeElement !== document.body;

/** What is typed and chosen in a part, by the visit and order that its form is about. */
const fieldsOf = (part) =>
  [...part.querySelectorAll('form :is(input, select, textarea):not([type=hidden])')].map((field) => {
    const about = [...field.form.querySelectorAll('input[type=hidden]')].map(({ name, value }) => `${name}=${value}`);
    return {
      key: [field.form.action, ...about, field.name].join(' '),
      field,
      by: field.type === 'checkbox' ? 'checked' : 'value',
    };
  });

const refresh = async () => {
  for (const part of document.querySelectorAll('[data-part]')) {
    // Somebody is writing in it or has a drawer open: it is drawn anew once they are done.
    if (isBusy(part)) continue;
    const answer = await fetch(`/part/${part.dataset.part}${location.search}`);
    if (!answer.ok) continue;
    const text = await answer.text();
    // Meanwhile somebody may have begun to.
    if (isBusy(part) || part.innerHTML === text) continue;
    const open = [...part.querySelectorAll('details[open]')].map((one) => one.dataset.key);
    const typed = new Map(fieldsOf(part).map(({ key, field, by }) => [key, field[by]]));
    part.innerHTML = text;
    for (const one of part.querySelectorAll('details')) if (open.includes(one.dataset.key)) one.open = true;
    for (const { key, field, by } of fieldsOf(part)) if (typed.has(key)) field[by] = typed.get(key);
  }
};

let pending;
const soon = () => {
  clearTimeout(pending);
  pending = setTimeout(refresh, 100);
};
events.addEventListener('changed', soon);
events.addEventListener('open', () => {
  if (offline) offline.hidden = true;
  soon();
});
events.addEventListener('error', () => {
  if (offline) offline.hidden = false;
});
document.addEventListener('focusout', soon);
// Time alone changes something, too: notices grow old, a window of maintenance begins.
setInterval(soon, 30_000);
document.addEventListener('click', (event) => {
  // Letters that are still on their way would leave the paper blank.
  if (event.target.closest?.('[data-print]')) document.fonts.ready.then(() => print());
});
// One press, one order: the button of a form that was sent sleeps until the answer is there.
document.addEventListener('submit', (event) => {
  for (const button of event.target.querySelectorAll('button'))
    setTimeout(() => {
      button.disabled = true;
    });
});

// A lane newly needs somebody: a soft sound, once; the title and the icon blink until it is done; a desktop notification
// where that was allowed. What is needed, and for how long, is said by the server.
const title = document.title;
const icon = document.getElementById('icon');
const bell = document.getElementById('bell');
const notify = document.getElementById('notify');
const today = () => new Date().toLocaleDateString('sv');
const isMuted = () => localStorage.getItem('muted') === today();
let told = new Set();
let sound;
const ring = () => {
  if (isMuted()) return;
  sound ??= new AudioContext();
  const gain = sound.createGain();
  gain.connect(sound.destination);
  gain.gain.setValueAtTime(0.0001, sound.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.15, sound.currentTime + 0.05);
  gain.gain.exponentialRampToValueAtTime(0.0001, sound.currentTime + 0.9);
  for (const [hertz, after] of [
    [660, 0],
    [880, 0.25],
  ]) {
    const tone = sound.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(gain);
    tone.start(sound.currentTime + after);
    tone.stop(sound.currentTime + 0.9);
  }
};
const drawBell = () => {
  if (bell === null) return;
  bell.setAttribute('aria-pressed', String(!isMuted()));
  bell.textContent = isMuted() ? 'お知らせ音：今日は消しています' : 'お知らせ音：入';
  notify.hidden = !('Notification' in window) || Notification.permission !== 'default';
};
bell?.addEventListener('click', () => {
  if (isMuted()) localStorage.removeItem('muted');
  else localStorage.setItem('muted', today());
  drawBell();
  ring();
});
notify?.addEventListener('click', () => Notification.requestPermission().then(drawBell));
drawBell();

let calls = [];
const attend = () => {
  calls = [...document.querySelectorAll('[data-attention]')];
  const fresh = calls.filter((call) => !told.has(call.dataset.attention));
  told = new Set(calls.map((call) => call.dataset.attention));
  if (fresh.length === 0) return;
  ring();
  if ('Notification' in window && Notification.permission === 'granted')
    for (const { dataset } of fresh) new Notification(dataset.attentionText, { tag: dataset.attention });
};
new MutationObserver(attend).observe(document.querySelector('main'), { childList: true, subtree: true });
attend();
let isLit = false;
setInterval(() => {
  isLit = !isLit && calls.length > 0;
  document.title = isLit ? `● ${calls[0].dataset.attentionText}` : title;
  icon.href = isLit ? '/icon-called.svg' : '/icon.svg';
}, 1_000);
