import Runtime

/// The share of time that a server's event loop was busy between two polls, from `eventloop_duration_sum`.
struct EventLoopLoad: Sendable {
  private var rate = CountRate()

  /// 0 to 1; nil before the second poll and after the sum was reset. The poll is dated by when it was sent, so a short
  /// interval can seem more than full.
  var ratio: Double? { rate.perSecond.map { min(1, $0 / 1e6) } }

  /// - Parameters:
  ///   - busyMicroseconds: the sum since the server's start or CONFIG RESETSTAT; nil where the server has none (before 7.2).
  ///   - moment: when it was read, of a clock that only goes forward.
  mutating func note(busyMicroseconds: Double?, at moment: Monotonic) { rate.note(busyMicroseconds, at: moment) }

  /// The server was restarted: its counts began at 0.
  mutating func restart() { rate.restart() }
}
