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

/// Turns the polls of one server into transcripts.
///
/// What INFO's fields are is found out once: a server sends the same fields in the same order nearly always.
struct PollTranscriber {
  private var hashes: [UInt64] = []
  private var sections: [Int32] = []
  private var forms: [RecordedInfo.Form] = []
  private var commands: [String] = []
  private var names: [UInt8] = []
  private var lastCounts = (text: 0, numbers: 0)
  /// By the names of collectors whose replies are looked at once in a while.
  private var seldom: [String: Seldom] = [:]

  private struct Seldom {
    let time: Monotonic
    let text: [UInt8]
    let numbers: [Int64]
  }

  static let seldomSeconds = 60.0

  private static let elementLimit = 65_536
  private static let plainError = Array("ERR".utf8)

  /// - Parameter now: when the poll began.
  mutating func transcript(_ poll: RecordedPoll.Replies, at now: Monotonic = Monotonic(seconds: 0)) -> Transcript {
    let (info, steps, replies, config) = (poll.info, poll.steps, poll.replies, poll.config)
    learn(info, steps, replyCount: replies.count)
    var transcript = Transcript()
    transcript.names = names
    transcript.text.reserveCapacity(lastCounts.text + 64)
    transcript.numbers.reserveCapacity(lastCounts.numbers + 16)
    let mask = KnownSecrets.mask
    for (index, field) in info.fields.enumerated() {
      let form = forms[index]
      guard form != .omitted else { continue }
      let value = info.value(of: field)
      switch form {
      case .value where RecordedInfo.isValue(value), .pairs where RecordedInfo.isPairs(value):
        transcript.add(form == .pairs ? masked(value, mask) : value)
      case .text: transcript.add(masked(value.prefix(ForeignText.hostByteLimit), mask))
      default: transcript.addNone()
      }
    }
    for step in steps where step.replies.upperBound <= replies.count && !step.commands.isEmpty {
      if step.collector.isRecordedSeldom, let known = seldom[step.collector.name],
        now - known.time < Self.seldomSeconds,
        now >= known.time
      {
        transcript.text += known.text
        transcript.numbers += known.numbers
        continue
      }
      let (textStart, numberStart) = (transcript.text.count, transcript.numbers.count)
      for (command, reply) in zip(step.commands, replies[step.replies]) {
        let settings = step.collector is ConfigCollector ? config : nil
        add(reply, step.collector.recording(of: command), settings, mask, to: &transcript)
      }
      guard step.collector.isRecordedSeldom else { continue }
      seldom[step.collector.name] = Seldom(
        time: now, text: Array(transcript.text[textStart...]), numbers: Array(transcript.numbers[numberStart...]))
    }
    lastCounts = (transcript.text.count, transcript.numbers.count)
    return transcript
  }

  // MARK: Names

  private mutating func learn(_ info: InfoText, _ steps: [Plan.Step], replyCount: Int) {
    let fields = info.fields
    var isKnown = fields.count == hashes.count
    if isKnown {
      for index in fields.indices where hashes[index] != fields[index].hash || sections[index] != fields[index].section
      {
        isKnown = false
        break
      }
    }
    let asked = steps.filter { $0.replies.upperBound <= replyCount }
    var place = 0
    if isKnown {
      for step in asked {
        guard place < commands.count, commands[place] == step.collector.name else {
          isKnown = false
          break
        }
        place += 1
      }
    }
    guard !isKnown || place != commands.count else { return }
    commands = asked.map(\.collector.name)
    seldom = [:]
    (hashes, sections) = (fields.map(\.hash), fields.map(\.section))
    names = []
    let headings = info.sections.map { RecordedInfo.isHeading($0) ? $0 : "" }
    var section: Int32 = -1
    forms = fields.map { field in
      let heading = field.section < 0 ? "" : headings[Int(field.section)]
      let form = RecordedInfo.form(of: info.name(of: field), hash: field.hash, section: heading)
      guard form != .omitted else { return form }
      if field.section != section {
        section = field.section
        names += Array("#\(heading)\n".utf8)
      }
      names.append(UInt8(ascii: "+"))
      names += info.name(of: field)
      names.append(UInt8(ascii: "\n"))
      return form
    }
    for step in asked where step.commands.contains(where: { !step.collector.recording(of: $0).isNothing }) {
      names += Array(">\(step.collector.name)\n".utf8)
      for command in step.commands {
        // A renamed CONFIG is a secret of its own kind.
        let words = command.arguments.enumerated().map { index, word in
          step.collector is ConfigCollector && index == 0 ? "CONFIG" : String(foreign: word)
        }
        names += Array("$\(words.joined(separator: "\t"))\n".utf8)
      }
    }
    names = KnownSecrets.mask?.masked(names[...]) ?? names
  }

  // MARK: Values

  private func masked(_ bytes: ArraySlice<UInt8>, _ mask: SecretMask?) -> ArraySlice<UInt8> {
    mask?.masked(bytes, isCut: true)?[...] ?? bytes
  }

