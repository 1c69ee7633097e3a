import Alerting
import Config
import Fleet
import Redis
import Runtime
import Web

extension Pages {
  /// The start page: every workload of the fleet with its shards and nodes, or the one server.
  func start(_ request: Request) async -> Response {
    let targets: [LandingPage.Target]
    switch subject {
    case .fleet(let fleet): return await topology(fleet, request)
    case .server(let node, maxAge: _): targets = [LandingPage.Target(node)]
    case .nothing: targets = []
    }
    return LandingPage(version: version, metricsPath: metricsPath, targets: targets).response()
  }

  private func topology(_ fleet: FleetView, _ request: Request) async -> Response {
    let now = WallTime.now
    let standings = await fleet.workloads()
    let sick = Set(standings.filter { $0.state > .healthy }.flatMap(\.alerts).map(\.name))
    let runbooks =
      standings.allSatisfy(\.alerts.isEmpty)
      ? ShownRunbooks()
      : await runbookSource.shown(withTextsOf: sick, headingOffset: 1, limit: TopologyPage.runbookLimit)
    // The worst come first, and have what room there is.
    let told = Set(
      standings.sorted { $1.state < $0.state }.prefix(TopologyPage.runbookLimit).map(\.overview.name))
    var untold = runbooks
    untold.texts = [:]
    let workloads = standings.map { standing in
      TopologyPage.Workload(
        standing, runbooks: told.contains(standing.overview.name) ? runbooks : untold, now: now)
    }
    var page = TopologyPage(version: version, metricsPath: metricsPath, workloads: workloads, nowSeconds: now.seconds)
    page.workloads += await others.cards(at: now)
    page.filter.name = request.queryValue("name").map { String($0.prefix(100)) } ?? ""
    page.filter.environment = request.queryValue("environment").flatMap { $0.isEmpty ? nil : String($0.prefix(100)) }
    page.filter.state = request.queryValue("state").flatMap { TopologyPage.State(rawValue: $0) }
    page.brokenRuleCount = groups().flatMap(\.rules).count { $0.health == .bad }
    page.receivers = receivers
    return page.response()
  }
}

extension LandingPage.Target {
  fileprivate init(_ node: Node) {
    let snapshot = node.poller.newest
    self.init(
      address: node.name, page: Pages.name(of: node), state: snapshot?.state.name ?? "unknown",
      isHealthy: snapshot?.state == .up, reason: snapshot?.state.error?.message ?? "",
      lastGoodPollAgeSeconds: snapshot?.lastSuccess.map { WallTime.now - $0 })
  }
}

extension TopologyPage.Workload {
  init(_ standing: WorkloadStanding, runbooks: ShownRunbooks, now: WallTime) {
    let overview = standing.overview
    let traits =
      ["\(overview.kind)", "\(overview.topology)"] + [overview.environment].compactMap { $0 }
      + [overview.degraded.map { "while Redis is lost: \($0.sentence)" }].compactMap { $0 }
    self.init(
      overview.name, state: TopologyPage.State(standing.state), traits: traits, presentCount: overview.presentCount,
      expectedCount: overview.expectedCount)
    stateAgeSeconds = now - standing.since
    environment = overview.environment
    windows = overview.windows.map { window in
      guard case .maintenance(let change?) = window else { return window.name }
      return "maintenance until \(change.end): \(change.text)"
    }
    failovers = overview.failovers.map { failovers in
      TopologyPage.Failovers(
        count: failovers.count, lastAgeSeconds: failovers.lastTime.map { now - $0 }, last: failovers.last ?? "")
    }
    memoryObjectiveRatio = overview.traffic.memoryObjectiveRatio
    figures = TopologyPage.Figure.all(of: overview.traffic, partial: overview.answering)
    budgets = overview.budgets.map { BudgetBar($0) }
    groups = overview.groups.map { group in
      TopologyPage.Group(group.title, group.members.map { TopologyPage.Node($0, now: now) })
    }
    findings = standing.told(runbooks: runbooks)
    // Rules may name servers that have no page.
    let known = Set(groups.flatMap(\.nodes).map(\.name))
    for index in findings.indices where !(findings[index].node.map(known.contains) ?? true) {
      findings[index].node = nil
    }
  }
}

