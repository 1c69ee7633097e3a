import Metrics
import Redis

/// What was read of one stream, and when by the server's clock.
struct WatchedStream: Sendable {
  let database: Int
  var report: StreamReport
  /// nil where the server does not tell.
  let nowMilliseconds: Double?

  var name: KeyName { KeyName(database: database, bytes: report.name) }

  func add(into sink: inout SampleSink) {
    report.add(database: database, nowMilliseconds: nowMilliseconds, into: &sink)
  }
}

/// How a stream is asked about: its type first, so that a key that is no stream raises no error on the server; then the
/// stream and its groups; then their consumers and what they have not acknowledged.
struct StreamQuestions: Sendable {
  let includesConsumers: Bool
  /// Whether entries that were given back are counted, where the server knows that.
  let readsNacked: Bool

  /// Without these nothing is known of a stream's groups, as an ACL names them.
  static let rights: Set<String> = ["type", "xinfo|stream", "xinfo|groups"]

  func commands(for key: [UInt8], after replies: [[Reply?]], _ server: KeyServer) -> [Command] {
    switch replies.count {
    case 0: return [KeyCommand.type(key)]
    case 1:
      guard Self.isStream(replies) else { return [] }
      return [KeyCommand.xinfoStream(key), KeyCommand.xinfoGroups(key), ["TIME"]]
        + (readsNacked && server.facts.knowsNacked ? [KeyCommand.xinfoStreamFull(key)] : [])
    case 2:
      guard Self.isStream(replies) else { return [] }
      let report = StreamReport(name: key, stream: replies[1][0], groups: replies[1][1])
      return questions(report?.groups ?? []).map { group, question in
        switch question {
        case .consumers: KeyCommand.xinfoConsumers(key, group.name)
        case .pending: KeyCommand.xpending(key, group.name)
        }
      }
    default: return []
    }
  }

  func everyCommand(for key: [UInt8], on server: ServerFacts) -> [Command] {
    let group = Array("redline-check".utf8)
    return [KeyCommand.type(key), KeyCommand.xinfoStream(key), KeyCommand.xinfoGroups(key), ["TIME"]]
      + (readsNacked && server.knowsNacked ? [KeyCommand.xinfoStreamFull(key)] : [])
      + (includesConsumers ? [KeyCommand.xinfoConsumers(key, group)] : []) + [KeyCommand.xpending(key, group)]
  }

  /// - Returns: nil for a key that is no stream.
  func stream(_ key: KeyName, _ replies: [[Reply?]]) -> WatchedStream? {
    guard replies.count > 1, Self.isStream(replies),
      var report = StreamReport(name: key.bytes, stream: replies[1][0], groups: replies[1][1])
    else { return nil }
    if replies[1].count > 3 { report.readFull(replies[1][3]) }
    let answers = replies.count > 2 ? replies[2] : []
    var places: [(place: Int, question: Question)] = []
    for (place, group) in report.groups.enumerated() {
      places += questions([group]).map { (place, $0.question) }
    }
    for ((place, question), reply) in zip(places, answers) {
      switch question {
      case .consumers: report.groups[place].readConsumers(reply)
      case .pending: report.groups[place].readPending(reply)
      }
    }
    return WatchedStream(
      database: key.database, report: report, nowMilliseconds: replies[1][2]?.clockMilliseconds)
  }

  private enum Question { case consumers, pending }

  private func questions(
    _ groups: [StreamReport.Group]
  ) -> [(group: StreamReport.Group, question: Question)] {
    groups.flatMap { group in
      (includesConsumers ? [(group, Question.consumers)] : []) + ((group.pending ?? 0) > 0 ? [(group, .pending)] : [])
    }
  }

  private static func isStream(_ replies: [[Reply?]]) -> Bool { replies[0][0]?.text == "stream" }
}

/// What is found of streams.
struct StreamFindings: KeyFindings {
  var streams: [WatchedStream] = []
  var omittedCount = 0
}

/// A watch whose keys are streams: which ones, and how many are shown, is its own business.
protocol StreamReading: KeyWatch where Findings == StreamFindings {
  var questions: StreamQuestions { get }
}

extension StreamReading {
  var lost: [String] { ["redis_stream_*"] }
  /// XINFO answers with two whole entries each.
  var keysAtATime: Int { KeyWorkLimits.batchStreams }

  func commands(for key: [UInt8], after replies: [[Reply?]], _ pass: KeyPass) -> [Command] {
    questions.commands(for: key, after: replies, pass.server)
  }

  func everyCommand(for key: [UInt8], on server: ServerFacts) -> [Command] {
    questions.everyCommand(for: key, on: server)
  }

  func note(_ key: KeyName, _ replies: [[Reply?]], _ findings: inout StreamFindings) {
    guard let stream = questions.stream(key, replies) else { return }
    findings.streams.append(stream)
    findings.omittedCount += stream.report.omittedGroupCount
  }
}
