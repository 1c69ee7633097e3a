import Metrics
import Runtime

/// How the files stand that the configuration names.
enum FileFamilies {
  static let lastGood = Family.gauge(
    "exporter_file_last_good_timestamp_seconds",
    "When a file that the options name was last read and could be used, in seconds since the epoch; what it held then "
      + "is in force.", labels: ["file"], unit: .seconds)
  static let failures = Family.counter(
    "exporter_file_failures_total",
    "Times that a file that the options name could not be read or used; what it held before stays in force.",
    labels: ["file"])

  static let all = [lastGood, failures]

  static func collect(into sink: inout SampleSink) {
    for (file, record) in FileWork.shared.records {
      if let seconds = record.goodSeconds { sink.add(lastGood, seconds, LabelValue(file)) }
      sink.add(failures, Double(record.failureCount), LabelValue(file))
    }
  }
}
