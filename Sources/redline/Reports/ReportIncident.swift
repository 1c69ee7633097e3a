import Runtime

/// What the events of a span come to: which alerts fired for how long, who was silent, what failed over. Pure.
struct ReportIncident: Sendable {
  /// An alert that fired, for one set of labels that events tell apart.
  struct Alert: Sendable {
    let name: String
    let node: String
    let severity: String
    let summary: String
    /// Nil for before the span.
    let fired: WallTime?
    /// Nil for not within the span.
    let ended: WallTime?
  }

  /// A server that did not answer.
  struct Silence: Sendable {
    let node: String
    /// Nil for before the span.
    let from: WallTime?
    /// Nil for not within the span.
    let to: WallTime?

    /// Nil where an end lies outside the span.
    var seconds: Double? {
      guard let from, let to else { return nil }
      return WallTime(seconds: to - from).toMilliseconds.seconds
    }
  }

  private(set) var alerts: [Alert] = []
  private(set) var silences: [Silence] = []
  let failovers: [ReportEvent]
  /// The first sign of trouble, and when the last trouble ended; nil where there was none, or where it lasts.
  let began: WallTime?
  let ended: WallTime?

  init(_ events: [ReportEvent]) {
    let events = events.sorted { $0.at < $1.at }
    failovers = events.filter { $0.failover != nil }
    let troubles = events.filter { $0.gravity == .grave || $0.gravity == .warning }
    let signs = troubles.flatMap { event in event.phases.map(\.at) + [event.at] }
    began = signs.min()
    alerts = Self.pairs(events, from: "alert_fired", to: "alert_resolved") { "\($0.alert)\u{0}\($0.node)" }
      .map { fired, ended in
        let event = fired ?? ended
        return Alert(
          name: event?.alert ?? "", node: event?.node ?? "", severity: event?.severity ?? "",
          summary: event?.summary ?? "", fired: fired?.at, ended: ended?.at)
      }
    silences = Self.pairs(events, from: "unreachable", to: "recovered") { $0.node }
      .map { Silence(node: ($0 ?? $1)?.node ?? "", from: $0?.at, to: $1?.at) }
    let isLasting =
      silences.contains { $0.to == nil } || alerts.contains { $0.ended == nil && $0.severity != "info" }
    let ends = troubles.map(\.at) + events.filter { $0.gravity == .over }.map(\.at)
    ended = began == nil || isLasting ? nil : ends.max()
  }

  /// Beginnings with the next end of the same key; ends without a beginning began before.
  private static func pairs(
    _ events: [ReportEvent], from begin: String, to end: String, key: (ReportEvent) -> String
  ) -> [(ReportEvent?, ReportEvent?)] {
    var pairs: [(ReportEvent?, ReportEvent?)] = []
    var open: [String: Int] = [:]
    for event in events {
      if event.kind == begin {
        open[key(event)] = pairs.count
        pairs.append((event, nil))
      } else if event.kind == end {
        if let index = open.removeValue(forKey: key(event)) {
          pairs[index].1 = event
        } else {
          pairs.append((nil, event))
        }
      }
    }
    return pairs
  }

  /// The sum of the failovers' outages; nil where there was no failover, or where one's is not known.
  var outageSeconds: Double? {
    let outages = failovers.map { $0.failover?.outageSeconds }
    guard !outages.isEmpty, !outages.contains(nil) else { return nil }
    return outages.compactMap { $0 }.reduce(0, +)
  }

  /// Of an alert's labels, or of any of its name.
  func alerts(named name: String) -> [Alert] { alerts.filter { $0.name == name } }
}
