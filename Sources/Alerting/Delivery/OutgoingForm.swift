import Config
import PromQL

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
