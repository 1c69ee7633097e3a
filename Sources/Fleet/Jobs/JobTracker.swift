import Storage

/// When one job is due, and how its runs went. A pure value; all times are wall-clock seconds since the epoch.
struct JobTracker: Sendable {
  /// The first pause before a failed run is tried again; it doubles, up to the longest.
  static let retrySeconds = 60.0
  static let longestRetrySeconds = 3600.0

  let schedule: JobSchedule
  private(set) var running: Run?
  private(set) var newest: Run?
  private(set) var lastSuccessSeconds: Double?
  private(set) var counts: [JobResult.Outcome: Int] = [:]
  /// Runs since the last success.
  private var failureCount = 0

  struct Run: Sendable, Equatable {
    let startedSeconds: Double
    var endedSeconds: Double?
    var outcome: JobResult.Outcome?
  }

  init(_ schedule: JobSchedule) { self.schedule = schedule }

  /// Takes over what runs of before this process left, the newest first.
  mutating func restore(_ results: [JobResult], lastSuccess: JobResult?) {
    guard let result = results.first else { return }
    newest = Run(
      startedSeconds: Double(result.startedAtMs) / 1000, endedSeconds: Double(result.endedAtMs) / 1000,
      outcome: result.outcome)
    lastSuccessSeconds = lastSuccess.map { Double($0.endedAtMs) / 1000 }
    failureCount = results.prefix { $0.outcome != .succeeded }.count
  }

  /// Whether the newest run did not succeed.
  var isFailing: Bool { failureCount > 0 }

  mutating func begin(at nowSeconds: Double) { running = Run(startedSeconds: nowSeconds) }

  mutating func end(_ outcome: JobResult.Outcome, at nowSeconds: Double) {
    guard var run = running else { return }
    running = nil
    // The clock may have been set back.
    run.endedSeconds = max(run.startedSeconds, nowSeconds)
    run.outcome = outcome
    newest = run
    counts[outcome, default: 0] += 1
    if outcome == .succeeded {
      lastSuccessSeconds = run.endedSeconds
      failureCount = 0
    } else {
      failureCount += 1
    }
  }

  /// When the next run is due; nil for never, or while one runs.
  func due(at nowSeconds: Double) -> Double? {
    guard running == nil else { return nil }
    let planned: Double? =
      switch schedule {
      case .onDemand: nil
      case .every(let seconds): newest.map { $0.startedSeconds + seconds } ?? nowSeconds
      case .daily(let time): Self.next(time, after: newest?.startedSeconds ?? nowSeconds)
      }
    guard let planned, let newest, let endedSeconds = newest.endedSeconds, failureCount > 0 else {
      return planned.map { min($0, nowSeconds + longestWait) }
    }
    let pause = min(Self.retrySeconds * Double(1 << min(failureCount - 1, 10)), Self.longestRetrySeconds)
    return min(planned, endedSeconds + pause, nowSeconds + longestWait)
  }

  /// A result from the future, after a clock that was set back, must not hold the job up for longer than it ever waits.
  private var longestWait: Double {
    switch schedule {
    case .every(let seconds): seconds
    case .daily, .onDemand: 86_400
    }
  }

  private static func next(_ secondsOfDay: Double, after seconds: Double) -> Double {
    let day = (seconds / 86_400).rounded(.down) * 86_400
    return day + secondsOfDay > seconds ? day + secondsOfDay : day + 86_400 + secondsOfDay
  }
}