extension BudgetBar {
  fileprivate init(_ budget: ErrorBudget) {
    let share = "\(TimeSeries.Unit.count.words((budget.target * 1e7).rounded() / 1e5)) %"
    let title =
      switch budget.objective {
      case .availability: "Availability \(share)"
      case .latency: "Latency \(share) within \(TimeSeries.Unit.seconds.words(budget.limitSeconds ?? 0))"
      }
    self.init(title, badSeconds: budget.amount.badSeconds, knownSeconds: budget.amount.knownSeconds)
    remainingRatio = budget.remainingRatio
    burn = budget.burn[.hour]
    knownSinceSeconds = budget.knownSince?.seconds
  }
}

extension WorkloadStanding {
  /// The alerts of it that fire, and what its checks say.
  fileprivate func told(runbooks: ShownRunbooks = .init()) -> [TopologyPage.Finding] {
    // One text for all alerts of a name, about the first.
    var shown: Set<String> = []
    return alerts.map { alert in
      var finding = TopologyPage.Finding(alert, hasRunbook: runbooks.names.contains(alert.name))
      if shown.insert(alert.name).inserted { finding.runbook = runbooks.text(alert, overview) }
      return finding
    } + overview.told { _ in true } + (overview.audit.news.map { [TopologyPage.Finding(ofAudit: $0)] } ?? [])
  }

  /// What is said of it in the sentence about the fleet.
  func spoken(at now: WallTime) -> FleetSentence.Standing {
    .init(overview.name, TopologyPage.State(state), ageSeconds: now - since, findings: told())
  }
}

extension TopologyPage.Figure {
  /// The numbers of a workload's line.
  ///
  /// - Parameter partial: of whom they are, where that is not everybody.
  static func all(of traffic: WorkloadTraffic, partial: String?) -> [TopologyPage.Figure] {
    func isAbove(_ value: Double?, _ limit: Double?) -> Bool {
      value.flatMap { value in limit.map { value > $0 } } ?? false
    }
    func figure(
      _ title: String, _ value: Double?, _ unit: TimeSeries.Unit, atMost limit: Double? = nil,
      atLeast least: Double? = nil, isOfAll: Bool = false
    ) -> TopologyPage.Figure {
      let objective = limit.map { "up to \(unit.words($0))" } ?? least.map { "at least \(unit.words($0))" } ?? ""
      let notes = [objective.isEmpty ? nil : objective, isOfAll ? partial : nil].compactMap { $0 }
      return TopologyPage.Figure(
        title, value.map { unit.words($0) }, objective: value == nil ? "" : notes.joined(separator: ", "),
        isMissed: isAbove(value, limit) || isAbove(least, value))
    }
    let memory =
      traffic.memoryUsedRatio == nil
      ? figure("Memory", traffic.usedMemoryBytes.map(Double.init), .bytes)
      : figure("Memory", traffic.memoryUsedRatio, .ratio, atMost: traffic.memoryObjectiveRatio)
    var evictions = figure("Evictions", traffic.evictionsPerSecond, .perSecond)
    evictions.isMissed = traffic.areEvictionsAllowed == false && (traffic.evictionsPerSecond ?? 0) > 0
    return [
      figure("Operations", traffic.operationsPerSecond, .perSecond, isOfAll: true),
      figure("Hit ratio", traffic.hitRatio, .ratio, atLeast: traffic.hitRatioObjective),
      figure("p99", traffic.latencyP99Seconds, .seconds, atMost: traffic.latencyObjectiveSeconds, isOfAll: true),
      memory,
      figure("Lag", traffic.lagSeconds, .seconds, atMost: traffic.lagObjectiveSeconds, isOfAll: true), evictions,
      figure("Clients", traffic.clientCount.map(Double.init), .count, isOfAll: true),
    ]
  }
}

