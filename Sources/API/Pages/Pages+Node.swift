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
      return await page(of: server, maxAge: maxAge, request)
    }
    let now = WallTime.now
    guard let (overview, member) = await fleet?.member(name) else {
      return notFound("No node of this name is watched. All that are stand on the start page.")
    }
    var page = NodePage(name, metricsPath: metricsPath, nowSeconds: now.seconds)
    page.isRefreshed = request.queryValue("refresh") != nil
    page.fill(member, of: overview, now: now)
    page.findings = overview.told { $0.instance == name }
    let ownRunbooks = runbookAddress
    let alerts = groups().flatMap { state in
      zip(state.group.rules, state.rules).flatMap { rule, state in
        state.tracker.active.filter { $0.labels["instance"] == name }.map {
          (rule.name, AlertsPage.Alert($0, ownRunbooks: ownRunbooks))
        }
      }
    }.sorted { ($0.1.state, $0.1.activeSeconds) < ($1.1.state, $1.1.activeSeconds) }
    let runbooks = alerts.isEmpty ? [] : await runbookNames()
    page.alerts = alerts.map { ($0.0, runbooks.contains($0.0), $0.1) }
    page.events = await events?.newest(EventQuery(node: name, limit: 10)).map { EventsPage.Event($0) } ?? []
    if let store = store() {
      let history = NodeHistory(
        store: store, namespace: namespace, instance: name, now: now,
        asOf: page.condition.asOfSeconds.map(WallTime.init(seconds:)))
      let known = await withTaskExecutorPreference(WorkExecutor.compute) { await history.read() }
      page.take(known)
    } else {
      page.notice = Self.noHistory
    }
    return page.response()
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
    facts = [("Role", node.role), ("Workload", overview.name)]
    if let environment = watched.environment { facts.append(("Environment", environment)) }
    if let server {
      facts.append(("Version", server.versionText))
    }
    facts.append(("Address", watched.node.name))
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
      figures.append(figure)
    }
  }

  /// Puts series to the figures that are known, and adds those that only the series know.
  mutating func take(_ history: NodeHistory.Known) {
    for (title, series) in history.figures {
      if let index = figures.firstIndex(where: { $0.title == title }) {
        figures[index].series = series
      } else if series.last != nil, title != NodeHistory.lag {
        figures.append(Figure(title, series, nowSeconds: nowSeconds))
      }
    }
    if let uptime = history.uptimeSeconds {
      let words = TimeSeries.Unit.seconds.words(uptime)
      facts.append(("Up for", condition.asOfSeconds == nil ? words : "\(words) when it last answered"))
    }
    slowLog = history.slowLog
    clients = history.clients
    if let problem = history.problem { notice = "Some series could not be read: \(problem)" }
  }
}
