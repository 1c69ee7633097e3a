import CMicrohttpd

/// Turns secrets into digests under a key that lives as long as the process's memory of them (HMAC-SHA-256).
///
/// Digests have one length whatever was digested, so that comparing them tells nothing, and a table of them is no
/// table of passwords.
struct SaltedDigest: Sendable {
  struct Value: Hashable, Sendable {
    fileprivate let bytes: [UInt8]

    /// The same number for the same digest.
    var number: UInt64 { bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// Compares in a time that does not depend on where the values differ.
    func equals(_ other: Value) -> Bool {
      var difference: UInt8 = 0
      for (left, right) in zip(bytes, other.bytes) { difference |= left ^ right }
      return difference == 0
    }
  }

  private let key: [UInt8]

  init() {
    var key = [UInt8](repeating: 0, count: 32)
    let status = unsafe gnutls_rnd(GNUTLS_RND_KEY, &key, key.count)
    precondition(status == 0, "gnutls_rnd: \(status)")
    self.key = key
  }

  func callAsFunction(_ secret: [UInt8]) -> Value {
    var digest = [UInt8](repeating: 0, count: 32)
    let status = unsafe gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key.count, secret, secret.count, &digest)
    precondition(status == 0, "gnutls_hmac_fast: \(status)")
    return Value(bytes: digest)
  }
}
