/// Which of the addresses that servers and Sentinels announce may be members.
public struct MemberRules: Sendable, Equatable {
  static let limit = 256

  /// The networks and names that members may have; empty where none are listed, which sets no bounds.
  public let allowed: HostFilter
  /// The same as they are written.
  let texts: [String]

  init() { (allowed, texts) = (HostFilter(), []) }

  init(_ fields: MappingReader) {
    let patterns = fields.list(
      "allow", of: .hostPattern,
      "Networks and names of members, Sentinels included, that others announce; nobody else is connected to.",
      shown: "any")
    if patterns.count > Self.limit { fields.report("allow", problem: "has more than \(Self.limit) entries") }
    if fields.hasEmptyList("allow") {
      fields.report("allow", problem: "is empty", hint: "list networks and names, or leave it out for any")
    }
    allowed = HostFilter(rules: patterns.map(\.rule))
    texts = patterns.map(\.text)
  }
}

/// A network in CIDR form, an address, or a glob over host names.
struct HostPattern: Sendable {
  let text: String
  let rule: HostFilter.Rule
}

extension ScalarType<HostPattern> {
  static var hostPattern: ScalarType {
    ScalarType(
      placeholder: HostPattern(text: "", rule: .glob([])), name: "host pattern",
      range: "a network such as `10.0.0.0/8`, an address, or a name in which `*` and `?` stand for others"
    ) { text throws(Mismatch) in
      guard !text.isEmpty, !text.contains(where: { $0.isWhitespace || $0 == "," }) else {
        throw Mismatch("is neither a host nor a network", hint: "write it like 10.0.0.0/8 or redis-*.internal")
      }
      return HostPattern(text: text, rule: try HostFilter.rule(text))
    }
  }
}
