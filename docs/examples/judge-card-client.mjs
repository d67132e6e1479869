// Your own code against a card, judged APDU by APDU: this one sends a PIN without a look at the tries that are left.
import { makePersonasCard } from 'uketsuke/card';
import { CardClientJudge } from 'uketsuke/kit/card/judge-card-client';
import { cardRules } from 'uketsuke/kit/card/card-rules';

const { card } = await makePersonasCard('hanako', process.env.CARD_CACHE ?? '.card-cache');
const judge = new CardClientJudge();
const send = (hex) => {
  const command = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  judge.see({ command, response: card.transmit(command) });
};
send('00 A4 04 0C 0A D3 92 F0 00 26 01 00 00 00 01');
send('00 A4 02 0C 02 00 06');
send('00 B0 00 00 20');
send('00 A4 02 0C 02 00 18');
send('00 20 00 80 04 31 32 33 34');
for (const { rule, where } of judge.findings) console.log(`${where}: ${cardRules[rule].wrong.en}`);
// prints: APDU 5: a PIN was verified without a look at the tries that are left
