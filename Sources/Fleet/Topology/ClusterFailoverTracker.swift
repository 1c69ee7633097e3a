import Redis
import Runtime

/// Counts the failovers of a cluster from one merged view to the next, each once.
///
/// A failover is a replica that now owns slots of the master it replicated, by a higher epoch. A master that merely got
/// slots is resharding. It is counted once most nodes, or both of the two themselves, say so, and once it is clear whether
/// somebody asked for it, at most seconds later. What the last view was can be kept, so that a failover during an outage of the daemon is found.
public struct ClusterFailoverTracker: Sendable {
  /// What must survive a restart of the daemon.
  public struct State: Sendable, Equatable {
    public var counts: [Failover.Kind: Int]
    public var lastFailover: WallTime?
    /// The nodes of the last view; those of a failover that is not counted yet are as they were before it.
    public var nodes: [Node] = []

    public init() { counts = Dictionary(uniqueKeysWithValues: Self.kinds.map { ($0, 0) }) }
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

  /// A failover whose cause is not known yet.
  private struct Open: Sendable {
    let fromID: String
    let from: NodeAddress?
    let toID: String
    let to: NodeAddress
    let epoch: Int
    let slotCount: Int
    let found: WallTime
    var isFailing: Bool
    /// Whether more than one node's word stands for it.
    var isConfirmed = false
  }

  /// A longer silence than this between two views hides how the failover came about.
  static let gapSeconds = 60.0

  public internal(set) var state: State
  private var last: WallTime?
  private var open: [Open] = []
  private var witnesses = ClusterWitnesses()
  /// When the poll of each node was that has been taken in.
  private var heard: [NodeAddress: Monotonic] = [:]

  /// Whether more must be known of a failover before it is counted: each node is to be polled now.
  public var isJudging: Bool { !open.isEmpty }

  public init(state: State = State()) {
    self.state = state
    for kind in State.kinds where state.counts[kind] == nil { self.state.counts[kind] = 0 }
  }

  /// - Parameters:
  ///   - testimonies: what the newest poll of each node says.
  ///   - now: when the view was made.
  /// - Returns: the failovers that are counted now; none for the first view ever.
  public mutating func observe(
    _ view: ClusterView, _ testimonies: [ClusterTestimony] = [], at now: WallTime
  ) -> [Failover] {
    // No node answered: nothing is known, least of all that nodes are gone.
    guard !view.members.isEmpty else { return [] }
    let isContinuous = last.map { now - $0 <= Self.gapSeconds } ?? false
    last = now
    witnesses.note(testimonies)
    let before = Dictionary(state.nodes.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    find(view, before, now)
    let failovers = settle(isContinuous: isContinuous, now)
    for failover in failovers {
      state.counts[failover.kind, default: 0] += 1
      state.lastFailover = failover.counted
    }
    let waiting = Set(open.flatMap { [$0.fromID, $0.toID] })
    state.nodes = view.members.map { member in
      // Should the daemon end before it is counted, the next one finds it.
      if waiting.contains(member.id), let old = before[member.id] { return old }
      return remembered(member, before[member.id], view)
    }
    witnesses.forget(allBut: Set(view.members.map(\.id)).union(waiting))
    return failovers
  }

  private mutating func find(_ view: ClusterView, _ before: [String: Node], _ now: WallTime) {
    for index in open.indices {
      if isFailing(open[index].fromID, view) { open[index].isFailing = true }
      if isConfirmed(from: open[index].fromID, to: open[index].toID, view) { open[index].isConfirmed = true }
    }
    // What one node made up, the view of the others takes back.
    open.removeAll { !$0.isConfirmed && view[$0.toID]?.isServing != true }
    for member in view.members {
      guard member.isServing, !open.contains(where: { $0.toID == member.id }), let old = before[member.id],
        old.slots.isEmpty, let masterID = old.masterID, let master = before[masterID],
        member.configEpoch > master.configEpoch
      else { continue }
      let gained = member.slots.filter { range in master.slots.contains { $0.overlaps(range) } }
      guard !gained.isEmpty else { continue }
      open.append(
        Open(
          fromID: masterID, from: view[masterID]?.address, toID: member.id, to: member.address,
          epoch: member.configEpoch,
          slotCount: gained.reduce(0) { $0 + $1.count }, found: now,
          isFailing: master.wasFailing || isFailing(masterID, view),
          isConfirmed: isConfirmed(from: masterID, to: member.id, view)))
    }
  }

  /// Whether most nodes find the new master a master, or itself and the old one do.
  private func isConfirmed(from: String, to: String, _ view: ClusterView) -> Bool {
    guard let new = view[to] else { return false }
    return new.masterVoteCount * 2 > new.voteCount
      || new.callsItselfMaster == true && view[from]?.callsItselfMaster != true
  }

  /// Found failing as a master: one that has become a replica was alive after the failover.
  private func isFailing(_ id: String, _ view: ClusterView) -> Bool {
    guard let member = view[id] else { return true }
    return member.isMaster && (member.health == .fail || member.health == .pfail)
  }

  private mutating func settle(isContinuous: Bool, _ now: WallTime) -> [Failover] {
    var failovers: [Failover] = []
    open.removeAll { found in
      guard found.isConfirmed else { return false }
      let verdict = witnesses.verdict(
        from: found.fromID, to: found.toID, found: found.found, isFailing: found.isFailing, at: now)
      let kind: Failover.Kind
      switch verdict {
      case _ where !isContinuous: kind = .missed
      case .manual: kind = .manual
      case .automatic: kind = .automatic
      case .open: return false
      }
      var failover = Failover(
        key: "\(found.toID)/\(found.epoch)", subject: "\(found.slotCount) slots", kind: kind,
        counted: found.found)
      (failover.from, failover.fromID, failover.to) = (found.from, found.fromID, found.to)
      failover.epoch = found.epoch
      failovers.append(failover)
      return true
    }
    return failovers
  }

  private func remembered(_ member: ClusterView.Member, _ old: Node?, _ view: ClusterView) -> Node {
    if let old, isHalfTold(member, old, view) { return old }
    // Reports that are behind would make a promotion happen twice: what is older than what was seen does not count.
    // A master without slots has won nothing: as a replica it has the epoch of its master, which may be lower.
    if let old, member.configEpoch < old.configEpoch, old.masterID == nil, !old.slots.isEmpty { return old }
    return Node(
      id: member.id, masterID: member.masterID, configEpoch: member.configEpoch, slots: member.slots,
      wasFailing: member.isMaster && (member.health == .fail || member.health == .pfail))
  }
}

extension ClusterFailoverTracker {
  /// Whether the nodes have told one another only a part of a failover: the old master follows one that is no master yet, or
  /// a replica owns slots. What was before is kept until the rest is told, else nothing would be left to compare it with.
  private func isHalfTold(_ member: ClusterView.Member, _ old: Node, _ view: ClusterView) -> Bool {
    guard !member.isMaster else { return false }
    if old.masterID != nil { return !member.slots.isEmpty }
    return !old.slots.isEmpty && member.masterID.flatMap { view[$0] }?.isServing != true
  }
}

extension ClusterFailoverTracker: FailoverTracking {
  var isUnderWay: Bool { isJudging }

