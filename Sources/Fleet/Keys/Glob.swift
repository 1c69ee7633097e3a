/// A pattern as KEYS and SCAN MATCH take it: `*`, `?`, `[a-z]`, `[^a]`, `\x`.
///
/// Matching never takes more steps than key bytes times pattern elements: a `*` is tried again only for the last star
/// that was met, which is enough.
struct Glob: Sendable, Hashable {
  private enum Element: Sendable, Hashable {
    case byte(UInt8)
    case any
    case set(ByteSet)
    case star
  }
  private let elements: [Element]
  /// Redis lets only the empty pattern and `*` match the empty key.
  private let matchesEmptyKey: Bool

  init(_ pattern: [UInt8]) {
    var elements: [Element] = []
    var index = 0
    while index < pattern.count {
      switch pattern[index] {
      case UInt8(ascii: "*"):
        if elements.last != .star { elements.append(.star) }
      case UInt8(ascii: "?"): elements.append(.any)
      case UInt8(ascii: "["):
        elements.append(.set(Self.readSet(pattern, &index)))
        continue
      case UInt8(ascii: "\\") where index + 1 < pattern.count:
        index += 1
        elements.append(.byte(pattern[index]))
      default: elements.append(.byte(pattern[index]))
      }
      index += 1
    }
    self.elements = elements
    matchesEmptyKey = pattern.isEmpty || pattern == [UInt8(ascii: "*")]
  }

  init(_ pattern: String) { self.init(Array(pattern.utf8)) }

  /// Reads a set from its `[` on and moves `index` past it. As in Redis a set that is not closed ends with the pattern,
  /// `]` closes even as the first character, and a range may be written backwards.
  private static func readSet(_ pattern: [UInt8], _ index: inout Int) -> ByteSet {
    var set = ByteSet()
    index += 1
    let isNegated = index < pattern.count && pattern[index] == UInt8(ascii: "^")
    if isNegated { index += 1 }
    while index < pattern.count {
      if pattern[index] == UInt8(ascii: "\\"), index + 1 < pattern.count {
        index += 1
        set.insert(pattern[index])
      } else if pattern[index] == UInt8(ascii: "]") {
        index += 1
        break
      } else if index + 2 < pattern.count, pattern[index + 1] == UInt8(ascii: "-") {
        let (first, last) = (pattern[index], pattern[index + 2])
        set.insert(min(first, last)...max(first, last))
        index += 2
      } else {
        set.insert(pattern[index])
      }
      index += 1
    }
    return isNegated ? set.inverted : set
  }

  /// Whether the whole key matches.
  func matches(_ key: ArraySlice<UInt8>) -> Bool {
    if key.isEmpty { return matchesEmptyKey }
    var position = key.startIndex
    var element = 0
    var afterStar = -1
    var starPosition = 0
    while position < key.endIndex {
      if element < elements.count, elements[element] == .star {
        element += 1
        afterStar = element
        starPosition = position
      } else if element < elements.count, accepts(elements[element], key[position]) {
        element += 1
        position += 1
      } else if afterStar >= 0 {
        starPosition += 1
        position = starPosition
        element = afterStar
      } else {
        return false
      }
    }
    while element < elements.count, elements[element] == .star { element += 1 }
    return element == elements.count
  }

  /// A key that matches, where any does: only an empty set matches none.
  ///
  /// - Parameter star: what stands for each `*`. Bytes of sets are printable where the set has such.
  func sample(ofStar star: [UInt8]) -> [UInt8] {
    elements.flatMap { element -> [UInt8] in
      switch element {
      case .byte(let byte): return [byte]
      case .any: return [UInt8(ascii: "x")]
      case .set(let set):
        let byte = (0x21..<0x7f).first(where: set.contains) ?? (0...UInt8.max).first(where: set.contains)
        return byte.map { [$0] } ?? []
      case .star: return star
      }
    }
  }

  private func accepts(_ element: Element, _ byte: UInt8) -> Bool {
    switch element {
    case .byte(let expected): byte == expected
    case .any: true
    case .set(let set): set.contains(byte)
    case .star: false
    }
  }
}
