import Runtime

/// What CLUSTER NODES says: every node that one node knows, as it sees them.
///
/// A line is `id ip:port@busport[,hostname[,name=value…]] flags master ping pong epoch link-state slot…`.
public struct ClusterNodes: Sendable, Equatable {
  public static let slotCount = 16384
  /// Lines that are read; a cluster has at most about 1000 nodes.
  public static let nodeLimit = 4096
  /// Bytes that are read: a thousand nodes with every slot by itself need a quarter of that.
  public static let byteLimit = 1 << 20

  public let nodes: [ClusterNode]
  /// Lines that were left out, because there were too many.
  public let omittedCount: Int

  /// Lines that are no node's are left out.
  public init(_ text: ArraySlice<UInt8>) {
    var whole = text
    var beyond: ArraySlice<UInt8> = []
    if text.count > Self.byteLimit {
      whole = text.prefix(Self.byteLimit)
      // The last line is cut.
      whole = whole[..<(whole.lastIndex(of: UInt8(ascii: "\n")) ?? whole.startIndex)]
      beyond = text[whole.endIndex...]
    }
    let lines = whole.split(separator: UInt8(ascii: "\n"))
    nodes = lines.prefix(Self.nodeLimit).compactMap { ClusterNode(line: $0) }
    omittedCount =
      max(0, lines.count - Self.nodeLimit) + beyond.split(separator: UInt8(ascii: "\n")).count
  }

  /// Masters that can be asked and own slots, in the order of their first slot.
  public var servingMasters: [ClusterNode] {
    nodes.filter { $0.isMaster && $0.isReachable && !$0.slots.isEmpty }
      .sorted { $0.slots[0].lowerBound < $1.slots[0].lowerBound }
  }
}

/// One node of ``ClusterNodes``.
public struct ClusterNode: Sendable, Equatable {
  /// 40 hexadecimal digits.
  public let id: String
  /// The address; empty while a node does not know its own.
  public let host: String
  /// `cluster-announce-hostname`, where the node has one (Redis 7 and newer).
  public let hostname: String?
  public let port: Int
  /// `myself`, `master`, `slave`, `fail?`, `fail`, `handshake`, `noaddr`, `nofailover`, `noflags`.
  public let flags: [String]
  /// The id of the node that this one replicates.
  public let masterID: String?
  /// The epoch of the node's claim to its slots; of a replica that of its master.
  public let configEpoch: Int
  /// Owned slots, those that are being moved away included.
  public let slots: [ClosedRange<Int>]
  /// Slots that are being moved; a node reports only its own.
  public let movingSlots: [MovingSlot]
  /// `shard-id`, the same for a master and its replicas (Redis 7.2 and newer).
  public let shardID: String?
  /// Whether the asked node has a working link to this one; to itself it always has.
  public let isLinkConnected: Bool

  /// A slot that is being moved by resharding.
  public struct MovingSlot: Sendable, Equatable {
    public let slot: Int
    /// Whether the node gives it away; else it takes it.
    public let isLeaving: Bool
    /// The node at the other end.
    public let peerID: String

    public init(slot: Int, isLeaving: Bool, peerID: String) {
      self.slot = slot
      self.isLeaving = isLeaving
      self.peerID = peerID
    }
  }

  public var isMaster: Bool { flags.contains { $0 == "master" || $0 == "primary" } }
  public var isMyself: Bool { flags.contains("myself") }
  /// Whether it is worth connecting to: its address is known and no majority has declared it failed.
  public var isReachable: Bool {
    port > 0 && !flags.contains { $0 == "fail" || $0 == "noaddr" || $0 == "handshake" }
  }