  mutating func observe(_ evidence: FailoverEvidence) -> [FailoverAction] {
    guard let view = evidence.following.cluster else { return [] }
    // What was heard before is not gone through again: a large cluster says much.
    let testimonies = evidence.trusted.filter { heard[$0.address] != $0.began }
      .compactMap { ClusterTestimony($0, in: view) }
    heard = Dictionary(
      evidence.trusted.map { ($0.address, $0.began) }, uniquingKeysWith: { first, _ in first })
    let wasJudging = isJudging
    let found = observe(view, testimonies, at: evidence.wall)
    return found.map { .count($0) } + (isJudging && !wasJudging ? [.poll] : [])
  }
}

extension ClusterFailoverTracker.State: FailoverState {
  static let kinds: [Failover.Kind] = [.automatic, .manual, .missed]

  private static let lastFact = "cluster/last"
  private static let nodeFact = "cluster/node/"

  var facts: [String: String] {
    var facts = Dictionary(nodes.map { (Self.nodeFact + $0.id, $0.text) }, uniquingKeysWith: { first, _ in first })
    facts[Self.lastFact] = lastFailover.map { "\($0.seconds)" }
    return facts
  }

  init(facts: [String: String]) {
    self.init()
    lastFailover = facts[Self.lastFact].flatMap { storedTime($0) }
    nodes = facts.filter { $0.key.hasPrefix(Self.nodeFact) }.sorted { $0.key < $1.key }
      .compactMap { ClusterFailoverTracker.Node(text: $0.value) }
  }
}

extension ClusterFailoverTracker.Node {
  /// `id master|- epoch failing|ok first-last…`
  var text: String {
    ([id, masterID ?? "-", "\(configEpoch)", wasFailing ? "failing" : "ok"]
      + slots.map { "\($0.lowerBound)-\($0.upperBound)" })
      .joined(separator: " ")
  }

  init?(text: String) {
    let words = text.split(separator: " ").map(String.init)
    guard words.count >= 4, let epoch = storedInteger(words[2]) else { return nil }
    let slots = words.dropFirst(4).compactMap { word -> ClosedRange<Int>? in
      let ends = word.split(separator: "-").map { Int($0) }
      guard ends.count == 2, let first = ends[0], let last = ends[1], 0 <= first, first <= last,
        last < ClusterNodes.slotCount
      else { return nil }
      return first...last
    }
    self.init(
      id: words[0], masterID: words[1] == "-" ? nil : words[1], configEpoch: epoch, slots: slots,
      wasFailing: words[3] == "failing")
  }
}
