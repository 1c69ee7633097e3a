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

  /// Places that samples look at, and what was found there.
  private struct Places: Sendable {
    /// By stratum; none before the first sample.
    var starts: [String: [UInt64]] = [:]
    let drawnAt: WallTime
    /// Oldest first.
    var panels: [Panel] = []

    /// The newest that is old enough to say what has grown since.
    func earlier(_ now: WallTime, _ growthSeconds: Double) -> Panel? {
      panels.last { now - $0.time >= KeyspaceTracker.enough * growthSeconds }
    }

    mutating func keep(_ panel: KeyPanel, at now: WallTime, _ growthSeconds: Double) {
      let isDue = panels.last.map { now - $0.time >= growthSeconds / KeyspaceTracker.panelCount } ?? true
      if isDue { panels.append(Panel(time: now, keys: panel)) }
    }

    mutating func trim(_ now: WallTime, _ growthSeconds: Double) {
      // One that is older than needed stays until a later one is old enough.
      while panels.count > 1, now - panels[1].time >= KeyspaceTracker.enough * growthSeconds { panels.removeFirst() }
      panels.removeAll { now - $0.time > 2 * growthSeconds }
    }

    var heldBytes: Int { panels.reduce(0) { $0 + $1.keys.heldBytes } }
  }

  private let config: KeyspaceConfig
  private(set) var newest: Sample?
  private(set) var pause: Pause?
  private var places: Places?
  /// Those of the week to come: both are looked at until these have something of yesterday, too.
  private var nextPlaces: Places?
  /// Whether places changed without that.
  private var isDrawnAgain = false

  /// Places are chosen again after so long: what was unlucky does not stay so.
  static let drawSeconds = 7.0 * 86_400
  /// Panels that are kept for one growth.
  private static let panelCount = 4.0

  init(_ config: KeyspaceConfig) { self.config = config }

  /// The places that samples look at, by stratum; none where they are still to be chosen.
  var starts: [String: [UInt64]] { places?.starts ?? [:] }
  /// Where a second sample is to look; nil where none is due.
  var nextStarts: [String: [UInt64]]? { nextPlaces?.starts }

  /// Takes in a sample.
  ///
  /// - Parameter mayKeep: whether there is room for one panel more.
  mutating func note(_ outcome: KeySampleOutcome, _ report: KeyspaceReport, mayKeep: Bool = true) {
    pause = nil
    let now = report.beganAt
    let growthSeconds = config.growth.seconds
    var places = self.places ?? Places(drawnAt: now)
    places.starts = outcome.starts
    let names = Set(report.estimate.prefixes.map(\.name)).subtracting([KeyspaceEstimate.other])
    let panel = KeyPanel(outcome.sample, prefixes: names)
    var growth: [String: SampledAmount] = [:]
    let earlier = places.earlier(now, growthSeconds)
    if let earlier, report.refused.isEmpty {
      for name in names {
        if let change = panel.growth(of: name, since: earlier.keys) { growth[name] = change }
      }
    }
    places.trim(now, growthSeconds)
    if !outcome.isCut, mayKeep { places.keep(panel, at: now, growthSeconds) }
    self.places = places
    let comparison: KeyspaceOverview.Comparison =
      if let earlier, !growth.isEmpty { .with(earlier.time) } else { self.comparison(of: panel, report) }
    newest = Sample(report: report, growth: growth, comparison: comparison)
    drawIfDue(now, growthSeconds)
  }

  /// Takes in a sample of the places of the week to come.
  mutating func note(next outcome: KeySampleOutcome, _ report: KeyspaceReport, mayKeep: Bool = true) {
    guard var places = nextPlaces else { return }
    let now = report.beganAt
    places.starts = outcome.starts
    let names = Set(report.estimate.prefixes.map(\.name)).subtracting([KeyspaceEstimate.other])
    places.trim(now, config.growth.seconds)
    if !outcome.isCut, mayKeep {
      places.keep(KeyPanel(outcome.sample, prefixes: names), at: now, config.growth.seconds)
    }
    nextPlaces = places
  }

  /// Chooses new places once a week, and goes over to them when they can be compared with yesterday.
  private mutating func drawIfDue(_ now: WallTime, _ growthSeconds: Double) {
    if let next = nextPlaces {
      let isReady = next.earlier(now, growthSeconds) != nil
      // Without room for their panels there is nothing to wait for.
      guard isReady || now - next.drawnAt > 2 * growthSeconds else { return }
      (places, nextPlaces, isDrawnAgain) = (next, nil, !isReady)
    } else if let places, now - places.drawnAt > max(Self.drawSeconds, 2 * growthSeconds) {
      // Where each key is looked at, nothing is chosen.
      if places.starts.isEmpty {
        self.places = Places(drawnAt: now, panels: places.panels)
      } else {
        nextPlaces = Places(drawnAt: now)
      }
    }
  }

  /// Samples come a little early or late.
  private static let enough = 0.95

  /// Why there is nothing to compare a sample with.
  private func comparison(of panel: KeyPanel, _ report: KeyspaceReport) -> KeyspaceOverview.Comparison {
    guard report.refused.isEmpty else { return .refused }
    let panels = places?.panels ?? []
    if let last = panels.last, last.keys.looksAtTheSame(as: panel),
      panel.prefixes.contains(where: { panel.mayHaveFound($0, since: last.keys) })
    {
      return .begun(since: report.beganAt, .census)
    }
    let since = panels.first { $0.keys.looksAtTheSame(as: panel) }?.time
    let cause: KeyspaceOverview.Comparison.Cause =
      panels.contains { !$0.keys.looksAtTheSame(as: panel) } ? .otherServers : isDrawnAgain ? .otherPlaces : .first
    return since.map { .begun(since: $0, cause) } ?? .notKept
  }

  mutating func note(_ pause: Pause) { self.pause = pause }

  /// Bytes of panels, about.
  var heldBytes: Int { (places?.heldBytes ?? 0) + (nextPlaces?.heldBytes ?? 0) }

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
