import Glibc

/// A literal IPv4 or IPv6 address. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address.
public struct IPAddress: Sendable, Equatable {
  /// What reaches no other machine of a network that routers join.
  public enum Scope: Sendable, Equatable {
    /// `0.0.0.0`, `::`.
    case unspecified
    /// `127.0.0.0/8`, `::1`.
    case loopback
    /// `169.254.0.0/16`, `fe80::/10`.
    case linkLocal
  }

  /// 4 or 16 bytes, the first being the most significant.
  let bytes: [UInt8]

  var isIPv6: Bool { bytes.count == 16 }

  /// Whether it is an IPv4 address that ends in 0, as networks of 256 addresses are named and hardly a machine is.
  public var isNetwork: Bool { bytes.count == 4 && bytes[3] == 0 }

  public var text: String {
    guard isIPv6 else { return bytes.map { "\($0)" }.joined(separator: ".") }
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    var address = in6_addr()
    unsafe withUnsafeMutableBytes(of: &address) { unsafe $0.copyBytes(from: bytes) }
    guard unsafe inet_ntop(AF_INET6, &address, &buffer, socklen_t(buffer.count)) != nil else { return "" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// nil for an address that routers pass on.
  public var scope: Scope? {
    let isZero = bytes.dropLast().allSatisfy { $0 == 0 }
    if isIPv6 {
      if isZero, bytes[15] <= 1 { return bytes[15] == 0 ? .unspecified : .loopback }
      return bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80 ? .linkLocal : nil
    }
    return switch (bytes[0], bytes[1]) {
    case (0, _): .unspecified
    case (127, _): .loopback
    case (169, 254): .linkLocal
    default: nil
    }
  }

  /// Whether anybody on the internet may reach it, as far as the address tells: none of those that are kept for machines,
  /// private networks (RFC 1918, RFC 4193), carriers (RFC 6598), documents or groups.
  public var isPublic: Bool {
    guard scope == nil else { return false }
    let kept = isIPv6 ? Self.keptIPv6 : Self.keptIPv4
    return !kept.contains { isWithin($0.network, prefixBits: $0.bits) }
  }

  private static func networks(_ texts: [(String, Int)]) -> [(network: IPAddress, bits: Int)] {
    texts.compactMap { text, bits in IPAddress(text).map { ($0, bits) } }
  }
  private static let keptIPv4 = networks([
    ("10.0.0.0", 8), ("100.64.0.0", 10), ("172.16.0.0", 12), ("192.0.0.0", 24), ("192.0.2.0", 24), ("192.168.0.0", 16),
    ("198.18.0.0", 15), ("198.51.100.0", 24), ("203.0.113.0", 24), ("224.0.0.0", 3),
  ])
  private static let keptIPv6 = networks([("fc00::", 7), ("2001:db8::", 32), ("ff00::", 8), ("100::", 64)])

  /// Nil when the text is a name or anything else.
  public init?(_ text: String) {
    var v4 = in_addr()
    if unsafe inet_pton(AF_INET, text, &v4) == 1 {
      bytes = unsafe withUnsafeBytes(of: v4) { unsafe Array($0) }
      return
    }
    var v6 = in6_addr()
    guard unsafe inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
    let all = unsafe withUnsafeBytes(of: v6) { unsafe Array($0) }
    let isMapped = all[..<10].allSatisfy { $0 == 0 } && all[10] == 0xFF && all[11] == 0xFF
    bytes = isMapped ? Array(all[12...]) : all
  }

  /// True when the first `prefixBits` bits are those of the network.
  func isWithin(_ network: IPAddress, prefixBits: Int) -> Bool {
    guard bytes.count == network.bytes.count else { return false }
    for (index, byte) in bytes.enumerated() {
      let bits = min(8, prefixBits - index * 8)
      guard bits > 0 else { break }
      guard (byte ^ network.bytes[index]) >> UInt8(8 - bits) == 0 else { return false }
    }
    return true
  }
}
