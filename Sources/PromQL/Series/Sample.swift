/// One value of a series at one time.
public struct Sample: Sendable, Equatable {
  /// Milliseconds since the epoch.
  public var timestampMilliseconds: Int64
  public var value: Double

  public init(timestampMilliseconds: Int64, value: Double) {
    self.timestampMilliseconds = timestampMilliseconds
    self.value = value
  }

  /// True for the marker that ends a series until its next sample.
  public var isStale: Bool { value.isStalenessMarker }
}

extension Double {
  /// The NaN that says that a series has ended. Only its bits tell it from other NaNs.
  public static let stalenessMarker = Double(bitPattern: stalenessBits)

  /// True for the staleness marker alone, not for other NaNs.
  @inlinable public var isStalenessMarker: Bool { bitPattern == 0x7FF0_0000_0000_0002 }

  private static let stalenessBits: UInt64 = 0x7FF0_0000_0000_0002
}
