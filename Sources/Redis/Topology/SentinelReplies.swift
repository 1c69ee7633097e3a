/// A master as SENTINEL MASTER and SENTINEL MASTERS describe it.
public struct MonitoredMaster: Sendable, Equatable {
  public let name: String
  public let address: NodeAddress
  /// Empty while the Sentinel has not read INFO of a new master.
  public let runID: String
  public let flags: SentinelFlags
  /// Raised by every failover that succeeded, to the epoch of its election.
  public let configEpoch: Int
  /// Replicas that the Sentinel knows, with those long gone.
  public let replicaCount: Int
  public let otherSentinelCount: Int
  public let quorum: Int
  public let downAfterMs: Int
  public let failoverTimeoutMs: Int
  /// Replicas that may sync with a new master at once.
  public let parallelSyncs: Int
  /// For how long it has been this Sentinel's master and said so itself; nil where the Sentinel does not tell.
  public let masterSeconds: Double?

  /// - Returns: nil without a name or an address.
  public init?(_ reply: Reply) {
    guard let name = reply.field("name")?.text, !name.isEmpty, let address = NodeAddress(ofInstance: reply) else {
      return nil
    }
    self.name = name
    self.address = address
    runID = reply.field("runid")?.text ?? ""
    flags = SentinelFlags(reply)
    configEpoch = reply.field("config-epoch")?.integer ?? 0
    replicaCount = reply.field("num-slaves")?.integer ?? 0
    otherSentinelCount = reply.field("num-other-sentinels")?.integer ?? 0
    quorum = reply.field("quorum")?.integer ?? 0
    downAfterMs = reply.field("down-after-milliseconds")?.integer ?? 0
    failoverTimeoutMs = reply.field("failover-timeout")?.integer ?? 0
    parallelSyncs = reply.field("parallel-syncs")?.integer ?? 0
    let isMaster = reply.field("role-reported")?.text == "master"
    masterSeconds = isMaster ? reply.field("role-reported-time")?.integer.map { Double(max(0, $0)) / 1000 } : nil
  }
}

/// A replica as SENTINEL REPLICAS describes it.
public struct MonitoredReplica: Sendable, Equatable {
  public let address: NodeAddress
  public let runID: String
  public let flags: SentinelFlags
  /// The master that the replica itself names; nil while it named none.
  public let masterAddress: NodeAddress?
  public let isMasterLinkUp: Bool
  /// `slave-priority`; 0 is never promoted.
  public let priority: Int
  public let offset: Int

  /// - Returns: nil without an address.
  public init?(_ reply: Reply) {
    guard let address = NodeAddress(ofInstance: reply) else { return nil }
    self.address = address
    runID = reply.field("runid")?.text ?? ""
    flags = SentinelFlags(reply)
    masterAddress = NodeAddress(host: reply.field("master-host")?.text, port: reply.field("master-port")?.text)
    isMasterLinkUp = reply.field("master-link-status")?.bytes.flatMap { isYes($0) } == true
    priority = reply.field("slave-priority")?.integer ?? 0
    offset = reply.field("slave-repl-offset")?.integer ?? 0
  }
}

/// Another Sentinel as SENTINEL SENTINELS describes it.
public struct PeerSentinel: Sendable, Equatable {
  public let address: NodeAddress
  public let runID: String
  public let flags: SentinelFlags
  /// Since its last message about this master.
  public let lastHelloMs: Int

  /// - Returns: nil without an address.
  public init?(_ reply: Reply) {
    guard let address = NodeAddress(ofInstance: reply) else { return nil }
    self.address = address
    runID = reply.field("runid")?.text ?? ""
    flags = SentinelFlags(reply)
    lastHelloMs = reply.field("last-hello-message")?.integer ?? 0
  }
}

/// What a Sentinel thinks of an instance.
public struct SentinelFlags: Sendable, Equatable {
  public let names: [String]

  public init(_ names: [String]) { self.names = names }

  init(_ reply: Reply) {
    names = reply.field("flags")?.text?.split(separator: ",").prefix(32).map(String.init) ?? []
  }

  /// Found down by this Sentinel, or by a quorum.
  public var isDown: Bool { names.contains("s_down") || names.contains("o_down") }
  public var isObjectivelyDown: Bool { names.contains("o_down") }
  public var isDisconnected: Bool { names.contains("disconnected") }
  public var isFailoverInProgress: Bool { names.contains("failover_in_progress") }
}

/// What SENTINEL CKQUORUM answers.
public enum QuorumCheck: Sendable, Equatable {
  /// A failover could be agreed upon, with that many Sentinels.
  case reached(usableCount: Int)
  /// It could not.
  case notReached(usableCount: Int)
  /// Any other answer, such as that of a Sentinel that does not know the master.
  case unknown

  public init(_ reply: Reply) {
    let words = reply.text?.split(separator: " ", maxSplits: 2) ?? []
    let count = words.count > 1 ? parseInteger(Array(words[1].utf8)[...]) ?? 0 : 0
    switch (reply.isError, words.first) {
    case (false, "OK"): self = .reached(usableCount: max(0, count))
    case (true, "NOQUORUM"): self = .notReached(usableCount: max(0, count))
    default: self = .unknown
    }
  }
}

extension Reply {
  /// The elements that are instances of a Sentinel's list, bounded; nil when the reply is no list.
  public func instances<Instance>(_ make: (Reply) -> Instance?) -> [Instance]? {
    elements?.prefix(ClusterNodes.nodeLimit).compactMap(make)
  }
}

extension NodeAddress {
  /// `ip` and `port` of a Sentinel's description; nil for port 0, which is a client that reads as a replica does and
  /// listens nowhere.
  init?(ofInstance reply: Reply) {
    self.init(host: reply.field("ip")?.text, port: reply.field("port")?.text)
    if port == 0 { return nil }
  }
}
