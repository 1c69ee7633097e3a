import Runtime

/// Finds the numbers that differ of two values which are the same otherwise, as nearly all values of two polls are.
enum NumberMatch {
  /// A number that stands by itself, as ``Transcript/add(_:)`` cuts it out of a value.
  private struct Number {
    let digits: Int64
    let fractionCount: Int
    let end: Int
  }

  /// - Parameters:
  ///   - first: the place in a transcript of the first number of the value.
  ///   - changes: gets those that differ.
  /// - Returns: false where they may differ otherwise; nothing is added then.
  static func find(
    _ old: Span<UInt8>, _ oldRange: Range<Int>, _ new: Span<UInt8>, _ newRange: Range<Int>, first: Int,
    into changes: inout [NumberChange]
  ) -> Bool {
    let countBefore = changes.count
    if matches(old, oldRange, new, newRange, first, &changes) { return true }
    changes.removeLast(changes.count - countBefore)
    return false
  }

  private static func matches(
    _ old: Span<UInt8>, _ oldRange: Range<Int>, _ new: Span<UInt8>, _ newRange: Range<Int>, _ first: Int,
    _ changes: inout [NumberChange]
  ) -> Bool {
    var (oldPlace, newPlace, index) = (oldRange.lowerBound, newRange.lowerBound, first)
    while oldPlace < oldRange.upperBound, newPlace < newRange.upperBound {
      let byte = old[oldPlace]
      // No number begins behind a letter, a digit or `_`.
      if !byte.isASCIIDigit || oldPlace > oldRange.lowerBound && isOfWord(old[oldPlace - 1]) {
        guard new[newPlace] == byte else { return false }
        oldPlace += 1
        newPlace += 1
        continue
      }
      guard let before = number(old, oldPlace, oldRange.upperBound),
        let now = number(new, newPlace, newRange.upperBound), before.fractionCount == now.fractionCount
      else { return false }
      let difference = now.digits &- before.digits
      if difference != 0 { changes.append(NumberChange(index: index, difference: difference)) }
      (oldPlace, newPlace) = (before.end, now.end)
      index += 1
    }
    return oldPlace == oldRange.upperBound && newPlace == newRange.upperBound
  }

  @inline(__always) private static func isOfWord(_ byte: UInt8) -> Bool {
    byte.isASCIIAlphanumeric || byte == UInt8(ascii: "_")
  }

  /// - Returns: nil for no digit, and for what is not plain: leading zeros, a letter behind it, too many digits.
  @inline(__always) private static func number(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Number? {
    var place = start
    var digits: Int64 = 0
    while place < end, bytes[place].isASCIIDigit {
      digits = digits &* 10 &+ Int64(bytes[place] & 15)
      place += 1
    }
    let wholeCount = place - start
    guard wholeCount > 0, wholeCount == 1 || bytes[start] != UInt8(ascii: "0") else { return nil }
    var fractionCount = 0
    if place < end, bytes[place] == UInt8(ascii: ".") {
      place += 1
      while place < end, bytes[place].isASCIIDigit {
        digits = digits &* 10 &+ Int64(bytes[place] & 15)
        place += 1
        fractionCount += 1
      }
      guard fractionCount > 0, fractionCount <= Transcript.fractionLimit else { return nil }
    }
    guard wholeCount + fractionCount < Transcript.digitLimit else { return nil }
    if place < end {
      let next = bytes[place]
      guard !isOfWord(next), next != UInt8(ascii: ".") else { return nil }
    }
    return Number(digits: digits, fractionCount: fractionCount, end: place)
  }
}
