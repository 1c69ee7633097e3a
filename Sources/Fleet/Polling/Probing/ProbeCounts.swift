import Metrics

/// What came of all probes of a server.
struct ProbeCounts: Sendable {
  private static let durationBounds = Distribution.Bounds(ProbeFamilies.durationEdges)
  private static let connectBounds = Distribution.Bounds(ProbeFamilies.connectEdges)

  private(set) var durations = Distribution(Self.durationBounds)
  private(set) var connects = Distribution(Self.connectBounds)
  private(set) var failureCount = 0
  /// nil before the first probe has ended.
  private(set) var isAnswered: Bool?

  mutating func note(_ turns: [ProbeSchedule.Ended]) {
    for turn in turns {
      durations.observe(turn.waitSeconds)
      if !turn.isAnswered { failureCount += 1 }
      isAnswered = turn.isAnswered
    }
  }

  mutating func noteConnect(seconds: Double) { connects.observe(seconds) }

  func samples(missedCount: Int, constantLabels: [(name: String, value: LabelValue)]) -> Samples {
    var sink = SampleSink()
    durations.add(to: &sink, as: ProbeFamilies.duration)
    connects.add(to: &sink, as: ProbeFamilies.connect)
    if let isAnswered { sink.add(ProbeFamilies.success, isAnswered ? 1 : 0) }
    sink.add(ProbeFamilies.missed, Double(missedCount))
    sink.add(ProbeFamilies.failures, Double(failureCount))
    return sink.finish(constantLabels: constantLabels)
  }
}
