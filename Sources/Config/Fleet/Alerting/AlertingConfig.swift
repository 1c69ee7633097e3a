/// Where alerts are sent, and how: the block `alerting`.
public struct AlertingConfig: Sendable, Equatable {
  static let alertmanagerLimit = 100
  static let relabelLimit = 100

  /// In the order of the file; never empty. Each gets every alert.
  public let alertmanagers: [AlertmanagerConfig]
  /// Steps that every alert goes through, in their order, before it is sent.
  public let relabel: [RelabelConfig]
  /// How long after an alert was sent it is sent again.
  public let resendDelay: Duration
  /// Maximum number of alerts that may wait for one Alertmanager.
  public let queueCapacity: Int

  init(_ fields: MappingReader) {
    alertmanagers = fields.mappings(
      "alertmanagers", "Each gets every alert; at least one, at most \(Self.alertmanagerLimit)."
    ) { AlertmanagerConfig($0) }
    relabel = fields.mappings(
      "relabel", "Steps that every alert goes through, with the keys of Prometheus' relabel_config."
    ) { RelabelConfig($0) }
    resendDelay = fields.value(
      "resend_delay", .duration(.extended, .atLeast(.seconds(1))), default: .seconds(60),
      "How long after an alert was sent it is sent again.")
    queueCapacity = fields.value(
      "queue_capacity", .int(64...1_000_000), default: 10_000,
      "Maximum number of alerts that may wait for one Alertmanager.")
    if !fields.contains("alertmanagers") || fields.hasEmptyList("alertmanagers") {
      fields.report("alertmanagers", problem: "is missing", hint: "list at least one, or leave alerting out")
    }
    for (key, count, limit) in [
      ("alertmanagers", alertmanagers.count, Self.alertmanagerLimit), ("relabel", relabel.count, Self.relabelLimit),
    ] where count > limit {
      fields.report(key, problem: "has more than \(limit) entries")
    }
    var seen: Set<HTTPAddress> = []
    for alertmanager in alertmanagers where !seen.insert(alertmanager.address).inserted && !alertmanager.host.isEmpty {
      fields.report("alertmanagers", value: alertmanager.address.description, problem: "is given twice")
    }
  }
}
