import Alerting
import Fleet
import PromQL
import Runtime
import Storage
import Web

extension Pages {
  func node(_ request: Request) async -> Response {
    let name = request.rest(under: "/node/") ?? ""
    if case .server(let server, let maxAge) = subject, Self.name(of: server) == name {
      return await page(of: server, maxAge: maxAge)
    }
    let now = WallTime.now
    guard let (overview, member) = await fleet?.member(name) else {
      return notFound("No node of this name is watched. All that are stand on the start page.")
    }
    var page = NodePage(name, metricsPath: metricsPath, nowSeconds: now.seconds)
    page.fill(member, of: overview, now: now)
    let samples = CurrentSamples(of: member.watched.node, namespace: namespace)
    page.take(samples)
    page.findings = await alerts(of: name, in: overview) + overview.told { $0.instance == name }
    // Where they are is the page itself.
    for index in page.findings.indices { page.findings[index].node = nil }
    page.events = await shown(await events?.happened(to: name, in: overview.name) ?? [])
    if let store = store() {
      let history = NodeHistory(
        store: store, namespace: namespace, instance: name, now: now,
        asOf: page.condition.asOfSeconds.map(WallTime.init(seconds:)))
      // Streams are of the workload as a whole: whose they are is plain where it has one master.
      let streams = StreamReader(
        HistoryReader(store: store, namespace: namespace, subject: ("workload", overview.name), now: now))
      let isOnlyMaster = page.identity.role == "master" && overview.groups.count == 1
      let (known, rows) = await withTaskExecutorPreference(WorkExecutor.compute) {
        (await history.read(), isOnlyMaster ? streams.rows() : [])
      }
      page.take(known)
      page.streams = rows
    } else {
      page.takeFigures(samples)
      page.notice = Self.noHistory
    }
    return page.response()
  }

  /// The alerts that fire for a server, the worst first.
  private func alerts(of instance: String, in overview: WorkloadOverview) async -> [TopologyPage.Finding] {
    let firing = fleet?.alerts(of: instance) ?? []
    guard !firing.isEmpty else { return [] }
    let runbooks = await runbookSource.shown(
      withTextsOf: Set(firing.map(\.name)), headingOffset: 1, limit: TopologyPage.runbookLimit)
    // One text for all alerts of a name.
    var shown: Set<String> = []
    return firing.map { alert in
      var finding = TopologyPage.Finding(alert, hasRunbook: runbooks.names.contains(alert.name))
      if shown.insert(alert.name).inserted { finding.runbook = runbooks.text(alert, overview) }
      return finding
    }
  }
}

extension NodePage {
  fileprivate mutating func fill(
    _ member: WorkloadOverview.Member, of overview: WorkloadOverview, now: WallTime
  ) {
    let node = TopologyPage.Node(member, now: now)
    let watched = member.watched
    let server = watched.node.poller.newest?.facts
    condition = Condition(
      node.state, node.level, reason: node.reason, asOfSeconds: watched.figuresAsOf(now: now)?.seconds)
    (identity.role, identity.workload) = (node.role, overview.name)
    let group = overview.groups.first { $0.members.contains { $0.watched.instance == name } }
    if watched.role == .replica {
      identity.master = group?.members.first { $0.watched.role == .master }?.watched.instance
    }
    if watched.role == .sentinel {
      sentinel.peers = group?.members.map(\.watched.instance).filter { $0 != name } ?? []
    }
    if let environment = watched.environment { identity.facts.append(("Environment", environment)) }
    if let server {
      identity.facts.append(("Version", server.versionText))
    }
    identity.facts.append(("Address", watched.node.name))
    if let bytes = node.usedMemoryBytes {
      let share = node.memoryUsedRatio.map { "\(TimeSeries.Unit.ratio.words($0)) of maxmemory" } ?? "no limit is set"
      var figure = Figure("Memory", TimeSeries.Unit.bytes.words(Double(bytes)), note: share)
      if node.isMemoryHigh { figure.level = .warning }
      figure.asOfSeconds = node.memoryAsOfSeconds
      figures.append(figure)
    }
    if let lag = node.lagSeconds {
      var figure = Figure(NodeHistory.lag, TimeSeries.Unit.seconds.words(lag), note: node.lagNote)
      if node.isLagHigh { figure.level = .warning }
      figure.asOfSeconds = node.lagAsOfSeconds
      figure.objective = overview.traffic.lagObjectiveSeconds
      figures.append(figure)
    }
  }

  /// Puts series to the figures that are known, and adds those that only the series know.
  mutating func take(_ history: NodeHistory.Known) {
    for (title, series, note) in history.figures {
      if let index = figures.firstIndex(where: { $0.title == title }) {
        figures[index].series = series
      } else if series.last != nil, title != NodeHistory.lag {
        var figure = Figure(title, series, nowSeconds: nowSeconds)
        figure.note = note
        figures.append(figure)
      }
    }
    spanSeconds = history.spanSeconds
    slowLog?.addedInHour = history.slowInHour
    if let problem = history.problem { notice = "Some series could not be read: \(problem)" }
  }
}
