import Fleet
import Runtime
import Storage
import Web

/// What happened: what `/events` shows.
struct EventAnswers: Sendable {
  /// Nil without storage.path.
  let store: EventStore?

  /// The newest first, by the parameters of the page.
  func events(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    var filter = EventFilter()
    filter.workload = parameters.text("workload")
    filter.node = parameters.text("node")
    filter.kind = try parameters.eventKind()
    filter.page = try parameters.page(through: EventsPage.pageLimit)
    let span = try parameters.span()
    filter.from = span.from.map { WallTime(epochMs: $0) }
    filter.to = span.to.map { WallTime(epochMs: $0) }
    if store == nil { answer.warn("events are not kept: start redline with --storage.path") }
    let list = await store?.list(filter) ?? .empty
    let keptSince = await store?.keptSince()
    let limit = answer.limit
    try answer.data.object { json throws(APIError) in
      json.key("events")
      try json.list(list.elements, within: limit) { Self.write($1, to: &$0) }
      json.field("page", filter.page)
      json.field("hasMore", list.hasMore)
      if let keptSince { json.field("keptSince", at: keptSince) }
    }
  }

  private static func write(_ event: Event, to json: inout JSONWriter) {
    let details = EventDetails(event.details)
    json.object { json in
      json.field("time", at: event.at)
      json.field("kind", event.kind.rawValue)
      if !event.workload.isEmpty { json.field("workload", shown: event.workload) }
      if !event.node.isEmpty { json.field("node", shown: event.node) }
      json.field("summary", shown: event.summary)
      if !details.severity.isEmpty { json.field("severity", shown: details.severity) }
      if !details.alert.isEmpty { json.field("alert", shown: details.alert) }
      if event.kind == .failover || event.kind == .failoverAborted {
        let path = details.failover
        for (name, value) in [("failover", path.kind), ("from", path.from), ("to", path.to)] where !value.isEmpty {
          json.field(name, shown: value)
        }
      }
      if let mark = details.mark {
        json.field("mark", mark.kind.rawValue)
        if let until = mark.until { json.field("until", at: until) }
      }
      json.fields(of: details.cost)
      if !details.phases.isEmpty {
        json.key("phases")
        json.array { json in
          for phase in details.phases {
            json.object { json in
              json.field("name", shown: phase.name)
              json.field("time", atMilliseconds: Int64(clamping: phase.seconds * 1000))
            }
          }
        }
      }
      guard !details.clients.isEmpty else { return }
      json.key("clients")
      json.array { json in
        for clients in details.clients {
          json.object { json in
            json.field("node", shown: clients.node)
            if let count = clients.before { json.field("before", count) }
            if let count = clients.after { json.field("after", count) }
          }
        }
      }
    }
  }
}

extension APIParameters {
  /// The value of a parameter; nil where it is not given or empty.
  func given(_ name: String) -> String? { text(name).isEmpty ? nil : text(name) }

  /// `kind`, of events; nil where it is not given.
  func eventKind() throws(APIError) -> EventKind? {
    guard let kind = given("kind") else { return nil }
    guard let known = EventFilter.kinds.first(where: { $0.rawValue == kind }) else {
      throw .invalid("kind", "\(shown(kind)) is none of \(EventFilter.kinds.map(\.rawValue).joined(separator: ", "))")
    }
    return known
  }
}
