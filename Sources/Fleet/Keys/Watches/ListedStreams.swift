import Config
import Metrics
import Redis

/// The flags `check-streams` and `check-single-streams`: streams of one server with their groups and consumers.
struct ListedStreams: StreamReading {
  let globs: [KeyPattern]
  let names: [KeyPattern]
  private let seriesLimit: Int
  let questions: StreamQuestions

  init(_ options: KeyWorkOptions) {
    globs = options.scanStreams
    names = options.lookupStreams
    seriesLimit = options.seriesLimit
    questions = StreamQuestions(includesConsumers: !options.streamsExcludeConsumers, readsNacked: true)
  }

  var name: String { "streams" }
  var meetsKeysOnce: Bool { false }

  func begin(_ pass: KeyPass) -> StreamFindings? { pass.server.showsKeys ? StreamFindings() : nil }

  /// Each has at least one series: once there are as many, there is no use in asking for more.
  func meet(_ key: KeyName, matching: [Int], _ findings: inout StreamFindings) -> Bool {
    findings.streams.count <= seriesLimit
  }

  func summary(of shards: [StreamFindings]) -> StreamFindings {
    StreamFindings(streams: shards.flatMap(\.streams), omittedCount: shards.reduce(0) { $0 + $1.omittedCount })
  }

  func add(_ summary: StreamFindings, to sink: inout SampleSink) {
    for stream in summary.streams { stream.add(into: &sink) }
  }

  static let families = StreamFamilies.all
}
