import Config
import Metrics
import Redis

/// Streams with their groups: entries that wait, consumers that are missing.
struct StreamWatch: StreamReading, ConfiguredWatch {
  static let block = "streams"
  static let meaning = "Streams with their groups."

  let isOn: Bool
  let globs: [KeyPattern]
  let names: [KeyPattern]
  let maxStreams: Int
  let questions: StreamQuestions

  /// On where patterns are given, and for queues, which are made of streams.
  init(_ fields: WatchFields) {
    isOn = fields.enabled(
      default: fields.kind == .queue || fields.isGiven("patterns"), "Whether it is on; given patterns switch it on.")
    let patterns = fields.patterns("patterns", default: "*", "Names or globs of streams.")
    globs = patterns.filter(\.isGlob)
    names = patterns.filter { !$0.isGlob }
    maxStreams = fields.count("max_streams", 1...1000, default: 100, "Streams that get series.")
    let includesConsumers = fields.flag(
      "consumers", default: false, "Whether each consumer gets series of its own.")
    questions = StreamQuestions(includesConsumers: includesConsumers, readsNacked: false)
  }

  var name: String { Self.block }
  var type: String? { "stream" }
  /// A replica knows neither how far a group has read nor what its consumers do.
  var isReadOnMaster: Bool { true }
  var nameLimit: Int { maxStreams }
  var hasSeriesByServer: Bool { true }

  func begin(_ pass: KeyPass) -> StreamFindings? { StreamFindings() }

  func summary(of shards: [StreamFindings]) -> StreamFindings {
    StreamFindings(
      streams: shards.flatMap(\.streams).sorted { $0.name < $1.name },
      omittedCount: shards.reduce(0) { $0 + $1.omittedCount }
        + max(0, shards.reduce(0) { $0 + $1.streams.count } - maxStreams))
  }

  func add(_ summary: StreamFindings, to sink: inout SampleSink) {
    for stream in summary.streams.prefix(maxStreams) { stream.add(into: &sink) }
  }

  static let families: [Family] = []
}
