import Config
import Metrics
import Redis
import Runtime

/// What the samples of a workload's keys have told so far: the newest, and panels of earlier ones for what has grown. Pure.
struct KeyspaceTracker: Sendable {
  /// Why a sample did not come about.
  typealias Pause = KeyspaceOverview.Pause

  struct Sample: Sendable {
    let report: KeyspaceReport
    /// How much more memory prefixes take than a while ago.
    let growth: [String: SampledAmount]
    let comparison: KeyspaceOverview.Comparison
  }

  private struct Panel: Sendable {
    let time: WallTime
    let keys: KeyPanel
  }

  private let config: KeyspaceConfig
  private(set) var newest: Sample?
  private(set) var pause: Pause?
  /// Oldest first.
  private var panels: [Panel] = []
  /// The places that samples look at, by stratum.
  private(set) var starts: [String: [UInt64]] = [:]
  private var drawnAt: WallTime?
  /// Whether they were chosen again, and not only at the beginning.
  private var isDrawnAgain = false

  /// Places are chosen again after so long: what was unlucky does not stay so.
  static let drawSeconds = 7.0 * 86_400
  /// Panels that are kept for one growth.
  private static let panelCount = 4.0

  init(_ config: KeyspaceConfig) { self.config = config }

  /// Takes in a sample.
  ///
  /// - Parameter mayKeep: whether there is room for one panel more.
  mutating func note(_ outcome: KeySampleOutcome, _ report: KeyspaceReport, mayKeep: Bool = true) {
    pause = nil
    let now = report.beganAt
    if let drawnAt, now - drawnAt > Self.drawSeconds {
      // From here on there is nothing to compare with for a while.
      (starts, panels, self.drawnAt, isDrawnAgain) = ([:], [], now, true)
    } else {
      starts = outcome.starts
      drawnAt = drawnAt ?? now
    }
    let names = Set(report.estimate.prefixes.map(\.name)).subtracting([KeyspaceEstimate.other])
    let panel = KeyPanel(outcome.sample, prefixes: names)
    let growthSeconds = config.growth.seconds
    var growth: [String: SampledAmount] = [:]
    let earlier = panels.last { now - $0.time >= Self.enough * growthSeconds }
    if let earlier, report.refused.isEmpty {
      for name in names {
        if let change = panel.growth(of: name, since: earlier.keys) { growth[name] = change }
      }
    }
    // One that is older than needed stays until a later one is old enough.
    while panels.count > 1, now - panels[1].time >= Self.enough * growthSeconds { panels.removeFirst() }
    panels.removeAll { now - $0.time > 2 * growthSeconds }
    let isDue = panels.last.map { now - $0.time >= growthSeconds / Self.panelCount } ?? true
    if isDue, !outcome.isCut, mayKeep { panels.append(Panel(time: now, keys: panel)) }
    let comparison: KeyspaceOverview.Comparison =
      if let earlier, !growth.isEmpty { .with(earlier.time) } else { self.comparison(of: panel, report) }
    newest = Sample(report: report, growth: growth, comparison: comparison)
  }

  /// Samples come a little early or late.
  private static let enough = 0.95

  /// Why there is nothing to compare a sample with.
  private func comparison(of panel: KeyPanel, _ report: KeyspaceReport) -> KeyspaceOverview.Comparison {
    guard report.refused.isEmpty else { return .refused }
    let since = panels.first { $0.keys.looksAtTheSame(as: panel) }?.time
    let cause: KeyspaceOverview.Comparison.Cause =
      panels.contains { !$0.keys.looksAtTheSame(as: panel) } ? .otherServers : isDrawnAgain ? .otherPlaces : .first
    return since.map { .begun(since: $0, cause) } ?? .notKept
  }

  mutating func note(_ pause: Pause) { self.pause = pause }

  /// Bytes of panels, about.
  var heldBytes: Int { panels.reduce(0) { $0 + $1.keys.heldBytes } }

  /// The newest, where it is not too old.
  func fresh(at now: WallTime) -> Sample? {
    guard let newest, now - newest.report.beganAt <= 3 * config.interval.seconds + newest.report.tookSeconds else {
      return nil
    }
    return newest
  }

  func add(to sink: inout SampleSink, at now: WallTime) {
    if let pause { sink.add(KeyspaceFamilies.paused, 1, .text(pause.rawValue)) }
    guard let sample = fresh(at: now) else { return }
    let (report, estimate) = (sample.report, sample.report.estimate)
    sink.add(KeyspaceFamilies.sampleKeys, Double(estimate.seenCount))
    sink.add(KeyspaceFamilies.sampleTimestamp, report.beganAt.seconds)
    if let ratio = report.attributedRatio { sink.add(KeyspaceFamilies.attributed, ratio) }
    if let isComplete = report.isComplete { sink.add(KeyspaceFamilies.complete, isComplete ? 1 : 0) }
    if let ratio = estimate.crowdingRatio { sink.add(KeyspaceFamilies.crowding, ratio) }
    for prefix in estimate.prefixes { add(prefix, sample.growth[prefix.name], to: &sink) }
  }

  private func add(_ prefix: KeyspaceEstimate.Prefix, _ growth: SampledAmount?, to sink: inout SampleSink) {
    let name = LabelValue.text(prefix.name)
    sink.add(KeyspaceFamilies.keys, prefix.keys.value, name)
    if let amount = prefix.keysWithoutTTL { sink.add(KeyspaceFamilies.withoutTTL, amount.value, name) }
    if let amount = prefix.memoryBytes { sink.add(KeyspaceFamilies.memory, amount.value, name) }
    if let growth {
      sink.add(KeyspaceFamilies.growth, growth.value, name)
      // What alerts ask for.
      if let lower = growth.lower { sink.add(KeyspaceFamilies.lowerGrowth, lower, name) }
    }
    switch prefix.wave {
    case .unknown: break
    case .none: sink.add(KeyspaceFamilies.peakKeys, 0, name)
    case .coming(let wave) where wave.spanSeconds == 1:
      sink.add(KeyspaceFamilies.peakKeys, wave.keys.value, name)
      sink.add(KeyspaceFamilies.peakRatio, wave.ratio, name)
      sink.add(KeyspaceFamilies.peakTimestamp, Double(wave.timestampSeconds), name)
    // Of minutes far ahead the page tells.
    case .coming: sink.add(KeyspaceFamilies.peakKeys, 0, name)
    }
    guard config.hasIntervals else { return }
    let bounds = [
      (KeyspaceFamilies.lowerKeys, prefix.keys.lower), (KeyspaceFamilies.upperKeys, prefix.keys.upper),
      (KeyspaceFamilies.lowerMemory, prefix.memoryBytes?.lower),
      (KeyspaceFamilies.upperMemory, prefix.memoryBytes?.upper), (KeyspaceFamilies.upperGrowth, growth?.upper),
    ]
    for (family, bound) in bounds {
      if let bound { sink.add(family, bound, name) }
    }
  }
}
