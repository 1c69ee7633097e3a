import Runtime

/// The share of time that a server's event loop was busy between two polls, from `eventloop_duration_sum`.
struct EventLoopLoad: Sendable {
  /// Two polls that are closer say little: the sum grows by whole turns of the loop.
  static let shortestSeconds = 0.5

  private var last: (busyMicroseconds: Double, moment: Monotonic)?
  /// 0 to 1; nil before the second poll and after the sum was reset.
  private(set) var ratio: Double?

  /// - Parameters:
  ///   - busyMicroseconds: the sum since the server's start or CONFIG RESETSTAT; nil where the server has none (before 7.2).
  ///   - moment: when it was read, of a clock that only goes forward.
  mutating func note(busyMicroseconds: Double?, at moment: Monotonic) {
    guard let busyMicroseconds else {
      (last, ratio) = (nil, nil)
      return
    }
    guard let before = last, busyMicroseconds >= before.busyMicroseconds else {
      (last, ratio) = ((busyMicroseconds, moment), nil)
      return
    }
    let elapsed = moment - before.moment
    guard elapsed >= Self.shortestSeconds else { return }
    last = (busyMicroseconds, moment)
    // The poll is dated by when it was sent, so a short interval can seem more than full.
    ratio = min(1, (busyMicroseconds - before.busyMicroseconds) / 1e6 / elapsed)
  }

  /// The server was restarted: its counts began at 0.
  mutating func restart() { (last, ratio) = (nil, nil) }
}
