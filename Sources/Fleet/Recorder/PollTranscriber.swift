import Metrics
import Redis
import Runtime

/// Turns the polls of one server into transcripts, each as its difference from the one before.
///
/// Most of a poll is what the poll before it said. So a value of INFO is looked at where it differs from the last one alone, and
/// where it differs in its numbers alone, nothing is put together again.
struct PollTranscriber {
  /// The poll before, as the file knows it. Little is kept and less is looked at, since a thousand servers share the
  /// processor's cache: what values give in a transcript is found out again where that is needed.
  fileprivate struct Known {
    struct Step {
      /// Where its replies end in ``Known/replies``.
      let textEnd: Int
      let numberEnd: Int
      /// A number that differs when what is kept of its replies does.
      var digest: UInt64
      /// When its replies were looked at.
      var lookedAt: Monotonic
    }

    let shape: UInt64
    let fieldCount: Int
    let replyCount: Int
    let plan: [Plan.Step]
    let mask: SecretMask?
    var values: InfoValues
    /// How many numbers of the transcript come before each value, and before the replies; similar servers share it.
    let numberStarts: [Int32]
    /// The part of the transcript that is not INFO.
    var replies = Transcript()
    var steps: [Step] = []

    /// Whether a poll has the same fields and is of the same plan, all of whose replies came.
    func isLike(_ poll: RecordedPoll.Replies, _ mask: SecretMask?) -> Bool {
      shape == poll.info.shape && fieldCount == poll.info.fields.count && replyCount == poll.replies.count
        && plan == poll.steps && mask === self.mask
    }
  }

  /// What the transcribers of all servers share.
  struct Room {
    fileprivate var outlines = OutlinePool()
    fileprivate var starts: Set<[Int32]> = []
    fileprivate var values: [InfoValues.Change] = []
    fileprivate var numbers: [NumberChange] = []

    private static let startLimit = 1_000

    /// Those that are the same, as another server has them.
    fileprivate mutating func shared(_ starts: [Int32]) -> [Int32] {
      if self.starts.count >= Self.startLimit { self.starts = [] }
      return self.starts.insert(starts).memberAfterInsert
    }
  }

  private var outline: TranscriptOutline?
  private var known: Known?

  static let seldomSeconds = 60.0

  private static let elementLimit = 65_536
  private static let plainError = Array("ERR".utf8)

  /// What comes next is told whole.
  mutating func restart() { known = nil }

  /// Appends a poll as its difference from the one that was written before it.
  ///
  /// - Parameters:
  ///   - now: when the poll began.
  ///   - mask: hides what is secret.
  mutating func write(
    _ poll: RecordedPoll.Replies, at now: Monotonic, hiding mask: SecretMask? = KnownSecrets.mask,
    using room: inout Room, to output: inout ByteWriter
  ) {
    var before = Transcript()
    if let outline, known != nil {
      let isLike = known!.isLike(poll, mask)
      if isLike, known!.take(poll, outline, at: now, using: &room) {
        return TranscriptDelta.write(room.numbers, to: &output)
      }
      before = known!.transcript(outline)
      if !isLike { self.outline = nil }
    } else {
      outline = nil
    }
    if outline == nil { outline = room.outlines.shared(TranscriptOutline(poll)) }
    TranscriptDelta.write(transcript(poll, at: now, hiding: mask, using: &room), after: before, to: &output)
  }

