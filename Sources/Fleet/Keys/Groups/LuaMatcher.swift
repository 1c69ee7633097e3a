/// Matches one key against the items of a ``LuaPattern``, by backtracking as Lua does, with counted steps.
struct LuaMatcher {
  private enum Capture {
    case open(start: Int)
    case closed(Range<Int>)
    case position(Int)
    case none
  }
  private let key: [UInt8]
  private let items: [LuaPattern.Item]
  private var captures: [Capture]
  private var steps = 0

  init(key: [UInt8], items: [LuaPattern.Item], captureCount: Int) {
    self.key = key
    self.items = items
    captures = [Capture](repeating: .none, count: captureCount)
  }

  var isExhausted: Bool { steps > LuaPattern.stepLimit }

  /// The captures of the match one after another; a position counts from 1.
  var joinedCaptures: [UInt8] {
    captures.flatMap { capture -> [UInt8] in
      switch capture {
      case .closed(let range): Array(key[range])
      case .position(let position): Array(String(position + 1).utf8)
      case .open, .none: []
      }
    }
  }

  /// - Returns: where the match of the items from `item` on that starts at `position` ends, or nil.
  mutating func match(_ position: Int, _ item: Int) -> Int? {
    var position = position
    var item = item
    while item < items.count {
      steps += 1
      if isExhausted { return nil }
      switch items[item] {
      case .end: return position == key.count ? position : nil
      case .captureStart(let number):
        return attempt(number, .open(start: position), position, item + 1)
      case .positionCapture(let number):
        return attempt(number, .position(position), position, item + 1)
      case .captureEnd(let number):
        guard case .open(let start) = captures[number] else { return nil }
        return attempt(number, .closed(start..<position), position, item + 1)
      case .backReference(let number):
        guard let end = endOfReference(number, position) else { return nil }
        position = end
      case .balanced(let open, let close):
        guard let end = endOfBalance(open, close, position) else { return nil }
        position = end
      case .frontier(let set):
        let previous = position > 0 ? key[position - 1] : 0
        let next = position < key.count ? key[position] : 0
        guard !set.contains(previous), set.contains(next) else { return nil }
      case .single(let set, .once):
        guard accepts(set, position) else { return nil }
        position += 1
      case .single(let set, .optional):
        if accepts(set, position), let end = match(position + 1, item + 1) { return end }
      case .single(let set, .greedy): return greedy(set, from: position, least: 0, item)
      case .single(let set, .greedyOnce): return greedy(set, from: position, least: 1, item)
      case .single(let set, .lazy):
        while true {
          if let end = match(position, item + 1) { return end }
          guard !isExhausted, accepts(set, position) else { return nil }
          position += 1
        }
      }
      item += 1
    }
    return position
  }

  private func accepts(_ set: ByteSet, _ position: Int) -> Bool {
    position < key.count && set.contains(key[position])
  }

  /// Goes on with a capture set, and takes it back when that leads nowhere.
  private mutating func attempt(_ number: Int, _ capture: Capture, _ position: Int, _ item: Int) -> Int? {
    let previous = captures[number]
    captures[number] = capture
    if let end = match(position, item) { return end }
    captures[number] = previous
    return nil
  }

  private mutating func greedy(_ set: ByteSet, from start: Int, least: Int, _ item: Int) -> Int? {
    var position = start
    while accepts(set, position) { position += 1 }
    steps += position - start
    while position >= start + least {
      if let end = match(position, item + 1) { return end }
      if isExhausted { return nil }
      position -= 1
    }
    return nil
  }

  private mutating func endOfReference(_ number: Int, _ position: Int) -> Int? {
    guard case .closed(let range) = captures[number] else { return nil }
    steps += range.count
    let end = position + range.count
    guard end <= key.count, key[position..<end].elementsEqual(key[range]) else { return nil }
    return end
  }

  private mutating func endOfBalance(_ open: UInt8, _ close: UInt8, _ position: Int) -> Int? {
    guard position < key.count, key[position] == open else { return nil }
    var depth = 1
    var index = position + 1
    while index < key.count {
      steps += 1
      if key[index] == close {
        depth -= 1
        if depth == 0 { return index + 1 }
      } else if key[index] == open {
        depth += 1
      }
      index += 1
    }
    return nil
  }
}
