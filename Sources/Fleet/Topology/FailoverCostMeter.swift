import Redis
import Runtime

/// What one failover costs, by the replies of servers that are asked for this alone: as a daemon counts it, with the same
/// arithmetic. Pure.
public struct FailoverCostMeter: Sendable {
  private static let key = "drill"

  private var tracker = TakeoverTracker()
  private var readings: [NodeAddress: MemberReading] = [:]
  private var hasBegun = false

  public init() {}

  /// Takes in what a server said.
  ///
  /// - Parameters:
  ///   - info: to INFO; nil where it did not answer.
  ///   - began: when it was asked.
  public mutating func note(_ address: NodeAddress, _ info: InfoText?, began: Monotonic, at now: Monotonic) {
    let facts = info.map {
      MemberFacts($0, config: nil, replies: [], server: ServerFacts($0), now: .now)
    }
    readings[address] = MemberReading(
      address, answers: info != nil, facts: facts, began: began, probeAnswered: info == nil ? nil : now)
    tracker.note(Array(readings.values), at: now)
  }

  /// The master changed; only the first time counts.
  public mutating func begin(from old: NodeAddress, to new: NodeAddress) {
    guard !hasBegun else { return }
    hasBegun = true
    var failover = Failover(key: Self.key, subject: "", kind: .manual, counted: .now)
    (failover.from, failover.to) = (old, new)
    tracker.begin(failover)
  }

  /// What is known by now; nil before the master changed.
  public var cost: Failover.Cost? { tracker.cost(of: Self.key) }
  /// Whether nothing further can be learnt.
  public var isSettled: Bool { hasBegun && tracker.isSettled(Self.key) }
}
