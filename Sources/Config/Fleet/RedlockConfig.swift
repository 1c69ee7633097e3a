/// How clients lock with the servers of a workload: `redlock` of one with topology `redlock`.
public struct RedlockConfig: Sendable, Equatable {
  /// Fewer servers cannot lose one.
  static let leastServers = 3

  /// The longest that a lock is asked for. A server that lost its locks stays away for as long.
  public var maxTTL: Duration

  public init(maxTTL: Duration = .seconds(10)) { self.maxTTL = maxTTL }

  init(_ fields: MappingReader) {
    maxTTL = fields.value(
      "max_ttl", .duration(.extended, .atLeast(.milliseconds(100))), default: RedlockConfig().maxTTL,
      "The longest that a lock is asked for; a server that restarts without its locks should stay away for as long.")
  }
}
