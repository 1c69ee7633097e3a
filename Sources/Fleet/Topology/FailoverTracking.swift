import Redis
import Runtime

/// Counts the failovers of one workload, each once, in the way that its topology shows them. Pure: others do what it says.
protocol FailoverTracking: Sendable {
  associatedtype State: FailoverState
  /// What must survive a restart of the daemon.
  var state: State { get set }
  /// Whether a failover may be in progress, so that all members are polled more often.
  var isUnderWay: Bool { get }
  /// Switches that were published and never confirmed; nil where nobody publishes any.
  var unconfirmedFailoverCount: Int? { get }

  /// Takes note of how many Sentinels have a say: most of them make a switch true.
  mutating func expect(voterCount: Int)
  /// Takes in what the newest polls show.
  mutating func observe(_ evidence: FailoverEvidence) -> [FailoverAction]
  /// Takes in what a Sentinel publishes.
  ///
  /// - Parameters:
  ///   - sentinel: who published it; stable over reconnects.
  ///   - now: when it arrived.
  mutating func receive(_ event: SentinelEvent, from sentinel: String, at now: WallTime) -> [FailoverAction]
}

extension FailoverTracking {
  var unconfirmedFailoverCount: Int? { nil }
  mutating func expect(voterCount: Int) {}
  mutating func receive(
    _ event: SentinelEvent, from sentinel: String, at now: WallTime
  ) -> [FailoverAction] { [] }

  /// Gives a missed failover the time by which it had taken place: others have told it long ago, and it is no news.
  mutating func dated(_ actions: [FailoverAction], by evidence: FailoverEvidence) -> [FailoverAction] {
    actions.map { action in
      guard case .count(var failover) = action, failover.kind == .missed,
        let time = failover.to.flatMap(evidence.promoted), time < failover.counted
      else { return action }
      failover.counted = time
      state.lastFailover = time
      return .count(failover)
    }
  }
}

/// What must survive a restart of the daemon of what counts failovers.
protocol FailoverState: Sendable, Equatable {
  /// Those that the topology can show; each has a counter.
  static var kinds: [Failover.Kind] { get }
  var counts: [Failover.Kind: Int] { get set }
  /// When the last failover (aborted attempts apart) was counted; nil when there was none.
  var lastFailover: WallTime? { get set }

  /// The rest as texts by name, for the store's facts; what cannot be read is as if it were missing.
  var facts: [String: String] { get }
  init(facts: [String: String])
}

public enum FailoverAction: Sendable, Equatable {
  /// A failover or an aborted attempt: count it, and tell of it.
  case count(Failover)
  /// More is known of one that was counted.
  case update(Failover)
  /// Poll every Sentinel and every member now.
  case poll
}

/// What a look at a workload shows that may tell of failovers.
struct FailoverEvidence: Sendable {
  /// What a server itself says of its place.
  enum Role: Sendable, Equatable { case master, replica, silent }

  let following: Following
  /// Every member that is watched.
  let members: [MemberReading]
  /// The members and the Sentinels whose word counts.
  let trusted: [MemberReading]
  let sentinels: [MemberReading]
  let wall: WallTime

  /// nil for a server that is not polled.
  func role(of address: NodeAddress) -> Role? {
    let found = members.first { $0.address == address } ?? members.first { $0.address.mayBe(address) }
    guard let reading = found, let answers = reading.answers else { return nil }
    guard answers else { return .silent }
    return reading.facts?.replication.map { $0.isMaster ? .master : .replica }
  }

  /// By when a server had become master, as most of its Sentinels say, or else its replicas by the age of their links; nil
  /// where nobody tells.
  func promoted(_ address: NodeAddress) -> WallTime? {
    var times = sentinels.compactMap { reading -> WallTime? in
      guard let master = reading.facts?.sentinel?.master, master.address.mayBe(address) else { return nil }
      return master.masterSeconds.map { reading.ended - $0 }
    }
    if times.isEmpty {
      times = trusted.compactMap { reading in
        guard let facts = reading.facts?.replication, facts.masterAddress?.mayBe(address) == true else { return nil }
        return facts.linkUpSeconds.map { reading.ended - Double($0) }
      }
    }
    return times.isEmpty ? nil : times.sorted()[(times.count - 1) / 2]
  }
}

/// What is known from before of a workload's failovers.
struct KeptFailovers: Sendable {
  var counts: [Failover.Kind: Int] = [:]
  var facts: [String: String] = [:]
  /// As it was before a reload; nil after a restart of the daemon.
  var inMemory: (any FailoverState)?

  func state<State: FailoverState>() -> State {
    if let known = inMemory as? State { return known }
    var state = State(facts: facts)
    state.counts = Dictionary(uniqueKeysWithValues: State.kinds.map { ($0, counts[$0] ?? 0) })
    return state
  }
}
