/// Whether an address holds nothing that could be a part of a password, so that an error may show it: no userinfo, no
/// unknown scheme, and behind a colon nothing but a port or the rest of an IPv6 address.
func isPlainAddress(_ text: String) -> Bool {
  var rest = text[...]
  if let mark = text.firstRange(of: "://") {
    let schemes = ["redis", "rediss", "valkey", "valkeys", "tcp", "unix", "http", "https", "ftp"]
    guard schemes.contains(text[..<mark.lowerBound].lowercased()) else { return false }
    rest = text[mark.upperBound...]
  }
  guard rest.utf8.allSatisfy({ !"@?#%&=\"'!$".utf8.contains($0) }) else { return false }
  guard let colon = rest.firstIndex(of: ":") else { return true }
  let port = rest[colon...].dropFirst().prefix { $0 != "/" }
  if rest.count(where: { $0 == ":" }) > 1, rest.allSatisfy({ $0.isHexDigit || "[]:.*/".contains($0) }) { return true }
  return port.count <= 5 && port.allSatisfy { $0.isNumber || $0 == "*" }
}

extension Mismatch {
  /// The mismatch of an address, which shows of it only what is no secret.
  func of(address: String) -> Mismatch {
    isPlainAddress(address) ? self : Mismatch(problem, hint: hint, isUnshown: true)
  }
}
