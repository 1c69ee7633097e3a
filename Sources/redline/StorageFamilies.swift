import Metrics
import Storage

/// How the file of `storage.path` is doing.
enum StorageFamilies {
  static let durable = Family.gauge(
    "exporter_storage_durable", "Whether alerts, events and counters reach the file of storage.path: 1 yes, 0 no.")
  static let droppedEvents = Family.counter(
    "exporter_storage_dropped_events_total",
    "Events that were lost because the file could not be written for a long time.")
  static let droppedNotifications = Family.counter(
    "exporter_storage_dropped_notifications_total",
    "Records of notifications that were lost because the file could not be written for a long time.")
  static let droppedPoints = Family.counter(
    "exporter_storage_dropped_points_total",
    "Points of the series history that were lost because the file could not be written for a long time, or because there are too many series."
  )

  static let all = [durable, droppedEvents, droppedNotifications, droppedPoints]

  static func collect(_ health: StoreHealth, into sink: inout SampleSink) {
    sink.add(durable, health.isDurable ? 1 : 0)
    sink.add(droppedEvents, Double(health.droppedEvents))
    sink.add(droppedNotifications, Double(health.droppedNotifications))
    sink.add(droppedPoints, Double(health.droppedPoints))
  }
}
