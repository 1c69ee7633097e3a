import Fleet
import PromQL
import Runtime
import Web

/// The series of one workload as its page draws them.
struct WorkloadHistory: Sendable {
  struct Known: Sendable {
    var figures: [WorkloadPage.Figure] = []
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
    let range = "\(Int(max(150, 2 * step)))s"
    for drawing in drawings {
      do {
        let points = try reader.series(drawing.query.replacing("%", with: range), stepSeconds: step)
        guard points.contains(where: { $0 != nil }) else { continue }
        known.figures.append(
          WorkloadPage.Figure(
            drawing.title, TimeSeries(points, unit: drawing.unit, stepSeconds: step), objective: drawing.objective))
        if drawing.title == Self.memory { known.forecast = Forecast(points, stepSeconds: step, limit: 1) }
      } catch { known.problem = "\(error)" }
    }
    return known
  }
}
