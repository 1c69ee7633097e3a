/// One row of the flag table.
public struct Flag: Sendable {
  /// What the text after the flag must be.
  enum Kind: Sendable {
    case string
    /// Printed as `<secret>` wherever it would be seen.
    case secret
    /// In Go's spellings; as a flag it never takes the next word.
    case bool
    case int(ClosedRange<Int>)
    /// A number in (0, limit].
    case share(upTo: Double)
    /// In Go's syntax.
    case duration(DurationRange)
    /// One of a few words, in any case.
    case choice([String])
  }

  /// The heading the flag stands under in the usage text.
  public enum Group: String, Sendable, CaseIterable {
    case redis = "Redis"
    case tls = "TLS to Redis"
    case export = "What is exported"
    case keys = "Keys, streams and scripts"
    case web = "Web"
    case polling = "Polling"
    case process = "Process"
  }

  /// Without dashes.
  public let name: String
  /// The environment variable that gives the value when the flag is absent.
  public let variable: String?
  /// As it would be written after the flag; empty for none.
  public let defaultText: String
  /// One sentence.
  public let meaning: String
  public let group: Group
  let kind: Kind

  /// The type for people: `string`, `bool`, `int`, `number`, `duration`, or the words of a choice.
  public var typeName: String {
    switch kind {
    case .string: "string"
    case .secret: "secret"
    case .bool: "bool"
    case .int: "int"
    case .share: "number"
    case .duration: "duration"
    case .choice(let words): words.joined(separator: " or ")
    }
  }

  var isBool: Bool {
    if case .bool = kind { true } else { false }
  }

  var isSecret: Bool {
    if case .secret = kind { true } else { false }
  }
}
