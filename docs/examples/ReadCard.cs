// A card in a real PC/SC reader, or the one of `uketsuke kit card`, from .NET, without a package. Spends no try.
// Debian: mono-mcs and mono-runtime; mcs ReadCard.cs, then mono ReadCard.exe. Windows: the same file by .NET's own compiler;
// there the library is winscard.dll, its DWORD has 32 bits (64 with pcsc-lite) and names end in A.
using System;
using System.Globalization;
using System.Linq;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;

static class PcscLite {
  const string Library = "libpcsclite.so.1";
  [DllImport(Library)] public static extern IntPtr SCardEstablishContext(UIntPtr scope, IntPtr none, IntPtr none2, out IntPtr context);
  [DllImport(Library)] public static extern IntPtr SCardListReaders(IntPtr context, IntPtr groups, byte[] readers, ref UIntPtr size);
  [DllImport(Library)] public static extern IntPtr SCardConnect(IntPtr context, byte[] reader, UIntPtr share, UIntPtr protocols, out IntPtr card, out UIntPtr protocol);
  [DllImport(Library)] public static extern IntPtr SCardTransmit(IntPtr card, UIntPtr[] protocol, byte[] command, UIntPtr length, IntPtr none, byte[] answer, ref UIntPtr size);
  [DllImport(Library)] public static extern IntPtr SCardDisconnect(IntPtr card, UIntPtr disposition);
}

static class WinScard {
  const string Library = "winscard.dll";
  [DllImport(Library)] public static extern int SCardEstablishContext(uint scope, IntPtr none, IntPtr none2, out IntPtr context);
  [DllImport(Library)] public static extern int SCardListReadersA(IntPtr context, IntPtr groups, byte[] readers, ref uint size);
  [DllImport(Library)] public static extern int SCardConnectA(IntPtr context, byte[] reader, uint share, uint protocols, out IntPtr card, out uint protocol);
  [DllImport(Library)] public static extern int SCardTransmit(IntPtr card, uint[] protocol, byte[] command, uint length, IntPtr none, byte[] answer, ref uint size);
  [DllImport(Library)] public static extern int SCardDisconnect(IntPtr card, uint disposition);
}

/** A card by whichever of the two is here. */
sealed class Card : IDisposable {
  static readonly bool isWindows = Environment.OSVersion.Platform == PlatformID.Win32NT;
  const uint exclusive = 1, t0OrT1 = 3, reset = 1;
  readonly IntPtr card;
  readonly uint protocol;

  static void Check(string call, long code) {
    if (code != 0) throw new InvalidOperationException(call + ": " + ((uint)code).ToString("X8"));
  }

  public Card() {
    IntPtr context;
    uint size;
    var names = new byte[2048];
    if (isWindows) {
      Check("SCardEstablishContext", WinScard.SCardEstablishContext(0, IntPtr.Zero, IntPtr.Zero, out context));
      size = (uint)names.Length;
      Check("SCardListReaders", WinScard.SCardListReadersA(context, IntPtr.Zero, names, ref size));
      Check("SCardConnect", WinScard.SCardConnectA(context, First(names), exclusive, t0OrT1, out card, out protocol));
    } else {
      Check("SCardEstablishContext", (long)PcscLite.SCardEstablishContext((UIntPtr)0, IntPtr.Zero, IntPtr.Zero, out context));
      var length = (UIntPtr)names.Length;
      Check("SCardListReaders", (long)PcscLite.SCardListReaders(context, IntPtr.Zero, names, ref length));
      UIntPtr active;
      Check("SCardConnect", (long)PcscLite.SCardConnect(context, First(names), (UIntPtr)exclusive, (UIntPtr)t0OrT1, out card, out active));
      protocol = (uint)active;
    }
  }

  /** Names follow one another, each ended by a zero. */
  static byte[] First(byte[] names) => names.TakeWhile(each => each != 0).Concat(new byte[] { 0 }).ToArray();

  /** The data of the answer and its status word. */
  public byte[] Ask(string hex, out int status) {
    var command = Enumerable.Range(0, hex.Length / 2).Select(at => Convert.ToByte(hex.Substring(2 * at, 2), 16)).ToArray();
    var answer = new byte[258];
    int size;
    if (isWindows) {
      var length = (uint)answer.Length;
      Check("SCardTransmit", WinScard.SCardTransmit(card, new[] { protocol, 8u }, command, (uint)command.Length, IntPtr.Zero, answer, ref length));
      size = (int)length;
    } else {
      var length = (UIntPtr)answer.Length;
      var header = new[] { (UIntPtr)protocol, (UIntPtr)(2 * UIntPtr.Size) };
      Check("SCardTransmit", (long)PcscLite.SCardTransmit(card, header, command, (UIntPtr)command.Length, IntPtr.Zero, answer, ref length));
      size = (int)length;
    }
    status = answer[size - 2] << 8 | answer[size - 1];
    return answer.Take(size - 2).ToArray();
  }

  public byte[] Ask(string hex) {
    int status;
    return Ask(hex, out status);
  }

  /** The object at the start of the selected file: its length stands in it, what lies behind it is filling. */
  public byte[] Object() {
    var head = Ask("00B0000004");
    var whole = new byte[4 + (head[2] << 8 | head[3])];
    for (var at = 0; at < whole.Length;) {
      var part = Ask("00B0" + at.ToString("X4") + (Math.Min(256, whole.Length - at) & 0xFF).ToString("X2"));
      if (part.Length == 0) throw new InvalidOperationException("the file ends early");
      part.CopyTo(whole, at);
      at += part.Length;
    }
    return whole;
  }

  public void Dispose() {
    if (isWindows) WinScard.SCardDisconnect(card, reset);
    else PcscLite.SCardDisconnect(card, (UIntPtr)reset);
  }
}

static class ReadCard {
  static int Main() {
    try {
      using (var card = new Card()) Read(card);
      return 0;
    } catch (InvalidOperationException error) {
      Console.Error.WriteLine(error.Message);
      return 1;
    }
  }

  static void Read(Card card) {
    int status;
    card.Ask("00A4040C0AD392F000260100000001", out status);
    if (status != 0x9000) throw new InvalidOperationException("not a My Number card");
    card.Ask("00A4020C020006");
    var label = Encoding.ASCII.GetString(card.Ask("00B0000020")).TrimEnd(' ', '\0');
    card.Ask("00A4020C020018");
    card.Ask("00200080", out status);
    Console.WriteLine(label + ": " + (status >> 4 == 0x63C ? (status & 0x0F).ToString() : "no") + " tries left");
    card.Ask("00A4020C02000A");
    var certificate = new X509Certificate2(card.Object());
    var until = certificate.NotAfter.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
    Console.WriteLine("certificate " + certificate.SerialNumber + " until " + until);
  }
}