  init?(line: ArraySlice<UInt8>) {
    let words = String(decoding: line, as: UTF8.self).split(separator: " ").map { $0.filter { $0 != "\r" } }
    guard words.count >= 8, !words[0].isEmpty, let address = Self.address(words[1]) else { return nil }
    id = words[0].cut(toBytes: ForeignText.hostByteLimit)
    (host, port, hostname) = address
    flags = words[2].split(separator: ",").prefix(32).map { String($0).cut(toBytes: ForeignText.hostByteLimit) }
    masterID = words[3] == "-" ? nil : words[3].cut(toBytes: ForeignText.hostByteLimit)
    configEpoch = parseInteger(Array(words[6].utf8)[...]).map { max(0, $0) } ?? 0
    isLinkConnected = words[7] == "connected"
    var room = ClusterNodes.slotCount
    // No node owns more slots than there are.
    slots = words.dropFirst(8).compactMap(Self.slots).filter { range in
      guard range.count <= room else { return false }
      room -= range.count
      return true
    }
    movingSlots = words.dropFirst(8).compactMap(Self.movingSlot).prefix(ClusterNodes.slotCount).map { $0 }
    shardID = words[1].split(separator: ",").first { $0.hasPrefix("shard-id=") }.map {
      String($0.dropFirst(9)).cut(toBytes: ForeignText.hostByteLimit)
    }
  }

  /// `[5->-id]` leaves, `[5-<-id]` arrives.
  private static func movingSlot(_ text: String) -> MovingSlot? {
    guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
    let parts = text.dropFirst().dropLast().split(separator: "-", maxSplits: 2)
    guard parts.count == 3, parts[1] == ">" || parts[1] == "<", let slot = Int(parts[0]),
      (0..<ClusterNodes.slotCount).contains(slot)
    else { return nil }
    return MovingSlot(
      slot: slot, isLeaving: parts[1] == ">", peerID: String(parts[2]).cut(toBytes: ForeignText.hostByteLimit))
  }

  /// `ip:port@busport,hostname,name=value`; the ip may be IPv6, the bus port and all after it may be missing.
  private static func address(_ text: String) -> (host: String, port: Int, hostname: String?)? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let endpoint = parts[0].split(separator: "@", omittingEmptySubsequences: false)[0]
    guard let colon = endpoint.lastIndex(of: ":"),
      endpoint.utf8.count <= ForeignText.hostByteLimit, let port = Int(endpoint[endpoint.index(after: colon)...]),
      (0...65535).contains(port)
    else { return nil }
    let hostname = parts.dropFirst().first.flatMap {
      $0.isEmpty || $0.contains("=") || $0.utf8.count > ForeignText.hostByteLimit ? nil : String($0)
    }
    return (String(endpoint[..<colon]), port, hostname)
  }

  /// `5`, `0-5460`; nil for `[5->-id]` and `[5-<-id]`.
  private static func slots(_ text: String) -> ClosedRange<Int>? {
    let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { Int($0) }
    guard let first = ends.first ?? nil, let last = ends.last ?? nil,
      0 <= first, first <= last, last < ClusterNodes.slotCount
    else { return nil }
    return first...last
  }
}

/// The hash slot of a cluster that a key belongs to, 0 to 16383.
///
/// CRC16 (XMODEM) of the key modulo 16384. When the key holds `{…}` with something inside the first pair of braces, only
/// that part counts, so that keys can be kept together.
public func clusterSlot(of key: some Collection<UInt8>) -> Int {
  if let open = key.firstIndex(of: UInt8(ascii: "{")) {
    let inside = key[key.index(after: open)...]
    if let close = inside.firstIndex(of: UInt8(ascii: "}")), close != inside.startIndex {
      return Int(crc16(inside[..<close]) & 0x3fff)
    }
  }
  return Int(crc16(key) & 0x3fff)
}

/// CRC16 with the polynomial 0x1021, start 0, nothing reflected (XMODEM), as the cluster specification names it.
func crc16(_ bytes: some Sequence<UInt8>) -> UInt16 {
  bytes.reduce(0) { sum, byte in sum << 8 ^ crcTable[Int(UInt8(sum >> 8) ^ byte)] }
}

private let crcTable: [UInt16] = (0..<256).map { index in
  (0..<8).reduce(UInt16(index) << 8) { sum, _ in sum & 0x8000 != 0 ? sum << 1 ^ 0x1021 : sum << 1 }
}
