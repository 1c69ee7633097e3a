import Redis
import Runtime

/// Decides which of the members that peers announce are watched, and how many at once. Pure.
///
/// A member is confirmed when it is known from the configuration or from before, when most of those who could name it do,
/// or, where only one could, when it answers. The others are asked in bounded number and forgotten when they are not
/// listed any more; while more wait, those that do not answer give room. However many one peer makes up, those that are
/// confirmed stay, and new ones that are confirmed come in at a pace that grows with the fleet.
struct Admission: Sendable {
  struct Options: Sendable, Equatable {
    /// Members that are not confirmed, at once, and how many a second more may be tried.
    var unconfirmedLimit = 64
    var unconfirmedPerSecond = 8.0
    /// Members that come in at once when they are confirmed; with more members, as many as there are.
    var burst = 64
    /// How long one that does not answer keeps its place while others wait.
    var patienceSeconds = 10.0
    /// All members, unless twice the expected ones are more.
    var memberLimit = 1000
  }

  struct Candidate: Sendable, Equatable {
    let address: NodeAddress
    /// How many of ``Following/voterCount`` others name it.
    let voucherCount: Int
    /// Whether its newest poll was answered; nil while it was not polled.
    let answers: Bool?
    let isUp: Bool?
  }

  private(set) var confirmed: Set<NodeAddress> = []
  /// Asked, with the time since when.
  private(set) var unconfirmed: [NodeAddress: Monotonic] = [:]
  /// Candidates that are not watched.
  private(set) var waitingCount = 0
  /// Of those, the first by its name.
  private(set) var waitingExample: NodeAddress?
  private let options: Options
  private var passedOver: Set<NodeAddress> = []
  private var newcomers: Allowance<Monotonic>
  private var guesses: Allowance<Monotonic>

  init(_ options: Options = Options()) {
    self.options = options
    newcomers = Allowance(Double(options.burst), perSecond: Double(options.burst))
    guesses = Allowance(Double(options.unconfirmedLimit), perSecond: options.unconfirmedPerSecond)
  }

  var admitted: Set<NodeAddress> { confirmed.union(unconfirmed.keys) }

  /// Takes in who is listed now.
  ///
  /// - Parameters:
  ///   - voterCount: those who could name a member; of fewer than two its own answer counts.
  ///   - isKnown: whether an address is the configuration's or was a member before.
  ///   - kept: members that stay although nobody lists them now.
  ///   - expectedCount: members that there should be; nil where that is not configured.
  /// - Returns: those that are forgotten: not confirmed, and not listed any more.
  mutating func update(
    _ candidates: [Candidate], voterCount: Int, isKnown: (NodeAddress) -> Bool, kept: Set<NodeAddress>,
    expectedCount: Int?, at now: Monotonic
  ) -> Set<NodeAddress> {
    let listed = Set(candidates.map(\.address))
    passedOver.formIntersection(listed)
    confirmed.formIntersection(listed.union(kept))
    var forgotten = Set(unconfirmed.keys.filter { !listed.contains($0) })
    for address in forgotten { unconfirmed[address] = nil }

    let limit = max(options.memberLimit, 2 * min(expectedCount ?? 0, 1 << 20))
    newcomers.widen(to: Double(max(confirmed.count, min(expectedCount ?? 0, limit))))
    var waiting: [(candidate: Candidate, isConfirmed: Bool)] = []
    for candidate in candidates where !confirmed.contains(candidate.address) {
      let address = candidate.address
      if isKnown(address) {
        unconfirmed[address] = nil
        confirmed.insert(address)
        continue
      }
      let isConfirmed = voterCount > 1 ? candidate.voucherCount * 2 > voterCount : candidate.answers == true
      if isConfirmed, confirmed.count < limit, unconfirmed[address] != nil || newcomers.take(at: now) {
        unconfirmed[address] = nil
        confirmed.insert(address)
      } else if unconfirmed[address] == nil {
        waiting.append((candidate, isConfirmed))
      }
    }
    waiting.sort { left, right in Self.rank(left, passedOver) < Self.rank(right, passedOver) }
    if !waiting.isEmpty {
      let answers = Dictionary(candidates.map { ($0.address, $0.answers) }, uniquingKeysWith: { first, _ in first })
      for (address, since) in unconfirmed
      where now - since >= options.patienceSeconds && answers[address] ?? nil != true {
        unconfirmed[address] = nil
        passedOver.insert(address)
        forgotten.insert(address)
      }
    }
    var room = min(options.unconfirmedLimit - unconfirmed.count, limit - confirmed.count - unconfirmed.count)
    var left = waiting[...]
    while room > 0, let next = left.first, guesses.take(at: now) {
      left.removeFirst()
      unconfirmed[next.candidate.address] = now
      room -= 1
    }
    waitingCount = left.count
    waitingExample = left.lazy.map(\.candidate.address).min()
    if passedOver.isSuperset(of: left.map(\.candidate.address)) { passedOver = [] }
    return forgotten
  }

  /// Takes out what turned out to be another name of a member.
  mutating func forget(_ addresses: Set<NodeAddress>) {
    confirmed.subtract(addresses)
    for address in addresses { unconfirmed[address] = nil }
  }

  private static func rank(
    _ waiting: (candidate: Candidate, isConfirmed: Bool), _ passedOver: Set<NodeAddress>
  ) -> Int {
    (waiting.isConfirmed ? 0 : 4) + (passedOver.contains(waiting.candidate.address) ? 2 : 0)
      + (waiting.candidate.isUp == false ? 1 : 0)
  }
}
