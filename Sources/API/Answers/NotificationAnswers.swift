import Alerting
import Runtime
import Storage
import Web

/// Whether alerts reach the Alertmanagers, and which each was sent: what `/notifications` shows.
struct NotificationAnswers: Sendable {
  /// Nil without storage.path.
  let store: NotificationStore?
  let events: EventStore?
  let deliveries: @Sendable () -> [DeliveryState]

  /// The newest first, by the parameters of the page.
  func notifications(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    let page = try parameters.page(through: NotificationsPage.pageLimit)
    if store == nil { answer.warn("notifications are not kept: start redline with --storage.path") }
    let span = try parameters.span()
    let list =
      await store?.list(alert: parameters.text("alert"), workload: parameters.text("workload"), span: span, page: page)
      ?? .empty
    // It is asked of the whole table, which only those want who ask for a span.
    let keptSince = span.from == nil ? nil : await store?.keptSince(begin: events?.begin)
    let limit = answer.limit
    try answer.data.object { json throws(APIError) in
      json.key("alertmanagers")
      json.array { json in for state in deliveries() { Self.write(state, to: &json) } }
      json.key("notifications")
      try json.list(list.elements, within: limit) { Self.write($1, to: &$0) }
      json.field("page", page)
      json.field("hasMore", list.hasMore)
      if let keptSince { json.field("keptSince", at: keptSince) }
    }
  }

  /// An Alertmanager, in the answers that say whether alerts are delivered.
  static func write(_ state: DeliveryState, to json: inout JSONWriter) {
    json.object { json in
      json.field("alertmanager", shown: state.alertmanager)
      json.field("waiting", state.waitingCount)
      if let time = state.lastSuccess { json.field("lastAccepted", at: time) }
      guard let trouble = state.trouble else { return }
      json.field(trouble.isRefusal ? "refusedAt" : "failingSince", at: trouble.since)
      json.field("problem", shown: trouble.problem)
    }
  }

  private static func write(_ one: StoredNotification, to json: inout JSONWriter) {
    json.object { json in
      json.field("time", atMilliseconds: one.atMs)
      json.field("alert", shown: one.alertname)
      json.key("labels")
      json.object { json in for (name, value) in one.labelPairs { json.field(name, shown: value) } }
      json.field("state", shown: one.state)
      json.field("startsAt", atMilliseconds: one.startsAtMs)
      if let ends = one.endsAtMs { json.field("endsAt", atMilliseconds: ends) }
      json.field("alertmanager", shown: one.alertmanager)
      json.field("outcome", shown: one.outcome)
    }
  }
}
