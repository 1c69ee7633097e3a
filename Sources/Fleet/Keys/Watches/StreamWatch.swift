import Config
import Metrics
import Redis

/// Streams with their groups: entries that wait, consumers that are missing.
struct StreamWatch: KeyWatch, ConfiguredWatch {
  static let block = "streams"
  static let meaning = "Streams with their groups."

  let isOn: Bool
  let globs: [KeyPattern]
  let names: [KeyPattern]
  let maxStreams: Int
  private let questions: StreamQuestions

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

  struct Findings: KeyFindings {
    /// In the order of their names.
    var streams: [WatchedStream] = []
    var omittedCount = 0
  }

  var name: String { Self.block }
  var lost: [String] { ["redis_stream_*"] }
  var type: String? { "stream" }
  /// A replica knows neither how far a group has read nor what its consumers do.
  var isReadOnMaster: Bool { true }
  var nameLimit: Int { maxStreams }
  var hasSeriesByServer: Bool { true }
  /// XINFO answers with two whole entries each.
  var keysAtATime: Int { KeyWorkLimits.batchStreams }

  func begin(_ pass: KeyPass) -> Findings? { Findings() }

  func commands(for key: [UInt8], after replies: [[Reply?]], _ pass: KeyPass) -> [Command] {
    questions.commands(for: key, after: replies, pass.server)
  }

  func everyCommand(for key: [UInt8], on server: ServerFacts) -> [Command] {
    questions.everyCommand(for: key, on: server)
  }

  func note(_ key: KeyName, _ replies: [[Reply?]], _ findings: inout Findings) {
    if let stream = questions.stream(key, replies) { findings.streams.append(stream) }
  }

  func summary(of shards: [Findings]) -> Findings {
    Findings(
      streams: shards.flatMap(\.streams).sorted { $0.name < $1.name },
      omittedCount: shards.reduce(0) { $0 + $1.omittedCount }
        + max(0, shards.reduce(0) { $0 + $1.streams.count } - maxStreams))
  }

  func add(_ summary: Findings, to sink: inout SampleSink) {
    for stream in summary.streams.prefix(maxStreams) { stream.add(into: &sink) }
  }

  static let families: [Family] = []
}
