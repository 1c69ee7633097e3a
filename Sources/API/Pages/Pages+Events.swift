import Config
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
    let kind = filter.kind.isEmpty ? nil : EventKind(rawValue: filter.kind)
    guard filter.kind.isEmpty || kind != nil else {
      return notFound("There is no kind of event of this name. All events are at /events.")
    }
    // One more than is shown tells whether there are more.
    let start = (filter.page - 1) * EventsPage.pageSize
    let found =
      await events?.newest(
        EventQuery(
          workload: filter.workload.isEmpty ? nil : filter.workload, node: filter.node.isEmpty ? nil : filter.node,
          kind: kind, limit: start + EventsPage.pageSize + 1)) ?? []
    let workloads = Set(await fleet?.fleet.members().map(\.workload) ?? []).sorted()
    var page = EventsPage(
      metricsPath: metricsPath, filter: filter,
      events: found.dropFirst(start).prefix(EventsPage.pageSize).map { EventsPage.Event($0) },
      hasMore: found.count > start + EventsPage.pageSize, workloads: workloads,
      kinds: EventKind.allCases.filter { $0 != .other }.map(\.rawValue), nowSeconds: wallClockSeconds())
    if events == nil { page.notice = "Events are not kept: start redline with --storage.path." }
    return page.response()
  }
}

extension EventsPage.Event {
  init(_ event: Event) {
    let details = EventDetails(event.details)
    self.init(
      seconds: event.atSeconds, workload: event.workload, node: event.node, kind: event.kind.rawValue,
      summary: event.summary, level: Self.level(event.kind, severity: details.severity))
    phases = details.phases
    outageSeconds = details.outageSeconds
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

/// What an event's details say that a page shows; details of another form say nothing.
struct EventDetails {
  private(set) var phases: [EventsPage.Phase] = []
  private(set) var outageSeconds: Double?
  private(set) var clients: [EventsPage.Clients] = []
  /// Of an alert; empty for none.
  private(set) var severity = ""

  /// - Parameter json: a JSON object, which YAML is a superset of.
  init(_ json: String) {
    guard json != "{}", let root = try? YAMLNode.parse(Array(json.utf8), file: "details") else { return }
    let fields = root.entries
    phases = (fields["phases"]?.numbers ?? []).map { EventsPage.Phase($0.name, seconds: $0.value) }
      .sorted { $0.seconds < $1.seconds }
    outageSeconds = fields["outage_seconds"]?.number
    if case .scalar(let text, isPlain: _)? = fields["severity"]?.content { severity = text }
    let before = fields["clients_before"]?.numbers ?? []
    let after = fields["clients_after"]?.numbers ?? []
    func count(_ list: [(name: String, value: Double)], _ name: String) -> Int? {
      list.first { $0.name == name }.flatMap { Int(exactly: $0.value) }
    }
    var names = before.map(\.name)
    for (name, _) in after where !names.contains(name) { names.append(name) }
    clients = names.map { EventsPage.Clients($0, before: count(before, $0), after: count(after, $0)) }
  }
}

extension YAMLNode {
  fileprivate var entries: [String: YAMLNode] {
    guard case .mapping(let entries) = content else { return [:] }
    return Dictionary(entries.map { ($0.key, $0.value) }) { first, _ in first }
  }

  fileprivate var number: Double? {
    guard case .scalar(let text, isPlain: true) = content, let value = Double(text), value.isFinite else { return nil }
    return value
  }

  /// In the order of the text.
  fileprivate var numbers: [(name: String, value: Double)] {
    guard case .mapping(let entries) = content else { return [] }
    return entries.compactMap { entry in entry.value.number.map { (entry.key, $0) } }
  }
}
