// A card in a real PC/SC reader, or the one of `uketsuke kit card`, from Java 17 on (Debian: openjdk-…-jdk-headless). Spends
// no try. `java ReadCard.java` runs it as it is. Debian's JDK finds libpcsclite.so.1 by itself, one of another maker wants
// -Dsun.security.smartcardio.library=/lib/x86_64-linux-gnu/libpcsclite.so.1 before the file's name.
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.HexFormat;
import javax.smartcardio.CardChannel;
import javax.smartcardio.CardException;
import javax.smartcardio.CardTerminals;
import javax.smartcardio.CommandAPDU;
import javax.smartcardio.ResponseAPDU;
import javax.smartcardio.TerminalFactory;

class ReadCard {
  static CardChannel channel;

  static ResponseAPDU ask(String command) throws CardException {
    return channel.transmit(new CommandAPDU(HexFormat.of().parseHex(command)));
  }

  /** The object at the start of the selected file: its length stands in it, what lies behind it is filling. */
  static byte[] object() throws CardException {
    byte[] head = ask("00B0000004").getData();
    byte[] whole = new byte[4 + ((head[2] & 0xFF) << 8 | head[3] & 0xFF)];
    for (int at = 0; at < whole.length; ) {
      byte[] part = ask(String.format("00B0%04X%02X", at, Math.min(256, whole.length - at) & 0xFF)).getData();
      if (part.length == 0) throw new CardException("the file ends early");
      System.arraycopy(part, 0, whole, at, part.length);
      at += part.length;
    }
    return whole;
  }

  public static void main(String[] args) throws Exception {
    var withCard = TerminalFactory.getDefault().terminals().list(CardTerminals.State.CARD_PRESENT);
    if (withCard.isEmpty()) throw new CardException("no card on any reader");
    var card = withCard.get(0).connect("*");
    channel = card.getBasicChannel();
    if (ask("00A4040C0AD392F000260100000001").getSW() != 0x9000) throw new CardException("not a My Number card");
    ask("00A4020C020006");
    String label = new String(ask("00B0000020").getData(), StandardCharsets.US_ASCII).stripTrailing();
    ask("00A4020C020018");
    int counter = ask("00200080").getSW();
    System.out.println(label + ": " + (counter >> 4 == 0x63C ? counter & 0x0F : "no") + " tries left");
    ask("00A4020C02000A");
    var certificate = (X509Certificate)
        CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(object()));
    System.out.printf("certificate %X until %tF%n", certificate.getSerialNumber(), certificate.getNotAfter());
    card.disconnect(true);
  }
}
