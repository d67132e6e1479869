/*
 * A patient in the real page: looks, then presses what the screen offers. Runs inside Chromium, by itself: whoever looked
 * from outside would hold on to what it was shown, and count that as the page's.
 */
(() => {
  const presses = {
    'consent-bundle': 'agree',
    'consent-item': 'agree',
    'specific-disease': 'agree',
    'referral-documents': 'next',
    'certificate-notice': 'next',
    summary: 'confirm',
  };
  const closing = ['accepted', 'desk'];
  let patient = null;
  let seen = '';
  let sinceMs = 0;
  let answered = '';
  const press = (element) => element?.click();
  /** Resolves with the name of the screen on which the visit ended; of the patient before it may stand at first. */
  window.visit = (who) =>
    new Promise((resolve, reject) => {
      const given = setTimeout(() => reject(new Error(`still on ${seen}`)), 60_000);
      const ended = (screen) => {
        clearTimeout(given);
        resolve(screen);
      };
      patient = { ...who, begun: false, ended };
    });
  const act = () => {
    const screen = document.querySelector('.screen')?.dataset.screen ?? '';
    const word = `${screen} ${document.querySelector('h1')?.textContent}`;
    if (word !== seen) {
      seen = word;
      sinceMs = performance.now();
      answered = '';
    }
    if (patient === null) return;
    const isOver = closing.includes(screen);
    patient.begun ||= !isOver;
    if (isOver && patient.begun) {
      patient.ended(screen);
      patient = null;
      return;
    }
    // What has only just come would not be taken: a finger that trembles lands twice.
    if (isOver || word === answered || performance.now() - sinceMs < patient.lookMs) return;
    if (screen === 'pin') {
      answered = word;
      for (const digit of patient.pin)
        press([...document.querySelectorAll('.pad .key')].find((key) => key.textContent.trim() === digit));
      press(document.querySelector('.pad .enter'));
      return;
    }
    const control = screen === 'choose-method' ? patient.method : presses[screen];
    const button = control === undefined ? null : document.querySelector(`[data-control="${control}"]`);
    if (button === null || button.getAttribute('aria-disabled') === 'true') return;
    answered = word;
    press(button);
  };
  setInterval(act, 25);
})();
