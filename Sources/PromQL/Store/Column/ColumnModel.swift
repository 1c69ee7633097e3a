/// What writer and reader of a column both know after each value, and what they expect of the next one.
struct ColumnModel: Sendable {
  /// The newest value, its bits.
  private(set) var bits: UInt64
  /// Decimal places of the integers, or ``floating``.
  private(set) var exponent: UInt8
  /// The newest value equals the one before, so that more of the same is likely.
  var isFlat = true
  /// Of the window in which the bits of floating values change: zeros above it, and its width.
  var windowStart: UInt8 = 0
  var windowWidth: UInt8 = 64
  /// The newest value that was no literal: an integer, or with ``floating`` the bits of a double.
  private(set) var base: Int64
  /// By how much the integers have been changing, smoothed, in 1/16.
  private var drift: Int64 = 0
  /// How far the integers have been off the expectation, smoothed, in 1/32.
  private var spread: UInt64 = 0

  /// In place of an exponent: values are written as changes of a double's bits.
  static let floating: UInt8 = 15

  var isFloating: Bool { exponent == Self.floating }
  var value: Double { Double(bitPattern: bits) }

  init(_ decimal: ScaledDecimal) {
    bits = ScaledDecimal.value(decimal.mantissa, at: decimal.exponent).bitPattern
    base = decimal.mantissa
    exponent = decimal.exponent
  }

  init(floating value: UInt64) {
    bits = value
    base = Int64(bitPattern: value)
    exponent = Self.floating
  }

  // MARK: Integers

  /// The next integer, were the change to go on as it has.
  var expected: Int64 { base &+ (drift &+ 8) &>> 4 }

  /// How many low bits of the distance to `expected` are written as they are: a Golomb-Rice code's parameter that
  /// follows the mean distance, as in JPEG-LS (ITU-T T.87).
  var plainBits: Int { min(52, 64 &- (spread &>> 5).leadingZeroBitCount) }

  /// The next integer and how far it was from `expected`, folded to be positive.
  @inline(__always)
  mutating func accept(_ mantissa: Int64, distance: UInt64) {
    // One leap must not make the next values dear: it counts for no more than some times what is usual.
    let counted = min(distance, (spread &>> 5) &* 16 &+ 256)
    spread = spread &- (spread &>> 5) &+ counted
    let correction = Int64(bitPattern: counted)
    drift = drift &+ (distance & 1 == 0 ? correction : -correction)
    base = mantissa
    remember(ScaledDecimal.value(mantissa, at: exponent).bitPattern)
  }

  /// Goes over to other decimal places.
  mutating func accept(_ decimal: ScaledDecimal) {
    exponent = decimal.exponent
    base = decimal.mantissa
    drift = 0
    spread = 0
    remember(ScaledDecimal.value(decimal.mantissa, at: decimal.exponent).bitPattern)
  }

  /// What a column begins with knows of how the one before it behaved.
  mutating func adopt(drift: Int64, plainBits: Int) {
    self.drift = drift
    spread = plainBits == 0 ? 0 : 3 &<< UInt64(plainBits + 3)
  }

  /// What the next column may adopt.
  var adoptable: (drift: Int64, plainBits: Int) { isFloating ? (0, 0) : (drift, plainBits) }

  // MARK: Doubles

  /// What of a double's bits differs from the value before.
  @inline(__always)
  func changedBits(_ bits: UInt64) -> UInt64 { bits ^ UInt64(bitPattern: base) }

  @inline(__always)
  func bits(changed: UInt64) -> UInt64 { changed ^ UInt64(bitPattern: base) }

  /// The next double, in floating form from now on.
  @inline(__always)
  mutating func accept(floating bits: UInt64) {
    if !isFloating {
      exponent = Self.floating
      (windowStart, windowWidth) = (0, 64)
    }
    base = Int64(bitPattern: bits)
    remember(bits)
  }

  /// A value that says nothing of the next one: a staleness marker, NaN, an infinity.
  mutating func accept(literal bits: UInt64) { remember(bits) }

  @inline(__always)
  private mutating func remember(_ bits: UInt64) {
    isFlat = bits == self.bits
    self.bits = bits
  }
}

/// A signed number as a positive one, small ones first: 0, -1, 1, -2, …
@inline(__always)
func folded(_ number: Int64) -> UInt64 { UInt64(bitPattern: number &<< 1 ^ number &>> 63) }

@inline(__always)
func unfolded(_ number: UInt64) -> Int64 { Int64(bitPattern: number &>> 1) ^ -Int64(bitPattern: number & 1) }

/// The code of a column: values at consecutive slots of time, some slots empty.
///
///     column   = exponent:4 first value
///     first    = drift:sized plainBits:6 integer:sized       the exponent is 0 to 12: values are integers / 10^exponent
///              | bits:64                                     the exponent is 15: values are doubles
///     values   = repeats:gamma value                         after a value that equals the one before: how often more, + 1
///              | value
///     integer  = quotient:unary plain:plainBits              distance to what was expected, Golomb-Rice
///              | 1 × 12, 0, distance:sized                   distance too far for that
///              | 1 × 12, 1, event
///     double   = 0 changed:windowWidth                       exclusive or with the value before, within its window
///              | 10 start:6 width:6 changed:width            and within a new window
///              | 110                                         the same as the value before
///              | 111 event
///     event    = stale:3 | empty:3 slots:gamma | literal:3 bits:64 | integers:3 exponent:4 integer:sized
///              | doubles:3 bits:64
///
/// The doubles' half is Facebook's Gorilla (Pelkonen et al., VLDB 2015); integers come first because almost all that
/// Redis reports are integers or decimals of few places. Numbers have no end mark: the count of values is held outside.
enum ColumnCode {
  /// A quotient of so many is written another way.
  static let quotientLimit = 12

  static let exponentBits = 4
  static let eventBits = 3

  /// What is neither the next integer nor the next double.
  enum Event: UInt64 {
    /// The staleness marker.
    case stale
    /// Slots without a value.
    case empty
    /// A single double among integers.
    case literal
    /// Integers from here on, with so many decimal places.
    case integers
    /// Doubles from here on.
    case doubles
  }
}
