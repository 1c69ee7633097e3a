import Metrics
import Redis
import Runtime

/// Turns the polls of one server into transcripts, each as its difference from the one before.
///
/// Most of a poll is what the poll before it said. So a value of INFO is looked at where it differs from the last one alone, and
/// where it differs in its numbers alone, nothing is put together again.
struct PollTranscriber {
  /// The poll before, as the file knows it. Little is kept, since a thousand servers share the processor's cache.
  private struct Known {
    /// A value of INFO that is kept: its bytes in ``values``, and where it ends in the transcript.
    struct Slot {
      var start: Int32
      var count: Int32
      /// Bytes that it may have here.
      var room: Int32
      var textEnd: Int32
      var numberEnd: Int32

      var end: TranscriptPlace { TranscriptPlace(text: Int(textEnd), number: Int(numberEnd)) }
    }

    let shape: UInt64
    let fieldCount: Int
    let steps: [Plan.Step]
    let replyCount: Int
    var transcript: Transcript
    var slots: [Slot] = []
    var values: [UInt8] = []
    /// Where each step ends in the transcript, and when its replies were looked at.
    var ends: [TranscriptPlace] = []
    var lookedAt: [Monotonic] = []

    static let spareBytes = 8

    /// Whether a poll has the same fields and is of the same plan, all of whose replies came.
    func isLike(_ poll: RecordedPoll.Replies) -> Bool {
      guard shape == poll.info.shape, fieldCount == poll.info.fields.count, steps.count == poll.steps.count,
        replyCount == poll.replies.count
      else { return false }
      for index in steps.indices where steps[index] !== poll.steps[index] { return false }
      return true
    }

    mutating func add(_ value: ArraySlice<UInt8>, endingAt end: TranscriptPlace) {
      slots.append(
        Slot(
          start: Int32(values.count), count: Int32(value.count), room: Int32(value.count + Self.spareBytes),
          textEnd: Int32(end.text), numberEnd: Int32(end.number)))
      values += value
      values += repeatElement(0, count: Self.spareBytes)
    }

    /// - Returns: whether there is room for it.
    mutating func replace(_ place: Int, with value: ArraySlice<UInt8>) -> Bool {
      guard value.count <= Int(slots[place].room) else { return false }
      var target = Int(slots[place].start)
      for byte in value {
        values[target] = byte
        target += 1
      }
      slots[place].count = Int32(value.count)
      return true
    }
  }

  private var outline: TranscriptOutline?
  private var known: Known?
  private var room: [TranscriptMatcher.Change] = []

  static let seldomSeconds = 60.0

  private static let elementLimit = 65_536
  private static let plainError = Array("ERR".utf8)

  /// What comes next is told whole.
  mutating func restart() { known = nil }

  /// Appends a poll as its difference from the one that was written before it.
  ///
  /// - Parameters:
  ///   - now: when the poll began.
  ///   - outlines: those of other servers.
  mutating func write(
    _ poll: RecordedPoll.Replies, at now: Monotonic, sharing outlines: inout OutlinePool, to output: inout ByteWriter
  ) {
    if let outline, known?.isLike(poll) == true {
      if writeChanges(poll, outline, at: now, to: &output) { return }
    } else {
      outline = outlines.shared(TranscriptOutline(poll))
    }
    let before = known?.transcript ?? Transcript()
    TranscriptDelta.write(transcript(poll, at: now), after: before, to: &output)
  }

  /// A poll by itself, which becomes the one before the next.
  mutating func transcript(_ poll: RecordedPoll.Replies, at now: Monotonic = Monotonic(seconds: 0)) -> Transcript {
    let steps = poll.answered
    let outline = outline ?? TranscriptOutline(poll)
    self.outline = outline
    var transcript = Transcript()
    transcript.names = outline.names
    transcript.text.reserveCapacity((known?.transcript.text.count ?? 0) + 64)
    transcript.numbers.reserveCapacity((known?.transcript.numbers.count ?? 0) + 16)
    var new = Known(
      shape: poll.info.shape, fieldCount: poll.info.fields.count, steps: steps, replyCount: poll.replies.count,
      transcript: Transcript())
    new.slots.reserveCapacity(outline.kept.count)
    let mask = KnownSecrets.mask
    for (index, form) in outline.kept {
      let value = poll.info.value(of: poll.info.fields[index])
      add(value, form, mask, to: &transcript)
      new.add(value, endingAt: transcript.end)
    }
    for (step, own) in zip(steps, outline.steps) {
      add(step, own, poll, mask, to: &transcript)
      new.ends.append(transcript.end)
      new.lookedAt.append(now)
    }
    new.transcript = transcript
    known = new
    return transcript
  }

