import PromQL
import Runtime
import Storage

/// Makes events of a rule's alerts: what began to fire, and what ended.
///
/// A rule that fires for everything or that flaps must not push the failovers out of the store: so many events are told
/// at once and so many in the long run, and the rest is counted. No clock and no I/O.
struct AlertEvents: Sendable {
  static let burst = 40
  static let refillMilliseconds: Int64 = 60_000

  private var budget = Self.burst
  private var filledAt: Int64?
  private var untold = 0

  /// The events of what changed between two states of the rule, by labels.
  mutating func events(of now: [Alert], instead before: [Alert], atMilliseconds time: Int64) -> [Event] {
    let old = Dictionary(uniqueKeysWithValues: before.map { ($0.labels, $0) })
    var events: [Event] = []
    refill(at: time)
    // What is sent to nobody, such as the watchdog, happens all the time.
    for alert in now where alert.labels["severity"] != "none" {
      let known = old[alert.labels]
      if let fired = alert.firedAtMilliseconds, fired != known?.firedAtMilliseconds {
        add(alert, .alertFired, at: fired, to: &events)
      }
      if let resolved = alert.resolvedAtMilliseconds, resolved != known?.resolvedAtMilliseconds {
        add(alert, .alertResolved, at: resolved, to: &events)
      }
    }
    return events
  }

  private mutating func refill(at time: Int64) {
    let earned = max(0, (time - (filledAt ?? time)) / Self.refillMilliseconds)
    budget = Int(min(Int64(Self.burst), Int64(budget) + earned))
    filledAt = filledAt.map { $0 + earned * Self.refillMilliseconds } ?? time
    if budget == Self.burst { filledAt = time }
  }

  private mutating func add(_ alert: Alert, _ kind: EventKind, at time: Int64, to events: inout [Event]) {
    guard budget > 0 else {
      untold += 1
      return
    }
    budget -= 1
    events.append(Self.event(alert, kind, at: time, untold: untold))
    untold = 0
  }

  private static func event(_ alert: Alert, _ kind: EventKind, at time: Int64, untold: Int) -> Event {
    let name = alert.labels[AlertSeries.alertName] ?? ""
    let summary = alert.annotations["summary"].map { "\(name): \($0)" } ?? name
    return Event(
      at: WallTime(epochMs: time), workload: alert.labels["workload"] ?? "",
      node: alert.labels["instance"] ?? "", kind: kind,
      summary: untold == 0 ? summary : "\(summary) (and \(untold) more changes of this rule that are not listed)",
      details: JSONWriter.text { json in
        json.object { json in
          json.field("alert", name)
          json.field("severity", alert.labels["severity"] ?? "")
          json.key("value")
          if alert.value.isFinite { json.number(alert.value) } else { json.string("\(alert.value)") }
          json.key("labels")
          json.labels(alert.labels)
        }
      })
  }
}
