// 照合番号B as it is printed: the birth date by era, the year of expiry, the security code.
import { verificationNumberB } from 'uketsuke/protocol/card/verification-number';

console.log(verificationNumberB({ year: 1980, month: 2, day: 17 }, 2035, '2285'));
// prints: 55021720352285