extension WorkloadOverview {
  /// `of 2 of 3`: whose its numbers are, where not every member answers.
  fileprivate var answering: String? {
    expectedCount.flatMap { presentCount < $0 ? "of \(presentCount) of \($0)" : nil }
  }

  /// What its checks say about some subjects, as a page shows it.
  func told(about isWanted: (Finding.Subject) -> Bool) -> [TopologyPage.Finding] {
    findings.filter { isWanted($0.subject) }.map { TopologyPage.Finding($0) }
      + unknowns.filter { isWanted($0.subject) }.map { TopologyPage.Finding($0) }
  }
}

extension TopologyPage.Finding {
  fileprivate init(ofAudit news: String) {
    self.init(.note, news)
    isPosture = true
  }

  fileprivate init(_ finding: Finding) {
    self.init(finding.severity.level, finding.text)
    isPosture = finding.group == .posture
    sinceSeconds = finding.since.seconds
    if case .node(let name) = finding.subject { node = name }
  }

  fileprivate init(_ blindness: Blindness) {
    self.init(
      .note, "\(blindness.subject.instance.map { "\($0): " } ?? "")\(blindness.check) is unknown: \(blindness.reason)")
    isPosture = blindness.group == .posture
  }

  init(_ alert: WorkloadAlert, hasRunbook: Bool) {
    let level: TopologyPage.Level =
      switch alert.severity {
      case "critical": .grave
      case "warning": .warning
      default: .note
      }
    self.init(level, alert.summary)
    self.alert = alert.name
    self.hasRunbook = hasRunbook
    runbookQuery = RunbookQuery.text { alert.about[$0] }
    isPosture = alert.group == .posture
    sinceSeconds = alert.since.seconds
    node = alert.instance
  }
}

extension TopologyPage.State {
  fileprivate init(_ health: Health) {
    self =
      switch health {
      case .healthy: .healthy
      case .degraded: .degraded
      case .unknown: .unknown
      case .critical: .critical
      }
  }
}

extension TopologyPage.Node {
  init(_ member: WorkloadOverview.Member, now: WallTime) {
    let watched = member.watched
    let newest = watched.node.poller.newest
    let state = newest?.state ?? .unknown
    let isGhost = watched.standing == "ghost"
    // What a server that is down was says nothing of what it is.
    let role = state.isUp || watched.role == .sentinel || watched.role == .unknown
    let level = isGhost && state.error != nil ? .note : TopologyPage.Level(state)
    self.init(
      watched.instance, role: role ? watched.role.rawValue : "was \(watched.role.rawValue)", state: state.name,
      level: level)
    var reasons = [state.error?.message].compactMap { $0 }
    if state.error != nil, let success = newest?.lastSuccess {
      reasons.append("last answer \(TimeSeries.Unit.seconds.words(max(0, now - success))) ago")
    }
    if isGhost { reasons.append("remembered; the workload does without it") }
    if watched.isLeftAlone { reasons.append("tried at growing intervals") }
    reason = reasons.joined(separator: "; ")
    if let lag = member.lag {
      lagSeconds = lag.seconds
      lagNote = lag.state == .online ? (lag.isAtLeast ? "at least" : "") : lag.state.rawValue
      isLagHigh = member.isLagHigh
      lagAsOfSeconds = member.lagAsOf?.seconds
    }
    usedMemoryBytes = member.usedMemoryBytes
    memoryAsOfSeconds = watched.figuresAsOf(now: now)?.seconds
    memoryUsedRatio = member.memoryUsedRatio
    isMemoryHigh = member.isMemoryHigh
  }
}

extension Finding.Severity {
  var level: TopologyPage.Level {
    switch self {
    case .info: .note
    case .warning: .warning
    case .critical: .grave
    }
  }
}
