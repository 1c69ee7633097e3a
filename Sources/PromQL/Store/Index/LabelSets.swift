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
