import Redis

/// A reply to LATENCY HISTOGRAM: the calls of each command that was called.
struct CommandLatencies: Sendable {
  let entries: [(command: String, latency: CommandLatency)]

  /// - Parameter usages: where the time of the calls stands; the reply does not tell.
  /// - Returns: nil for another shape.
  init?(_ reply: Reply, usages: CommandUsages) {
    guard let elements = reply.elements else { return nil }
    var entries: [(command: String, latency: CommandLatency)] = []
    var iterator = elements.makeIterator()
    while let name = iterator.next(), let details = iterator.next() {
      guard let command = name.bytes else { return nil }
      // A command that INFO does not have yet had taken no time when INFO was written.
      let microseconds = usages.isEmpty ? nil : usages.withSubcommands(command)?.microseconds ?? 0
      guard let latency = CommandLatency(details, microseconds: microseconds) else { continue }
      entries.append((String(decoding: command, as: UTF8.self), latency))
    }
    self.entries = entries
  }
}

extension CommandLatencies: SharedReading {
  static func read(_ poll: PollContext) -> CommandLatencies? {
    poll.reply(to: LatencyHistogramCollector.self).flatMap { CommandLatencies($0, usages: poll.usages) }
  }
}

extension PollContext {
  /// nil where LATENCY HISTOGRAM was not answered.
  var latencies: CommandLatencies? { reading(CommandLatencies.self) }
}
