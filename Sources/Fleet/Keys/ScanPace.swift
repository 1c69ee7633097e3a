/// Says how many keys the server is to look at in one SCAN. Pure.
///
/// A small step holds up nobody and a large one costs less for each key: the count doubles while a step takes less than
/// 1 ms of the server, and halves above 5 ms. A reply that is larger than what is taken in is asked for again with a count of
/// 1, and later steps stay below the count that failed.
struct ScanPace: Sendable, Equatable {
  private(set) var count: Int
  private var largest: Int
  /// Whether the time that steps take decides.
  private let isAdaptive: Bool

  static let firstCount = 64
  static let largestCount = 512
  static let smallestCount = 8
  static let quickSeconds = 0.001
  static let slowSeconds = 0.005

  /// - Parameter count: what somebody asked for, to which it keeps; nil to find it out.
  init(_ count: Int? = nil, largest: Int = largestCount) {
    isAdaptive = count == nil
    self.count = max(1, count ?? Self.firstCount)
    self.largest = max(1, count ?? largest)
  }

  /// Takes note of a step that was answered.
  ///
  /// - Parameter seconds: what it took of the server's time.
  mutating func note(seconds: Double) {
    if isAdaptive, seconds > Self.slowSeconds {
      count = min(count, max(Self.smallestCount, count / 2))
    } else if !isAdaptive || seconds < Self.quickSeconds {
      count = min(largest, count.multipliedReportingOverflow(by: 2).overflow ? largest : count * 2)
    }
  }

  /// Takes note of a reply that was too large.
  ///
  /// - Returns: whether a smaller step is left to try.
  mutating func noteTooLarge() -> Bool {
    largest = max(1, min(largest, count) / 2)
    defer { count = 1 }
    return count > 1
  }
}
