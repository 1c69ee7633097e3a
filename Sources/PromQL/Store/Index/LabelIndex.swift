/// Which series there are by their labels.
struct LabelIndex: Sendable {
  private(set) var table = LabelTable()
  private var lists = LabelLists()
  private var sets = LabelSets()
  /// Where each slot's labels stand; nil for a free slot.
  private var places = PagedArray<LabelLists.Place?>()
  private var freeSlots: [UInt32] = []
  private(set) var seriesCount = 0

  func labels(of slot: UInt32) -> ArraySlice<UInt32> {
    places[Int(slot)].map { lists[$0] } ?? []
  }

  func isUsed(_ slot: UInt32) -> Bool { places[Int(slot)] != nil }

  /// The slot of the series with exactly these labels.
  func slot(of labels: Labels) -> UInt32? {
    var numbers: [UInt32] = []
    for packed in Self.packedLabels(labels) {
      guard let number = table.number(of: packed) else { return nil }
      numbers.append(number)
    }
    return sets.find(numbers) { self.labels(of: $0) }
  }

  /// Adds a series that is not there. Its slot is below or equal to the greatest one so far, plus one.
  mutating func add(_ labels: Labels) -> UInt32 {
    let numbers = Self.packedLabels(labels).map { table.number(adding: $0) }
    let slot = freeSlots.popLast() ?? UInt32(places.count)
    let place = lists.add(numbers)
    if Int(slot) == places.count { places.append(place) } else { places[Int(slot)] = place }
    for number in numbers { table[number].series.insert(slot) }
    sets.insert(slot) { [places, lists] in places[Int($0)].map { lists[$0] } ?? [] }
    seriesCount += 1
    return slot
  }

  /// Removes series; labels that no other series has go with them.
  mutating func remove(_ slots: [UInt32]) {
    if slots.isEmpty { return }
    let gone = Set(slots)
    var touched: Set<UInt32> = []
    for slot in slots {
      guard let place = places[Int(slot)] else { continue }
      touched.formUnion(lists[place])
      sets.remove(slot) { [places, lists] in places[Int($0)].map { lists[$0] } ?? [] }
      lists.remove(place)
      places[Int(slot)] = nil
      freeSlots.append(slot)
      seriesCount -= 1
    }
    for number in touched {
      table[number].series.removeAll { gone.contains($0) }
      if table[number].series.count == 0 { table.remove(number) }
    }
  }

  /// The series that have a label, in order.
  mutating func series(withLabel number: UInt32) -> [UInt32] { table[number].series.slots() }

  /// Every series, in order.
  var allSeries: [UInt32] { (0..<places.count).compactMap { places[$0] == nil ? nil : UInt32($0) } }

  /// The labels of a series as they were given.
  func packedLabels(of slot: UInt32) -> [UInt8] {
    var packed: [UInt8] = []
    let numbers = labels(of: slot)
    packed.reserveCapacity(numbers.reduce(0) { $0 + table[$1].packed.count })
    for number in numbers { packed.append(contentsOf: table[number].packed) }
    return packed
  }

  var byteCount: Int {
    table.byteCount + lists.byteCount + sets.byteCount + places.byteCount + freeSlots.capacity * 4
  }

  private static func packedLabels(_ labels: Labels) -> [[UInt8]] {
    var packed: [[UInt8]] = []
    var cursor = PackedLabels.Cursor()
    while let pair = cursor.next(in: labels.packed) { packed.append(Array(labels.packed[pair.whole])) }
    return packed
  }
}

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

/// The labels of every series, as numbers in the order of their names, in one array.
struct LabelLists: Sendable {
  /// Where a series' labels stand.
  struct Place: Sendable, Equatable {
    var start: UInt32
    var count: UInt32
  }

  private var numbers: [UInt32] = []
  /// Places given back, by the count of their labels.
  private var free: [Int: [UInt32]] = [:]

  mutating func add(_ labels: [UInt32]) -> Place {
    if let start = free[labels.count]?.popLast() {
      for (offset, label) in labels.enumerated() { numbers[Int(start) + offset] = label }
      return Place(start: start, count: UInt32(labels.count))
    }
    if numbers.count + labels.count > numbers.capacity { numbers.reserveCapacity(numbers.count * 5 / 4 + 256) }
    numbers.append(contentsOf: labels)
    return Place(start: UInt32(numbers.count - labels.count), count: UInt32(labels.count))
  }

  mutating func remove(_ place: Place) {
    if place.count > 0 { free[Int(place.count), default: []].append(place.start) }
  }

  subscript(place: Place) -> ArraySlice<UInt32> { numbers[Int(place.start)..<Int(place.start + place.count)] }

  var byteCount: Int { numbers.capacity * 4 + free.reduce(0) { $0 + $1.value.capacity * 4 + 48 } }
}
