import Runtime

/// One series over the span of a report.
struct ReportSeries: Sendable {
  struct Point: Sendable, Equatable {
    let at: Double
    let value: Double
  }

  let labels: [String: String]
  /// Oldest first, with finite values.
  let points: [Point]

  init(labels: [String: String] = [:], points: [Point]) {
    self.labels = labels
    self.points = points.filter { $0.value.isFinite }
  }

  /// By how much a counter rose: from one point to the next, and from 0 where its value fell.
  ///
  /// - Parameter countsFirst: whether the counter began in the span, so that its first value is all of the span.
  func rise(countsFirst: Bool) -> Double {
    var total = 0.0
    var last: Double?
    for point in points {
      if let last {
        total += point.value >= last ? point.value - last : point.value
      } else if countsFirst {
        total += point.value
      }
      last = point.value
    }
    return total
  }

  func within(_ span: ReportSpan) -> ReportSeries {
    ReportSeries(
      labels: labels,
      points: points.filter { $0.at >= span.from.seconds - Self.tolerance && $0.at <= span.to.seconds + Self.tolerance }
    )
  }

  /// What a counter is followed by in a span: with its value when that began.
  func counted(in span: ReportSpan) -> ReportSeries {
    let begin = span.from.seconds + Self.tolerance
    let before = points.last { $0.at <= begin }
    return ReportSeries(
      labels: labels, points: (before.map { [$0] } ?? []) + within(span).points.filter { $0.at > begin })
  }

  func isThere(atBeginOf span: ReportSpan) -> Bool {
    points.first.map { $0.at <= span.from.seconds + Self.tolerance } ?? false
  }

  /// Times are told in milliseconds.
  private static let tolerance = 0.001

  var highest: Point? { points.max { $0.value < $1.value } }
  var lowest: Point? { points.min { $0.value < $1.value } }

  /// The newest value at or before a time.
  func value(at seconds: Double) -> Double? { points.last { $0.at <= seconds }?.value }

  /// Values on a grid for a drawing; nil where there is none within half a step.
  func grid(_ span: ReportSpan, count: Int) -> [Double?] {
    let step = span.seconds / Double(max(1, count - 1))
    var values = [Double?](repeating: nil, count: count)
    for point in points {
      let index = Int(clamping: ((point.at - span.from.seconds) / step).rounded())
      if values.indices.contains(index) { values[index] = max(values[index] ?? point.value, point.value) }
    }
    return values
  }
}

/// What is read of the series that are kept. In queries `$` is the namespace with its underline, `@` the matchers of the
/// workload in braces, `&` the same without, and `%` the range of rates.
enum ReportMeasure: String, Sendable, CaseIterable {
  case up, probes, probeFailures, probesNotSent, refusals, rejected, evicted, hits, misses, clients, connections
  case operations, latency, memoryRatio, memoryBytes, memoryLimit, hitRatio, lag, clientLimit, clientTotal
  case inPeak, latencyObjective, memoryObjective, hitRatioObjective, lagObjective, evictionsAllowed
  case slowCalls, slowEdge, slowLogEntries

  /// The reasons for which a server refuses a command or a write.
  static let refusalKinds = [
    "READONLY", "OOM", "MISCONF", "NOREPLICAS", "CLUSTERDOWN", "MASTERDOWN", "LOADING", "BUSY",
  ]

  var query: String {
    switch self {
    case .up: "max by (instance) ($up@)"
    case .probes: "max by (instance) ($probe_duration_seconds_count@)"
    case .probeFailures: "max by (instance) ($probe_failures_total@)"
    case .probesNotSent: "max by (instance) ($probe_missed_total@)"
    case .refusals: "max by (instance, err) ($errors_total@)"
    case .rejected: "max by (instance) ($rejected_connections_total@)"
    case .evicted: "max by (instance) ($evicted_keys_total@)"
    case .hits: "max by (instance) ($keyspace_hits_total@)"
    case .misses: "max by (instance) ($keyspace_misses_total@)"
    case .clients: "max by (instance) ($connected_clients@)"
    case .connections: "max by (instance) ($connections_received_total@)"
    case .operations: "sum(max by (instance) (rate($commands_processed_total@[%])))"
    case .latency: "histogram_quantile(0.99, sum by (le) (rate($probe_duration_seconds_bucket@[%])))"
    case .memoryRatio: "max($memory_used_bytes@ / ($memory_max_bytes@ > 0))"
    case .memoryBytes: Self.ofMasters("memory_used_bytes")
    case .memoryLimit: Self.ofMasters("memory_max_bytes")
    case .hitRatio: "max($workload_hit_ratio@)"
    case .lag: "max($replica_lag_seconds@)"
    case .clientLimit: "min(max by (instance) ($max_clients@))"
    case .clientTotal: "sum(max by (instance) ($connected_clients@))"
    case .inPeak: "max($workload_in_peak@)"
    case .latencyObjective: "min($objective_latency_p99_seconds@)"
    case .memoryObjective: "min($objective_memory_used_ratio@)"
    case .hitRatioObjective: "max($objective_hit_ratio@)"
    case .lagObjective: "min($objective_replication_lag_seconds@)"
    case .evictionsAllowed: "min($objective_evictions_allowed@)"
    case .slowCalls: "max by (instance) ($commands_slower_than_objective_total@)"
    case .slowEdge: "min($commands_slower_than_objective_edge_seconds@)"
    case .slowLogEntries: "max by (instance) ($slowlog_entries_total@)"
    }
  }

  private static func ofMasters(_ family: String) -> String {
    "sum(max by (instance) ($\(family)@) and on (instance) (max by (instance) ($instance_role{role=\"master\",&}) == 1))"
  }
}
