/// Every label that some series has, once: name and value, and the series that have it.
///
/// A label is known by a small number, so that a series' labels are a few numbers.
struct LabelTable: Sendable {
  struct Label: Sendable {
    /// Name and value as they stand in a ``Labels``; empty when the number is free.
    var packed: [UInt8]
    var name: UInt32
    /// Its place among the labels of the same name.
    var place: UInt32
    var series = PostingList()
  }

  private struct Name {
    var bytes: [UInt8]
    var labels: [UInt32] = []
  }

  private var labels: [Label] = []
  private var freeLabels: [UInt32] = []
  /// By the label alone as a ``Labels``, whose hash is quick.
  private var numbers: [Labels: UInt32] = [:]
  private var names: [Name] = []
  private var nameNumbers: [[UInt8]: UInt32] = [:]

  subscript(number: UInt32) -> Label {
    _read { yield labels[Int(number)] }
    _modify { yield &labels[Int(number)] }
  }

  /// - Parameter packed: a label as it stands in a ``Labels``.
  func number(of packed: [UInt8]) -> UInt32? { numbers[Labels(packed: packed)] }

  /// The label's number, a new one if need be.
  mutating func number(adding packed: [UInt8]) -> UInt32 {
    let key = Labels(packed: packed)
    if let number = numbers[key] { return number }
    var cursor = PackedLabels.Cursor()
    let name = nameNumber(adding: Array(packed[cursor.next(in: packed)!.name]))
    let label = Label(packed: packed, name: name, place: UInt32(names[Int(name)].labels.count))
    let number = freeLabels.popLast() ?? UInt32(labels.count)
    if Int(number) == labels.count { labels.append(label) } else { labels[Int(number)] = label }
    names[Int(name)].labels.append(number)
    numbers[key] = number
    return number
  }

  /// Forgets a label that no series has any more.
  mutating func remove(_ number: UInt32) {
    let label = labels[Int(number)]
    let place = Int(label.place)
    let last = names[Int(label.name)].labels.removeLast()
    if last != number {
      names[Int(label.name)].labels[place] = last
      labels[Int(last)].place = label.place
    }
    numbers[Labels(packed: label.packed)] = nil
    labels[Int(number)] = Label(packed: [], name: 0, place: 0)
    freeLabels.append(number)
  }

  /// The number of a label's name.
  func nameNumber(of name: [UInt8]) -> UInt32? { nameNumbers[name] }

  /// The numbers of the labels with this name.
  func labels(ofName name: [UInt8]) -> [UInt32] { nameNumbers[name].map { names[Int($0)].labels } ?? [] }

  /// The names that some label has, in no order.
  var usedNames: [[UInt8]] { names.lazy.filter { !$0.labels.isEmpty }.map(\.bytes) }

  /// A label's name.
  func name(of number: UInt32) -> [UInt8] { names[Int(labels[Int(number)].name)].bytes }

  /// A label's value in UTF-8; empty for a number that is free.
  func value(of number: UInt32) -> ArraySlice<UInt8> {
    let packed = labels[Int(number)].packed
    var cursor = PackedLabels.Cursor()
    return cursor.next(in: packed).map { packed[$0.value] } ?? []
  }

  /// A label as it stands in a ``Labels``.
  static func packed(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> [UInt8] {
    var labels = PackedLabels()
    labels.append(name, value)
    return labels.bytes
  }

  /// What the labels, their texts and their series take, near enough.
  var byteCount: Int {
    var total = labels.capacity * MemoryLayout<Label>.stride + numbers.capacity * 28 + nameNumbers.capacity * 20
    for label in labels where !label.packed.isEmpty {
      total += label.packed.capacity + 32 + label.series.byteCount + 32
    }
    for name in names { total += name.bytes.capacity + 64 + name.labels.capacity * 4 }
    return total
  }

  private mutating func nameNumber(adding name: [UInt8]) -> UInt32 {
    if let number = nameNumbers[name] { return number }
    names.append(Name(bytes: name))
    nameNumbers[name] = UInt32(names.count - 1)
    return UInt32(names.count - 1)
  }
}

/// Finds a series by all its labels: a hash table of slots alone, with linear probing (Knuth, TAOCP vol. 3, 6.4, L and R).
///
/// The labels themselves stand elsewhere and are asked for through closures.
struct LabelSets: Sendable {
  private static let empty = UInt32.max
  private var table = [UInt32](repeating: Self.empty, count: 64)
  private var count = 0
  private let seed = UInt64.random(in: 1...UInt64.max)

  var byteCount: Int { table.capacity * 4 }

  func find(_ labels: [UInt32], labelsOf: (UInt32) -> ArraySlice<UInt32>) -> UInt32? {
    var index = home(labels[...])
    while table[index] != Self.empty {
      if labelsOf(table[index]).elementsEqual(labels) { return table[index] }
      index = (index + 1) & (table.count - 1)
    }
    return nil
  }

  /// Adds a series whose labels no other has.
  mutating func insert(_ slot: UInt32, labelsOf: (UInt32) -> ArraySlice<UInt32>) {
    if (count + 1) * 4 > table.count * 3 { grow(labelsOf) }
    place(slot, labelsOf)
    count += 1
  }

  /// Removes a series whose labels can still be asked for.
  mutating func remove(_ slot: UInt32, labelsOf: (UInt32) -> ArraySlice<UInt32>) {
    var hole = home(labelsOf(slot))
    while table[hole] != slot {
      if table[hole] == Self.empty { return }
      hole = (hole + 1) & (table.count - 1)
    }
    // What stands behind the hole and could stand in it moves up, so that no search ends too early.
    var index = hole
    while true {
      table[hole] = Self.empty
      var moved = Self.empty
      repeat {
        index = (index + 1) & (table.count - 1)
        moved = table[index]
        if moved == Self.empty { break }
      } while !isBetween(hole, home(labelsOf(moved)), index)
      if moved == Self.empty { break }
      table[hole] = moved
      hole = index
    }
    count -= 1
  }

  /// True when a search that begins at `home` and comes to `index` has passed `hole`.
  private func isBetween(_ hole: Int, _ home: Int, _ index: Int) -> Bool {
    let mask = table.count - 1
    return (index - home) & mask >= (index - hole) & mask
  }

  private mutating func grow(_ labelsOf: (UInt32) -> ArraySlice<UInt32>) {
    let old = table
    table = [UInt32](repeating: Self.empty, count: old.count * 2)
    for slot in old where slot != Self.empty { place(slot, labelsOf) }
  }

  private mutating func place(_ slot: UInt32, _ labelsOf: (UInt32) -> ArraySlice<UInt32>) {
    var index = home(labelsOf(slot))
    while table[index] != Self.empty { index = (index + 1) & (table.count - 1) }
    table[index] = slot
  }

  private func home(_ labels: ArraySlice<UInt32>) -> Int {
    var hash = seed
    for label in labels {
      let product = (hash ^ UInt64(label)).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
      hash = product.high ^ product.low
    }
    return Int(truncatingIfNeeded: hash) & (table.count - 1)
  }
}
