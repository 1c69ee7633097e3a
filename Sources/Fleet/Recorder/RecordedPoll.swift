import Metrics
import Redis
import Runtime

/// What the flight recorder is handed of a poll: the replies as they came, which it redacts before they go anywhere.
struct RecordedPoll: Sendable {
  struct Replies: Sendable {
    let info: InfoText
    let steps: [Plan.Step]
    let replies: [Reply]
    let config: ServerConfig?
  }

  /// nil for a poll that failed.
  let replies: Replies?
  let state: TargetState
  let began: Monotonic
  let ended: WallTime
  let durationSeconds: Double
}

/// Reads the INFO and the replies of a transcript back, as a poll brought them.
struct PollTranscript {
  let info: InfoText
  /// By the name of each collector: its commands and their replies.
  let replies: [(collector: String, commands: [Command], replies: [Reply])]

  private static let nameLimit = 100_000

  init(_ transcript: Transcript) throws(RecordingDamage) {
    var reader = TranscriptReader(transcript)
    var text: [UInt8] = []
    var asked: [(collector: String, commands: [Command])] = []
    var resp: [UInt8] = []
    for line in transcript.names.split(separator: UInt8(ascii: "\n")).prefix(Self.nameLimit) {
      let rest = line.dropFirst()
      switch line.first {
      case UInt8(ascii: "#"):
        text += Array("# ".utf8)
        text += rest
        text += Array("\r\n".utf8)
      case UInt8(ascii: "+"):
        guard let value = try reader.value() else { continue }
        text += rest
        text.append(UInt8(ascii: ":"))
        text += value
        text += Array("\r\n".utf8)
      case UInt8(ascii: ">"): asked.append((String(decoding: rest, as: UTF8.self), []))
      case UInt8(ascii: "$"):
        guard !asked.isEmpty else { throw RecordingDamage("a command of nobody") }
        let words = rest.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map { Array($0) }
        asked[asked.count - 1].commands.append(Command(bytes: words))
        try reader.reply(to: &resp)
      default: throw RecordingDamage("a line of no kind")
      }
    }
    info = InfoText(bytes: text)
    guard let all = try? Replies.read(resp) else { throw RecordingDamage("replies that are none") }
    var start = 0
    replies = asked.map { collector, commands in
      defer { start += commands.count }
      return (collector, commands, all.replies(in: start..<(start + commands.count)))
    }
  }

  /// The poll as the collectors see it.
  ///
  /// - Parameter collectors: those that there are today; replies to others are passed over.
  func context(_ collectors: [any Collector], _ options: CollectorOptions, at now: WallTime) -> PollContext {
    let facts = ServerFacts(info)
    var steps: [Plan.Step] = []
    var all: [Reply] = []
    for collector in collectors {
      if let own = replies.first(where: { $0.collector == collector.name }), own.replies.count == own.commands.count {
        let range = all.count..<(all.count + own.replies.count)
        steps.append(Plan.Step(collector: collector, replies: range, commands: own.commands))
        all += own.replies
      } else if collector.readsInfoOnly {
        steps.append(Plan.Step(collector: collector, replies: all.count..<all.count, commands: []))
      }
    }
    return PollContext(info: info, server: facts, steps: steps, replies: all, options: options, now: now)
  }
}
