import Redis
import Runtime

/// Where in a server's table of keys a sample looks. Pure.
///
/// SCAN goes on from any cursor. Where one table holds all keys, the cursor is a place in it, and a window of a few keys from a
/// random place is a random sample of them. In a cluster, Redis from 7.4 on and Valkey from 8 on have a table for each slot: the
/// low 14 bits of the cursor name the slot, and keys of one hash tag stand side by side. There a slot is drawn by how many keys
/// it has, or slots with few keys would count as much as those with many.
struct SampleStarts: Sendable {
  /// COUNT of SCAN: keys of a window.
  static let windowKeys = 16
  private static let tableBits: UInt64 = 48
  private static let slotBits: UInt64 = 14
  private static let slotTableBits: UInt64 = 34

  private enum Tables {
    case one
    /// Running sums of the keys of each slot.
    case bySlot([Double])
  }
  private let tables: Tables

  /// One table for all keys.
  init() { tables = .one }

  /// A table for each slot.
  ///
  /// - Parameter keyCounts: keys of each slot.
  /// - Returns: nil where no slot has any.
  init?(keyCounts: [Double]) {
    var sum = 0.0
    let sums = keyCounts.prefix(ClusterNodes.slotCount).map { count -> Double in
      sum += max(0, count)
      return sum
    }
    guard sum > 0 else { return nil }
    tables = .bySlot(sums)
  }

  func draw(using random: inout some RandomNumberGenerator) -> UInt64 {
    switch tables {
    case .one: return UInt64.random(in: 0..<(1 << Self.tableBits), using: &random)
    case .bySlot(let sums):
      let place = Double.random(in: 0..<(sums.last ?? 1), using: &random)
      // The first whose sum is beyond the place.
      var (low, high) = (0, sums.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if sums[middle] > place { high = middle } else { low = middle + 1 }
      }
      let inside = UInt64.random(in: 0..<(1 << Self.slotTableBits), using: &random)
      return inside << Self.slotBits | UInt64(low)
    }
  }

  /// How many windows each database gets: by its keys, but some in any case.
  static func share(_ windowCount: Int, among keyTotals: [Double]) -> [Int] {
    let all = keyTotals.reduce(0, +)
    guard all > 0 else { return keyTotals.map { _ in 0 } }
    return keyTotals.map { keys in
      keys > 0 ? max(smallestCount, Int(clamping: (Double(windowCount) * keys / all).rounded())) : 0
    }
  }

  static let smallestCount = 8
}

extension ServerFacts {
  /// Whether each slot has a table of its own (Redis 7.4, Valkey 8).
  var hasTableBySlot: Bool {
    isClusterEnabled && (valkeyVersion.map { $0 >= Version(8) } ?? (product == .redis && version >= Version(7, 4)))
  }
}
