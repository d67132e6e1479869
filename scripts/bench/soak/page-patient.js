/*
 * One patient after the other in the real page: looks, then presses what the screen offers; nine by PIN, then one by face.
 * Runs inside Chromium, by itself: `(this)({ pin, lookMs })`.
 */
({ pin, lookMs }) => {
  const presses = {
    'consent-bundle': 'agree',
    'consent-item': 'agree',
    'specific-disease': 'agree',
    'referral-documents': 'next',
    'certificate-notice': 'next',
    summary: 'confirm',
  };
  let visits = 0;
  let seen = '';
  let sinceMs = 0;
  let answered = '';
  const press = (element) => element?.click();
  const act = () => {
    const screen = document.querySelector('.screen')?.dataset.screen ?? '';
    const word = `${screen} ${document.querySelector('h1')?.textContent}`;
    if (word !== seen) {
      if (screen === 'choose-method') visits += 1;
      seen = word;
      sinceMs = performance.now();
      answered = '';
    }
    // What has only just come would not be taken: a finger that trembles lands twice.
    if (word === answered || performance.now() - sinceMs < lookMs) return;
    if (screen === 'pin') {
      answered = word;
      for (const digit of pin)
        press([...document.querySelectorAll('.pad .key')].find((key) => key.textContent.trim() === digit));
      press(document.querySelector('.pad .enter'));
      return;
    }
    const method = visits % 10 === 0 ? 'use-face' : 'use-pin';
    const control = screen === 'choose-method' ? method : presses[screen];
    const button = control === undefined ? null : document.querySelector(`[data-control="${control}"]`);
    if (button === null || button.getAttribute('aria-disabled') === 'true') return;
    answered = word;
    press(button);
  };
  setInterval(act, 25);
};