  /// A poll by itself, which becomes the one before the next.
  mutating func transcript(
    _ poll: RecordedPoll.Replies, at now: Monotonic = Monotonic(seconds: 0),
    hiding mask: SecretMask? = KnownSecrets.mask, using room: inout Room
  ) -> Transcript {
    let steps = poll.answered
    let outline = outline ?? TranscriptOutline(poll)
    self.outline = outline
    var transcript = Transcript()
    transcript.names = outline.names
    var starts: [Int32] = []
    starts.reserveCapacity(outline.fields.count + 1)
    for (index, form) in zip(outline.fields, outline.forms) {
      starts.append(Int32(clamping: transcript.numbers.count))
      Self.add(poll.info.value(of: poll.info.fields[Int(index)]), form, mask, to: &transcript)
    }
    starts.append(Int32(clamping: transcript.numbers.count))
    var new = Known(
      shape: poll.info.shape, fieldCount: poll.info.fields.count, replyCount: poll.replies.count,
      // The array itself, which is soon compared.
      plan: steps.count == poll.steps.count ? poll.steps : steps, mask: mask,
      values: InfoValues(poll.info, of: outline.fields), numberStarts: room.shared(starts))
    for (step, own) in zip(steps, outline.steps) {
      Self.add(step, own, poll, mask, to: &new.replies)
      new.steps.append(
        Known.Step(
          textEnd: new.replies.text.count, numberEnd: new.replies.numbers.count,
          digest: Self.digest(step, own, poll), lookedAt: now))
    }
    transcript += new.replies
    known = new
    return transcript
  }

  // MARK: Values

  fileprivate static func add(
    _ value: ArraySlice<UInt8>, _ form: RecordedInfo.Form, _ mask: SecretMask?, to transcript: inout Transcript
  ) {
    switch form {
    case .value where RecordedInfo.isValue(value), .pairs where RecordedInfo.isPairs(value):
      transcript.add(form == .pairs ? masked(value, mask) : value)
    case .text: transcript.add(masked(value.prefix(ForeignText.hostByteLimit), mask))
    default: transcript.addNone()
    }
  }

  fileprivate static func add(
    _ step: Plan.Step, _ own: TranscriptOutline.Step, _ poll: RecordedPoll.Replies, _ mask: SecretMask?,
    to transcript: inout Transcript
  ) {
    for (place, recording) in own.recordings.enumerated() {
      add(
        poll.replies[step.replies.lowerBound + place], recording, own.hasSettings ? poll.config : nil, mask,
        to: &transcript)
    }
  }

  /// A number that differs, most likely, when anything does that is kept of the replies to a step.
  fileprivate static func digest(
    _ step: Plan.Step, _ own: TranscriptOutline.Step, _ poll: RecordedPoll.Replies
  ) -> UInt64 {
    var digest = FNV1a.start
    for (place, recording) in own.recordings.enumerated() where !recording.isNothing {
      let reply = poll.replies[step.replies.lowerBound + place]
      let own =
        if own.hasSettings, case .pairs(let names) = recording, let config = poll.config, reply.kind == .array {
          config.digest(of: names)
        } else {
          reply.digest
        }
      digest = (digest ^ own) &* FNV1a.prime
    }
    return digest
  }

  private static func masked(_ bytes: ArraySlice<UInt8>, _ mask: SecretMask?) -> ArraySlice<UInt8> {
    mask?.masked(bytes, isCut: true)?[...] ?? bytes
  }

  private static func add(
    _ reply: Reply, _ recording: ReplyRecording, _ config: ServerConfig?, _ mask: SecretMask?,
    to transcript: inout Transcript
  ) {
    if reply.isError, !recording.isNothing {
      // Behind the code, an error may repeat what was sent.
      let code = (reply.bytes ?? []).prefix { $0 != UInt8(ascii: " ") }
      transcript.put(Transcript.Mark.error)
      return transcript.add(RecordedWord.isErrorCode(code) ? code : plainError[...])
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
      transcript.put(reply.kind == .status ? Transcript.Mark.status : Transcript.Mark.string)
      transcript.add(masked(bytes.prefix(ForeignText.byteLimit), mask))
    }
  }

  private static func addPlain(_ reply: Reply, to transcript: inout Transcript) {
    let bytes = reply.source.bytes
    reply.forEachValue { kind, number, range in
      switch kind {
      case .integer: transcript.add(number, Transcript.Mark.number)
      case .array: transcript.add(number, Transcript.Mark.array)
      case .string, .status, .error:
        let text = bytes[range]
        transcript.put(Transcript.Mark.string)
        transcript.add(RecordedWord.isWord(text) || RecordedWord.isNumber(text) ? text : [])
      case .null: transcript.addNone()
      }
    }
  }

