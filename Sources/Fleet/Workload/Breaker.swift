import Runtime

/// Keeps a dead node from costing anything: after failures in a row it is left alone but for single tries, further and
/// further apart up to a bound.
///
/// Failures are counted as the circuit pattern has it: each keeps the count for another while, a success deletes it.
/// Times are seconds of any clock that only goes forward.
public struct Breaker: Sendable, Equatable {
  public struct Options: Sendable, Equatable {
    /// Failures that open it.
    public var failureLimit = 5
    /// A pause of this length without a failure forgets those before it.
    public var quietSeconds = 60.0
    /// The wait before the first try; each failed try doubles it.
    public var firstWaitSeconds = 1.0
    /// A node that is back is found within this time and its jitter, so it is short.
    public var longestWaitSeconds = 8.0
    /// The share of the wait by which it is spread, to both sides.
    public var jitterShare = 0.2

    public init() {}
  }

  public enum State: Sendable, Equatable {
    case closed
    /// No try before `untilSeconds`.
    case open(until: Monotonic)
    /// One try is under way.
    case probing
  }

  public let options: Options
  public private(set) var state: State = .closed
  /// Failures that count now.
  public private(set) var failureCount = 0
  /// How often it has opened from closed.
  public private(set) var openedCount = 0
  private var lastFailure = Monotonic.distantPast
  private var waitSeconds = 0.0

  public init(_ options: Options = Options()) { self.options = options }

  public var isOpen: Bool { state != .closed }

  /// Whether the node may be tried now. While open it says yes once per wait, and the caller owes it
  /// ``fail(at:jitter:isRefusal:)`` or ``succeed()``.
  public mutating func mayTry(at now: Monotonic) -> Bool {
    switch state {
    case .closed: return true
    case .open(let until):
      guard now >= until else { return false }
      state = .probing
      return true
    case .probing: return false
    }
  }

  /// When the next try is allowed; nil while closed or trying.
  public var retry: Monotonic? {
    if case .open(let until) = state { until } else { nil }
  }

  /// - Parameters:
  ///   - jitter: 0 to 1, by chance; 0.5 leaves the wait as it is.
  ///   - isRefusal: the server has no connection left, and each further try makes that worse: opens at once.
  public mutating func fail(at now: Monotonic, jitter: Double, isRefusal: Bool = false) {
    if now - lastFailure > options.quietSeconds { failureCount = 0 }
    failureCount = min(failureCount + 1, Int.max - 1)
    lastFailure = now
    switch state {
    case .closed:
      guard isRefusal || failureCount >= options.failureLimit else { return }
      openedCount += 1
      waitSeconds = isRefusal ? options.longestWaitSeconds : options.firstWaitSeconds
    case .probing: waitSeconds = min(waitSeconds * 2, options.longestWaitSeconds)
    // A poll that had begun before it opened.
    case .open: return
    }
    let share = options.jitterShare * (2 * min(max(jitter, 0), 1) - 1)
    state = .open(until: now + waitSeconds * (1 + share))
  }

  public mutating func succeed() {
    state = .closed
    failureCount = 0
    waitSeconds = 0
    lastFailure = .distantPast
  }

  /// Allows a try at once: others say that the node is back, or its configuration changed.
  public mutating func wake(at now: Monotonic) {
    if case .open = state { state = .open(until: now) }
  }
}
