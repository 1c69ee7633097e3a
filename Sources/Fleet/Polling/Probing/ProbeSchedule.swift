import Runtime

/// When a server is probed, and how long each turn had to wait. Pure: the clock is the caller's.
///
/// Turns come at fixed times, whatever became of those before. A turn that comes while a probe is under way sends
/// nothing, but counts: it waits for the next answer, as a client's request at that time would have. Otherwise a server
/// that hangs for ten seconds would show as one slow probe instead of ten (coordinated omission, as Gil Tene named it).
/// No turn waits longer than the timeout; one that fails counts as the whole timeout, as it may have been refused at once.
public struct ProbeSchedule: Sendable {
  /// A turn that is over.
  public struct Ended: Sendable, Equatable {
    /// What is to be observed, from 0 to the timeout.
    public let waitSeconds: Double
    public let isAnswered: Bool

    public init(waitSeconds: Double, isAnswered: Bool) {
      (self.waitSeconds, self.isAnswered) = (waitSeconds, isAnswered)
    }
  }

  let intervalSeconds: Double
  let timeoutSeconds: Double
  private let start: Monotonic
  /// The number of the turn that comes next.
  private var next = 0
  /// When the turns were due that sent nothing and still wait, oldest first; no more than fit into the timeout.
  private var waiting: [Monotonic] = []
  /// Whether a probe is under way.
  private(set) var isUnderWay = false
  /// Turns that sent nothing.
  private(set) var missedCount = 0

  /// - Parameter start: when the first turn is due.
  public init(start: Monotonic, intervalSeconds: Double, timeoutSeconds: Double) {
    precondition(intervalSeconds > 0 && timeoutSeconds > 0)
    self.start = start
    self.intervalSeconds = intervalSeconds
    self.timeoutSeconds = timeoutSeconds
  }

  /// When the next turn is due.
  public var nextTurn: Monotonic { start + Double(next) * intervalSeconds }

  /// Takes the turns that are due.
  ///
  /// Turns that the caller itself slept through are counted as missed but tell nothing of the server, unless a probe was
  /// under way all the time.
  /// - Parameter mayTry: whether a probe may be sent.
  /// - Returns: whether to send one now; the caller then owes ``answer(afterSeconds:at:)`` or ``fail(at:)``.
  public mutating func takeTurn(at now: Monotonic, mayTry: Bool) -> Bool {
    guard now >= nextTurn else { return false }
    let newest = max(next, Int(clamping: ((now - start) / intervalSeconds).rounded(.down)))
    let sleptThroughCount = newest - next
    missedCount += sleptThroughCount
    if isUnderWay {
      // Those before would have ended by now.
      let known = max(next, newest - Int(clamping: timeoutSeconds / intervalSeconds) - 1)
      for turn in known..<newest { waiting.append(start + Double(turn) * intervalSeconds) }
    }
    let due = start + Double(newest) * intervalSeconds
    next = newest + 1
    guard !isUnderWay, mayTry else {
      missedCount += 1
      waiting.append(due)
      return false
    }
    isUnderWay = true
    return true
  }

  /// The probe was answered: so are all turns that wait.
  ///
  /// - Parameter roundTripSeconds: from when the probe was written, without the time for a connection.
  public mutating func answer(afterSeconds roundTripSeconds: Double, at now: Monotonic) -> [Ended] {
    isUnderWay = false
    var ended = expire(at: now)
    ended += waiting.map { Ended(waitSeconds: max(0, now - $0), isAnswered: true) }
    waiting = []
    ended.append(Ended(waitSeconds: min(max(0, roundTripSeconds), timeoutSeconds), isAnswered: true))
    return ended
  }

  /// The probe failed. Turns that wait go on waiting.
  public mutating func fail(at now: Monotonic) -> [Ended] {
    isUnderWay = false
    return expire(at: now) + [Ended(waitSeconds: timeoutSeconds, isAnswered: false)]
  }

  /// Ends the turns that have waited for the whole timeout.
  public mutating func expire(at now: Monotonic) -> [Ended] {
    let count = waiting.prefix { now - $0 >= timeoutSeconds }.count
    waiting.removeFirst(count)
    return Array(repeating: Ended(waitSeconds: timeoutSeconds, isAnswered: false), count: count)
  }
}
