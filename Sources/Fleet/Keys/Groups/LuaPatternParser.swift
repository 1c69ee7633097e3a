/// Compiles the text of a ``LuaPattern``.
struct LuaPatternParser {
  private let text: String
  private let bytes: [UInt8]
  private var index = 0
  private var items: [LuaPattern.Item] = []
  /// Captures that were begun and not closed.
  private var open: [Int] = []
  private var closed: Set<Int> = []
  private(set) var captureCount = 0
  private(set) var isAnchored = false

  init(_ text: String) {
    self.text = text
    bytes = Array(text.utf8)
  }

  mutating func parse() throws(LuaPatternError) -> [LuaPattern.Item] {
    guard bytes.count <= LuaPattern.lengthLimit else {
      throw error(at: LuaPattern.lengthLimit, "it is longer than \(LuaPattern.lengthLimit) bytes")
    }
    if bytes.first == UInt8(ascii: "^") {
      isAnchored = true
      index = 1
    }
    while index < bytes.count { try parseItem() }
    if let start = open.last { throw error(at: start, "this capture is not closed") }
    return items
  }

  private mutating func parseItem() throws(LuaPatternError) {
    switch bytes[index] {
    case UInt8(ascii: "("): try beginCapture()
    case UInt8(ascii: ")"):
      guard open.popLast() != nil, let number = openNumbers.popLast() else {
        throw error(at: index, "no capture was begun that ) could close")
      }
      closed.insert(number)
      items.append(.captureEnd(number))
      index += 1
    case UInt8(ascii: "$") where index + 1 == bytes.count:
      items.append(.end)
      index += 1
    case UInt8(ascii: "%"): try parseEscape()
    default: try parseSingle()
    }
  }

  private var openNumbers: [Int] = []

  private mutating func beginCapture() throws(LuaPatternError) {
    guard captureCount < LuaPattern.captureLimit else {
      throw error(at: index, "there are more than \(LuaPattern.captureLimit) captures")
    }
    if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: ")") {
      items.append(.positionCapture(captureCount))
      closed.insert(captureCount)
      index += 2
    } else {
      items.append(.captureStart(captureCount))
      open.append(index)
      openNumbers.append(captureCount)
      index += 1
    }
    captureCount += 1
  }

  private mutating func parseEscape() throws(LuaPatternError) {
    guard index + 1 < bytes.count else {
      throw error(at: index, "the pattern ends with %; write %% for a percent sign")
    }
    switch bytes[index + 1] {
    case UInt8(ascii: "b"):
      guard index + 3 < bytes.count else { throw error(at: index, "%b needs two characters, as in %b()") }
      items.append(.balanced(bytes[index + 2], bytes[index + 3]))
      index += 4
    case UInt8(ascii: "f"):
      index += 2
      guard index < bytes.count, bytes[index] == UInt8(ascii: "[") else {
        throw error(at: index - 2, "%f needs a set, as in %f[%a]")
      }
      items.append(.frontier(try parseSet()))
    case let digit where isDigit(digit):
      let number = Int(digit) - 0x31
      guard closed.contains(number) else { throw error(at: index, "%\(number + 1) names no closed capture") }
      items.append(.backReference(number))
      index += 2
    default: try parseSingle()
    }
  }

  /// A byte, a class or a set, and how often it may stand.
  private mutating func parseSingle() throws(LuaPatternError) {
    let set: ByteSet
    switch bytes[index] {
    case UInt8(ascii: "."):
      set = ByteSet { _ in true }
      index += 1
    case UInt8(ascii: "["): set = try parseSet()
    case UInt8(ascii: "%"):
      set = luaClass(bytes[index + 1])
      index += 2
    case let byte:
      set = ByteSet { $0 == byte }
      index += 1
    }
    let repetition: LuaPattern.Repetition? =
      switch index < bytes.count ? bytes[index] : 0 {
      case UInt8(ascii: "?"): .optional
      case UInt8(ascii: "*"): .greedy
      case UInt8(ascii: "+"): .greedyOnce
      case UInt8(ascii: "-"): .lazy
      default: nil
      }
    if repetition != nil { index += 1 }
    items.append(.single(set, repetition ?? .once))
  }

  /// A set from its `[` on. As in Lua a `]` that stands first is a member.
  private mutating func parseSet() throws(LuaPatternError) -> ByteSet {
    let start = index
    index += 1
    let isNegated = index < bytes.count && bytes[index] == UInt8(ascii: "^")
    if isNegated { index += 1 }
    let end = try endOfSet(from: index, start: start)
    var set = ByteSet()
    while index < end {
      if bytes[index] == UInt8(ascii: "%"), index + 1 < end {
        set.formUnion(luaClass(bytes[index + 1]))
        index += 2
      } else if index + 2 < end, bytes[index + 1] == UInt8(ascii: "-") {
        if bytes[index] <= bytes[index + 2] { set.insert(bytes[index]...bytes[index + 2]) }
        index += 3
      } else {
        set.insert(bytes[index])
        index += 1
      }
    }
    index = end + 1
    return isNegated ? set.inverted : set
  }

  /// Where the `]` of the set stands whose members begin at `first`.
  private func endOfSet(from first: Int, start: Int) throws(LuaPatternError) -> Int {
    var end = first
    repeat {
      guard end < bytes.count else { break }
      end += bytes[end] == UInt8(ascii: "%") ? 2 : 1
    } while end < bytes.count && bytes[end] != UInt8(ascii: "]")
    guard end < bytes.count else { throw error(at: start, "this set has no closing ]") }
    return end
  }

  private func error(at index: Int, _ reason: String) -> LuaPatternError {
    LuaPatternError(pattern: text, position: index + 1, reason: reason)
  }
}

/// The bytes that `%x` stands for: a class, its complement for a capital, or the character itself.
private func luaClass(_ name: UInt8) -> ByteSet {
  let set: ByteSet
  switch name | 0x20 {
  case UInt8(ascii: "a"): set = ByteSet(where: isLetter)
  case UInt8(ascii: "c"): set = ByteSet { $0 < 32 || $0 == 127 }
  case UInt8(ascii: "d"): set = ByteSet(where: isDigit)
  case UInt8(ascii: "l"): set = ByteSet { isLetter($0) && $0 & 0x20 != 0 }
  case UInt8(ascii: "p"): set = ByteSet { (33..<127).contains($0) && !isLetter($0) && !isDigit($0) }
  case UInt8(ascii: "s"): set = ByteSet { (9...13).contains($0) || $0 == 32 }
  case UInt8(ascii: "u"): set = ByteSet { isLetter($0) && $0 & 0x20 == 0 }
  case UInt8(ascii: "w"): set = ByteSet { isLetter($0) || isDigit($0) }
  case UInt8(ascii: "x"): set = ByteSet { isDigit($0) || (0x61...0x66).contains($0 | 0x20) }
  case UInt8(ascii: "z"): set = ByteSet { $0 == 0 }
  default: return ByteSet { $0 == name }
  }
  guard isLetter(name) else { return ByteSet { $0 == name } }
  return name & 0x20 == 0 ? set.inverted : set
}

private func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) }
private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 <= 9 }
