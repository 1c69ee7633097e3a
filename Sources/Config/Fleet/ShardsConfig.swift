/// The daemons that share the workloads of the file: `shards` of a fleet's file, for those that are started with `--shard`.
public struct ShardsConfig: Sendable, Equatable {
  static let limit = 2 * Shard.limit

  /// In any order: each daemon says itself which shard it is. Of several that are the same shard the first that answers counts.
  public let urls: [HTTPAddress]
  public let login: AlertmanagerConfig.Login?
  /// For `https` addresses; nil for the system's authorities and no client certificate.
  public let tls: TLSConfig?
  /// How long one of them may take for an answer.
  public let timeout: Duration

  init(_ fields: MappingReader) {
    urls = fields.list(
      "urls", of: .httpAddress,
      "Addresses of all daemons that share the file, such as `http://redline-1:9121`; at most \(Self.limit).")
    login = AlertmanagerConfig.login(fields)
    tls = fields.mapping("tls", "TLS to `https` addresses.") { TLSConfig($0) }
    timeout = fields.value(
      "timeout", .duration(.extended, .atLeast(.milliseconds(100))), default: .seconds(2),
      "Time that one of them may take for an answer.")
    if urls.isEmpty { fields.report("urls", problem: "is missing", hint: "list the daemons, or leave shards out") }
    if urls.count > Self.limit { fields.report("urls", problem: "has more than \(Self.limit) entries") }
    if Set(urls).count < urls.count {
      fields.report("urls", problem: "has an address twice", hint: "give each daemon once")
    }
  }
}
