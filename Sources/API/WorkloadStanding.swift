import Alerting
import Fleet
import PromQL

/// An alert that fires for a workload.
struct WorkloadAlert: Sendable {
  let name: String
  /// As its rule says; empty for none.
  let severity: String
  let group: CheckGroup
  /// The label `instance`; nil where it is about no single server.
  let instance: String?
  /// Since when it fires, in seconds since the epoch.
  let sinceSeconds: Double
  let summary: String

  /// The label by which a rule says that it is about how a workload is set up, not about how it serves.
  static let postureLabel = "posture"

  /// The state that it brings its workload to.
  var health: Health { group == .posture ? .healthy : Self.health(severity) }

  fileprivate static func health(_ severity: String) -> Health {
    switch severity {
    case "critical": .critical
    case "warning": .degraded
    default: .healthy
    }
  }
}

/// How a workload stands by its checks and by the alerts of it that fire. The start page, the pages of nodes and
/// `/api/v1/fleet` are filled from it.
struct WorkloadStanding: Sendable {
  /// What its checks say, and its members.
  let overview: WorkloadOverview
  /// The worst first.
  let alerts: [WorkloadAlert]
  /// The worse of what the checks say and of what the alerts come to.
  let state: Health
  /// When the oldest cause of that state began, or when the last worse alert ended; in seconds since the epoch.
  let sinceSeconds: Double

  /// - Parameter alerts: those with its name in the label `workload`, resolved ones as well.
  init(_ overview: WorkloadOverview, _ alerts: [Alert]) {
    self.overview = overview
    let firing = alerts.filter { $0.state == .firing }.map { WorkloadAlert($0) }
    self.alerts = firing.sorted { ($1.health, $0.sinceSeconds, $0.name) < ($0.health, $1.sinceSeconds, $1.name) }
    let state = max(overview.health, firing.map(\.health).max() ?? .healthy)
    self.state = state
    let causes =
      firing.filter { $0.health == state && state > .healthy }.map(\.sinceSeconds)
      + (overview.health == state ? [overview.healthSinceSeconds] : [])
    let ended = alerts.filter { WorkloadAlert($0).health > state }.compactMap(\.resolvedAtMilliseconds).max()
    sinceSeconds = max(causes.min() ?? overview.healthSinceSeconds, ended.map { Double($0) / 1000 } ?? 0)
  }
}

extension WorkloadAlert {
  fileprivate init(_ alert: Alert) {
    name = alert.labels["alertname"] ?? ""
    severity = alert.labels["severity"] ?? ""
    group = alert.labels[Self.postureLabel] == "true" ? .posture : .health
    instance = alert.labels["instance"]
    sinceSeconds = Double(alert.firedAtMilliseconds ?? alert.activeAtMilliseconds) / 1000
    summary = alert.annotations["summary"] ?? ""
  }
}

/// The workloads of the daemon with what is judged of them.
public struct FleetView: Sendable {
  private let overviews: @Sendable () async -> [WorkloadOverview]
  /// What every check says of each workload, in the order of their names.
  let results: @Sendable () async -> [CheckResult]
  private let groups: @Sendable () -> [GroupState]

  /// - Parameter groups: the rules as they stand now; none where no rules are evaluated.
  public init(_ fleet: Fleet, groups: @escaping @Sendable () -> [GroupState]) {
    self.init(overviews: { await fleet.overview() }, results: { await fleet.checkResults() }, groups: groups)
  }

  init(
    overviews: @escaping @Sendable () async -> [WorkloadOverview],
    results: @escaping @Sendable () async -> [CheckResult] = { [] },
    groups: @escaping @Sendable () -> [GroupState]
  ) {
    self.overviews = overviews
    self.results = results
    self.groups = groups
  }

  /// How each workload stands now, in the order of their names.
  func workloads() async -> [WorkloadStanding] {
    let alerts = Dictionary(grouping: groups().flatMap(\.rules).flatMap(\.tracker.all)) { $0.labels["workload"] ?? "" }
    return await overviews().map { WorkloadStanding($0, alerts[$0.name] ?? []) }
  }
}
