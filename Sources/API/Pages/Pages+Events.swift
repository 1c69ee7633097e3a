import Fleet
import Runtime
import Storage
import Web

extension Pages {
  func eventList(_ request: Request) async -> Response {
    var filter = EventsPage.Filter()
    filter.workload = request.queryValue("workload") ?? ""
    filter.node = request.queryValue("node") ?? ""
    filter.kind = request.queryValue("kind") ?? ""
    filter.page = min(max(Int(request.queryValue("page") ?? "") ?? 1, 1), EventsPage.pageLimit)
    let kind = EventFilter.kinds.first { $0.rawValue == filter.kind }
    guard filter.kind.isEmpty || kind != nil else {
      return notFound("There is no kind of event of this name. All events are at /events.")
    }
    let found =
      await events?.list(
        EventFilter(workload: filter.workload, node: filter.node, kind: kind, page: filter.page)) ?? .empty
    let workloads = await fleet?.names() ?? []
    var page = EventsPage(
      metricsPath: metricsPath, filter: filter, events: await shown(found.elements),
      hasMore: found.hasMore, workloads: workloads, kinds: EventFilter.kinds.map(\.rawValue),
      nowSeconds: WallTime.now.seconds)
    page.nodes = await fleet?.nodes() ?? []
    if events == nil { page.notice = "Events are not kept: start redline with --storage.path." }
    return page.response()
  }
}

extension Pages {
  /// Events with links to the evidence of their alerts.
  func shown(_ events: [Event]) async -> [EventsPage.Event] {
    var shown = events.map { EventsPage.Event($0) }
    let alerts = events.filter { $0.kind == .alertFired }
    guard let first = alerts.map(\.at).min(), let last = alerts.map(\.at).max(), let evidence else { return shown }
    var query = EvidenceQuery(limit: StoreLimits.evidence)
    // An alert may wait for long before it fires.
    (query.sinceMs, query.untilMs) = ((first - Self.longestWaitSeconds).epochMs, last.epochMs)
    let kept = await evidence.newest(query)
    for (place, event) in events.enumerated() where event.kind == .alertFired {
      let name = EventDetails(event.details).alert
      shown[place].evidence =
        kept.first { one in
          one.workload == event.workload && one.alerts.contains(name) && one.atMs <= event.at.epochMs
            && one.firedAtMs.map { $0 <= event.at.epochMs + 1000 } ?? false
        }?.id
    }
    return shown
  }

  private static let longestWaitSeconds = 3600.0
}

extension EventsPage.Event {
  init(_ event: Event) {
    let details = EventDetails(event.details)
    self.init(
      seconds: event.at.seconds, workload: event.workload, node: event.node, kind: event.kind.rawValue,
      summary: event.summary, level: Self.level(event.kind, severity: details.severity))
    phases = details.phases
    outageSeconds = details.cost.outageSeconds
    if event.kind == .failover { lost = details.cost.lostWords }
    clients = details.clients
  }

  private static func level(_ kind: EventKind, severity: String) -> TopologyPage.Level {
    switch kind {
    case .alertFired: severity == "critical" ? .grave : severity == "warning" ? .warning : .note
    case .unreachable, .flush, .failoverAborted: .grave
    case .failover, .restart, .roleChange, .departure: .warning
    case .recovered, .arrival, .alertResolved: .good
    default: .note
    }
  }
}
