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
