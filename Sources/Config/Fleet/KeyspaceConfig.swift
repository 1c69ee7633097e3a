/// How the keys of a workload are sampled: `keyspace` of a workload. Without the block nobody does.
public struct KeyspaceConfig: Sendable, Equatable {
  public var isEnabled = true
  /// From the start of a sample to the start of the next.
  public var interval: Duration = .seconds(900)
  /// Keys that one sample looks at, about.
  public var sampleKeys = 20_000
  /// Whether bounds are series, too.
  public var hasIntervals = false
  /// What stands between the parts of names, each character by itself.
  public var separators = ":"
  /// Parts of names that are told apart.
  public var depth = 2
  /// Prefixes that have series of their own.
  public var maxPrefixes = 64
  /// How far ahead the very second is told in which keys expire.
  public var expiryHorizon: Duration = .seconds(7200)
  /// Since when growth is told.
  public var growth: Duration = .seconds(86_400)
  /// On which servers every key is looked at.
  public var census = Census.replicas
  /// From so many bytes on a key is a big one.
  public var bigKeyBytes = 1 << 20
  /// Largest keys that pages show.
  public var topCount = 20
  /// Who sees names of single keys on pages.
  public var names = Names.loggedIn

  /// On which servers every key is looked at, again and again.
  public enum Census: String, Sendable, CaseIterable {
    case replicas, all, off
  }

  /// How names of single keys are shown.
  public enum Names: String, Sendable, CaseIterable {
    /// Whole to those who logged in, and as hashes where nobody needs to.
    case loggedIn = "logged_in"
    case hashed, never
  }

  public init() {}

  init(_ fields: MappingReader) {
    isEnabled = fields.value("enabled", .bool, default: true, "Whether it is on; the block switches it on.")
    interval = fields.value(
      "every", .duration(.extended, .atLeast(.seconds(60))), default: interval,
      "From the start of a sample to the start of the next.")
    sampleKeys = fields.value(
      "sample", .int(1000...100_000), default: sampleKeys, "Keys of the workload that a sample looks at, about.")
    hasIntervals = fields.value(
      "intervals", .bool, default: false,
      "Whether the bounds of what is estimated are series, too; each prefix then has six more.")
    fields.mapping("prefixes", "What becomes a prefix of names.") { fields in
      separators = fields.value(
        "separators", Self.separatorsType, default: separators,
        "What stands between the parts of names, each character by itself.")
      depth = fields.value("depth", .int(1...4), default: depth, "Parts of names that are told apart.")
      maxPrefixes = fields.value(
        "max", .int(1...64), default: maxPrefixes,
        "Prefixes that have series, by memory; the rest is the prefix `other`.")
    }
    expiryHorizon = fields.value(
      "expiry_horizon", .duration(.extended, .atLeast(.seconds(60))), default: expiryHorizon,
      "How far ahead the second is told in which many keys expire at once; at most a day.")
    growth = fields.value(
      "growth", .duration(.extended, .atLeast(.seconds(3600))), default: growth, "Since when growth is told.")
    census = fields.value(
      "census", .oneOf(Census.self, noun: "where a census is taken"), default: census,
      "On which servers every key is looked at, to find the large ones, with the time that samples and watches leave: SCAN on a master deletes expired keys."
    )
    bigKeyBytes = fields.value(
      "big_key", .keySize, default: bigKeyBytes, "From which size on a key is a big one.",
      shown: fileSizeText(bigKeyBytes))
    topCount = fields.value("top", .int(1...20), default: topCount, "Largest keys that the page shows.")
    names = fields.value(
      "names", .oneOf(Names.self, noun: "a way to show names"), default: names,
      "Who sees names of single keys on the page and in the API: those who logged in, hashes alone, or nobody; without web logins `logged_in` means `hashed`."
    )
    if expiryHorizon > .seconds(86_400) { fields.report("expiry_horizon", problem: "is more than a day") }
  }

  /// What is said about single keys, as the file has it.
  var censusTexts: [(name: String, text: String)] {
    [
      ("census", census.rawValue), ("big_key", fileSizeText(bigKeyBytes)), ("top", "\(topCount)"),
      ("names", names.rawValue),
    ]
  }

  private static let separatorsType = ScalarType<String>(
    placeholder: ":", name: "text", range: "one or more characters such as `:`, `/` or `.`"
  ) { text throws(Mismatch) in
    guard !text.isEmpty, text.utf8.count <= 16, text.utf8.allSatisfy({ 0x21...0x7e ~= $0 }), !text.contains("*") else {
      throw Mismatch("is no list of separators", hint: "write one or more characters such as : / or .")
    }
    return text
  }
}
