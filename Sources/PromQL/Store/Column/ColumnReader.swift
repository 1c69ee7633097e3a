/// Reads the values of a column in order, runs of equal ones at once.
struct ColumnReader {
  /// Equal values at consecutive slots.
  struct Run {
    /// The first one's slot, counted from the column's first.
    var slot: Int
    var count: Int
    var value: Double
  }

  private var reader: BitReader
  private var model: ColumnModel
  private var remaining: Int
  private var slot = 0
  private var isAtStart = true

  /// - Parameters:
  ///   - words: go on for at least one word beyond the column's last.
  ///   - start: the column's first word.
  ///   - count: how many values it has, at least 1.
  init(_ words: [UInt64], at start: Int, count: Int) {
    reader = BitReader(words, at: start << 6)
    remaining = count
    let exponent = UInt8(truncatingIfNeeded: reader.read(ColumnCode.exponentBits))
    if exponent == ColumnModel.floating {
      model = ColumnModel(floating: reader.read(64))
    } else {
      let drift = unfolded(reader.readSized())
      let plainBits = Int(reader.read(6))
      model = ColumnModel(ScaledDecimal(mantissa: unfolded(reader.readSized()), exponent: exponent))
      model.adopt(drift: drift, plainBits: plainBits)
    }
  }

  /// Nil after the last value.
  @inline(__always)
  mutating func next() -> Run? {
    if isAtStart {
      isAtStart = false
      return taken(1)
    }
    while remaining > 0 {
      if model.isFlat {
        let repeats = reader.readGamma() - 1
        model.isFlat = false
        if repeats > 0 { return taken(repeats) }
      }
      if model.isFloating ? readDouble() : readInteger() { return taken(1) }
    }
    return nil
  }

  @inline(__always)
  private mutating func taken(_ count: Int) -> Run {
    defer {
      slot &+= count
      remaining &-= count
    }
    return Run(slot: slot, count: count, value: model.value)
  }

  /// False when slots were skipped instead.
  @inline(__always)
  private mutating func readInteger() -> Bool {
    let window = reader.peek()
    let quotient = (~window).trailingZeroBitCount
    let distance: UInt64
    if quotient < ColumnCode.quotientLimit {
      let plainBits = model.plainBits
      if plainBits <= 48 {
        let plain = (window &>> UInt64(truncatingIfNeeded: quotient &+ 1)) & ((1 &<< UInt64(plainBits)) &- 1)
        reader.skip(quotient &+ 1 &+ plainBits)
        distance = UInt64(quotient) &<< UInt64(plainBits) | plain
      } else {
        reader.skip(quotient &+ 1)
        distance = UInt64(quotient) &<< UInt64(plainBits) | reader.read(plainBits)
      }
    } else {
      reader.skip(ColumnCode.quotientLimit + 1)
      if quotient > ColumnCode.quotientLimit { return readEvent() }
      distance = reader.readSized()
    }
    model.accept(model.expected &+ unfolded(distance), distance: distance)
    return true
  }

  private mutating func readDouble() -> Bool {
    let form = (~reader.peek()).trailingZeroBitCount
    switch form {
    case 0:
      reader.skip(1)
    case 1:
      reader.skip(2)
      model.windowStart = UInt8(truncatingIfNeeded: reader.read(6))
      model.windowWidth = UInt8(truncatingIfNeeded: reader.read(6)) + 1
    case 2:
      reader.skip(3)
      model.accept(floating: model.bits(changed: 0))
      return true
    default:
      reader.skip(3)
      return readEvent()
    }
    let width = Int(model.windowWidth)
    let changed = reader.read(width) &<< UInt64(64 - Int(model.windowStart) - width)
    model.accept(floating: model.bits(changed: changed))
    return true
  }

  private mutating func readEvent() -> Bool {
    switch ColumnCode.Event(rawValue: reader.read(ColumnCode.eventBits)) {
    case .stale: model.accept(literal: Double.stalenessMarker.bitPattern)
    case .literal: model.accept(literal: reader.read(64))
    case .doubles: model.accept(floating: reader.read(64))
    case .integers:
      let exponent = UInt8(truncatingIfNeeded: reader.read(ColumnCode.exponentBits))
      model.accept(ScaledDecimal(mantissa: unfolded(reader.readSized()), exponent: exponent))
    case .empty:
      slot += reader.readGamma()
      return false
    case nil: preconditionFailure("a column that no writer wrote")
    }
    return true
  }
}
