import Metrics

/// How the flight recorder is doing.
public enum RecorderFamilies {
  static let bytes = Family.gauge(
    "exporter_recorder_bytes", "Size of the flight recorder's files, in bytes.", unit: .bytes)
  static let oldest = Family.gauge(
    "exporter_recorder_oldest_timestamp_seconds",
    "Time of the oldest record of the flight recorder, in seconds since the epoch.", unit: .seconds)
  static let dropped = Family.counter(
    "exporter_recorder_dropped_total",
    "Polls and pages that the flight recorder left out, because they came faster than they could be written.")
  static let writing = Family.gauge(
    "exporter_recorder_writing", "Whether the flight recorder's files can be written: 1 yes, 0 no.")
  /// Its own thread's, by the clock of the thread, and an estimate of what coding polls takes on the event loops: by the same
  /// clock, of about every sixteenth poll.
  static let cpu = Family.counter(
    "exporter_recorder_cpu_seconds_total", "CPU time that the flight recorder has used, in seconds.", unit: .seconds)

  public static let all = [bytes, oldest, dropped, writing, cpu]
}
