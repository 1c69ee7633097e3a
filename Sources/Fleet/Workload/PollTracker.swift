import Redis
import Runtime

/// Which readings are of a poll that was not seen yet: of a large workload a few at each look. Pure.
struct PollTracker: Sendable {
  private var began: [NodeAddress: Monotonic] = [:]

  /// - Returns: the readings that are new, and who was read before and is a member no more.
  mutating func note(_ readings: [MemberReading]) -> (fresh: [MemberReading], gone: Set<NodeAddress>) {
    let fresh = readings.filter { began.updateValue($0.began, forKey: $0.address) != $0.began }
    guard began.count > readings.count else { return (fresh, []) }
    let gone = Set(began.keys).subtracting(readings.map(\.address))
    for address in gone { began[address] = nil }
    return (fresh, gone)
  }
}
