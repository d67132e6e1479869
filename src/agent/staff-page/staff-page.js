// Draws anew what the server says has changed. No rule lives here; without this script the page works by reloading.
const events = new EventSource('/events');
const offline = document.getElementById('page-offline');

const refresh = async () => {
  for (const part of document.querySelectorAll('[data-part]')) {
    // Somebody is writing in it or has a drawer open: it is drawn anew once they are done.
    if (part.contains(document.activeElement) && document.activeElement !== document.body) continue;
    const open = [...part.querySelectorAll('details[open]')].map((one) => one.dataset.key);
    const answer = await fetch(`/part/${part.dataset.part}${location.search}`);
    if (!answer.ok) continue;
    const text = await answer.text();
    if (part.innerHTML !== text) part.innerHTML = text;
    for (const one of part.querySelectorAll('details')) if (open.includes(one.dataset.key)) one.open = true;
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
  if (event.target.closest?.('[data-print]')) print();
});
// One press, one order: the button of a form that was sent sleeps until the answer is there.
document.addEventListener('submit', (event) => {
  for (const button of event.target.querySelectorAll('button'))
    setTimeout(() => {
      button.disabled = true;
    });
});
