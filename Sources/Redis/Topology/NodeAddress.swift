import Runtime

/// Where a node listens, as servers name each other: host and port.
public struct NodeAddress: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// An IP address without brackets, or a name.
  public let host: String
  /// 0 to 65535; 0 where the server does not know it.
  public let port: Int

  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// - Returns: nil for an empty or endless host, or a port that is no number from 0 to 65535.
  public init?(host: String?, port: String?) {
    guard let host, !host.isEmpty, host.utf8.count <= ForeignText.hostByteLimit, host != "?", let port,
      let number = parseInteger(Array(port.utf8)[...]),
      (0...65535).contains(number)
    else { return nil }
    self.init(host: host, port: number)
  }

  /// `host:port`, `[ipv6]:port`.
  public var description: String { endpoint.description }
  public var endpoint: Endpoint { .tcp(host: host, port: port) }

  /// Whether the host is an IPv4 or IPv6 address and not a name.
  public var isLiteral: Bool {
    if host.utf8.contains(UInt8(ascii: ":")) { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }

  /// Whether both may be the same node: equal, or the same port with a name on one side and an address on the other.
  public func mayBe(_ other: NodeAddress) -> Bool {
    self == other || (port == other.port && isLiteral != other.isLiteral)
  }

  public static func < (left: NodeAddress, right: NodeAddress) -> Bool {
    (left.host, left.port) < (right.host, right.port)
  }
}
