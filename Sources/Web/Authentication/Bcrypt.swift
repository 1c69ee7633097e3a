import CCrypt
import Glibc
import Runtime

/// Bcrypt hashes of passwords, as `htpasswd -B` writes them.
///
/// One check takes 50 to 500 ms by design: it belongs on ``WorkExecutor/compute``.
struct Bcrypt: Sendable {
  /// The highest cost that is accepted; 2^16 rounds take about 4 s.
  static let costLimit = 16

  private let hash: [UInt8]

  /// - Throws: ``WebError`` that says what is wrong, without showing the hash.
  init(hash: String) throws(WebError) {
    let bytes = Array(hash.utf8)
    let isKnown = ["$2a$", "$2b$", "$2y$"].contains { hash.hasPrefix($0) }
    guard isKnown, bytes.count == 60, bytes[6] == UInt8(ascii: "$"), bytes[7...].allSatisfy(isDigit) else {
      throw WebError(
        "the password hash is not a bcrypt hash ($2a$, $2b$ or $2y$, 60 characters); make one with: htpasswd -nBC 10 \"\""
      )
    }
    guard let cost = Int(String(decoding: bytes[4..<6], as: UTF8.self)), (4...Self.costLimit).contains(cost) else {
      throw WebError("the cost of the password hash is not between 4 and \(Self.costLimit)")
    }
    self.hash = bytes
  }

  func matches(_ password: [UInt8]) -> Bool {
    // The function reads up to a NUL, so that what follows one would not count.
    guard !password.contains(0) else { return false }
    var data: UnsafeMutableRawPointer?
    var size: Int32 = 0
    defer { unsafe free(data) }
    let phrase = (password + [0]).map { CChar(bitPattern: $0) }
    let setting = (hash + [0]).map { CChar(bitPattern: $0) }
    guard let output = unsafe crypt_ra(phrase, setting, &data, &size) else { return false }
    let computed = unsafe Array(UnsafeBufferPointer(start: output, count: strlen(output)))
    var difference: UInt8 = computed.count == hash.count ? 0 : 1
    for (left, right) in zip(computed, hash) { difference |= UInt8(bitPattern: left) ^ right }
    return difference == 0
  }
}

private func isDigit(_ byte: UInt8) -> Bool { byte.isASCIIAlphanumeric || "./".utf8.contains(byte) }
