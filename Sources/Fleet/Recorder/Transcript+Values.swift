import Runtime

/// A number of a transcript that is another one now.
struct NumberChange {
  let index: Int
  let difference: Int64
}

extension Transcript {
  mutating func put(_ byte: UInt8) { text.append(byte) }
  mutating func put(number: Int64) { numbers.append(number) }

  mutating func addNone() { put(Mark.none) }

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
      while index < end, value[index].isASCIIDigit, index - start < Self.digitLimit {
        number = number &* 10 &+ Int64(value[index] & 15)
        index += 1
      }
      var fraction = 0
      if index + 1 < end, value[index] == UInt8(ascii: "."), value[index + 1].isASCIIDigit {
        var place = index + 1
        var whole = number
        while place < end, value[place].isASCIIDigit, place - start < Self.digitLimit {
          whole = whole &* 10 &+ Int64(value[place] & 15)
          place += 1
        }
        let isClosed = place == end || !value[place].isASCIIDigit && value[place] != UInt8(ascii: ".")
        if isClosed, place - index - 1 <= Self.fractionLimit {
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
        put(Mark.decimal)
        put(UInt8(ascii: "0") + UInt8(fraction))
        put(number: number)
      } else {
        put(Mark.integer)
        put(number: number)
      }
    }
    put(Mark.end)
  }
}