  /// - Returns: whether the poll differs in numbers alone; otherwise nothing was appended, and a whole one is due.
  private mutating func writeChanges(
    _ poll: RecordedPoll.Replies, _ outline: TranscriptOutline, at now: Monotonic, to output: inout ByteWriter
  ) -> Bool {
    guard var known = known.take() else { return false }
    defer { self.known = known }
    let mask = KnownSecrets.mask
    var matcher = TranscriptMatcher(known.transcript, room: room)
    room = []
    var start = TranscriptPlace()
    for (place, (index, form)) in outline.kept.enumerated() {
      let slot = known.slots[place]
      defer { start = slot.end }
      if poll.info.hasValue(known.values, from: Int(slot.start), count: Int(slot.count), at: index) { continue }
      let value = poll.info.value(of: poll.info.fields[index])
      matcher.move(to: start)
      add(value, form, mask, to: &matcher)
      guard matcher.matches(upTo: slot.end), known.replace(place, with: value) else { return false }
    }
    for (place, own) in outline.steps.enumerated() {
      let end = known.ends[place]
      defer { start = end }
      let passed = now - known.lookedAt[place]
      if own.isSeldom, passed >= 0, passed < Self.seldomSeconds { continue }
      known.lookedAt[place] = now
      matcher.move(to: start)
      add(poll.steps[place], own, poll, mask, to: &matcher)
      guard matcher.matches(upTo: end) else { return false }
    }
    room = matcher.end()
    for change in room { known.transcript.numbers[change.index] &+= change.difference }
    TranscriptDelta.write(room, to: &output)
    return true
  }

  // MARK: Values

  private func add(
    _ value: ArraySlice<UInt8>, _ form: RecordedInfo.Form, _ mask: SecretMask?, to transcript: inout some TranscriptSink
  ) {
    switch form {
    case .value where RecordedInfo.isValue(value), .pairs where RecordedInfo.isPairs(value):
      transcript.add(form == .pairs ? masked(value, mask) : value)
    case .text: transcript.add(masked(value.prefix(ForeignText.hostByteLimit), mask))
    default: transcript.addNone()
    }
  }

  private func add(
    _ step: Plan.Step, _ own: TranscriptOutline.Step, _ poll: RecordedPoll.Replies, _ mask: SecretMask?,
    to transcript: inout some TranscriptSink
  ) {
    for (place, recording) in own.recordings.enumerated() {
      add(
        poll.replies[step.replies.lowerBound + place], recording, own.hasSettings ? poll.config : nil, mask,
        to: &transcript)
    }
  }

  private func masked(_ bytes: ArraySlice<UInt8>, _ mask: SecretMask?) -> ArraySlice<UInt8> {
    mask?.masked(bytes, isCut: true)?[...] ?? bytes
  }

  private func add(
    _ reply: Reply, _ recording: ReplyRecording, _ config: ServerConfig?, _ mask: SecretMask?,
    to transcript: inout some TranscriptSink
  ) {
    if reply.isError, !recording.isNothing {
      // Behind the code, an error may repeat what was sent.
      let code = (reply.bytes ?? []).prefix { $0 != UInt8(ascii: " ") }
      transcript.put(Transcript.Mark.error)
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
      transcript.put(reply.kind == .status ? Transcript.Mark.status : Transcript.Mark.string)
      transcript.add(masked(bytes.prefix(ForeignText.byteLimit), mask))
    }
  }

  private func addPlain(_ reply: Reply, to transcript: inout some TranscriptSink) {
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
  private func addLeading(_ reply: Reply, _ count: Int, to transcript: inout some TranscriptSink) {
    guard let elements = reply.elements, elements.count <= Self.elementLimit else { return transcript.addNone() }
    transcript.add(Int64(elements.count), Transcript.Mark.array)
    for element in elements {
      let leading = Array((element.elements.map { Array($0) } ?? []).prefix(count))
      transcript.add(Int64(leading.count), Transcript.Mark.array)
      for one in leading { transcript.add(Int64(one.integer ?? 0), Transcript.Mark.number) }
    }
  }

  private func addSettings(
    _ config: ServerConfig, _ names: HashSet, _ mask: SecretMask?, to transcript: inout some TranscriptSink
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
  private func addPairs(
    _ reply: Reply, _ names: HashSet, _ mask: SecretMask?, depth: Int, to transcript: inout some TranscriptSink
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
  private func addLines(_ reply: Reply, to transcript: inout some TranscriptSink) {
    guard let bytes = reply.bytes else { return transcript.addNone() }
    var kept: [UInt8] = []
    for line in bytes.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")), RecordedWord.isWord(line[..<colon]),
        RecordedInfo.isValue(line[(colon + 1)...]), kept.count < Self.elementLimit
      else { continue }
      kept += line + Array("\r\n".utf8)
    }
    transcript.put(Transcript.Mark.string)
    transcript.add(kept[...])
  }

  private static let nodesLimit = 1 << 20

  /// Lines that begin with an id of 40 hexadecimal digits.
  private func addNodes(_ reply: Reply, _ mask: SecretMask?, to transcript: inout some TranscriptSink) {
    guard let bytes = reply.bytes, bytes.count <= Self.nodesLimit else { return transcript.addNone() }
    let isWhole = bytes.split(separator: UInt8(ascii: "\n")).allSatisfy { line in
      line.count > 41 && line[line.startIndex + 40] == UInt8(ascii: " ")
        && line.prefix(40).allSatisfy { $0.hexDigitValue != nil }
    }
    guard isWhole else { return transcript.addNone() }
    transcript.put(Transcript.Mark.string)
    transcript.add(masked(bytes, mask))
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
