/// A double as an integer over a power of ten, where that gives back every bit.
///
/// What Redis reports are integers and decimals with few places; as integers their changes are small numbers.
struct ScaledDecimal {
  let mantissa: Int64
  let exponent: UInt8

  /// The number of decimal places at most.
  static let largestExponent: UInt8 = 12
  /// Integers below it are exact as doubles.
  private static let mantissaLimit: Double = 0x1p53

  private static let roundingShift: Double = 0x1.8p52

  private static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]

  @inline(__always)
  static func power(_ exponent: UInt8) -> Double { powers[Int(exponent)] }

  init(mantissa: Int64, exponent: UInt8) {
    self.mantissa = mantissa
    self.exponent = exponent
  }

  /// With as few decimal places as possible, at least `exponent`; nil when there is no such number of places, as for
  /// NaN, the infinities and negative zero.
  init?(_ value: Double, atLeast exponent: UInt8) {
    var exponent = exponent
    while exponent <= Self.largestExponent {
      if let mantissa = Self.mantissa(of: value, at: exponent) {
        self.mantissa = mantissa
        self.exponent = exponent
        return
      }
      if !(abs(value) < Self.mantissaLimit) { return nil }
      exponent += 1
    }
    return nil
  }

  /// The integer that stands for `value` with this many decimal places, or nil.
  @inline(__always)
  static func mantissa(of value: Double, at exponent: UInt8) -> Int64? {
    var scaled = value
    if exponent > 0 {
      scaled *= power(exponent)
      // Rounds to an integer as long as the sum stays below 2^53, where doubles are integers apart.
      guard abs(scaled) < mantissaLimit / 4 else { return nil }
      scaled = (scaled + roundingShift) - roundingShift
    }
    guard abs(scaled) < mantissaLimit else { return nil }
    let mantissa = Int64(scaled)
    return self.value(mantissa, at: exponent).bitPattern == value.bitPattern ? mantissa : nil
  }

  @inline(__always)
  static func value(_ mantissa: Int64, at exponent: UInt8) -> Double {
    exponent == 0 ? Double(mantissa) : Double(mantissa) / power(exponent)
  }
}
