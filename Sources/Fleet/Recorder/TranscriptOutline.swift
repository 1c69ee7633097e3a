import Redis
import Runtime

/// What is the same in the polls of a server nearly always: which fields INFO has, which commands were asked, and what of
/// them is kept. Servers of one kind share one.
final class TranscriptOutline: Sendable {
  struct Step: Sendable {
    let collector: String
    let commands: [Command]
    /// What is kept of the reply to each command.
    let recordings: [ReplyRecording]
    let isSeldom: Bool
    /// Whether settings that were read already stand for the reply.
    let hasSettings: Bool
  }

  /// The fields of INFO that are kept, as places among them, and the form of each.
  let fields: [Int32]
  let forms: [RecordedInfo.Form]
  let steps: [Step]
  /// Steps of whose replies anything is kept, as places among them.
  let told: [Int]
  /// ``Transcript/names``.
  let names: [UInt8]

  init(_ poll: RecordedPoll.Replies) {
    let info = poll.info
    let headings = info.sections.map { RecordedInfo.isHeading($0) ? $0 : "" }
    var section: Int32 = -1
    var names: [UInt8] = []
    var fields: [Int32] = []
    var forms: [RecordedInfo.Form] = []
    for (index, field) in info.fields.enumerated() {
      let heading = field.section < 0 ? "" : headings[Int(field.section)]
      let form = RecordedInfo.form(of: info.name(of: field), hash: field.hash, section: heading)
      guard form != .omitted else { continue }
      fields.append(Int32(clamping: index))
      forms.append(form)
      if field.section != section {
        section = field.section
        names += Array("#\(heading)\n".utf8)
      }
      names.append(UInt8(ascii: "+"))
      names += info.name(of: field)
      names.append(UInt8(ascii: "\n"))
    }
    let steps = poll.answered.map { Self.step($0, names: &names) }
    (self.fields, self.forms, self.steps) = (fields, forms, steps)
    told = steps.indices.filter { steps[$0].recordings.contains { !$0.isNothing } }
    self.names = KnownSecrets.mask?.masked(names[...]) ?? names
  }

  private static func step(_ step: Plan.Step, names: inout [UInt8]) -> Step {
    let recordings = step.commands.map { step.collector.recording(of: $0) }
    let hasSettings = step.collector is ConfigCollector
    if recordings.contains(where: { !$0.isNothing }) {
      names += Array(">\(step.collector.name)\n".utf8)
      for command in step.commands {
        // A renamed CONFIG is a secret of its own kind.
        let words = command.arguments.enumerated().map { index, word in
          hasSettings && index == 0 ? "CONFIG" : String(foreign: word)
        }
        names += Array("$\(words.joined(separator: "\t"))\n".utf8)
      }
    }
    return Step(
      collector: step.collector.name, commands: step.commands, recordings: recordings,
      isSeldom: step.collector.isRecordedSeldom, hasSettings: hasSettings)
  }

  func isSame(as other: TranscriptOutline) -> Bool {
    names == other.names && fields == other.fields && forms == other.forms
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
