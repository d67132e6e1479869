// Every failure says who must act, and whether trying again may help.
import { failure } from 'uketsuke/core/failure';

for (const code of ['card.removed', 'card.pin-blocked', 'storage.damaged']) console.log(`${code}: ${failure(code).actor}`);
// prints: card.removed: patient
// prints: card.pin-blocked: staff
// prints: storage.damaged: technician
