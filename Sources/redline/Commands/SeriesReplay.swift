import Alerting
import Config
import PromQL
import Runtime

/// A file of series taken into a store sample by sample, with rules evaluated over it as time goes on.
///
/// The file has a series in promtool's notation on each line.
struct SeriesReplay {
  let store = SeriesStore(policy: .everything)
  let start: Int64
  let interval: Int64
  let dialect: Dialect
  private let origin: SeriesOrigin
  private var groups: [GroupState]
  private let evaluator: GroupEvaluator
  private let series: [(labels: Labels, values: [Double?])]
  private let references: [SeriesReference]

  /// How many samples the longest series has.
  var count: Int { series.map(\.values.count).max() ?? 0 }
  var startMilliseconds: Int64 { start * 1000 }
  /// The time of the last sample.
  var endMilliseconds: Int64 { (start + interval * Int64(max(0, count - 1))) * 1000 }

  /// - Parameters:
  ///   - start: seconds since the epoch at which the first sample of each series was taken.
  ///   - interval: seconds between two samples, and between two evaluations of a group that names no interval.
  ///   - rules: files whose groups are evaluated in their order.
  init(_ file: String, start: Int64, interval: Int64, rules: [String], dialect: Dialect) throws {
    (self.start, self.interval, self.dialect) = (start, interval, dialect)
    let text = String(decoding: try readFile(file, limitBytes: Self.sizeLimitBytes), as: UTF8.self)
    series = try text.split(separator: "\n").map {
      let notation = try SeriesNotation(String($0))
      return (notation.labels, notation.values)
    }
    let store = store
    references = try series.map { try store.reference(to: $0.labels) }
    origin = store.openOrigin()
    groups = try rules.flatMap { try RuleFile.load($0, dialect: dialect).groups }.map { GroupState($0) }
    let ruleOrigin = store.openOrigin()
    evaluator = GroupEvaluator(source: store, dialect: dialect) { labels, sample in
      var batch = SeriesBatch()
      batch.append(sample.value, to: try store.reference(to: labels))
      let report = try store.append(
        batch, atMilliseconds: sample.timestampMilliseconds, from: ruleOrigin, isComplete: false)
      guard report.appended == 1 || sample.value.isStalenessMarker else {
        throw EvaluationError("the store refuses a sample", detail: "\(labels)")
      }
    }
  }

  private static let sizeLimitBytes = 1 << 30

  /// Appends all samples, and evaluates every group whenever its interval has passed. Throws when a rule fails.
  mutating func run() throws {
    for index in 0..<count {
      let seconds = interval * Int64(index)
      var batch = SeriesBatch()
      for (one, reference) in zip(series, references) where index < one.values.count {
        if let value = one.values[index] { batch.append(value, to: reference) }
      }
      let now = (start + seconds) * 1000
      // A gap is a gap: no marker shows where it begins, as in a file that Prometheus takes in.
      _ = try store.append(batch, atMilliseconds: now, from: origin, isComplete: false)
      for place in groups.indices {
        let every = groups[place].group.intervalMilliseconds ?? interval * 1000
        if seconds * 1000 % every == 0 { try evaluate(place, at: now) }
      }
    }
  }

  private mutating func evaluate(_ place: Int, at now: Int64) throws {
    evaluator.evaluate(&groups[place], atMilliseconds: now)
    let group = groups[place].group
    for (rule, state) in zip(group.rules, groups[place].rules) {
      if let error = state.lastError {
        throw EvaluationError("rule \(rule.name) of group \(group.name) at \(now / 1000)", detail: error)
      }
    }
  }
}