  private func add(
    _ reply: Reply, _ recording: ReplyRecording, _ config: ServerConfig?, _ mask: SecretMask?,
    to transcript: inout Transcript
  ) {
    if reply.isError, !recording.isNothing {
      // Behind the code, an error may repeat what was sent.
      let code = (reply.bytes ?? []).prefix { $0 != UInt8(ascii: " ") }
      transcript.text.append(Transcript.Mark.error)
      return transcript.add(RecordedWord.isErrorCode(code) ? code : Self.plainError[...])
    }
    switch recording {
    case .nothing: break
    case .numbersAndWords: addPlain(reply, to: &transcript)
    case .leadingNumbers(let count): addLeading(reply, count, to: &transcript)
    case .pairs(let names):
      if let config, reply.kind == .array { return addSettings(config, names, mask, to: &transcript) }
      addPairs(reply, names, mask, depth: 0, to: &transcript)
    case .lines: addLines(reply, to: &transcript)
    case .nodes: addNodes(reply, mask, to: &transcript)
    case .text:
      guard let bytes = reply.bytes else { return transcript.addNone() }
      transcript.text.append(reply.kind == .status ? Transcript.Mark.status : Transcript.Mark.string)
      transcript.add(masked(bytes.prefix(ForeignText.byteLimit), mask))
    }
  }

  private func addPlain(_ reply: Reply, to transcript: inout Transcript) {
    let bytes = reply.source.bytes
    reply.forEachValue { kind, number, range in
      switch kind {
      case .integer: transcript.add(number, Transcript.Mark.number)
      case .array: transcript.add(number, Transcript.Mark.array)
      case .string, .status, .error:
        let text = bytes[range]
        transcript.text.append(Transcript.Mark.string)
        transcript.add(RecordedWord.isWord(text) || RecordedWord.isNumber(text) ? text : [])
      case .null: transcript.addNone()
      }
    }
  }

  /// Entries such as those of the slow log, whose further elements are what somebody sent.
  private func addLeading(_ reply: Reply, _ count: Int, to transcript: inout Transcript) {
    guard let elements = reply.elements, elements.count <= Self.elementLimit else { return transcript.addNone() }
    transcript.add(Int64(elements.count), Transcript.Mark.array)
    for element in elements {
      let leading = Array((element.elements.map { Array($0) } ?? []).prefix(count))
      transcript.add(Int64(leading.count), Transcript.Mark.array)
      for one in leading { transcript.add(Int64(one.integer ?? 0), Transcript.Mark.number) }
    }
  }

  private func addSettings(
    _ config: ServerConfig, _ names: HashSet, _ mask: SecretMask?, to transcript: inout Transcript
  ) {
    let kept = config.entries.filter { names.contains($0.keyHash) }
    transcript.add(Int64(kept.count * 2), Transcript.Mark.array)
    for entry in kept {
      transcript.text.append(Transcript.Mark.string)
      transcript.add(config.key(of: entry))
      transcript.text.append(Transcript.Mark.string)
      transcript.add(masked(config.value(of: entry).prefix(ForeignText.byteLimit), mask))
    }
  }

  /// A list of pairs, or a list of such lists.
  private func addPairs(
    _ reply: Reply, _ names: HashSet, _ mask: SecretMask?, depth: Int, to transcript: inout Transcript
  ) {
    guard let elements = reply.elements, elements.count <= Self.elementLimit, depth < 2 else {
      return transcript.addNone()
    }
    if elements.makeIterator().first?.kind == .array {
      transcript.add(Int64(elements.count), Transcript.Mark.array)
      for element in elements { addPairs(element, names, mask, depth: depth + 1, to: &transcript) }
      return
    }
    var kept: [(key: ArraySlice<UInt8>, value: Reply)] = []
    var iterator = elements.makeIterator()
    while let key = iterator.next(), let value = iterator.next() {
      guard let bytes = key.bytes, value.kind != .array, names.contains(fnvHash(bytes)) else { continue }
      kept.append((bytes, value))
    }
    transcript.add(Int64(kept.count * 2), Transcript.Mark.array)
    for (key, value) in kept {
      transcript.text.append(Transcript.Mark.string)
      transcript.add(key)
      if value.kind == .integer {
        transcript.add(Int64(value.integer ?? 0), Transcript.Mark.number)
      } else {
        transcript.text.append(Transcript.Mark.string)
        transcript.add(masked((value.bytes ?? []).prefix(ForeignText.hostByteLimit), mask))
      }
    }
  }

  /// `cluster_state:ok`, a line each.
  private func addLines(_ reply: Reply, to transcript: inout Transcript) {
    guard let bytes = reply.bytes else { return transcript.addNone() }
    var kept: [UInt8] = []
    for line in bytes.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")), RecordedWord.isWord(line[..<colon]),
        RecordedInfo.isValue(line[(colon + 1)...]), kept.count < Self.elementLimit
      else { continue }
      kept += line + Array("\r\n".utf8)
    }
    transcript.text.append(Transcript.Mark.string)
    transcript.add(kept[...])
  }

  private static let nodesLimit = 1 << 20

  /// Lines that begin with an id of 40 hexadecimal digits.
  private func addNodes(_ reply: Reply, _ mask: SecretMask?, to transcript: inout Transcript) {
    guard let bytes = reply.bytes, bytes.count <= Self.nodesLimit else { return transcript.addNone() }
    let isWhole = bytes.split(separator: UInt8(ascii: "\n")).allSatisfy { line in
      line.count > 41 && line[line.startIndex + 40] == UInt8(ascii: " ")
        && line.prefix(40).allSatisfy { $0.hexDigitValue != nil }
    }
    guard isWhole else { return transcript.addNone() }
    transcript.text.append(Transcript.Mark.string)
    transcript.add(masked(bytes, mask))
  }
}

extension ReplyRecording {
  var isNothing: Bool { if case .nothing = self { true } else { false } }
}

extension ReplyElements.Iterator {
  fileprivate var first: Reply? {
    var copy = self
    return copy.next()
  }
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
