// A virtual My Number card, read as a reader does: select, read the label, read the certificate's holder.
import { makePersonasCard } from 'uketsuke/card';
import { decodeResponse, encodeCommand } from 'uketsuke/protocol/card/apdu';
import { applications, readBinary, readTokenLabel, selectApplication, selectFile } from 'uketsuke/protocol/card/myna-card';

const { card } = await makePersonasCard('hanako', process.env.CARD_CACHE ?? '.card-cache');
const ask = ({ apdu, read }) => read(decodeResponse(card.transmit(encodeCommand(apdu))).value).value;
ask(selectApplication(applications.jpki));
ask(selectFile(0x0006));
console.log(readTokenLabel(ask(readBinary(0, 32))).kind);
// prints: my-number-card
