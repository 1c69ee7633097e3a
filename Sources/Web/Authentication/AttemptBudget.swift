/// How much computing time wrong passwords may cost.
///
/// Seconds of it come back at a steady share of the clock, for every address and for all together, so that a flood
/// from one address leaves others their chance. Time is a parameter; nothing here waits.
struct AttemptBudget {
  typealias Instant = ContinuousClock.Instant

  /// Seconds that come back for every second of the clock.
  static let totalShare = 0.3
  static let addressShare = 0.1
  /// The most seconds that gather.
  static let totalSeconds = 2.0
  static let addressSeconds = 1.0
  /// Checks that may be under way, or in line, at once.
  static let pendingLimit = 4
  /// Addresses that are told apart; beyond that the ones not seen for longest are forgotten.
  static let addressLimit = 256

  private struct Account {
    var seconds: Double
    var updated: Instant

    mutating func refill(_ share: Double, _ limit: Double, _ now: Instant) {
      seconds = min(limit, seconds + share * max(0, (now - updated) / .seconds(1)))
      updated = now
    }
  }

  private var total: Account
  private var addresses: [String: Account] = [:]
  private(set) var pendingCount = 0

  init(now: Instant) {
    total = Account(seconds: Self.totalSeconds, updated: now)
  }

  /// Whether a check may start now; if so it counts as pending until ``finish(_:from:failed:now:)``.
  mutating func start(from address: String, now: Instant) -> Bool {
    total.refill(Self.totalShare, Self.totalSeconds, now)
    var account = addresses[address] ?? Account(seconds: Self.addressSeconds, updated: now)
    account.refill(Self.addressShare, Self.addressSeconds, now)
    if addresses[address] != nil { addresses[address] = account }
    guard pendingCount < Self.pendingLimit, total.seconds > 0, account.seconds > 0 else { return false }
    pendingCount += 1
    return true
  }

  /// Charges a check that has ended. One that succeeded is free.
  mutating func finish(_ cost: Duration, from address: String, failed: Bool, now: Instant) {
    pendingCount -= 1
    guard failed else { return }
    total.seconds -= cost / .seconds(1)
    if addresses[address] == nil, addresses.count >= Self.addressLimit {
      if let oldest = addresses.min(by: { $0.value.updated < $1.value.updated }) { addresses[oldest.key] = nil }
    }
    addresses[address, default: Account(seconds: Self.addressSeconds, updated: now)].seconds -= cost / .seconds(1)
  }
}
