/// Failure counters as they were when the server last named them: newer than what a walk found. Pure.
struct FollowedCircuits: Sendable, Equatable {
  struct Counter: Sendable, Equatable {
    /// nil for one that is gone.
    let failures: Double?
    /// When it expires; nil for never.
    let deadline: Double?
    /// When it was looked up, in seconds of a clock that only goes forward.
    let seconds: Double
  }

  private(set) var counters: [String: Counter] = [:]

  mutating func note(_ service: String, failures: Double?, life: KeyLife?, at now: Double) {
    guard counters[service] != nil || counters.count < CircuitWatch.readLimit else { return }
    var deadline: Double?
    if case .milliseconds(let left)? = life { deadline = now + Double(left) / 1000 }
    counters[service] = Counter(failures: failures, deadline: deadline, seconds: now)
  }

  /// A walk that began then has seen what was before.
  mutating func forget(before seconds: Double) {
    counters = counters.filter { $0.value.seconds >= seconds }
  }

  /// What is newer than a walk, laid over what it found.
  ///
  /// - Parameter began: when the walk did.
  func overlay(_ findings: CircuitWatch.Findings, began: Double, at now: Double) -> CircuitWatch.Findings {
    var findings = findings
    for (service, counter) in counters where counter.seconds >= began {
      let isGone = counter.deadline.map { $0 <= now } ?? false
      findings.failures[service] = isGone ? nil : counter.failures
    }
    return findings
  }
}
