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

      /// - Parameter word: nil where the master names none, as Kvrocks, which lists those alone that are in sync. Its
      ///   `lag` is a number of writes then.
      init(_ word: String?) {
        switch word?.lowercased() {
        case nil, "online", "stable_sync": self = .online
        default: self = .syncing
        }
      }
    }
    public let address: NodeAddress
    public let state: State
    /// What it has acknowledged, in bytes; nil where the master does not tell.
    public let offset: Int?
    /// Whole seconds since its last acknowledgement; 0 while it is not online.
    public let ackAgeSeconds: Int

    public init(address: NodeAddress, state: State, offset: Int?, ackAgeSeconds: Int) {
      self.address = address
      self.state = state
      self.offset = offset
      self.ackAgeSeconds = ackAgeSeconds
    }

    /// Of two that one address stands for, such as behind one translated address, the one that stands worse.
    static func worse(_ left: Replica, _ right: Replica) -> Replica {
      func rank(_ replica: Replica) -> (Int, Int, Int) {
        (replica.state == .online ? 1 : 0, replica.offset ?? .max, -replica.ackAgeSeconds)
      }
      return rank(right) < rank(left) ? right : left
    }
  }

  public var role: ReplicationRole
  /// The master that it follows; nil for a master.
  public var masterAddress: NodeAddress?
  /// Further ones, which KeyDB may have.
  public var otherMasters: [NodeAddress] = []
  /// Of several links the worst; nil where INFO does not tell.
  public var isLinkUp: Bool?
  public var isSyncing: Bool
  /// nil where the link is up, or was never up.
  public var linkDownSeconds: Int?
  /// For how long the link has been up; nil where INFO does not tell, as before Redis 8.2.
  public var linkUpSeconds: Int?
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
    isMaster: Bool, masterAddress: NodeAddress? = nil, isLinkUp: Bool? = false, isSyncing: Bool = false,
    linkDownSeconds: Int? = nil, priority: Int = 100, replicationID: String = "", offset: Int = 0,
    replicas: [Replica] = [], masterOffset: Int? = nil, second: Past? = nil
  ) {
    role = isMaster ? .master : .replica
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

  public var isMaster: Bool { role.takesWrites }
  /// Every master that it follows.
  public var masterAddresses: [NodeAddress] { [masterAddress].compactMap { $0 } + otherMasters }

  /// Replicas that are read of one INFO.
  static let replicaLimit = 1024

  /// - Returns: nil where INFO names no role of replication, as that of a Sentinel.
  public init?(_ info: InfoText) {
    guard let role = info.text("role").flatMap({ ReplicationRole($0) }) else { return nil }
    self.role = role
    let links = role.follows ? MasterLinks(info) : MasterLinks()
    masterAddress = links.masters.first
    otherMasters = Array(links.masters.dropFirst())
    isLinkUp = links.isUp
    isSyncing = links.isSyncing
    linkDownSeconds = links.downSeconds
    linkUpSeconds = role.follows ? info.integer("master_link_up_since_seconds").flatMap { $0 < 0 ? nil : $0 } : nil
    priority = info.integer("slave_priority") ?? info.integer("replica_priority") ?? 100
    replicationID = info.text("master_replid") ?? ""
    offset = info.integer(role.takesWrites ? "master_repl_offset" : "slave_repl_offset") ?? 0
    masterOffset = info.integer("master_repl_offset") ?? 0
    // `second_repl_offset` is that of the first byte that is not; -1, and zeros for the name, where there is none.
    if let end = info.integer("second_repl_offset"), end > 0, let past = info.text("master_replid2") {
      second = Past(replicationID: past, offset: end - 1)
    }
    let listed = info.replicationFields.lazy.filter { isNumbered(info.name(of: $0), prefix: "slave") }.prefix(
      Self.replicaLimit
    )
    .compactMap { Self.replica(info.value(of: $0)) }
    replicas = listed.filter { $0.address.port > 0 }
    replicasWithoutAddress = listed.count - replicas.count
  }

  /// `ip=127.0.0.1,port=6380,state=online,offset=42,lag=0`.
  private static func replica(_ value: ArraySlice<UInt8>) -> Replica? {
    var pairs: [String: ArraySlice<UInt8>] = [:]
    for (key, value) in InfoPairs(value) { pairs[String(decoding: key, as: UTF8.self)] = value }
    func text(_ key: String) -> String? { pairs[key].map { String(foreign: $0) } }
    func integer(_ key: String) -> Int? { pairs[key].flatMap { parseInteger($0) } }
    guard let address = NodeAddress(host: text("ip"), port: text("port")) else { return nil }
    return Replica(
      address: address, state: Replica.State(text("state")), offset: integer("offset"),
      ackAgeSeconds: text("state") == nil ? 0 : max(0, integer("lag") ?? 0))
  }
}

/// A replica's links to its masters: KeyDB numbers further ones as `master_1_host`.
struct MasterLinks {
  private(set) var masters: [NodeAddress] = []
  /// Of all links the worst; nil where INFO does not tell.
  private(set) var isUp: Bool?
  private(set) var isSyncing = false
  /// Of the link that has been down for longest; nil where all are up, or were never up.
  private(set) var downSeconds: Int?

  init() {}

  init(_ info: InfoText) {
    var host: String?
    for field in info.replicationFields {
      let value = info.value(of: field)
      let suffix = Self.suffix(info.name(of: field))
      if suffix.elementsEqual("host".utf8) {
        host = String(foreign: value)
      } else if suffix.elementsEqual("port".utf8) {
        if let master = NodeAddress(host: host, port: String(foreign: value)), masters.count < Self.limit {
          masters.append(master)
        }
      } else if suffix.elementsEqual("link_status".utf8) {
        if let isThisUp = isYes(value) { isUp = isUp != false && isThisUp }
      } else if suffix.elementsEqual("sync_in_progress".utf8) {
        isSyncing = isSyncing || isYes(value) == true
      } else if suffix.elementsEqual("link_down_since_seconds".utf8), let seconds = parseInteger(value), seconds >= 0 {
        downSeconds = max(downSeconds ?? 0, seconds)
      }
    }
  }

  /// Masters that are read of one INFO.
  private static let limit = 64

  /// `link_status` of `master_link_status` and of `master_1_link_status`; other fields whole.
  static func suffix(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let prefix = "master_".utf8
    guard field.starts(with: prefix) else { return field }
    let rest = field.dropFirst(prefix.count)
    let digits = rest.prefix { $0 &- UInt8(ascii: "0") <= 9 }
    guard !digits.isEmpty, rest.dropFirst(digits.count).first == UInt8(ascii: "_") else { return rest }
    return rest.dropFirst(digits.count + 1)
  }
}
