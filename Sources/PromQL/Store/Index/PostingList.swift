/// The series that have one label, as slots in ascending order.
struct PostingList: Sendable {
  /// In order, without those of `tail`.
  private var sorted: [UInt32] = []
  /// New ones that do not belong at the end.
  private var tail: [UInt32] = []

  var count: Int { sorted.count + tail.count }
  var byteCount: Int { (sorted.capacity + tail.capacity) * 4 }

  /// Adds a series that is not there.
  mutating func insert(_ slot: UInt32) {
    guard tail.isEmpty, sorted.last.map({ $0 < slot }) ?? true else { return tail.append(slot) }
    if sorted.count == sorted.capacity && sorted.count >= 64 { sorted.reserveCapacity(sorted.count + sorted.count / 4) }
    sorted.append(slot)
  }

  /// All of them in order.
  mutating func slots() -> [UInt32] {
    if !tail.isEmpty {
      tail.sort()
      sorted = Self.merged(sorted, tail)
      tail = []
    }
    return sorted
  }

  mutating func removeAll(where isGone: (UInt32) -> Bool) {
    sorted.removeAll(where: isGone)
    tail.removeAll(where: isGone)
  }

  private static func merged(_ a: [UInt32], _ b: [UInt32]) -> [UInt32] {
    var result: [UInt32] = []
    result.reserveCapacity(a.count + b.count)
    var index = 0
    for slot in b {
      while index < a.count, a[index] < slot {
        result.append(a[index])
        index += 1
      }
      result.append(slot)
    }
    result.append(contentsOf: a[index...])
    return result
  }

  /// What is in both. Costs the shorter one's length times the logarithm of the longer one's at most.
  static func intersection(_ a: [UInt32], _ b: [UInt32]) -> [UInt32] {
    let (short, long) = a.count <= b.count ? (a, b) : (b, a)
    var result: [UInt32] = []
    var low = 0
    for slot in short {
      // Steps double until one goes too far; the rest is a binary search.
      var step = 1
      while low + step < long.count, long[low + step] < slot { step *= 2 }
      var high = min(low + step, long.count)
      while low < high {
        let middle = (low + high) / 2
        if long[middle] < slot { low = middle + 1 } else { high = middle }
      }
      if low == long.count { break }
      if long[low] == slot { result.append(slot) }
    }
    return result
  }

  /// What is in any of them, in order.
  static func union(_ lists: [[UInt32]]) -> [UInt32] {
    if lists.count == 1 { return lists[0] }
    var result = lists.flatMap { $0 }
    result.sort()
    return result
  }
}
