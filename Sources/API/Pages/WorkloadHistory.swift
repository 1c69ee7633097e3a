import Fleet
import PromQL
import Runtime
import Web

/// The series of one workload as its page draws them.
struct WorkloadHistory: Sendable {
  struct Known: Sendable {
    var figures: [WorkloadPage.Figure] = []
    var lanes: [Lane] = []
    var streams: [StreamRow] = []
    var forecast: Forecast?
    /// Why something is missing that should be there.
    var problem: String?
  }

  let reader: HistoryReader
  let span: WorkloadPage.Span
  let traffic: WorkloadTraffic

  private struct Drawing {
    let title: String
    /// `%` is the range of rates.
    let query: String
    let unit: TimeSeries.Unit
    var objective: Double?
  }

  private static let memory = "Memory of maxmemory, the fullest member"

  private var drawings: [Drawing] {
    [
      Drawing(title: "Operations", query: "sum(rate($commands_processed_total@[%]))", unit: .perSecond),
      Drawing(
        title: "Probe, 99th percentile",
        query: "histogram_quantile(0.99, sum by (le) (rate($probe_duration_seconds_bucket@[%])))", unit: .seconds,
        objective: traffic.latencyObjectiveSeconds),
      Drawing(
        title: Self.memory, query: "max($memory_used_bytes@ / ($memory_max_bytes@ > 0))", unit: .ratio,
        objective: traffic.memoryObjectiveRatio),
      Drawing(
        title: "Hit ratio",
        query:
          "sum(rate($keyspace_hits_total@[%])) / (sum(rate($keyspace_hits_total@[%])) + sum(rate($keyspace_misses_total@[%])) > 0)",
        unit: .ratio, objective: traffic.hitRatioObjective),
      Drawing(
        title: "Lag, the worst replica", query: "max($replica_lag_seconds@)", unit: .seconds,
        objective: traffic.lagObjectiveSeconds),
      Drawing(title: "Evictions", query: "sum(rate($evicted_keys_total@[%]))", unit: .perSecond),
      Drawing(title: "Clients", query: "sum($connected_clients@)", unit: .count),
    ]
  }

  func read() async -> Known {
    var known = Known()
    let step = span.seconds / Double(TimeSeries.pointLimit)
    // What the last run left has a sample a minute, and a rate needs two.
    let rangeSeconds = max(150, 2 * step)
    let range = "\(Int(rangeSeconds))s"
    for drawing in drawings {
      do {
        let points = try reader.series(drawing.query.replacing("%", with: range), stepSeconds: step)
        guard points.contains(where: { $0 != nil }) else { continue }
        known.figures.append(
          WorkloadPage.Figure(
            drawing.title, TimeSeries(points, unit: drawing.unit, stepSeconds: step), objective: drawing.objective,
            note: drawing.query.contains("%") ? "over \(TimeSeries.Unit.seconds.words(rangeSeconds))" : ""))
        if drawing.title == Self.memory { known.forecast = Forecast(points, stepSeconds: step, limit: 1) }
      } catch { known.problem = "\(error)" }
    }
    do { known.lanes = try lanes(stepSeconds: step) } catch { known.problem = "\(error)" }
    known.streams = StreamReader(reader).rows()
    return known
  }

  /// When a maintenance window was open, and when alerts fired, the worst of them first.
  private func lanes(stepSeconds step: Double) throws -> [Lane] {
    let window = try reader.series("max($workload_in_maintenance@)", stepSeconds: step)
    let alerts = try reader.allSeries(
      "max by (alertname, severity) (ALERTS{alertstate=\"firing\",severity!=\"none\",\(reader.matcher)})",
      stepSeconds: step)
    let fired = alerts.compactMap { series in
      let level: TopologyPage.Level =
        switch series.labels["severity"] {
        case "critical": .grave
        case "info": .note
        default: .warning
        }
      return Lane(series.labels["alertname"] ?? "", level, of: series.points)
    }
    return [Lane("Maintenance", .note, of: window)].compactMap { $0 }
      + fired.sorted { (-$0.level.rawValue, $0.title) < (-$1.level.rawValue, $1.title) }
  }
}

/// The watched streams of a workload and their groups, as they are now.
struct StreamReader: Sendable {
  private let reader: HistoryReader

  init(_ reader: HistoryReader) { self.reader = reader }

  /// Empty where none is watched, and where nothing is kept of them.
  func rows() -> [StreamRow] {
    var rows: [String: StreamRow] = [:]
    func each(_ family: String, _ labels: String, _ body: (inout StreamRow, Double) -> Void) {
      guard let samples = try? reader.vector("max by (\(labels)) ($\(family)@)", at: reader.now) else { return }
      for sample in samples {
        let (stream, database) = (sample.labels["stream"] ?? "", sample.labels["db"] ?? "")
        let group = sample.labels["group"] ?? ""
        let key = [database, stream, group].map { "\($0.utf8.count):\($0)" }.joined()
        body(&rows[key, default: StreamRow(stream: stream, database: database, group: group)], sample.value)
      }
    }
    let group = "db, stream, group"
    each("stream_group_lag", group) { $0.lag = $1 }
    each("stream_group_lag_seconds", group) { $0.lagSeconds = $1 }
    each("stream_group_messages_pending", group) { $0.pending = $1 }
    each("stream_group_oldest_pending_seconds", group) { $0.oldestPendingSeconds = $1 }
    each("stream_group_consumers", group) { $0.consumers = $1 }
    var lengths: [String: Double] = [:]
    func place(_ row: StreamRow) -> String { "\(row.database.utf8.count):\(row.database)\(row.stream)" }
    let groups = Array(rows.values)
    rows = [:]
    each("stream_length", "db, stream") { row, value in
      row.length = value
      lengths[place(row)] = value
    }
    let named = Set(groups.map(place))
    return groups.map { row in
      var row = row
      row.length = lengths[place(row)]
      return row
    } + rows.values.filter { !named.contains(place($0)) }
  }
}
