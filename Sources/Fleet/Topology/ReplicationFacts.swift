import Redis
import Runtime

/// What one member's INFO says of replication.
public struct ReplicationFacts: Sendable, Equatable {
  /// A replica as its master lists it.
  public struct Replica: Sendable, Equatable {
    public enum State: Sendable, Equatable {
      case online
      /// Waiting for, or receiving, a full sync.
      case syncing
    }
    public let address: NodeAddress
    public let state: State
    /// What it has acknowledged, in bytes.
    public let offset: Int
    /// Whole seconds since its last acknowledgement; 0 while it is not online.
    public let ackAgeSeconds: Int

    public init(address: NodeAddress, state: State, offset: Int, ackAgeSeconds: Int) {
      self.address = address
      self.state = state
      self.offset = offset
      self.ackAgeSeconds = ackAgeSeconds
    }
  }

  public var isMaster: Bool
  /// The master that it follows; nil for a master.
  public var masterAddress: NodeAddress?
  public var isLinkUp: Bool
  public var isSyncing: Bool
  /// nil where the link is up, or was never up.
  public var linkDownSeconds: Int?
  /// 0 is never promoted.
  public var priority: Int
  /// `master_replid`: the history that its data belongs to.
  public var replicationID: String
  /// A master's `master_repl_offset`, a replica's `slave_repl_offset`, in bytes.
  public var offset: Int
  public var replicas: [Replica]
  /// `master_repl_offset`, also a replica's: how far its data reaches, in bytes.
  public var masterOffset: Int
  /// The history that its data went on from, which another master had written.
  public var second: Past?

  /// `master_replid2` with the bytes of it that are part of the data.
  public struct Past: Sendable, Equatable {
    public let replicationID: String
    public let offset: Int
  }
  /// Those that it lists without an address: clients that read its data as replicas do, such as `redis-cli --rdb`.
  public var replicasWithoutAddress = 0

  public init(
    isMaster: Bool, masterAddress: NodeAddress? = nil, isLinkUp: Bool = false, isSyncing: Bool = false,
    linkDownSeconds: Int? = nil, priority: Int = 100, replicationID: String = "", offset: Int = 0,
    replicas: [Replica] = [], masterOffset: Int? = nil, second: Past? = nil
  ) {
    self.isMaster = isMaster
    self.masterAddress = masterAddress
    self.isLinkUp = isLinkUp
    self.isSyncing = isSyncing
    self.linkDownSeconds = linkDownSeconds
    self.priority = priority
    self.replicationID = replicationID
    self.offset = offset
    self.replicas = replicas
    self.masterOffset = masterOffset ?? offset
    self.second = second
  }

  /// Replicas that are read of one INFO.
  static let replicaLimit = 1024

  /// - Returns: nil where INFO names no role of replication, as that of a Sentinel.
  public init?(_ info: InfoText) {
    switch info.text("role") {
    case "master": isMaster = true
    case "slave", "replica": isMaster = false
    default: return nil
    }
    masterAddress =
      isMaster ? nil : NodeAddress(host: info.text("master_host"), port: info.text("master_port"))
    isLinkUp = info.text("master_link_status") == "up"
    isSyncing = info.integer("master_sync_in_progress") == 1
    linkDownSeconds = info.integer("master_link_down_since_seconds").flatMap { $0 >= 0 ? $0 : nil }
    priority = info.integer("slave_priority") ?? 100
    replicationID = info.text("master_replid") ?? ""
    offset = (isMaster ? info.integer("master_repl_offset") : info.integer("slave_repl_offset")) ?? 0
    masterOffset = info.integer("master_repl_offset") ?? 0
    // `second_repl_offset` is that of the first byte that is not; -1, and zeros for the name, where there is none.
    if let end = info.integer("second_repl_offset"), end > 0, let past = info.text("master_replid2") {
      second = Past(replicationID: past, offset: end - 1)
    }
    let listed = info.fields.lazy.filter { isNumbered(info.name(of: $0), prefix: "slave") }.prefix(Self.replicaLimit)
      .compactMap { Self.replica(info.value(of: $0)) }
    replicas = listed.filter { $0.address.port > 0 }
    replicasWithoutAddress = listed.count - replicas.count
  }

  /// `ip=127.0.0.1,port=6380,state=online,offset=42,lag=0`.
  private static func replica(_ value: ArraySlice<UInt8>) -> Replica? {
    var pairs: [String: ArraySlice<UInt8>] = [:]
    for (key, value) in InfoPairs(value) { pairs[String(decoding: key, as: UTF8.self)] = value }
    func text(_ key: String) -> String? { pairs[key].map { String(foreign: $0) } }
    func integer(_ key: String) -> Int { pairs[key].flatMap { parseInteger($0) } ?? 0 }
    guard let address = NodeAddress(host: text("ip"), port: text("port")) else { return nil }
    return Replica(
      address: address, state: text("state") == "online" ? .online : .syncing, offset: integer("offset"),
      ackAgeSeconds: max(0, integer("lag")))
  }
}
