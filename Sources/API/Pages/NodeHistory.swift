import PromQL
import Runtime
import Web

/// The series of one node as its page shows them, read with PromQL under small limits.
struct NodeHistory: Sendable {
  struct Known: Sendable {
    var figures: [(title: String, series: TimeSeries, note: String)] = []
    /// What the figures cover, up to now.
    var spanSeconds = 0.0
    /// Commands that went to the slow log over the last hour.
    var slowInHour: Double?
    /// Why something is missing that should be there.
    var problem: String?
  }

  /// What the drawings show: the longest of these that the samples fill at least a quarter of.
  static let windowsSeconds = [3600.0, 900, 300]

  /// Of replicas alone: a master may have been one a while ago.
  static let lag = "Lag behind the master"

  let store: SeriesStore
  let namespace: String
  let instance: String
  let now: WallTime
  /// When the server last answered, where what it said is not current: what its samples show after that, such as the rest
  /// of a rate, is nothing that it said.
  let asOf: WallTime?

  /// As ``HistoryReader`` reads them; `%` and `#` are a short and a longer range.
  private static let figures: [Figure] = [
    Figure("Memory", "max($memory_used_bytes@)", .bytes),
    Figure("Memory of maxmemory", "max($memory_used_bytes@) / (max($memory_max_bytes@) > 0)", .ratio),
    Figure("Commands", "max(rate($commands_processed_total@[%]))", .perSecond),
    Figure(
      "Hit ratio",
      "max(rate($keyspace_hits_total@[#])) / (max(rate($keyspace_hits_total@[#])) + max(rate($keyspace_misses_total@[#])) > 0)",
      .ratio),
    Figure("Clients", "max($connected_clients@)", .count),
    Figure(lag, "max($replica_lag_seconds@)", .seconds, isOwn: false),
    Figure(
      "Probe, 99th percentile",
      "histogram_quantile(0.99, sum by (le) (rate($probe_duration_seconds_bucket@[#])))", .seconds, isOwn: false),
  ]

  private struct Figure {
    let title: String
    let query: String
    let unit: TimeSeries.Unit
    /// Whether the server says it itself; a master tells lags, and the daemon times probes, also of one that is down.
    let isOwn: Bool

    init(_ title: String, _ query: String, _ unit: TimeSeries.Unit, isOwn: Bool = true) {
      (self.title, self.query, self.unit, self.isOwn) = (title, query, unit, isOwn)
    }
  }

  func read() async -> Known {
    var known = Known()
    let window = window()
    let ranges = Self.ranges(of: window)
    known.spanSeconds = window
    let step = window / Double(TimeSeries.pointLimit)
    for figure in Self.figures {
      do {
        let text = figure.query.replacing("%", with: "\(Int(ranges.short))s")
          .replacing("#", with: "\(Int(ranges.long))s")
        var points = try series(text, stepSeconds: step)
        if figure.isOwn, let asOf {
          for (index, _) in points.enumerated().reversed() {
            guard now - Double(points.count - 1 - index) * step > asOf else { break }
            points[index] = nil
          }
        }
        if points.contains(where: { $0 != nil }) {
          let note = figure.query.contains("%") ? ranges.short : figure.query.contains("#") ? ranges.long : nil
          known.figures.append(
            (
              figure.title, TimeSeries(points, unit: figure.unit, stepSeconds: step),
              note.map { "over \(TimeSeries.Unit.seconds.words($0))" } ?? ""
            ))
        }
      } catch { known.problem = "\(error)" }
    }
    do { known.slowInHour = try value("max(increase($slowlog_entries_total@[1h]))") } catch {
      known.problem = "\(error)"
    }
    return known
  }

  /// What the last run left has a sample a minute, and a rate needs two.
  private static func ranges(of window: Double) -> (short: Double, long: Double) {
    window == windowsSeconds[0] ? (150, 300) : (60, 60)
  }

  private func window() -> Double {
    Self.windowsSeconds.dropLast().first { window in
      let points = try? series(
        "max($up@) or max($memory_used_bytes@)", stepSeconds: window / Double(TimeSeries.pointLimit))
      return (points?.count { $0 != nil } ?? 0) >= TimeSeries.pointLimit / 4
    } ?? Self.windowsSeconds.last ?? 300
  }

  private var reader: HistoryReader {
    HistoryReader(store: store, namespace: namespace, subject: ("instance", instance), now: now)
  }

  /// Single values are of now, or of when the server last spoke.
  private func vector(_ text: String) throws -> [VectorSample] { try reader.vector(text, at: min(asOf ?? now, now)) }

  private func value(_ text: String) throws -> Double? { try vector(text).first?.value }

  private func series(_ text: String, stepSeconds: Double) throws -> [Double?] {
    try reader.series(text, stepSeconds: stepSeconds)
  }
}
