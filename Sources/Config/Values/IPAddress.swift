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
