import '@digital-go-jp/design-tokens/dist/tokens.css';
import './style/base.css';
import './style/frame.css';
import './style/parts.css';
import './style/face.css';
import './style/sizes.css';
import { render } from 'preact';
import { connect } from './connection.ts';
import { Page } from './page.tsx';

// A keyboard is not part of this screen: keys come through the terminal's keypad, never from whatever was plugged in.
for (const type of ['keydown', 'keypress', 'keyup'] as const)
  addEventListener(
    type,
    (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { capture: true },
  );
addEventListener('contextmenu', (event) => event.preventDefault());

connect();
const root = document.getElementById('page');
if (root !== null) render(<Page />, root);
