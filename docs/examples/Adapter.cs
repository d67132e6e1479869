// The template of adapter.mjs in C#, for the 資格確認端末: one line of JSON a call on standard input, one line an answer on
// standard output, logs on standard error. No package. Windows: .NET's own compiler; Debian: mono-mcs, mono-runtime,
//   mcs -r:System.Runtime.Serialization -r:System.Xml -r:System.Xml.Linq Adapter.cs
//   uketsuke kit adapter --people adapter-people.json -- mono Adapter.exe
// Where Answer() looks into a table, call the official software.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.Serialization.Json;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using System.Xml;
using System.Xml.Linq;

static class Json {
  /** A line as elements named by its members. Throws where it is no JSON. */
  public static XElement Read(string line) {
    var bytes = Encoding.UTF8.GetBytes(line);
    using (var reader = JsonReaderWriterFactory.CreateJsonReader(bytes, XmlDictionaryReaderQuotas.Max)) return XElement.Load(reader);
  }

  public static string Text(string value) {
    var said = new StringBuilder("\"");
    foreach (var each in value)
      if (each == '"' || each == '\\') said.Append('\\').Append(each);
      else if (each < ' ') said.Append("\\u").Append(((int)each).ToString("x4"));
      else said.Append(each);
    return said.Append('"').ToString();
  }
}

sealed class Person {
  public readonly string Serial, Birthdate, Insurer, Number;
  public bool IsRegistered;
  public string Chart = "";

  public Person(XElement given, bool isRegistered) {
    Serial = (string)given.Element("certificateSerial");
    Birthdate = (string)given.Element("birthdate");
    Insurer = Digits((string)given.Element("inquiry").Element("insurerNumber"));
    Number = Digits((string)given.Element("inquiry").Element("insuredIdentificationNumber"));
    IsRegistered = isRegistered;
  }

  /** Full width or half, filled with blanks or zeros: one number. */
  public static string Digits(string text) => text.Normalize(NormalizationForm.FormKC).Trim().TrimStart('0');
}

static class Adapter {
  const string NotFound = "\"ok\":false,\"code\":\"eligibility.not-found\"";
  const string NotRegistered = "\"ok\":false,\"code\":\"eligibility.not-registered\"";
  const string Unavailable = "\"ok\":false,\"code\":\"eligibility.unavailable\"";
  const string Done = "\"ok\":true";

  static List<Person> people;
  static readonly object once = new object();
  static readonly CountdownEvent open = new CountdownEvent(1);
  // Windows' console speaks Shift_JIS and ends lines by CR LF; the lines are UTF-8 without a byte order mark, ended by LF.
  static readonly Encoding utf8 = new UTF8Encoding(false);
  static readonly TextWriter output =
    TextWriter.Synchronized(new StreamWriter(Console.OpenStandardOutput(), utf8) { AutoFlush = true, NewLine = "\n" });

  static void Main(string[] args) {
    var file = args.Length > 0 ? args[0] : Path.Combine(AppDomain.CurrentDomain.BaseDirectory, "adapter-people.json");
    var given = Json.Read(File.ReadAllText(file, utf8));
    people = new[] { "registered", "other", "unregistered" }
      .Select(name => new Person(given.Element(name), name != "unregistered"))
      .ToList();
    var input = new StreamReader(Console.OpenStandardInput(), utf8);
    for (var line = input.ReadLine(); line != null; line = input.ReadLine()) Hear(line);
    // The end of the input is the end, once what was asked is answered.
    open.Signal();
    open.Wait();
  }

  static void Hear(string line) {
    XElement asked;
    long id;
    try {
      asked = Json.Read(line);
      if (!long.TryParse((string)asked.Element("id"), out id)) return;
    } catch (Exception) {
      Console.Error.WriteLine("a line that is no JSON is passed over");
      return;
    }
    open.AddCount();
    // Side by side: a check takes seconds, others are answered meanwhile.
    Task.Run(() => {
      string answer;
      try {
        answer = Answer(asked);
      } catch (Exception error) {
        Console.Error.WriteLine(error.GetType().Name);
        answer = Unavailable;
      }
      output.WriteLine("{\"id\":" + id + "," + answer + "}");
      open.Signal();
    });
  }

  static string Answer(XElement asked) {
    var call = (string)asked.Element("call");
    if (call == "isReached") return Done + ",\"value\":true";
    if (call == "check") Thread.Sleep(50);
    lock (once) {
      var one = asked.Element("card") != null ? ByCard(asked.Element("card")) : asked.Element("inquiry") != null ? ByNumber(asked.Element("inquiry")) : null;
      switch (call) {
        case "lookup": return one == null ? NotFound : Done + ",\"value\":" + Known(one);
        case "register":
          if (one == null) return NotFound;
          one.IsRegistered = true;
          return Done;
        case "check": return one == null ? NotFound : one.IsRegistered ? Done + ",\"value\":" + Eligibility(one) : NotRegistered;
        case "inquire": return one == null ? NotFound : Done + ",\"value\":" + Eligibility(one);
        case "registerReference":
          if (one == null) return NotFound;
          one.Chart = (string)asked.Element("referenceNumber");
          return Done;
        default: return Unavailable;
      }
    }
  }

  static Person ByCard(XElement card) => people.FirstOrDefault(each => each.Serial == (string)card.Element("certificateSerial"));

  static Person ByNumber(XElement inquiry) {
    var insurer = Person.Digits((string)inquiry.Element("insurerNumber"));
    var number = Person.Digits((string)inquiry.Element("insuredIdentificationNumber"));
    var birthdate = (string)inquiry.Element("birthdate");
    return people.FirstOrDefault(each => each.Insurer == insurer && each.Number == number && (birthdate == null || birthdate == each.Birthdate));
  }

  static string Known(Person one) =>
    "{\"registered\":" + (one.IsRegistered ? "\"yes\"" : "\"no\"") + ",\"certificateStatus\":\"good\",\"medicalSubsidy\":false,"
    + "\"pendingDocuments\":[],\"waitingPrescriptions\":[],\"person\":{\"birthdate\":" + Json.Text(one.Birthdate) + ",\"sex\":\"3\"}}";

  static string Eligibility(Person one) =>
    "{\"birthdate\":" + Json.Text(one.Birthdate) + ",\"sex\":\"3\",\"certificateStatus\":\"good\",\"qualificationValidity\":1,"
    + "\"consentSituation\":\"at-counter\",\"referenceNumber\":" + Json.Text(one.Chart) + ",\"qualifications\":[]}";
}
