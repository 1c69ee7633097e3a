/// A pattern as Lua 5.1's `string.find` takes it, compiled once and matched with bounded work.
///
/// Classes `%a %c %d %l %p %s %u %w %x %z` and their complements in capitals, sets, the anchors `^` and `$`, the
/// repetitions `* + - ?`, captures, position captures `()`, back references `%1`, `%bxy` and `%f[set]`. Bytes count, not
/// characters, in the C locale, as in a Redis server.
struct LuaPattern: Sendable {
  /// Bytes of one pattern. The matcher's recursion is no deeper than the pattern is long.
  static let lengthLimit = 512
  static let captureLimit = 32
  /// Steps of one match; one that needs more counts as none. A key of 1 KB needs some thousand.
  static let stepLimit = 20_000

  /// One element of a pattern.
  enum Item: Sendable, Equatable {
    case single(ByteSet, Repetition)
    case captureStart(Int)
    case positionCapture(Int)
    case captureEnd(Int)
    case backReference(Int)
    case balanced(UInt8, UInt8)
    case frontier(ByteSet)
    /// `$` as the last character.
    case end
  }
  enum Repetition: Sendable, Equatable {
    case once, optional, greedy, greedyOnce, lazy
  }
  enum Outcome: Sendable, Equatable {
    /// The captures, joined: what names the group. Empty for a pattern without captures.
    case found([UInt8])
    case none
    /// The step limit was passed.
    case tooHard
  }

  let text: String
  let items: [Item]
  let isAnchored: Bool
  let captureCount: Int

  /// - Throws: ``LuaPatternError`` with the place of the mistake.
  init(_ text: String) throws(LuaPatternError) {
    var parser = LuaPatternParser(text)
    items = try parser.parse()
    self.text = text
    isAnchored = parser.isAnchored
    captureCount = parser.captureCount
  }

  /// Looks for the first match and joins its captures.
  func find(in key: ArraySlice<UInt8>) -> Outcome {
    var matcher = LuaMatcher(key: Array(key), items: items, captureCount: captureCount)
    for start in 0...key.count {
      if matcher.match(start, 0) != nil { return .found(matcher.joinedCaptures) }
      if matcher.isExhausted { return .tooHard }
      if isAnchored { break }
    }
    return .none
  }
}

struct LuaPatternError: Error, Sendable, Equatable, CustomStringConvertible {
  let pattern: String
  /// The byte of the pattern, from 1, where the mistake is.
  let position: Int
  let reason: String

  var description: String { "the Lua pattern \"\(pattern)\" is wrong at character \(position): \(reason)" }
}
