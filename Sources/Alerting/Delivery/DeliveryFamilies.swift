import Metrics
import Runtime

/// The metrics of what is sent to Alertmanagers. Where Prometheus has the like, the name's end is Prometheus' own.
public enum DeliveryFamilies {
  private static let label = ["alertmanager"]

  static let sent = Family.counter(
    "exporter_notifications_sent_total", "Alerts that an Alertmanager accepted.", labels: label)
  static let errors = Family.counter(
    "exporter_notifications_errors_total", "Requests with alerts that an Alertmanager did not accept.", labels: label)
  static let dropped = Family.counter(
    "exporter_notifications_dropped_total",
    "Alerts that an Alertmanager never accepted, by reason: full queue, expired in it, rejected.",
    labels: ["alertmanager", "reason"])
  static let relabelDropped = Family.counter(
    "exporter_notifications_relabel_dropped_total", "Alerts that relabelling dropped before they were sent.")
  static let queueLength = Family.gauge(
    "exporter_notifications_queue_length", "Alerts waiting to be sent to an Alertmanager.", labels: label)
  static let queueCapacity = Family.gauge(
    "exporter_notifications_queue_capacity", "Maximum number of alerts that may wait for one Alertmanager.")
  static let latency = Family.summary(
    "exporter_notifications_latency_seconds", "Duration of requests with alerts.", labels: label, unit: .seconds)
  static let lastSuccess = Family.gauge(
    "exporter_notifications_last_success_timestamp_seconds",
    "Time when an Alertmanager last accepted alerts, in seconds since the epoch.", labels: label, unit: .seconds)
  static let failingSince = Family.gauge(
    "exporter_notifications_failing_since_timestamp_seconds",
    "Time of the first failed request with alerts since an Alertmanager last accepted some, in seconds since the epoch; absent while it accepts them.",
    labels: label, unit: .seconds)
  static let clockOffset = Family.gauge(
    "exporter_notifications_clock_offset_seconds",
    "Alertmanager's clock minus this machine's clock, from the Date header of its last response.", labels: label,
    unit: .seconds)
  static let discovered = Family.gauge(
    "exporter_notifications_alertmanagers_discovered", "Alertmanagers that alerts are sent to.")

  public static let all = [
    sent, errors, dropped, relabelDropped, queueLength, queueCapacity, latency, lastSuccess, failingSince, clockOffset,
    discovered,
  ]

  static func collect(_ figures: DeliveryTracker.Figures, of label: String, into sink: inout SampleSink) {
    let name = LabelValue.text(label)
    sink.add(sent, Double(figures.sentCount), name)
    sink.add(errors, Double(figures.errorCount), name)
    for reason in DeliveryQueue.DropReason.allCases {
      sink.add(dropped, Double(figures.queue.dropped[reason] ?? 0), [name, .text(reason.rawValue)])
    }
    sink.add(queueLength, Double(figures.queue.count), name)
    sink.addSummary(
      latency, [name], quantiles: [], count: Double(figures.requestCount), sum: figures.requestSeconds)
    if let seconds = figures.lastSuccessSeconds { sink.add(lastSuccess, seconds, name) }
    if let trouble = figures.trouble { sink.add(failingSince, trouble.since.seconds, name) }
    if let seconds = figures.offsetSeconds { sink.add(clockOffset, seconds, name) }
  }
}