  /// Entries such as those of the slow log, whose further elements are what somebody sent.
  private static func addLeading(_ reply: Reply, _ count: Int, to transcript: inout Transcript) {
    guard let elements = reply.elements, elements.count <= elementLimit else { return transcript.addNone() }
    transcript.add(Int64(elements.count), Transcript.Mark.array)
    for element in elements {
      let leading = Array((element.elements.map { Array($0) } ?? []).prefix(count))
      transcript.add(Int64(leading.count), Transcript.Mark.array)
      for one in leading { transcript.add(Int64(one.integer ?? 0), Transcript.Mark.number) }
    }
  }

  private static func addSettings(
    _ config: ServerConfig, _ names: HashSet, _ mask: SecretMask?, to transcript: inout Transcript
  ) {
    let keptCount = config.entries.count { names.contains($0.keyHash) }
    transcript.add(Int64(keptCount * 2), Transcript.Mark.array)
    for entry in config.entries where names.contains(entry.keyHash) {
      transcript.put(Transcript.Mark.string)
      transcript.add(config.key(of: entry))
      transcript.put(Transcript.Mark.string)
      transcript.add(masked(config.value(of: entry).prefix(ForeignText.byteLimit), mask))
    }
  }

  /// A list of pairs, or a list of such lists.
  private static func addPairs(
    _ reply: Reply, _ names: HashSet, _ mask: SecretMask?, depth: Int, to transcript: inout Transcript
  ) {
    guard let elements = reply.elements, elements.count <= elementLimit, depth < 2 else {
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
      transcript.put(Transcript.Mark.string)
      transcript.add(key)
      if value.kind == .integer {
        transcript.add(Int64(value.integer ?? 0), Transcript.Mark.number)
      } else {
        transcript.put(Transcript.Mark.string)
        transcript.add(masked((value.bytes ?? []).prefix(ForeignText.hostByteLimit), mask))
      }
    }
  }

  /// `cluster_state:ok`, a line each.
  private static func addLines(_ reply: Reply, to transcript: inout Transcript) {
    guard let bytes = reply.bytes else { return transcript.addNone() }
    var kept: [UInt8] = []
    for line in bytes.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")), RecordedWord.isWord(line[..<colon]),
        RecordedInfo.isValue(line[(colon + 1)...]), kept.count < elementLimit
      else { continue }
      kept += line + Array("\r\n".utf8)
    }
    transcript.put(Transcript.Mark.string)
    transcript.add(kept[...])
  }

  private static let nodesLimit = 1 << 20

  /// Lines that begin with an id of 40 hexadecimal digits.
  private static func addNodes(_ reply: Reply, _ mask: SecretMask?, to transcript: inout Transcript) {
    guard let bytes = reply.bytes, bytes.count <= nodesLimit else { return transcript.addNone() }
    let isWhole = bytes.split(separator: UInt8(ascii: "\n")).allSatisfy { line in
      line.count > 41 && line[line.startIndex + 40] == UInt8(ascii: " ")
        && line.prefix(40).allSatisfy { $0.hexDigitValue != nil }
    }
    guard isWhole else { return transcript.addNone() }
    transcript.put(Transcript.Mark.string)
    transcript.add(masked(bytes, mask))
  }
}

extension PollTranscriber.Known {
  /// The poll as it stands in the file.
  fileprivate func transcript(_ outline: TranscriptOutline) -> Transcript {
    var transcript = Transcript()
    transcript.names = outline.names
    for (value, form) in zip(values.all, outline.forms) { PollTranscriber.add(value, form, mask, to: &transcript) }
    transcript += replies
    return transcript
  }

