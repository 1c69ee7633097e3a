/// A column that values are appended to, at most 65,535 slots. Values come back bit by bit, NaNs included.
struct ColumnWriter: Sendable {
  private var model = ColumnModel(floating: 0)
  private var writer = BitWriter()
  /// Repeats of the newest value that are not written yet.
  private var repeats: UInt16 = 0
  /// Doubles in a row that integers could have stood for.
  private var integersInRow: UInt8 = 0
  /// Values so far.
  private(set) var count: UInt16 = 0
  /// Slots so far, the empty ones included.
  private(set) var slotCount: UInt16 = 0

  /// So many doubles in a row that are integers end the floating form.
  private static let integersToReturn = 4

  /// The newest value; zero before the first.
  var newest: Double { model.value }

  /// The bytes that the values take beside the column itself.
  var heapByteCount: Int { writer.heapByteCount }

  /// - Parameter empty: slots without a value since the newest one; 0 before the first value.
  mutating func append(_ value: Double, afterEmpty empty: Int = 0) {
    defer {
      count += 1
      slotCount += UInt16(empty + 1)
    }
    if count == 0 { return begin(value) }
    if empty == 0 && model.isFlat && value.bitPattern == model.bits {
      repeats += 1
      return
    }
    endRun()
    if empty > 0 {
      write(.empty)
      writer.appendGamma(empty)
    }
    write(value)
  }

  /// Appends the bits of all values, with what is pending. The column stays as it is.
  func appendWords(to words: inout [UInt64]) {
    guard model.isFlat, count > 0 else {
      words.append(contentsOf: writer.words)
      return
    }
    var tail = writer.lastWord
    words.append(contentsOf: writer.words.dropLast(tail.words.count))
    if writer.bitCount == 0 { Self.writeFirst(model, to: &tail) }
    tail.appendGamma(Int(repeats) + 1)
    words.append(contentsOf: tail.words)
  }

  /// Starts over. What was learned about the values' behaviour stays.
  mutating func removeAll() {
    writer.removeAll()
    (repeats, integersInRow, count, slotCount) = (0, 0, 0, 0)
  }

  private mutating func begin(_ value: Double) {
    let (learned, wasExponent) = (model.adoptable, model.exponent)
    if let decimal = ScaledDecimal(value, atLeast: 0) {
      model = ColumnModel(decimal)
      if decimal.exponent == wasExponent { model.adopt(drift: learned.drift, plainBits: learned.plainBits) }
    } else {
      model = ColumnModel(floating: value.bitPattern)
    }
  }

  /// The first value is written when another one follows: until then the model holds it, and a series that never
  /// changes needs no memory for its column.
  private static func writeFirst(_ model: ColumnModel, to writer: inout BitWriter) {
    writer.append(UInt64(model.exponent), ColumnCode.exponentBits)
    if model.isFloating { return writer.append(model.bits, 64) }
    let (drift, plainBits) = model.adoptable
    writer.appendSized(folded(drift))
    writer.append(UInt64(plainBits), 6)
    writer.appendSized(folded(model.base))
  }

  private mutating func endRun() {
    guard model.isFlat else { return }
    if writer.bitCount == 0 { Self.writeFirst(model, to: &writer) }
    writer.appendGamma(Int(repeats) + 1)
    repeats = 0
    model.isFlat = false
  }

  private mutating func write(_ value: Double) {
    if value.isStalenessMarker {
      write(.stale)
      model.accept(literal: value.bitPattern)
    } else if model.isFloating {
      writeDouble(value)
    } else if let mantissa = ScaledDecimal.mantissa(of: value, at: model.exponent) {
      writeInteger(mantissa)
    } else if let decimal = ScaledDecimal(value, atLeast: model.exponent + 1) {
      write(.integers)
      write(decimal)
    } else if value.isFinite && value != 0 {
      write(.doubles)
      writer.append(value.bitPattern, 64)
      model.accept(floating: value.bitPattern)
    } else {
      write(.literal)
      writer.append(value.bitPattern, 64)
      model.accept(literal: value.bitPattern)
    }
  }

  private mutating func writeInteger(_ mantissa: Int64) {
    let distance = folded(mantissa &- model.expected)
    let plainBits = model.plainBits
    let quotient = distance &>> UInt64(plainBits)
    if quotient < ColumnCode.quotientLimit {
      writer.append((1 &<< quotient) &- 1, Int(quotient) + 1)
      if plainBits > 0 { writer.append(distance & ((1 &<< UInt64(plainBits)) &- 1), plainBits) }
    } else {
      writer.append((1 << UInt64(ColumnCode.quotientLimit)) - 1, ColumnCode.quotientLimit + 1)
      writer.appendSized(distance)
    }
    model.accept(mantissa, distance: distance)
  }

  private mutating func write(_ decimal: ScaledDecimal) {
    writer.append(UInt64(decimal.exponent), ColumnCode.exponentBits)
    writer.appendSized(folded(decimal.mantissa))
    model.accept(decimal)
  }

  private mutating func writeDouble(_ value: Double) {
    if let decimal = ScaledDecimal(value, atLeast: 0) {
      integersInRow += 1
      if integersInRow == Self.integersToReturn {
        integersInRow = 0
        write(.integers)
        return write(decimal)
      }
    } else {
      integersInRow = 0
    }
    let changed = model.changedBits(value.bitPattern)
    if changed == 0 {
      writer.append(0b011, 3)
    } else {
      writeChange(changed)
    }
    model.accept(floating: value.bitPattern)
  }

  private mutating func writeChange(_ changed: UInt64) {
    let (start, end) = (changed.leadingZeroBitCount, changed.trailingZeroBitCount)
    let width = 64 - start - end
    let (windowStart, windowWidth) = (Int(model.windowStart), Int(model.windowWidth))
    let windowEnd = 64 - windowStart - windowWidth
    // A new window costs 13 bits more; the old one is kept while it wastes fewer.
    if start >= windowStart && end >= windowEnd && windowWidth - width < 13 {
      writer.append(0, 1)
      writer.append(changed &>> UInt64(windowEnd), windowWidth)
    } else {
      writer.append(0b01, 2)
      writer.append(UInt64(start), 6)
      writer.append(UInt64(width - 1), 6)
      writer.append(changed &>> UInt64(end), width)
      (model.windowStart, model.windowWidth) = (UInt8(start), UInt8(width))
    }
  }

  private mutating func write(_ event: ColumnCode.Event) {
    if model.isFloating {
      writer.append(0b111, 3)
    } else {
      writer.append((1 << UInt64(ColumnCode.quotientLimit + 1)) - 1, ColumnCode.quotientLimit + 1)
    }
    writer.append(event.rawValue, ColumnCode.eventBits)
  }
}
