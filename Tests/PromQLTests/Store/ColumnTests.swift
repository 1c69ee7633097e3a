import TestSupport
import Testing

@testable import PromQL

@Suite struct ColumnTests {
  @Test(arguments: ValuePattern.hostile + ValuePattern.ofRedis.map(\.pattern))
  func everyBitComesBack(_ pattern: ValuePattern) {
    for (seed, count) in [1, 2, 3, 17, 64, 240, 1000].enumerated() {
      let values = pattern.values(count, seed: UInt64(seed))
      var writer = ColumnWriter()
      for value in values { writer.append(value) }
      #expect(read(writer).map(\.value.bitPattern) == values.map(\.bitPattern), "\(count) values")
    }
  }

  @Test(arguments: ValuePattern.hostile)
  func everySlotComesBack(_ pattern: ValuePattern) {
    var random = FixedRandom(state: 7)
    for _ in 0..<20 {
      let values = pattern.values(150, seed: random.next())
      var writer = ColumnWriter()
      var expected: [(slot: Int, bits: UInt64)] = []
      var slot = 0
      for value in values {
        let empty = expected.isEmpty || !random.isOnce(in: 4) ? 0 : Int.random(in: 1...9, using: &random)
        slot += empty
        writer.append(value, afterEmpty: empty)
        expected.append((slot, value.bitPattern))
        slot += 1
      }
      let got = read(writer)
      #expect(got.map(\.slot) == expected.map(\.slot))
      #expect(got.map(\.value.bitPattern) == expected.map(\.bits))
      #expect(Int(writer.slotCount) == slot)
    }
  }

  /// A column can be read at any time while it is written, and after it was emptied it begins anew.
  @Test(arguments: ValuePattern.hostile)
  func canBeReadBetweenAppends(_ pattern: ValuePattern) {
    var writer = ColumnWriter()
    for round in 0..<3 {
      let values = pattern.values(60, seed: UInt64(round))
      for (index, value) in values.enumerated() {
        writer.append(value)
        #expect(read(writer).map(\.value.bitPattern) == values[...index].map(\.bitPattern))
        #expect(writer.newest.bitPattern == value.bitPattern)
      }
      writer.removeAll()
    }
  }

  @Test func aValueThatNeverChangesTakesNoMemory() {
    var writer = ColumnWriter()
    for _ in 0..<240 { writer.append(5.25) }
    #expect(writer.heapByteCount == 0)
    #expect(words(writer).count == 1)
  }

  /// One leap makes the values after it little dearer.
  @Test func aLeapIsSoonForgotten() {
    var (calm, leap) = (ColumnWriter(), ColumnWriter())
    for step in 0..<240 {
      calm.append(Double(step % 3))
      leap.append(step == 100 ? 1e15 : Double(step % 3))
    }
    #expect(words(leap).count <= words(calm).count + 8)
  }

  @Test(arguments: [(1, 0), (0.1, 1), (1_234_567.891234, 6), (0.5, 1), (1e-12, 12), (-20.25, 2), (1e15, 0)])
  func decimalsTakeTheFewestPlaces(_ value: Double, _ places: Int) throws {
    let decimal = try #require(ScaledDecimal(value, atLeast: 0))
    #expect(Int(decimal.exponent) == places)
    #expect(ScaledDecimal.value(decimal.mantissa, at: decimal.exponent) == value)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, -0.0, 0x1p53, .pi, 1e-13, 1e300])
  func otherValuesAreNoDecimals(_ value: Double) {
    #expect(ScaledDecimal(value, atLeast: 0) == nil)
  }

  private func words(_ writer: ColumnWriter) -> [UInt64] {
    var words: [UInt64] = []
    writer.appendWords(to: &words)
    return words
  }

  private func read(_ writer: ColumnWriter) -> [(slot: Int, value: Double)] {
    var reader = ColumnReader(words(writer) + [.max], at: 0, count: Int(writer.count))
    var result: [(slot: Int, value: Double)] = []
    while let run = reader.next() {
      for offset in 0..<run.count { result.append((run.slot + offset, run.value)) }
    }
    return result
  }
}
