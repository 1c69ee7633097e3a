import Glibc

/// A literal IPv4 or IPv6 address. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address.
struct IPAddress: Sendable, Equatable {
  /// 4 or 16 bytes, the first being the most significant.
  let bytes: [UInt8]

  var isIPv6: Bool { bytes.count == 16 }

  /// Nil when the text is a name or anything else.
  init?(_ text: String) {
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
