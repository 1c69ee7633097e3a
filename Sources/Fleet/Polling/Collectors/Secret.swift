/// Which keys of a configuration hold secrets: their values appear nowhere.
enum Secret {
  private static let keys: Set<String> = [
    "requirepass", "masterauth", "primaryauth", "tls-key-file-pass", "tls-client-key-file-pass",
    "sentinel-pass", "auth-pass", "auth",
    // Lines of ACL users, with hashes of their passwords.
    "user",
  ]

  /// Whether the value of a key is a secret; upper and lower case are the same.
  static func isKey(_ key: ArraySlice<UInt8>) -> Bool {
    let name = String(decoding: key, as: UTF8.self).lowercased()
    // A password under a name that a later server or a module invents must not slip through.
    return keys.contains(name) || name.hasSuffix("-pass") || name.hasSuffix("password")
      || name.hasSuffix("passphrase") || name.hasSuffix("secret")
  }
}
