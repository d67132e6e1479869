#!/usr/bin/python3
# A card in a real PC/SC reader, or the one of `uketsuke kit card`, from Python (Debian: python3-pyscard). Spends no try.
from smartcard.System import readers

card = readers()[0].createConnection()
card.connect()


def ask(command):
    answer, first, second = card.transmit(list(bytes.fromhex(command)))
    return bytes(answer), first << 8 | second


assert ask("00A4040C0AD392F000260100000001")[1] == 0x9000, "not a My Number card"
ask("00A4020C020006")
label = ask("00B0000020")[0].decode("ascii").rstrip(" \0")
ask("00A4020C020018")
counter = ask("00200080")[1]
print(f"{label}: {counter & 0x0F if counter >> 4 == 0x63C else 'no'} tries left")
card.disconnect()
