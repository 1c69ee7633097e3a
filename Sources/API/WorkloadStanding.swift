import Alerting
import Fleet
import PromQL
import Runtime

/// An alert that fires for a workload.
struct WorkloadAlert: Sendable {
  let name: String
  /// As its rule says; empty for none.
  let severity: String
  let group: CheckGroup
  /// The label `instance`; nil where it is about no single server.
  let instance: String?
  /// Since when it fires.
  let since: WallTime
  let summary: String
  /// Its labels that say what it is about.
  let about: [String: String]

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
  /// When the oldest cause of that state began, or when it last was worse, by an alert or by its checks.
  let since: WallTime

  /// - Parameter alerts: those with its name in the label `workload`, resolved ones as well.
  init(_ overview: WorkloadOverview, _ alerts: [Alert]) {
    self.overview = overview
    let firing = WorkloadAlert.firing(alerts)
    self.alerts = firing
    let state = max(overview.health.state, firing.map(\.health).max() ?? .healthy)
    self.state = state
    let causes =
      firing.filter { $0.health == state && state > .healthy }.map(\.since)
      + (overview.health.state == state ? [overview.health.since] : [])
    let ended =
      alerts.filter { WorkloadAlert($0).health > state }.compactMap(\.resolvedAtMilliseconds).map(
        WallTime.init(epochMs:))
      + overview.health.until.filter { $0.key > state }.values
    since = max(causes.min() ?? overview.health.since, ended.max() ?? .distantPast)
  }
}

extension WorkloadAlert {
  /// Those that fire, the worst first.
  fileprivate static func firing(_ alerts: [Alert]) -> [WorkloadAlert] {
    alerts.filter { $0.state == .firing }.map { WorkloadAlert($0) }
      .sorted { ($1.health, $0.since, $0.name) < ($0.health, $1.since, $1.name) }
  }

  init(_ alert: Alert) {
    name = alert.labels["alertname"] ?? ""
    severity = alert.labels["severity"] ?? ""
    group = alert.labels[Self.postureLabel] == "true" ? .posture : .health
    instance = alert.labels["instance"]
    since = WallTime(epochMs: alert.firedAtMilliseconds ?? alert.activeAtMilliseconds)
    summary = alert.annotations["summary"] ?? ""
    about = RunbookQuery.about(alert.labels)
  }
}

/// The workloads of the daemon with what is judged of them.
///
/// A request for one workload has no other judged.
public struct FleetView: Sendable {
  /// Where what is shown comes from; a name asks for that workload alone, nil for all.
  struct Source: Sendable {
    /// The names of all workloads, sorted; judges none.
    var names: @Sendable () async -> [String] = { [] }
    /// All members and Sentinels, by their label `instance`; judges none.
    var members: @Sendable () async -> [String: Membership] = { [:] }
    var overviews: @Sendable (_ workload: String?) async -> [WorkloadOverview] = { _ in [] }
    var results: @Sendable (_ workload: String?) async -> [CheckResult] = { _ in [] }
    var drifts: @Sendable (_ workload: String?) async -> [ServerDrift] = { _ in [] }
    var budgets: @Sendable (_ workload: String?, _ from: WallTime, _ to: WallTime) async -> [BudgetUse] = { _, _, _ in
      []
    }
  }

  /// The first workload that a server belongs to, and what it is there.
  struct Membership: Sendable {
    var workload: String
    var role: FleetMember.Role
  }

  private let source: Source
  private let groups: @Sendable () -> [GroupState]
  /// What other shards watch.
  let others: OtherShards

  /// - Parameter groups: the rules as they stand now; none where no rules are evaluated.
  public init(_ fleet: Fleet, others: OtherShards = .none, groups: @escaping @Sendable () -> [GroupState]) {
    self.init(
      Source(
        names: { await fleet.workloadNames },
        members: {
          Dictionary(
            await fleet.members().map { ($0.instance, Membership(workload: $0.workload, role: $0.role)) },
            uniquingKeysWith: { first, _ in first })
        },
        overviews: { await fleet.overview(of: $0) }, results: { await fleet.checkResults(of: $0) },
        drifts: { await fleet.drifts(of: $0) },
        budgets: { await fleet.budgetUse(of: $0, from: $1, to: $2) }),
      others: others, groups: groups)
  }

  init(_ source: Source, others: OtherShards = .none, groups: @escaping @Sendable () -> [GroupState]) {
    self.source = source
    self.others = others
    self.groups = groups
  }

  /// The names of all workloads, sorted.
  func names() async -> [String] { await source.names() }

  /// All members and Sentinels that have a page, by their label `instance`.
  func nodes() async -> Set<String> { Set(await source.members().keys) }

  /// Which workload a member or Sentinel belongs to; nil where it is watched by none.
  func workload(of instance: String) async -> String? { await source.members()[instance]?.workload }

  /// What each of them is: `master`, `replica`, `sentinel`, or empty while that is not known.
  func roles() async -> [String: String] {
    await source.members().mapValues { $0.role == .unknown ? "" : $0.role.rawValue }
  }

  /// How each workload stands now, in the order of their names.
  ///
  /// - Parameter name: of the only one that is asked for.
  func workloads(named name: String? = nil) async -> [WorkloadStanding] {
    let alerts = Dictionary(grouping: groups().flatMap(\.rules).flatMap(\.tracker.all)) { $0.labels["workload"] ?? "" }
    return await source.overviews(name).map { WorkloadStanding($0, alerts[$0.name] ?? []) }
  }

  /// The alerts that fire for a server, the worst first.
  func alerts(of instance: String) -> [WorkloadAlert] {
    WorkloadAlert.firing(
      groups().flatMap(\.rules).flatMap(\.tracker.active).filter { $0.labels["instance"] == instance })
  }

  /// What every check says of each workload, in the order of their names.
  ///
  /// - Parameter name: of the only workload that is asked for.
  func results(ofWorkload name: String? = nil) async -> [CheckResult] { await source.results(name) }

  /// How each server stands to the declared files, in the order of the workloads' names.
  ///
  /// - Parameter name: of the only workload that is asked for.
  func drifts(ofWorkload name: String? = nil) async -> [ServerDrift] { await source.drifts(name) }

  /// What a span of time used of the error budgets of each workload, in the order of their names.
  ///
  /// - Parameter name: of the only workload that is asked for.
  func budgets(ofWorkload name: String?, from: WallTime, to: WallTime) async -> [BudgetUse] {
    await source.budgets(name, from, to)
  }

  /// A member or Sentinel with the workload that it belongs to, by its label `instance`.
  func member(_ instance: String) async -> (overview: WorkloadOverview, member: WorkloadOverview.Member)? {
    guard let workload = await source.members()[instance]?.workload,
      let overview = await source.overviews(workload).first,
      let member = overview.groups.lazy.flatMap(\.members).first(where: { $0.watched.instance == instance })
    else { return nil }
    return (overview, member)
  }
}
