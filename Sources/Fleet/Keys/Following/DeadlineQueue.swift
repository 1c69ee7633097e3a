/// What is due when, the earliest first: a binary heap. Pure.
struct DeadlineQueue: Sendable {
  private struct Entry {
    let seconds: Double
    let hash: Int
  }
  private var entries: [Entry] = []

  var earliest: Double? { entries.first?.seconds }
  var count: Int { entries.count }

  mutating func insert(_ hash: Int, at seconds: Double) {
    entries.append(Entry(seconds: seconds, hash: hash))
    var place = entries.count - 1
    while place > 0, entries[place].seconds < entries[(place - 1) / 2].seconds {
      entries.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  /// The earliest, where it is due.
  mutating func pop(at now: Double) -> (hash: Int, seconds: Double)? {
    guard let first = entries.first, first.seconds <= now else { return nil }
    let last = entries.removeLast()
    guard !entries.isEmpty else { return (first.hash, first.seconds) }
    entries[0] = last
    var place = 0
    while true {
      let children = [2 * place + 1, 2 * place + 2].filter { $0 < entries.count }
      guard let child = children.min(by: { entries[$0].seconds < entries[$1].seconds }),
        entries[child].seconds < entries[place].seconds
      else { break }
      entries.swapAt(place, child)
      place = child
    }
    return (first.hash, first.seconds)
  }
}
