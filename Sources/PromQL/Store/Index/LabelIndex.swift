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
