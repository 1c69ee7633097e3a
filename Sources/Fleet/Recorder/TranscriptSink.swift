import Runtime

/// Takes the parts of a transcript in their order: one that is written, or one that is compared with what comes.
protocol TranscriptSink {
  /// The next byte of the text.
  mutating func put(_ byte: UInt8)
  /// The next of the numbers.
  mutating func put(number: Int64)
}

extension Transcript: TranscriptSink {
  mutating func put(_ byte: UInt8) { text.append(byte) }
  mutating func put(number: Int64) { numbers.append(number) }
}

/// Compares what comes with a transcript that is known, and notes which numbers differ.
struct TranscriptMatcher: TranscriptSink {
  struct Change {
    let index: Int
    let difference: Int64
  }

  private var text: [UInt8]
  private var numbers: [Int64]
  private var place = TranscriptPlace()
  private var isSame = true
  private var changes: [Change]

  /// - Parameter room: is emptied and used for the changes.
  init(_ transcript: Transcript, room: [Change]) {
    text = transcript.text
    numbers = transcript.numbers
    changes = room
    changes.removeAll(keepingCapacity: true)
  }

  mutating func put(_ byte: UInt8) {
    if place.text < text.count, text[place.text] == byte { place.text += 1 } else { isSame = false }
  }

  mutating func put(number: Int64) {
    guard place.number < numbers.count else {
      isSame = false
      return
    }
    let difference = number &- numbers[place.number]
    if difference != 0 { changes.append(Change(index: place.number, difference: difference)) }
    place.number += 1
  }

  mutating func move(to new: TranscriptPlace) { place = new }

  /// - Returns: what differs, in the order of the numbers. The transcript is let go, so that it can be written to.
  mutating func end() -> [Change] {
    (text, numbers) = ([], [])
    return changes
  }

  /// Whether what came is the text up to there.
  func matches(upTo end: TranscriptPlace) -> Bool { isSame && place == end }
}

/// A place in a transcript: before this byte of the text, and before this number.
struct TranscriptPlace: Equatable {
  var text = 0
  var number = 0
}

extension TranscriptSink {
  mutating func addNone() { put(Transcript.Mark.none) }

  mutating func add(_ number: Int64, _ mark: UInt8) {
    put(mark)
    put(number: number)
  }

  /// A value and its end. A number in it is one that no letter or digit touches.
  mutating func add(_ value: ArraySlice<UInt8>) {
    var index = value.startIndex
    let end = value.endIndex
    var isInWord = false
    while index < end {
      let byte = value[index]
      guard byte.isASCIIDigit, !isInWord else {
        isInWord = byte.isASCIIAlphanumeric || byte == UInt8(ascii: "_")
        put(byte < 9 ? UInt8(ascii: "?") : byte)
        index += 1
        continue
      }
      let start = index
      var number: Int64 = 0
      while index < end, value[index].isASCIIDigit, index - start < Transcript.digitLimit {
        number = number &* 10 &+ Int64(value[index] & 15)
        index += 1
      }
      var fraction = 0
      if index + 1 < end, value[index] == UInt8(ascii: "."), value[index + 1].isASCIIDigit {
        var place = index + 1
        var whole = number
        while place < end, value[place].isASCIIDigit, place - start < Transcript.digitLimit {
          whole = whole &* 10 &+ Int64(value[place] & 15)
          place += 1
        }
        let isClosed = place == end || !value[place].isASCIIDigit && value[place] != UInt8(ascii: ".")
        if isClosed, place - index - 1 <= Transcript.fractionLimit {
          fraction = place - index - 1
          number = whole
          index = place
        }
      }
      let digitCount = fraction > 0 ? index - start - fraction - 1 : index - start
      let hasLeadingZero = value[start] == UInt8(ascii: "0") && digitCount > 1
      let isInside = index < end && (value[index].isASCIIAlphanumeric || value[index] == UInt8(ascii: "_"))
      if hasLeadingZero || isInside {
        for place in start..<index { put(value[place]) }
        isInWord = true
      } else if fraction > 0 {
        put(Transcript.Mark.decimal)
        put(UInt8(ascii: "0") + UInt8(fraction))
        put(number: number)
      } else {
        put(Transcript.Mark.integer)
        put(number: number)
      }
    }
    put(Transcript.Mark.end)
  }
}
