/// A transcript as its difference from the one before it of the same server.
enum TranscriptDelta {
  /// Bytes of names or text, and numbers, that one poll may have in a recording.
  static let byteLimit = 16 << 20
  static let numberLimit = 1 << 20

  private enum Flag {
    static let names: UInt64 = 1
    static let text: UInt64 = 2
  }

  static func write(_ new: Transcript, after old: Transcript, to output: inout ByteWriter) {
    let (hasNames, hasText) = (new.names != old.names, new.text != old.text)
    output.add((hasNames ? Flag.names : 0) | (hasText ? Flag.text : 0))
    if hasNames { output.add(new.names) }
    var head = old.numbers.count
    var tail = 0
    if hasText {
      let (prefix, suffix) = common(old.text, new.text)
      output.add(prefix)
      output.add(suffix)
      output.add(new.text[prefix..<(new.text.count - suffix)])
      head = numberCount(old.text[..<prefix])
      tail = numberCount(old.text[(old.text.count - suffix)...])
    }
    let middle = new.numbers.count - head - tail
    if hasText {
      output.add(middle)
      for number in new.numbers[head..<(head + middle)] { output.add(signed: number) }
    }
    var last = -1
    for index in 0..<head {
      let difference = new.numbers[index] &- old.numbers[index]
      if difference != 0 { add(difference, at: index, after: &last, to: &output) }
    }
    for index in 0..<tail {
      let difference = new.numbers[head + middle + index] &- old.numbers[old.numbers.count - tail + index]
      if difference != 0 { add(difference, at: head + index, after: &last, to: &output) }
    }
    output.add(0)
  }

  /// The difference where numbers alone differ; in ascending order of their places.
  static func write(_ changes: [NumberChange], to output: inout ByteWriter) {
    output.add(0)
    var last = -1
    for change in changes { add(change.difference, at: change.index, after: &last, to: &output) }
    output.add(0)
  }

  private static func add(_ difference: Int64, at index: Int, after last: inout Int, to output: inout ByteWriter) {
    output.add(index - last)
    output.add(signed: difference)
    last = index
  }

  /// How many bytes two texts have in common at their beginning and, behind that, at their end.
  private static func common(_ old: [UInt8], _ new: [UInt8]) -> (prefix: Int, suffix: Int) {
    let shorter = min(old.count, new.count)
    var prefix = 0
    while prefix < shorter, old[prefix] == new[prefix] { prefix += 1 }
    var suffix = 0
    while suffix < shorter - prefix, old[old.count - 1 - suffix] == new[new.count - 1 - suffix] { suffix += 1 }
    return (prefix, suffix)
  }

  private static func numberCount(_ text: ArraySlice<UInt8>) -> Int {
    var count = 0
    for byte in text where Transcript.Mark.hasNumber(byte) { count += 1 }
    return count
  }

  static func read(_ input: inout ByteReader, after old: Transcript) throws(RecordingDamage) -> Transcript {
    let flags = try input.number()
    var new = old
    if flags & Flag.names != 0 { new.names = try input.text(upTo: byteLimit) }
    var head = old.numbers.count
    var tail = 0
    if flags & Flag.text != 0 {
      let prefix = try input.count(upTo: old.text.count)
      let suffix = try input.count(upTo: old.text.count - prefix)
      new.text = old.text[..<prefix] + (try input.text(upTo: byteLimit)) + old.text[(old.text.count - suffix)...]
      head = numberCount(old.text[..<prefix])
      tail = numberCount(old.text[(old.text.count - suffix)...])
      guard new.text.count <= byteLimit, head + tail <= old.numbers.count else {
        throw RecordingDamage("a text that does not fit the one before")
      }
      new.numbers = Array(old.numbers[..<head])
      for _ in 0..<(try input.count(upTo: numberLimit)) { new.numbers.append(try input.signed()) }
      new.numbers += old.numbers[(old.numbers.count - tail)...]
    }
    let middle = new.numbers.count - head - tail
    var place = -1
    while true {
      let step = try input.count(upTo: numberLimit)
      if step == 0 { return new }
      place += step
      guard place < head + tail else { throw RecordingDamage("a number that is none") }
      let index = place < head ? place : place + middle
      new.numbers[index] = new.numbers[index] &+ (try input.signed())
    }
  }
}
