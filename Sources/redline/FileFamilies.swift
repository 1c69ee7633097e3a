import Metrics
import Runtime

/// How the files stand that the configuration names.
enum FileFamilies {
  static let lastGood = Family.gauge(
    "exporter_file_last_good_timestamp_seconds",
    "Time when a file named in the options was last read successfully, in seconds since the epoch; its content of that time is in force.",
    labels: ["file"], unit: .seconds)
  static let failures = Family.counter(
    "exporter_file_failures_total",
    "Failures to read or use a file named in the options; its previous content stays in force.",
    labels: ["file"])

  static let all = [lastGood, failures]

  static func collect(into sink: inout SampleSink) {
    for (file, record) in FileWork.shared.records {
      if let seconds = record.goodSeconds { sink.add(lastGood, seconds, LabelValue(file)) }
      sink.add(failures, Double(record.failureCount), LabelValue(file))
    }
  }
}
