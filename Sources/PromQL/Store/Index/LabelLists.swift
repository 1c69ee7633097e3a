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
