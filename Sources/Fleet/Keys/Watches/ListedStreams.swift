import Config
import Metrics
import Redis

/// The flags `check-streams` and `check-single-streams`: streams of one server with their groups and consumers.
struct ListedStreams: KeyWatch {
  let globs: [KeyPattern]
  let names: [KeyPattern]
  private let seriesLimit: Int
  private let questions: StreamQuestions

  init(_ options: KeyWorkOptions) {
    globs = options.scanStreams
    names = options.lookupStreams
    seriesLimit = options.seriesLimit
    questions = StreamQuestions(includesConsumers: !options.streamsExcludeConsumers, readsNacked: true)
  }

  struct Findings: KeyFindings {
    var streams: [WatchedStream] = []
    var omittedCount = 0
  }

  var name: String { "streams" }
  var lost: [String] { ["redis_stream_*"] }
  var meetsKeysOnce: Bool { false }
  var keysAtATime: Int { KeyWorkLimits.batchStreams }

  func begin(_ pass: KeyPass) -> Findings? { pass.server.showsKeys ? Findings() : nil }

  /// Each has at least one series: once there are as many, there is no use in asking for more.
  func meet(_ key: KeyName, matching: [Int], _ findings: inout Findings) -> Bool {
    findings.streams.count <= seriesLimit
  }

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
    Findings(streams: shards.flatMap(\.streams), omittedCount: shards.reduce(0) { $0 + $1.omittedCount })
  }

  func add(_ summary: Findings, to sink: inout SampleSink) {
    for stream in summary.streams { stream.add(into: &sink) }
  }

  static let families = StreamFamilies.all
}
