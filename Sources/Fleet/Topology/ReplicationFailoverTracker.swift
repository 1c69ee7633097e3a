import Redis
import Runtime

/// Counts the changes of master among servers that replicate without Sentinel or cluster, each once.
///
/// Only the servers themselves show such a failover: another member calls itself master, and the one before
/// does not any more, does not answer, or is followed by fewer. Who it was can be kept, so that a change during an outage
/// of the daemon is found.
public struct ReplicationFailoverTracker: Sendable {
  /// What must survive a restart of the daemon.
  public struct State: Sendable, Equatable {
    public var counts: [Failover.Kind: Int]
    public var lastFailover: WallTime?
    public var lastNumber = 0
    public var master: Server?

    public init() { counts = Dictionary(uniqueKeysWithValues: Self.kinds.map { ($0, 0) }) }
  }

  /// A process at an address: it stays itself under another name, and is another one after a restart.
  public struct Server: Sendable, Equatable {
    public var address: NodeAddress
    public var runID: String

    public init(address: NodeAddress, runID: String) {
      self.address = address
      self.runID = runID
    }
  }

  /// What the newest poll of a member says.
  public struct Member: Sendable, Equatable {
    public let answers: Bool
    /// nil where it does not answer or does not tell.
    public let runID: String?
    /// Of the data that it has as a master; nil where it does not tell.
    public let replicationID: String?

    public init(answers: Bool, runID: String?, replicationID: String? = nil) {
      self.answers = answers
      self.runID = runID
      self.replicationID = replicationID
    }
  }

  /// A longer silence than this between two views hides how the failover came about.
  static let gapSeconds = 60.0
  /// How long a master may be silent while another member calls itself master: one poll that fails is no failover.
  static let silenceSeconds = 3.0

  private let subject: String
  public internal(set) var state: State
  /// When a member last answered.
  private var last: WallTime?
  /// Whether the master was met since the daemon started.
  private var isConfirmed = false
  /// Since when the master does not answer.
  private var silentSince: WallTime?
  private var switches = Allowance<WallTime>(
    SentinelFailoverTracker.burst, perSecond: 1 / SentinelFailoverTracker.paceSeconds)

  /// Whether a failover may be under way.
  public var isUnderWay: Bool { silentSince != nil }

  /// - Parameter subject: what fails over: the workload's name.
  public init(subject: String = "", state: State = State()) {
    self.subject = subject
    self.state = state
    for kind in State.kinds where state.counts[kind] == nil { self.state.counts[kind] = 0 }
  }

  /// - Parameter now: when the view was made.
  /// - Returns: the failover since the view before; nil for the first view ever.
  public mutating func observe(
    _ view: ReplicationView, _ members: [NodeAddress: Member], at now: WallTime
  ) -> Failover? {
    guard members.values.contains(where: \.answers) else { return nil }
    let isContinuous = isConfirmed && last.map { now - $0 <= Self.gapSeconds } ?? false
    last = now
    guard let known = state.master else {
      if let address = view.master, view.masters.contains(address) { accept(address, members) }
      return nil
    }
    let old = members[known.address]
    let isSilent = old?.answers != true
    if isSilent, silentSince == nil { silentSince = now }
    defer { if !isSilent { silentSince = nil } }

    guard let new = view.master, view.masters.contains(new) else { return nil }
    if new == known.address || (!known.runID.isEmpty && members[new]?.runID == known.runID) {
      accept(new, members)
      return nil
    }
    func followers(_ address: NodeAddress) -> Int { view.followerCounts[address] ?? 0 }
    if view.masters.contains(known.address) {
      // Two masters: the one that is followed by more.
      guard followers(new) > followers(known.address) else { return nil }
    } else if isSilent {
      guard now - (silentSince ?? now) >= Self.silenceSeconds || followers(new) > 0 else { return nil }
    }
    guard switches.take(at: now) else {
      accept(new, members)
      return nil
    }
    let wasDown = silentSince != nil || old?.runID.map { $0 != known.runID } ?? false
    let kind: Failover.Kind = !isContinuous ? .missed : wasDown ? .automatic : .manual
    state.counts[kind, default: 0] += 1
    state.lastNumber += 1
    state.lastFailover = now
    accept(new, members)
    var failover = Failover(key: "\(state.lastNumber)", subject: subject, kind: kind, counted: now)
    (failover.from, failover.to) = (known.address, new)
    failover.replicationID = members[new]?.replicationID
    return failover
  }

  private mutating func accept(_ address: NodeAddress, _ members: [NodeAddress: Member]) {
    isConfirmed = true
    if state.master?.address != address { silentSince = nil }
    state.master = Server(address: address, runID: members[address]?.runID ?? state.master?.runID ?? "")
  }
}

extension ReplicationFailoverTracker: FailoverTracking {
  mutating func observe(_ evidence: FailoverEvidence) -> [FailoverAction] {
    guard let view = evidence.following.replication else { return [] }
    let members = evidence.trusted.map { reading in
      let id = reading.facts?.replication?.replicationID ?? ""
      return (
        reading.address,
        Member(
          answers: reading.answers == true, runID: reading.facts?.server.runID, replicationID: id.isEmpty ? nil : id)
      )
    }
    let found = observe(
      view, Dictionary(members, uniquingKeysWith: { first, _ in first }), at: evidence.wall)
    return found.map { [.count($0)] } ?? []
  }
}

extension ReplicationFailoverTracker.State: FailoverState {
  static let kinds: [Failover.Kind] = [.automatic, .manual, .missed]

  private static let fact = "replication"
  var facts: [String: String] { [Self.fact: text] }
  init(facts: [String: String]) { self.init(text: facts[Self.fact] ?? "") }

  /// Lines of `name value`. What cannot be read is as if it were missing.
  var text: String {
    var lines = ["number \(lastNumber)"]
    if let lastFailover { lines.append("last \(lastFailover.seconds)") }
    if let master {
      lines.append("master \(master.address.storedText)")
      if !master.runID.isEmpty { lines.append("run \(master.runID)") }
    }
    return lines.joined(separator: "\n")
  }

  /// The counts are kept apart and start at 0 here.
  init(text: String) {
    self.init()
    var runID = ""
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      guard words.count == 2 else { continue }
      switch words[0] {
      case "number": lastNumber = max(0, storedInteger(words[1]) ?? 0)
      case "last": lastFailover = storedTime(words[1])
      case "master":
        master = NodeAddress(storedText: words[1]).map { ReplicationFailoverTracker.Server(address: $0, runID: "") }
      case "run": runID = words[1]
      default: break
      }
    }
    master?.runID = runID
  }
}
