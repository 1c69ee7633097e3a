import Config

/// The user and password of an `Authorization: Basic …` header (RFC 7617).
struct BasicCredentials: Equatable {
  /// The longest header that is read, in bytes.
  static let limitBytes = 4096

  let user: String
  let password: [UInt8]

  /// Nil when the header is of another scheme, is not base64, or holds no colon or no readable user.
  init?(header: String) {
    let bytes = header.utf8
    guard bytes.count <= Self.limitBytes, let space = bytes.firstIndex(of: UInt8(ascii: " ")) else { return nil }
    guard equalIgnoringCase(String(header[..<space]), "Basic") else { return nil }
    let encoded = bytes[space...].drop { $0 == UInt8(ascii: " ") }
    guard let decoded = decodeBase64(encoded), let colon = decoded.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    guard let user = String(validating: decoded[..<colon], as: UTF8.self) else { return nil }
    self.user = user
    password = Array(decoded[(colon + 1)...])
  }
}

/// Base64 of the standard alphabet; padding may be left out, nothing else.
private func decodeBase64(_ encoded: Substring.UTF8View) -> [UInt8]? {
  var digits = encoded
  while digits.last == UInt8(ascii: "="), encoded.count - digits.count < 2 { digits.removeLast() }
  let padding = encoded.count - digits.count
  guard digits.count % 4 != 1, padding == 0 || (digits.count + padding) % 4 == 0 else { return nil }
  var output: [UInt8] = []
  output.reserveCapacity(digits.count * 3 / 4)
  var bits: UInt32 = 0
  var bitCount = 0
  for digit in digits {
    guard let value = sextet(digit) else { return nil }
    bits = bits << 6 | value
    bitCount += 6
    if bitCount >= 8 {
      bitCount -= 8
      output.append(UInt8(truncatingIfNeeded: bits >> bitCount))
    }
  }
  return output
}

private func sextet(_ digit: UInt8) -> UInt32? {
  switch digit {
  case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
  case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
  case UInt8(ascii: "+"): 62
  case UInt8(ascii: "/"): 63
  default: nil
  }
}

/// Who may ask, and how each proves it.
public struct Users: Sendable {
  enum Proof: Sendable {
    case password(Secret)
    case bcrypt(Bcrypt)
  }

  let proofs: [String: Proof]

  /// Nobody is named, so everybody may ask.
  public static let everyone = Users(proofs: [:])

  /// One user with a plain password.
  public static func single(_ user: String, password: Secret) -> Users {
    Users(proofs: [user: .password(password)])
  }

  /// Users with bcrypt hashes.
  ///
  /// - Throws: ``WebError`` that names the user whose hash is none.
  public init(hashes: [String: Secret]) throws(WebError) {
    var proofs: [String: Proof] = [:]
    for (user, hash) in hashes.sorted(by: { $0.key < $1.key }) {
      do throws(WebError) {
        proofs[user] = .bcrypt(try Bcrypt(hash: hash.reveal()))
      } catch {
        throw WebError("user \(user): \(error)")
      }
    }
    self.proofs = proofs
  }

  private init(proofs: [String: Proof]) { self.proofs = proofs }
}
