import Redis

/// The calls of a command by time, on the whole ``LatencyGrid``.
struct CommandLatency: Sendable, Equatable {
  /// Calls that took no longer than each edge; never falling.
  private(set) var cumulative = [Double](repeating: 0, count: LatencyGrid.count)
  private(set) var calls = 0.0
  /// Time of all calls, or nil where it is not known of each of them.
  private(set) var microseconds: Double? = 0

  static let none = CommandLatency()

  private init() {}

  /// The calls of all commands but those that wait by design.
  init(merging latencies: CommandLatencies) {
    for (command, latency) in latencies.entries where !LatencyCommands.isBlocking(command) { add(latency) }
  }

  /// Reads `[calls, n, histogram_usec, [edge, count, …]]`.
  ///
  /// - Returns: nil for another shape, or when there were no calls.
  init?(_ reply: Reply, microseconds: Double?) {
    guard let calls = reply.field("calls")?.double, calls > 0, calls.isFinite,
      let buckets = reply.field("histogram_usec")?.numbers, buckets.count.isMultiple(of: 2)
    else { return nil }
    var reached = 0.0
    var next = 0
    for place in stride(from: 0, to: buckets.count, by: 2) {
      guard let step = LatencyGrid.step(printedAs: buckets[place]) else { continue }
      // Steps that the server left out hold what the one before them holds.
      while next < step {
        cumulative[next] = reached
        next += 1
      }
      reached = max(reached, buckets[place + 1])
    }
    while next < LatencyGrid.count {
      cumulative[next] = reached
      next += 1
    }
    self.calls = max(reached, calls)
    self.microseconds = microseconds
  }

  /// Adds the calls of another command.
  mutating func add(_ other: CommandLatency) {
    for step in cumulative.indices { cumulative[step] += other.cumulative[step] }
    calls += other.calls
    microseconds = if let own = microseconds, let others = other.microseconds { own + others } else { nil }
  }
}
