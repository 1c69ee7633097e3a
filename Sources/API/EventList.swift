import Fleet
import Runtime
import Storage
import Web

/// Which events `/events` and `/api/v1/events` are asked for, by the same parameters.
struct EventFilter: Sendable {
  /// Empty texts ask for all.
  var workload = ""
  var node = ""
  var kind: EventKind?
  /// Both included; nil for as far as events are kept.
  var from: WallTime?
  var to: WallTime?
  /// From 1 through ``EventsPage/pageLimit``.
  var page = 1

  static let kinds = EventKind.allCases.filter { $0 != .other }
}

extension EventStore {
  /// What happened to a server, and what was marked of its workload, the newest first.
  func happened(to node: String, in workload: String) async -> [Event] {
    let own = await newest(EventQuery(node: node, limit: 10))
    let marks = await newest(EventQuery(workload: workload, kind: .mark, limit: 5)).filter(\.node.isEmpty)
    return (own + marks).sorted { ($1.at, $1.id) < ($0.at, $0.id) }
  }

  func list(_ filter: EventFilter) async -> ListPage<Event> {
    await .read(filter.page, size: EventsPage.pageSize) { limit in
      await newest(
        EventQuery(
          workload: filter.workload.isEmpty ? nil : filter.workload, node: filter.node.isEmpty ? nil : filter.node,
          kind: filter.kind, since: filter.from, until: filter.to, limit: limit))
    }
  }
}

/// What an event's details say that pages and the API show; details of another form say nothing.
struct EventDetails {
  private(set) var phases: [EventsPage.Phase] = []
  /// Of a failover.
  private(set) var cost = Failover.Cost()
  private(set) var clients: [EventsPage.Clients] = []
  /// Of an alert; empty for none.
  private(set) var severity = ""
  private(set) var alert = ""
  private(set) var failover = FailoverPath()
  /// Nil for what nobody marked.
  private(set) var mark: MarkDetails?

  /// Which way a failover went; empty where that is not known.
  struct FailoverPath {
    /// A raw value of `Failover.Kind`.
    var kind = ""
    /// The former and the new master, by their instances.
    var from = ""
    var to = ""
  }

  /// - Parameter json: a JSON object.
  init(_ json: String) {
    guard json != "{}", let root = try? JSONReader.value(Array(json.utf8)) else { return }
    func numbers(_ name: String) -> [(name: String, value: Double)] {
      (root[name]?.members ?? []).compactMap { member in member.value.number.map { (member.name, $0) } }
    }
    phases = numbers("phases").map { EventsPage.Phase($0.name, seconds: $0.value) }.sorted { $0.seconds < $1.seconds }
    cost = Failover.Cost(root)
    severity = root["severity"]?.string ?? ""
    alert = root["alert"]?.string ?? ""
    mark = MarkDetails(root)
    failover = FailoverPath(
      kind: root["kind"]?.string ?? "", from: root["from"]?.string ?? "", to: root["to"]?.string ?? "")
    let (before, after) = (numbers("clients_before"), numbers("clients_after"))
    func count(_ list: [(name: String, value: Double)], _ name: String) -> Int? {
      list.first { $0.name == name }.flatMap { Int(exactly: $0.value) }
    }
    var names = before.map(\.name)
    for (name, _) in after where !names.contains(name) { names.append(name) }
    clients = names.map { EventsPage.Clients($0, before: count(before, $0), after: count(after, $0)) }
  }
}
