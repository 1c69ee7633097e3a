extension FixedWidthInteger {
  /// The whole part of the number, or the nearest that fits; 0 for NaN.
  ///
  /// `Int(value)` ends the process where a value does not fit, so every conversion of a number that came from elsewhere
  /// goes through here; Tests/e2e/checks/tidy.py looks.
  @inlinable public init(clamping value: Double) {
    if let exact = Self(exactly: value.rounded(.towardZero)) {
      self = exact
    } else {
      self = value > 0 ? .max : value < 0 ? .min : 0
    }
  }
}
