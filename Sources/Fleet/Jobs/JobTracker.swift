import Runtime
import Storage

/// When one job is due, and how its runs went. A pure value.
struct JobTracker: Sendable {
  /// The first pause before a failed run is tried again; it doubles, up to the longest.
  static let retrySeconds = 60.0
  static let longestRetrySeconds = 3600.0

  let schedule: JobSchedule
  private(set) var running: Run?
  private(set) var newest: Run?
  private(set) var lastSuccess: WallTime?
  private(set) var counts: [JobResult.Outcome: Int] = [:]
  /// Runs since the last success.
  private var failureCount = 0

  struct Run: Sendable, Equatable {
    let started: WallTime
    var ended: WallTime?
    var outcome: JobResult.Outcome?
  }

  init(_ schedule: JobSchedule) { self.schedule = schedule }

  /// Takes over what runs of before this process left, the newest first.
  mutating func restore(_ results: [JobResult], lastSuccess: JobResult?) {
    guard let result = results.first else { return }
    newest = Run(
      started: WallTime(epochMs: result.startedAtMs), ended: WallTime(epochMs: result.endedAtMs),
      outcome: result.outcome)
    self.lastSuccess = lastSuccess.map { WallTime(epochMs: $0.endedAtMs) }
    failureCount = results.prefix { $0.outcome != .succeeded }.count
  }

  /// Whether the newest run did not succeed.
  var isFailing: Bool { failureCount > 0 }

  mutating func begin(at now: WallTime) { running = Run(started: now.toMilliseconds) }

  mutating func end(_ outcome: JobResult.Outcome, at now: WallTime) {
    guard var run = running else { return }
    running = nil
    // The clock may have been set back.
    run.ended = max(run.started, now.toMilliseconds)
    run.outcome = outcome
    newest = run
    counts[outcome, default: 0] += 1
    if outcome == .succeeded {
      lastSuccess = run.ended
      failureCount = 0
    } else {
      failureCount += 1
    }
  }

  /// When the next run is due; nil for never, or while one runs.
  func due(at now: WallTime) -> WallTime? {
    guard running == nil else { return nil }
    let planned: WallTime? =
      switch schedule {
      case .onDemand: nil
      case .every(let seconds): newest.map { $0.started + seconds } ?? now
      case .daily(let time): Self.next(time, after: newest?.started ?? now)
      }
    guard let planned, let newest, let ended = newest.ended, failureCount > 0 else {
      return planned.map { min($0, now + longestWait) }
    }
    let pause = min(Self.retrySeconds * Double(1 << min(failureCount - 1, 10)), Self.longestRetrySeconds)
    return min(planned, ended + pause, now + longestWait)
  }

  /// A result from the future, after a clock that was set back, must not hold the job up for longer than it ever waits.
  private var longestWait: Double {
    switch schedule {
    case .every(let seconds): seconds
    case .daily, .onDemand: 86_400
    }
  }

  private static func next(_ secondOfDay: Double, after moment: WallTime) -> WallTime {
    let today = WallTime(seconds: (moment.seconds / 86_400).rounded(.down) * 86_400 + secondOfDay)
    return today > moment ? today : today + 86_400
  }
}
