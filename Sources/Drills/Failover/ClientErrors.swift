import Redis
import Runtime

/// What clients met while they wrote, by kind and by server.
struct ClientErrors: Sendable, Equatable {
  struct Key: Sendable, Hashable {
    let kind: String
    /// The server; empty for none in particular.
    let node: NodeName
  }

  /// Kinds that are counted by name; every other error of a server is `other`.
  static let known: Set<String> = [
    "READONLY", "MOVED", "ASK", "CLUSTERDOWN", "TRYAGAIN", "LOADING", "MASTERDOWN", "NOREPLICAS", "OOM", "UNBLOCKED",
    "MISCONF", "NOPERM", "NOAUTH", "WRONGPASS", "BUSY",
  ]
  static let limit = 500

  private(set) var counts: [Key: Int] = [:]
  /// When the first and the last were met.
  private(set) var first: Monotonic?
  private(set) var last: Monotonic?

  mutating func note(_ kind: String, at node: NodeName, _ moment: Monotonic) {
    let key = Key(kind: kind, node: node)
    guard counts[key] != nil || counts.count < Self.limit else { return }
    counts[key, default: 0] += 1
    first = first ?? moment
    last = moment
  }

  mutating func add(_ other: ClientErrors) {
    for (key, count) in other.counts { counts[key, default: 0] += count }
    first = [first, other.first].compactMap { $0 }.min()
    last = [last, other.last].compactMap { $0 }.max()
  }

  var total: Int { counts.values.reduce(0, +) }

  func count(_ kind: String) -> Int { counts.filter { $0.key.kind == kind }.values.reduce(0, +) }
  func count(_ kind: String, at node: NodeName) -> Int { counts[Key(kind: kind, node: node)] ?? 0 }

  /// The kind of an error reply.
  static func kind(of reply: Reply) -> String {
    let code = reply.errorCode ?? ""
    if known.contains(code) { return code }
    return code == "UNKILLABLE" ? "BUSY" : "other"
  }

  /// The kind of a failure to reach a server, or to hear from it.
  static func kind(of error: RedisError) -> String {
    switch error.errorClass {
    case .timeout: "timeout"
    case .closed: "closed"
    case .connect, .dns, .tls: "refused"
    case .loading: "LOADING"
    case .auth, .credentialsWithheld: "WRONGPASS"
    case .permission: "NOPERM"
    default: "other"
    }
  }
}
