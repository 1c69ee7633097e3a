/// What CLUSTER NODES says: every node that one node knows, as it sees them.
///
/// A line is `id ip:port@busport[,hostname[,name=value…]] flags master ping pong epoch link-state slot…`.
public struct ClusterNodes: Sendable, Equatable {
  public static let slotCount = 16384
  /// Lines that are read; a cluster has at most about 1000 nodes.
  public static let nodeLimit = 4096

  public let nodes: [ClusterNode]

  /// Lines that are no node's are left out.
  public init(_ text: ArraySlice<UInt8>) {
    nodes = text.split(separator: UInt8(ascii: "\n")).prefix(Self.nodeLimit).compactMap { ClusterNode(line: $0) }
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
  /// Owned slots, without those that are being moved.
  public let slots: [ClosedRange<Int>]
  /// Whether the asked node has a working link to this one; to itself it always has.
  public let isLinkConnected: Bool

  public var isMaster: Bool { flags.contains("master") }
  public var isMyself: Bool { flags.contains("myself") }
  /// Whether it is worth connecting to: its address is known and no majority has declared it failed.
  public var isReachable: Bool {
    port > 0 && !flags.contains { $0 == "fail" || $0 == "noaddr" || $0 == "handshake" }
  }

  init?(line: ArraySlice<UInt8>) {
    let words = String(decoding: line, as: UTF8.self).split(separator: " ").map { $0.filter { $0 != "\r" } }
    guard words.count >= 8, !words[0].isEmpty, let address = Self.address(words[1]) else { return nil }
    id = words[0]
    (host, port, hostname) = address
    flags = words[2].split(separator: ",").map(String.init)
    masterID = words[3] == "-" ? nil : words[3]
    isLinkConnected = words[7] == "connected"
    slots = words.dropFirst(8).compactMap(Self.slots)
  }

  /// `ip:port@busport,hostname,name=value`; the ip may be IPv6, the bus port and all after it may be missing.
  private static func address(_ text: String) -> (host: String, port: Int, hostname: String?)? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let endpoint = parts[0].split(separator: "@", omittingEmptySubsequences: false)[0]
    guard let colon = endpoint.lastIndex(of: ":"),
      let port = Int(endpoint[endpoint.index(after: colon)...]), (0...65535).contains(port)
    else { return nil }
    let hostname = parts.dropFirst().first.flatMap { $0.isEmpty || $0.contains("=") ? nil : String($0) }
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
