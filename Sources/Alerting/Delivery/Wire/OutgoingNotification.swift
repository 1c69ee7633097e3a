import Config
import PromQL
import Runtime

/// An alert as it goes to Alertmanagers: labels after external labels and relabelling. Times are milliseconds since 1970.
struct OutgoingNotification: Sendable, Equatable {
  /// What makes a later notice take the place of an earlier one: the same alert in the same episode.
  struct Key: Sendable, Hashable {
    let labels: [String: String]
    let startsAtMilliseconds: Int64
  }

  let key: Key
  let annotations: [String: String]
  let endsAtMilliseconds: Int64
  let isResolved: Bool
  /// Empty for none.
  let generatorURL: String

  init(
    labels: [String: String], annotations: [String: String], startsAtMilliseconds: Int64, endsAtMilliseconds: Int64,
    isResolved: Bool, generatorURL: String
  ) {
    key = Key(labels: labels, startsAtMilliseconds: startsAtMilliseconds)
    self.annotations = annotations
    self.endsAtMilliseconds = endsAtMilliseconds
    self.isResolved = isResolved
    self.generatorURL = generatorURL
  }

  /// Whether telling it at `now` would do harm or no good: a firing alert would count as resolved, and of an end so
  /// long ago no Alertmanager needs to hear.
  func isExpired(atMilliseconds now: Int64) -> Bool {
    isResolved
      ? now - endsAtMilliseconds > AlertTracker.resolvedRetentionMilliseconds : endsAtMilliseconds <= now
  }

  /// The start: that of the episode, but for the end of one that seems to be before it, because the clock was put back.
  var startsAtMilliseconds: Int64 {
    isResolved ? min(key.startsAtMilliseconds, endsAtMilliseconds) : key.startsAtMilliseconds
  }

  /// The end by the clock of an Alertmanager that is `aheadMilliseconds` before ours.
  ///
  /// A firing alert must not end early there, nor a resolved one late; its end is never before its start, which an
  /// Alertmanager refuses.
  func endsAtMilliseconds(aheadMilliseconds: Int64) -> Int64 {
    if isResolved { return max(startsAtMilliseconds, endsAtMilliseconds + min(0, aheadMilliseconds)) }
    let end = endsAtMilliseconds + max(0, aheadMilliseconds)
    return end > startsAtMilliseconds ? end : startsAtMilliseconds + Self.shortestMilliseconds
  }

  /// So long holds what seems to begin only later.
  private static let shortestMilliseconds: Int64 = 60_000
}

/// The body of `POST /api/v2/alerts`, byte for byte as Prometheus writes it.
func alertsBody(_ alerts: [OutgoingNotification], aheadMilliseconds: Int64 = 0) -> [UInt8] {
  var json = JSONWriter(escaping: .go)
  json.array { json in
    for alert in alerts {
      json.object { json in
        if !alert.annotations.isEmpty {
          json.key("annotations")
          json.texts(alert.annotations)
        }
        let endsAt = alert.endsAtMilliseconds(aheadMilliseconds: aheadMilliseconds)
        json.field("endsAt", Timestamp(epochMs: endsAt).description)
        json.field("startsAt", Timestamp(epochMs: alert.startsAtMilliseconds).description)
        if !alert.generatorURL.isEmpty { json.field("generatorURL", alert.generatorURL) }
        json.key("labels")
        json.texts(alert.key.labels)
      }
    }
  }
  return json.bytes
}

/// What turns a notice into what Alertmanagers are told: external labels, relabelling, the link to the expression.
struct OutgoingForm: Sendable {
  private let externalLabels: [String: String]
  private let externalURL: String
  private let relabeling: Relabeling

  /// - Parameter file: names the configuration file in errors.
  init(
    _ config: AlertingConfig?, file: String, externalLabels: [String: String], externalURL: String
  ) throws(ConfigErrors) {
    relabeling = try Relabeling(config?.relabel ?? [], file: file)
    self.externalLabels = externalLabels
    var url = externalURL[...]
    while url.last == "/" { url.removeLast() }
    self.externalURL = String(url)
  }

  /// The alerts to send, without those that relabelling drops.
  func alerts(of notices: [Notification], expression: String) -> [OutgoingNotification] {
    let link = generatorURL(externalURL: externalURL, expression: expression)
    return notices.compactMap { notice in
      let own = Dictionary(notice.labels.pairs.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
      let all = externalLabels.filter { !$0.value.isEmpty }.merging(own) { _, own in own }
      guard let labels = relabeling.apply(all) else { return nil }
      return OutgoingNotification(
        labels: labels, annotations: notice.annotations, startsAtMilliseconds: notice.startsAtMilliseconds,
        endsAtMilliseconds: notice.endsAtMilliseconds, isResolved: notice.isResolved, generatorURL: link)
    }
  }
}

/// The page that shows an alert's expression, as Prometheus links it; empty where the program's own URL is not known.
///
/// - Parameter externalURL: without a slash at its end.
func generatorURL(externalURL: String, expression: String) -> String {
  externalURL.isEmpty ? "" : "\(externalURL)/graph?g0.expr=\(expression.percentEncoded(space: "+"))&g0.tab=1"
}
