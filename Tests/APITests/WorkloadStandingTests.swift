import Alerting
import PromQL
import Runtime
import TestSupport
import Testing

@testable import API
@testable import Fleet

/// The state of a workload on pages and in the API: the worse of its checks and of the alerts of it that fire.
@Suite struct WorkloadStandingTests {
  static let cost: Failover.Cost = {
    var cost = Failover.Cost()
    (cost.outageSeconds, cost.lostBytes, cost.lostWrites) = (3.5, .estimated(5, 900), .atLeast(1))
    return cost
  }()

  private static let traffic: WorkloadTraffic = {
    var traffic = WorkloadTraffic()
    (traffic.operationsPerSecond, traffic.clientCount, traffic.areEvictionsAllowed) = (1200, 7, false)
    (traffic.memoryUsedRatio, traffic.memoryObjectiveRatio) = (0.5, 0.8)
    return traffic
  }()

  static func overview(
    _ health: Health, since: WallTime = 100, was: [(Health, WallTime)] = [], groups: [WorkloadOverview.Group] = [],
    findings: [Finding] = [],
    unknowns: [Blindness] = []
  ) -> WorkloadOverview {
    var history = HealthHistory(was.first?.0 ?? health, since: was.first?.1 ?? since)
    for (state, time) in was { history.note(state, at: time) }
    history.note(health, at: since)
    return WorkloadOverview(
      name: "w", kind: "cache", topology: "static", environment: "prod", windows: [.maintenance(nil)],
      presentCount: 1, expectedCount: 2,
      failovers: .init(count: 3, lastTime: 50, last: "manual", lastCost: cost),
      traffic: traffic, groups: groups, judged: .init(health: history, findings: findings, unknowns: unknowns))
  }

  static func alert(
    _ name: String, _ severity: String, _ state: AlertState = .firing, firedSeconds: Int64 = 200,
    resolvedSeconds: Int64? = nil, more: [Labels.Pair] = []
  ) -> Alert {
    Alert(
      labels: Labels([.init("alertname", name), .init("severity", severity), .init("workload", "w")] + more),
      annotations: ["summary": "\(name) is told"], value: 1, state: state, activeAtMilliseconds: 1000,
      firedAtMilliseconds: state == .pending ? nil : firedSeconds * 1000,
      resolvedAtMilliseconds: resolvedSeconds.map { $0 * 1000 })
  }

  @Test(
    arguments: [
      (.healthy, [], .healthy), (.healthy, ["warning"], .degraded), (.healthy, ["critical"], .critical),
      (.healthy, ["info", "none", "page", ""], .healthy), (.degraded, ["critical", "warning"], .critical),
      (.degraded, ["info"], .degraded), (.critical, ["warning"], .critical), (.unknown, ["warning"], .unknown),
      (.unknown, ["critical"], .critical),
    ] as [(Health, [String], Health)])
  func theWorseCounts(checks: Health, severities: [String], state: Health) {
    let standing = WorkloadStanding(Self.overview(checks), severities.map { Self.alert("A", $0) })
    #expect(standing.state == state && standing.alerts.count == severities.count)
  }

  @Test func whatWaitsOrIsOverDoesNotCount() {
    let standing = WorkloadStanding(
      Self.overview(.healthy),
      [Self.alert("A", "critical", .pending), Self.alert("B", "critical", .inactive, resolvedSeconds: 150)])
    #expect(standing.state == .healthy && standing.alerts.isEmpty)
    #expect(standing.since == 150, "it was critical until then")
  }

  @Test func alertsOfTheSetupNeverCount() {
    let standing = WorkloadStanding(
      Self.overview(.healthy), [Self.alert("Drift", "critical", more: [.init("posture", "true")])])
    #expect(standing.state == .healthy && standing.alerts.map(\.group) == [.posture])
    #expect(
      WorkloadStanding(Self.overview(.healthy), [Self.alert("A", "warning", more: [.init("posture", "false")])]).state
        == .degraded)
  }

  @Test func sinceTheOldestCause() {
    func since(_ checks: Health, _ alerts: [Alert]) -> WallTime {
      WorkloadStanding(Self.overview(checks), alerts).since
    }
    #expect(since(.healthy, []) == 100)
    #expect(since(.degraded, [Self.alert("A", "warning", firedSeconds: 90)]) == 90)
    #expect(since(.degraded, [Self.alert("A", "warning", firedSeconds: 300)]) == 100)
    #expect(since(.healthy, [Self.alert("A", "warning", firedSeconds: 300)]) == 300)
    let over = Self.alert("B", "critical", .inactive, resolvedSeconds: 400)
    #expect(since(.degraded, [over, Self.alert("A", "warning", firedSeconds: 300)]) == 400)
    #expect(since(.critical, [over]) == 100)
  }

  @Test func sinceItWasWorseByItsChecksAlone() {
    func since(_ was: [(Health, WallTime)]) -> WallTime {
      WorkloadStanding(
        Self.overview(.healthy, since: 500, was: was), [Self.alert("A", "warning", firedSeconds: 300)]
      ).since
    }
    #expect(since([(.critical, 100)]) == 500 && since([(.critical, 100), (.unknown, 350), (.degraded, 400)]) == 400)
    #expect(since([(.degraded, 100)]) == 300, "that is the state it still is in")
  }

  @Test func theWorstAlertComesFirst() {
    let standing = WorkloadStanding(
      Self.overview(.healthy),
      [Self.alert("C", "info"), Self.alert("A", "warning"), Self.alert("B", "critical", firedSeconds: 300)])
    #expect(standing.alerts.map(\.name) == ["B", "A", "C"])
  }
}
