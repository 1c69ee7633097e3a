import Metrics

/// Which program this is.
enum BuildInfo {
  static let version = "0.1.0"
  static let swiftVersion = "swift6.3"

  /// The families and labels of redis_exporter; `golang_version` is what this program is built with.
  static let family = Family.gauge(
    "exporter_build_info", "Version of this exporter, in labels; the value is always 1.",
    labels: ["version", "commit_sha", "build_date", "golang_version"])

  static func collect(into sink: inout SampleSink) {
    sink.add(family, 1, [.text(version), "unknown", "unknown", .text(swiftVersion)])
  }
}