  /// Takes a poll that ``isLike(_:_:)`` said is like it, where it differs in numbers alone.
  ///
  /// - Parameter room: is left with the numbers that differ.
  /// - Returns: false where it differs otherwise: a whole one is due, and the transcript is that of before.
  fileprivate mutating func take(
    _ poll: RecordedPoll.Replies, _ outline: TranscriptOutline, at now: Monotonic,
    using room: inout PollTranscriber.Room
  ) -> Bool {
    values.compare(poll.info, of: outline.fields, changes: &room.values)
    room.numbers.removeAll(keepingCapacity: true)
    guard findNumbers(poll.info, outline, using: &room) else { return false }
    let valueCount = room.numbers.count
    for place in outline.told {
      let own = outline.steps[place]
      let passed = now - steps[place].lookedAt
      if own.isSeldom, passed >= 0, passed < PollTranscriber.seldomSeconds { continue }
      steps[place].lookedAt = now
      let digest = PollTranscriber.digest(plan[place], own, poll)
      guard digest != steps[place].digest else { continue }
      guard findNumbers(poll, own, at: place, into: &room.numbers) else { return false }
      steps[place].digest = digest
    }
    values.take(room.values, from: poll.info, of: outline.fields)
    let start = Int(numberStarts.last ?? 0)
    for change in room.numbers.dropFirst(valueCount) { replies.numbers[change.index - start] &+= change.difference }
    return true
  }

  /// The numbers of INFO that differ.
  private func findNumbers(
    _ info: InfoText, _ outline: TranscriptOutline, using room: inout PollTranscriber.Room
  ) -> Bool {
    let (forms, places, starts) = (outline.forms, outline.fields, numberStarts)
    let (oldBytes, newBytes, fields) = (values.bytes, info.bytes, info.fields)
    let old = oldBytes.span
    let new = newBytes.span
    for change in room.values {
      let (form, range) = (forms[change.place], fields[Int(places[change.place])].value)
      let first = Int(starts[change.place])
      // With the form of one that is kept, a value is kept too, unless it is too long. What is to be hidden is looked for
      // in the whole of it.
      let isPlain = form == .value || form == .pairs && mask == nil
      let limit = form == .value ? RecordedInfo.valueLimit : RecordedInfo.pairLimit
      if isPlain, range.count <= limit, change.known.count <= limit, Int(starts[change.place + 1]) > first,
        NumberMatch.find(old, change.known, new, range, first: first, into: &room.numbers)
      {
        continue
      }
      var (before, now) = (Transcript(), Transcript())
      PollTranscriber.add(oldBytes[change.known], form, mask, to: &before)
      PollTranscriber.add(newBytes[range], form, mask, to: &now)
      guard before.text == now.text else { return false }
      now.add(differencesFrom: before.numbers[...], first: first, to: &room.numbers)
    }
    return true
  }

  /// The numbers of the replies to a step that differ.
  private func findNumbers(
    _ poll: RecordedPoll.Replies, _ own: TranscriptOutline.Step, at place: Int, into changes: inout [NumberChange]
  ) -> Bool {
    let textStart = place > 0 ? steps[place - 1].textEnd : 0
    let numberStart = place > 0 ? steps[place - 1].numberEnd : 0
    var now = Transcript()
    PollTranscriber.add(plan[place], own, poll, mask, to: &now)
    guard replies.text[textStart..<steps[place].textEnd] == now.text[...] else { return false }
    now.add(
      differencesFrom: replies.numbers[numberStart..<steps[place].numberEnd],
      first: Int(numberStarts.last ?? 0) + numberStart, to: &changes)
    return true
  }
}

extension Transcript {
  /// - Parameters:
  ///   - before: as many numbers.
  ///   - first: the place of the first of them in a longer transcript.
  fileprivate func add(differencesFrom before: ArraySlice<Int64>, first: Int, to changes: inout [NumberChange]) {
    for (index, (old, new)) in zip(before, numbers).enumerated() where old != new {
      changes.append(NumberChange(index: first + index, difference: new &- old))
    }
  }
}

extension ReplyElements.Iterator {
  fileprivate var first: Reply? {
    var copy = self
    return copy.next()
  }
}

/// The outlines of all servers, each once.
struct OutlinePool {
  private var byNames: [[UInt8]: TranscriptOutline] = [:]
  private static let limit = 1_000

  /// An outline that is the same, as another server has it.
  mutating func shared(_ outline: TranscriptOutline) -> TranscriptOutline {
    if let other = byNames[outline.names], other.isSame(as: outline) { return other }
    if byNames.count >= Self.limit { byNames = [:] }
    byNames[outline.names] = outline
    return outline
  }
}
