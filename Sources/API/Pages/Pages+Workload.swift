import Fleet
import Runtime
import Storage
import Web

extension Pages {
  func workload(_ request: Request) async -> Response {
    let name = request.rest(under: "/workload/") ?? ""
    guard let standing = await fleet?.workloads(named: name).first(where: { $0.overview.name == name }) else {
      if let place = await others.place(of: name) { return notFound(place) }
      return notFound("No workload of this name is watched. All that are stand on the start page.")
    }
    let now = WallTime.now
    let runbooks =
      standing.alerts.isEmpty
      ? ShownRunbooks()
      : await runbookSource.shown(
        withTextsOf: Set(standing.alerts.map(\.name)), headingOffset: 1, limit: TopologyPage.runbookLimit)
    var page = WorkloadPage(
      TopologyPage.Workload(standing, runbooks: runbooks, now: now), metricsPath: metricsPath, nowSeconds: now.seconds)
    page.span = request.queryValue("range").flatMap { WorkloadPage.Span(rawValue: $0) } ?? .hour
    page.receivers = receivers
    let since = now - page.span.seconds
    let found = await events?.newest(EventQuery(workload: name, since: since, limit: 200)) ?? []
    page.events = found.map { EventsPage.Event($0) }
    if let store = store() {
      let history = WorkloadHistory(
        reader: HistoryReader(store: store, namespace: namespace, subject: ("workload", name), now: now),
        span: page.span, traffic: standing.overview.traffic)
      let known = await withTaskExecutorPreference(WorkExecutor.compute) { await history.read() }
      (page.figures, page.forecast) = (known.figures, known.forecast)
      (page.lanes, page.streams) = (known.lanes, known.streams)
      if let problem = known.problem { page.notice = "Some series could not be read: \(problem)" }
    } else {
      page.notice = Self.noHistory
    }
    return page.response()
  }
}
