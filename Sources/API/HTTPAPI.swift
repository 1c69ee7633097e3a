import Alerting
import PromQL
import Runtime
import Web

/// Prometheus' HTTP API over what the daemon knows: Grafana, promtool and scripts take Redline for a Prometheus.
///
/// What changes while the daemon runs is asked for by closures at every request.
struct PrometheusAPI: Sendable {
  /// What one request may cost.
  struct Limits: Sendable {
    /// Waiting included. Shorter than the web server's own deadline, which knows no error envelope.
    var seconds = 20.0
    /// Samples read and values computed by one query.
    var samples = 10_000_000
    /// The steps of one range query, as in Prometheus.
    var steps = 11_000
    var answerBytes = 64 << 20
  }

  /// One Alertmanager that gets the alerts.
  struct AlertmanagerTarget: Sendable {
    /// Where alerts are posted, without a password: `http://localhost:9093/api/v2/alerts`.
    var url: String
  }

  /// One server that is polled, as `targets` shows it.
  struct Target: Sendable {
    enum Health: String, Sendable { case unknown, up, down }

    /// Those that its series carry.
    var labels: [String: String]
    /// The job, or the workload.
    var pool: String
    /// Without a password.
    var url: String
    var health: Health
    /// Empty when the last poll was good.
    var lastError = ""
    /// Milliseconds since 1970.
    var lastScrapeMilliseconds: Int64?
    var lastScrapeSeconds = 0.0
    /// Between two polls, and the longest that one may take, in milliseconds.
    var intervalMilliseconds: Int64 = 0
    var timeoutMilliseconds: Int64 = 0
    /// The names of the metric families that it gives now.
    var families = { @Sendable () -> Set<String> in [] }
  }

  /// What is known of a metric family.
  struct Metadata: Sendable {
    var name: String
    /// `counter`, `gauge`, `histogram`, `summary`, `unknown`.
    var type: String
    var help: String
    var unit: String
  }

  /// What the configuration says of queries.
  struct Settings: Sendable {
    var options = QueryOptions()
    var dialect = Dialect.prometheus3
    /// Of rule groups that name none.
    var ruleIntervalMilliseconds: Int64 = 60_000
  }

  let store: SeriesStore
  /// Whether there is anything to tell: while the configuration has neither rules nor a history, all answers are errors.
  var isOn = { @Sendable () -> Bool in true }
  var settings = { @Sendable () -> Settings in Settings() }
  var limits = Limits()
  let groups: @Sendable () -> [GroupState]
  /// Those that get the alerts, and those that were left out.
  var alertmanagers: @Sendable () -> (active: [AlertmanagerTarget], dropped: [AlertmanagerTarget]) = { ([], []) }
  var targets: @Sendable () async -> [Target] = { [] }
  var metadata: [Metadata] = []
  /// Since when the samples of a metric are kept, in milliseconds since 1970: not longer than its history goes, nor than
  /// the daemon and what the last run left are old. The name is empty for what may be any metric. Nil when nothing is missing.
  var heldSinceMilliseconds: @Sendable (_ name: String) -> Int64? = { _ in nil }
  /// When the daemon started, in milliseconds since 1970.
  var startMilliseconds: Int64?
  /// The settings by name; secrets hidden.
  var flags: [String: String] = [:]
  /// The configuration as YAML; secrets hidden.
  var configurationText: @Sendable () async throws -> String = { "" }
  var nowMilliseconds = { @Sendable () -> Int64 in wallClockMilliseconds() }
  let gate: QueryGate
  /// What all that queries may hold together; rules take theirs elsewhere.
  let memory: QueryMemory

  /// - Parameters:
  ///   - gate: shared by all that queries; one for the process, since its threads are.
  ///   - memory: the same.
  init(
    store: SeriesStore, gate: QueryGate = QueryGate(), memory: QueryMemory = QueryMemory(),
    groups: @escaping @Sendable () -> [GroupState]
  ) {
    self.store = store
    self.gate = gate
    self.memory = memory
    self.groups = groups
  }
}
