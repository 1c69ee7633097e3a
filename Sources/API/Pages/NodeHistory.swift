import PromQL
import Runtime
import Web

/// The series of one node as its page shows them, read with PromQL under small limits.
struct NodeHistory: Sendable {
  struct Known: Sendable {
    var figures: [(title: String, series: TimeSeries)] = []
    var uptimeSeconds: Double?
    var slowLog: NodePage.SlowLog?
    var clients: [NodePage.ClientName] = []
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

  /// `$` is the namespace and its underline, `@` the matcher of the instance; `%` and `#` are a short and a longer range.
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
    let step = window / Double(TimeSeries.pointLimit)
    for figure in Self.figures {
      do {
        let text = figure.query.replacing("%", with: Self.range(of: window).short)
          .replacing("#", with: Self.range(of: window).long)
        var points = try series(text, stepSeconds: step)
        if figure.isOwn, let asOf {
          for (index, _) in points.enumerated().reversed() {
            guard now - Double(points.count - 1 - index) * step > asOf else { break }
            points[index] = nil
          }
        }
        if points.contains(where: { $0 != nil }) {
          known.figures.append((figure.title, TimeSeries(points, unit: figure.unit, stepSeconds: step)))
        }
      } catch { known.problem = "\(error)" }
    }
    do {
      known.uptimeSeconds = try value("max($uptime_in_seconds@)")
      var log = NodePage.SlowLog()
      log.entryCount = try value("max($slowlog_length@)")
      log.newestDurationSeconds = try value("max($last_slow_execution_duration_seconds@)")
      log.newestSeconds = try value("max($last_slow_execution_timestamp_seconds@)")
      log.addedInHour = try value("max(increase($slowlog_entries_total@[1h]))")
      known.slowLog = log.entryCount == nil ? nil : log
      known.clients = try vector("max by (name) ($client_connections_by_name@)").map {
        NodePage.ClientName($0.labels["name"] ?? "", count: $0.value)
      }
    } catch { known.problem = "\(error)" }
    return known
  }

  /// What the last run left has a sample a minute, and a rate needs two.
  private static func range(of window: Double) -> (short: String, long: String) {
    window == windowsSeconds[0] ? ("150s", "5m") : ("1m", "1m")
  }

  private func window() -> Double {
    Self.windowsSeconds.dropLast().first { window in
      let points = try? series(
        "max($up@) or max($memory_used_bytes@)", stepSeconds: window / Double(TimeSeries.pointLimit))
      return (points?.count { $0 != nil } ?? 0) >= TimeSeries.pointLimit / 4
    } ?? Self.windowsSeconds.last ?? 300
  }

  private var options: QueryOptions {
    var options = QueryOptions()
    // Longer than most polls are apart, and short enough for a gap to be seen as one.
    options.lookbackMilliseconds = 60_000
    options.limits.samples = 2_000_000
    options.limits.seconds = 2
    return options
  }

  private var nowMilliseconds: Int64 { now.epochMs }

  private func query(_ text: String) throws -> Query {
    let prefix = namespace.isEmpty ? "" : "\(namespace)_"
    let matcher = "{instance=\(Self.quoted(instance))}"
    return try Query(text.replacing("$", with: prefix).replacing("@", with: matcher))
  }

  /// A PromQL string.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// Single values are of now, or of when the server last spoke.
  private var askedMilliseconds: Int64 { min(asOf ?? now, now).epochMs }

  private func vector(_ text: String) throws -> [VectorSample] {
    let result = try query(text).value(atMilliseconds: askedMilliseconds, in: store, options: options)
    guard case .vector(let samples) = result.value else { return [] }
    return samples
  }

  private func value(_ text: String) throws -> Double? { try vector(text).first?.value }

  /// One value for each step of the window; nil where there is none.
  private func series(_ text: String, stepSeconds: Double) throws -> [Double?] {
    let step = Int64(clamping: stepSeconds * 1000)
    let count = TimeSeries.pointLimit
    let start = nowMilliseconds - Int64(count - 1) * step
    let result = try query(text).values(
      fromMilliseconds: start, throughMilliseconds: nowMilliseconds, stepMilliseconds: step, in: store,
      options: options)
    var points = [Double?](repeating: nil, count: count)
    guard case .matrix(let all) = result.value, let first = all.first else { return points }
    for sample in first.samples where !sample.isStale {
      let index = Int((sample.timestampMilliseconds - start) / step)
      if points.indices.contains(index) { points[index] = sample.value }
    }
    return points
  }
}
