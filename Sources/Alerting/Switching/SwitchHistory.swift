import PromQL

/// A server as Prometheus scrapes it by one of the two exporters.
public struct SwitchTarget: Sendable {
  /// The labels that Prometheus puts on its series.
  public let labels: Labels
  /// What tells the server from all others: two exporters that say the same watch the same one.
  public let runID: String?
  public let isRedline: Bool

  public init(labels: Labels, runID: String?, isRedline: Bool) {
    self.labels = labels
    self.runID = runID
    self.isRedline = isRedline
  }

  /// The labels that Prometheus puts on series of any of them.
  static func labelNames(_ targets: [SwitchTarget]) -> Set<String> {
    targets.reduce(into: ["job", "instance"]) { $0.formUnion($1.labels.pairs.map(\.name)) }
  }

  /// Selects its series.
  public var selector: String {
    let matchers = ["job", "instance"].compactMap { name in
      labels[name].flatMap { try? LabelMatcher(name, .equal, $0) }
    }
    return "{\(matchers.map(\.description).joined(separator: ","))}"
  }
}

/// Samples of one moment and one target, as a scrape brings them.
struct SwitchBatch {
  let milliseconds: Int64
  /// Nil for what is no exporter's of Redis: recorded series, and what other exporters serve.
  let target: Int?
  var samples: [Labels: Double] = [:]
}

/// The past as Prometheus holds it, and the same as it would be had Redline been scraped in redis_exporter's place.
///
/// Where both are scraped, Redline's own samples are taken, with the labels of the target that it replaces; before, and
/// elsewhere, redis_exporter's with the differences that the two pages show.
public struct SwitchHistory: Sendable {
  /// Those of today, then those that are met in the past, such as containers that are gone.
  private(set) var targets: [SwitchTarget]
  private let comparison: SeriesComparison
  private let targetLabels: Set<String>
  /// By job and instance.
  private var places: [String: Int]
  /// By job, whether Redlines alone are scraped by it.
  private let jobs: [String: Bool]
  /// Of Redline's targets, those that they replace, and the other way round.
  private let replaced: [Int: Int]
  private let replacement: [Int: Int]
  /// From when on a Redline's own samples are taken.
  private var beginnings: [Int: Int64] = [:]
  /// The first sample of a redis_exporter.
  private(set) var firstMilliseconds: Int64?
  /// Between two scrapes of a target, as far as is known.
  private(set) var scrapeMilliseconds: Int64 = 15_000

  public init(_ targets: [SwitchTarget], comparison: SeriesComparison) {
    self.targets = targets
    self.comparison = comparison
    targetLabels = SwitchTarget.labelNames(targets)
    jobs = Dictionary(targets.map { ($0.labels["job"] ?? "", $0.isRedline) }) { $0 && $1 }
    var places: [String: Int] = [:]
    var (replaced, replacement): ([Int: Int], [Int: Int]) = ([:], [:])
    for (index, target) in targets.enumerated() {
      places[Self.place(of: target.labels)] = index
      guard target.isRedline, let runID = target.runID,
        let other = targets.firstIndex(where: { !$0.isRedline && $0.runID == runID }), replacement[other] == nil
      else { continue }
      (replaced[index], replacement[other]) = (other, index)
    }
    (self.places, self.replaced, self.replacement) = (places, replaced, replacement)
  }

  /// The target in whose place that of a Redline comes.
  func replaced(by target: Int) -> Int? { replaced[target] }

  private static func place(of labels: Labels) -> String { "\(labels["job"] ?? "")\u{0}\(labels["instance"] ?? "")" }

  /// How many of redis_exporter's targets Redline is scraped beside.
  public var pairedCount: Int { replacement.count }
  /// When the last of the Redlines beside them began to be scraped; nil before any has.
  public var bothSinceMilliseconds: Int64? { beginnings.values.max() }

  /// The samples of a time, for both sides, in the order of time.
  ///
  /// - Parameter after: what is not newer was handed out before.
  mutating func batches(of series: [Series], after: Int64) -> (old: [SwitchBatch], new: [SwitchBatch]) {
    var all: [Key: SwitchBatch] = [:]
    for one in series {
      let target = target(of: one.labels)
      for sample in one.samples where sample.timestampMilliseconds > after {
        let key = Key(milliseconds: sample.timestampMilliseconds, target: target)
        all[key, default: SwitchBatch(milliseconds: key.milliseconds, target: target)].samples[one.labels] =
          sample.value
      }
    }
    let sorted = all.sorted { ($0.key.milliseconds, $0.key.target ?? -1) < ($1.key.milliseconds, $1.key.target ?? -1) }
      .map(\.value)
    for batch in sorted {
      guard let target = batch.target, replaced[target] != nil, beginnings[target] == nil else { continue }
      beginnings[target] = batch.milliseconds
    }
    if let first = sorted.first(where: { $0.target.map { !targets[$0].isRedline } ?? false }) {
      firstMilliseconds = min(firstMilliseconds ?? .max, first.milliseconds)
    }
    let ups = series.lazy.filter { $0.labels[Labels.metricName] == "up" }.compactMap { one in
      zip(one.samples, one.samples.dropFirst()).map { $1.timestampMilliseconds - $0.timestampMilliseconds }.min()
    }
    if let longest = ups.max(), longest > 0 { scrapeMilliseconds = longest }
    let old = sorted.filter { batch in batch.target.map { !targets[$0].isRedline } ?? true }
    return (old, sorted.compactMap(changed))
  }

  /// The target that a series comes from; nil for what is no exporter's of Redis.
  private mutating func target(of series: Labels) -> Int? {
    let place = Self.place(of: series)
    if let known = places[place] { return known }
    guard let name = series[Labels.metricName], name == "up" || comparison.serves(name),
      let isRedline = jobs[series["job"] ?? ""]
    else { return nil }
    let labels = Labels(series.pairs.filter { targetLabels.contains($0.name) })
    targets.append(SwitchTarget(labels: labels, runID: nil, isRedline: isRedline))
    places[place] = targets.count - 1
    return targets.count - 1
  }

  private struct Key: Hashable {
    let milliseconds: Int64
    let target: Int?
  }

  /// A batch as the switch leaves it; nil for one whose place another's takes.
  private func changed(_ batch: SwitchBatch) -> SwitchBatch? {
    guard let target = batch.target else { return batch }
    let labels = targets[target].labels.pairs
    var changed = SwitchBatch(milliseconds: batch.milliseconds, target: target)
    if targets[target].isRedline {
      guard let old = replaced[target] else { return nil }
      for (series, value) in batch.samples {
        changed.samples[Labels(Self.without(labels, series).pairs + targets[old].labels.pairs)] = value
      }
      return changed
    }
    if let other = replacement[target], let beginning = beginnings[other], batch.milliseconds >= beginning {
      return nil
    }
    for (series, value) in batch.samples {
      guard let converted = comparison.converted(Self.without(labels, series)) else { continue }
      changed.samples[Labels(converted.pairs + labels)] = value
    }
    return changed
  }

  private static func without(_ target: [Labels.Pair], _ series: Labels) -> Labels {
    Labels(series.pairs.filter { !target.contains($0) })
  }
}
