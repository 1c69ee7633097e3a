import Runtime

/// How fast a count of a server grew between its two newest polls.
struct CountRate: Sendable {
  /// Two polls that are closer say little.
  static let shortestSeconds = 0.5

  private var last: (count: Double, moment: Monotonic)?
  /// nil before the second poll, and after the count began again at 0.
  private(set) var perSecond: Double?

  /// - Parameters:
  ///   - count: since the server's start or CONFIG RESETSTAT; nil where it does not tell.
  ///   - moment: when it was read, of a clock that only goes forward.
  mutating func note(_ count: Double?, at moment: Monotonic) {
    guard let count else {
      (last, perSecond) = (nil, nil)
      return
    }
    guard let before = last, count >= before.count else {
      (last, perSecond) = ((count, moment), nil)
      return
    }
    let elapsed = moment - before.moment
    guard elapsed >= Self.shortestSeconds else { return }
    last = (count, moment)
    perSecond = (count - before.count) / elapsed
  }

  /// The server was restarted: its counts began at 0.
  mutating func restart() { (last, perSecond) = (nil, nil) }
}
