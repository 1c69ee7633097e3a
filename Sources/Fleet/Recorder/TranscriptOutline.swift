import Redis
import Runtime

/// What is the same in the polls of a server nearly always: which fields INFO has, which commands were asked, and what of
/// them is kept. Servers of one kind share one.
struct TranscriptOutline {
  struct Step {
    let collector: String
    let commands: [Command]
    /// What is kept of the reply to each command.
    let recordings: [ReplyRecording]
    let isSeldom: Bool
    /// Whether settings that were read already stand for the reply.
    let hasSettings: Bool
  }

  /// The fields of INFO that are kept, as places among them.
  private(set) var kept: [(index: Int, form: RecordedInfo.Form)] = []
  private(set) var steps: [Step] = []
  /// ``Transcript/names``.
  private(set) var names: [UInt8] = []

  init(_ poll: RecordedPoll.Replies) {
    let info = poll.info
    let headings = info.sections.map { RecordedInfo.isHeading($0) ? $0 : "" }
    var section: Int32 = -1
    for (index, field) in info.fields.enumerated() {
      let heading = field.section < 0 ? "" : headings[Int(field.section)]
      let form = RecordedInfo.form(of: info.name(of: field), hash: field.hash, section: heading)
      guard form != .omitted else { continue }
      kept.append((index, form))
      if field.section != section {
        section = field.section
        names += Array("#\(heading)\n".utf8)
      }
      names.append(UInt8(ascii: "+"))
      names += info.name(of: field)
      names.append(UInt8(ascii: "\n"))
    }
    for step in poll.answered { add(step) }
    names = KnownSecrets.mask?.masked(names[...]) ?? names
  }

  private mutating func add(_ step: Plan.Step) {
    let recordings = step.commands.map { step.collector.recording(of: $0) }
    let hasSettings = step.collector is ConfigCollector
    steps.append(
      Step(
        collector: step.collector.name, commands: step.commands, recordings: recordings,
        isSeldom: step.collector.isRecordedSeldom, hasSettings: hasSettings))
    guard recordings.contains(where: { !$0.isNothing }) else { return }
    names += Array(">\(step.collector.name)\n".utf8)
    for command in step.commands {
      // A renamed CONFIG is a secret of its own kind.
      let words = command.arguments.enumerated().map { index, word in
        hasSettings && index == 0 ? "CONFIG" : String(foreign: word)
      }
      names += Array("$\(words.joined(separator: "\t"))\n".utf8)
    }
  }

  func isSame(as other: TranscriptOutline) -> Bool {
    names == other.names && kept.elementsEqual(other.kept) { $0 == $1 }
      && steps.elementsEqual(other.steps) { $0.collector == $1.collector && $0.commands == $1.commands }
  }
}

extension ReplyRecording {
  var isNothing: Bool { if case .nothing = self { true } else { false } }
}

extension RecordedPoll.Replies {
  /// The steps whose replies came.
  var answered: [Plan.Step] { steps.filter { $0.replies.upperBound <= replies.count } }
}
