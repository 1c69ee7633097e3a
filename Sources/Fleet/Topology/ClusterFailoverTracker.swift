import Redis

/// Counts the failovers of a cluster from one merged view to the next, each once.
///
/// A failover is a replica that now owns slots of the master it replicated, by a higher epoch. A master that merely got
/// slots is resharding. What the last view was can be kept, so that a failover during an outage of the daemon is found.
public struct ClusterFailoverTracker: Sendable {
  /// What must survive a restart of the daemon.
  public struct State: Sendable, Equatable {
    public var counts: [FailoverRecord.Kind: Int]
    public var lastFailoverSeconds: Double?
    /// The nodes of the last view.
    public var nodes: [Node] = []

    public init() { counts = [.automatic: 0, .manual: 0, .missed: 0] }
  }

  public struct Node: Sendable, Equatable {
    public let id: String
    /// nil for a master.
    public let masterID: String?
    public let configEpoch: Int
    public let slots: [ClosedRange<Int>]
    public let wasFailing: Bool

    public init(id: String, masterID: String?, configEpoch: Int, slots: [ClosedRange<Int>], wasFailing: Bool) {
      self.id = id
      self.masterID = masterID
      self.configEpoch = configEpoch
      self.slots = slots
      self.wasFailing = wasFailing
    }
  }

  public struct Failover: Sendable, Equatable {
    public let kind: FailoverRecord.Kind
    public let fromID: String
    public let toID: String
    public let to: NodeAddress
    /// The epoch that the new master won.
    public let epoch: Int
    public let slotCount: Int
    public let seconds: Double
  }

  /// A longer silence than this between two views hides how the failover came about.
  static let gapSeconds = 60.0

  public private(set) var state: State
  private var lastSeconds: Double?

  public init(state: State = State()) {
    self.state = state
    for kind in [FailoverRecord.Kind.automatic, .manual, .missed] where state.counts[kind] == nil {
      self.state.counts[kind] = 0
    }
  }

  /// - Parameter seconds: when the view was made, in seconds since the epoch.
  /// - Returns: the failovers since the view before; none for the first view ever.
  public mutating func observe(_ view: ClusterView, atSeconds seconds: Double) -> [Failover] {
    // No node answered: nothing is known, least of all that nodes are gone.
    guard !view.members.isEmpty else { return [] }
    let isContinuous = lastSeconds.map { seconds - $0 <= Self.gapSeconds } ?? false
    lastSeconds = seconds
    let before = Dictionary(state.nodes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let failovers = view.members.compactMap { member -> Failover? in
      guard member.isServing, let old = before[member.id], old.slots.isEmpty, let masterID = old.masterID,
        let master = before[masterID], member.configEpoch > master.configEpoch
      else { return nil }
      let gained = member.slots.filter { range in master.slots.contains { $0.overlaps(range) } }
      guard !gained.isEmpty else { return nil }
      let isFailing = master.wasFailing || view[masterID].map { $0.health == .fail || $0.health == .pfail } ?? true
      let kind: FailoverRecord.Kind = !isContinuous ? .missed : isFailing ? .automatic : .manual
      return Failover(
        kind: kind, fromID: masterID, toID: member.id, to: member.address, epoch: member.configEpoch,
        slotCount: gained.reduce(0) { $0 + $1.count }, seconds: seconds)
    }
    for failover in failovers {
      state.counts[failover.kind, default: 0] += 1
      state.lastFailoverSeconds = seconds
    }
    state.nodes = view.members.map { remembered($0, before[$0.id]) }
    return failovers
  }

  private func remembered(_ member: ClusterView.Member, _ old: Node?) -> Node {
    // Reports that are behind would make a promotion happen twice: what is older than what was seen does not count.
    // A master without slots has won nothing: as a replica it has the epoch of its master, which may be lower.
    if let old, member.configEpoch < old.configEpoch, old.masterID == nil, !old.slots.isEmpty { return old }
    return Node(
      id: member.id, masterID: member.masterID, configEpoch: member.configEpoch, slots: member.slots,
      wasFailing: member.health == .fail || member.health == .pfail)
  }
}
