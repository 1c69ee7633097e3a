/// What file descriptors are needed for, checked before the first is opened.
///
/// The runtime aborts the process when it cannot open a file of its own, so too few are an error at startup.
public struct DescriptorBudget: Sendable {
  /// For files, the event loops, the database and the runtime.
  public static let spare = 64

  public var limit: Int
  public var webConnections: Int
  public var redisConnections: Int

  public init(limit: Int, webConnections: Int, redisConnections: Int) {
    self.limit = limit
    self.webConnections = webConnections
    self.redisConnections = redisConnections
  }

  /// Nil when the limit suffices, or the sum and what to do.
  public var shortage: String? {
    let needed = webConnections + redisConnections + Self.spare
    guard needed > limit else { return nil }
    return "too few file descriptors: \(webConnections) web connections + \(redisConnections) Redis connections + "
      + "\(Self.spare) spare = \(needed), but the limit is \(limit); raise it (ulimit -Hn \(needed), or LimitNOFILE=\(needed) "
      + "in the systemd unit), or allow fewer web connections"
  }
}
