/// Counts a server's commands that were slower than an objective, on from one to the next of its histograms, and says how
/// long most of them took.
///
/// The server's own count restarts with each start and each CONFIG RESETSTAT, and the edge moves with the objective;
/// this one only rises.
struct SlowCommands: Sendable {
  /// Calls since the first histogram was seen.
  private(set) var count = 0.0
  /// Within which 99 of 100 calls were done between the two newest histograms; nil where there were none.
  private(set) var p99Seconds: Double?
  private var last: CommandLatency?
  /// Whether the server has ever given a histogram.
  var isKnown: Bool { last != nil }

  /// The step of the grid whose edge is the largest that does not exceed the objective; nil when all do.
  static func step(within objectiveSeconds: Double) -> Int? {
    LatencyGrid.edgeSeconds.lastIndex { $0 <= objectiveSeconds }
  }

  /// - Parameter step: of the grid; slower calls are counted, nil for none.
  mutating func note(_ latency: CommandLatency, beyond step: Int?) {
    defer { last = latency }
    // What the server counted before it was watched belongs to another time.
    guard let last else { return }
    let before = latency.continues(last) ? last : .none
    p99Seconds = latency.quantile(0.99, since: before)
    if let step { count += latency.calls(beyond: step) - before.calls(beyond: step) }
  }

  /// The server was restarted: all that its next histogram holds is new.
  mutating func restart() {
    if last != nil { last = CommandLatency.none }
    p99Seconds = nil
  }
}

extension CommandLatency {
  /// Calls that took longer than the edge of a step.
  func calls(beyond step: Int) -> Double { max(0, calls - cumulative[step]) }

  /// How long the given share of the calls took at most that came after `earlier`, in seconds, within a bucket by its share
  /// as `histogram_quantile` does; nil where there were none. Longer times than the last edge are told as that.
  func quantile(_ share: Double, since earlier: CommandLatency) -> Double? {
    let all = calls - earlier.calls
    guard all > 0 else { return nil }
    var (edge, below) = (0.0, 0.0)
    for (step, upper) in LatencyGrid.edgeSeconds.enumerated() {
      let within = cumulative[step] - earlier.cumulative[step]
      if within >= share * all {
        return within > below ? edge + (upper - edge) * (share * all - below) / (within - below) : upper
      }
      (edge, below) = (upper, within)
    }
    return edge
  }

  /// Whether this can be what became of `earlier` without a reset between them.
  func continues(_ earlier: CommandLatency) -> Bool {
    guard calls >= earlier.calls else { return false }
    var (below, earlierBelow) = (0.0, 0.0)
    for (now, then) in zip(cumulative, earlier.cumulative) {
      // Bucket by bucket, as sums over them may hide one that fell.
      guard now - below >= then - earlierBelow else { return false }
      (below, earlierBelow) = (now, then)
    }
    return true
  }
}
