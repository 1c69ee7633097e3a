import Runtime

/// Passwords by address, from a JSON file `{"redis://[user@]host:port": "password"}` as redis_exporter reads it.
public struct PasswordMap: Sendable, Equatable {
  public let file: String
  private var passwords: [String: Secret]

  private static let limitBytes = 1 << 20

  /// Reads the file (up to 1 MiB). Errors give file, line and column, never the content.
  public init(file: String) throws(ConfigError) {
    self.file = file
    passwords = try Self.read(file)
  }

  public var count: Int { passwords.count }

  /// Reads the file again; on an error the passwords stay as they were.
  public mutating func reload() throws(ConfigError) {
    passwords = try Self.read(file)
  }

  /// The password for an address, `scheme://[user[:password]@]host:port`, compared letter by letter with the file's
  /// names. A given `user` takes the place of the address's own; a password in the address is left out of account.
  ///
  /// Nil when the file does not name it; an empty secret means: connect without a password.
  public func password(for address: String, user: String = "") -> Secret? {
    passwords[Self.key(address: address, user: user)]
  }

  static func key(address: String, user: String) -> String {
    guard let scheme = address.firstRange(of: "://") else { return address }
    let rest = address[scheme.upperBound...]
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let at = authority.lastIndex(of: "@")
    let ownUser = at.map { authority[..<$0].prefix { $0 != ":" } } ?? ""
    let host = at.map { authority[authority.index(after: $0)...] } ?? authority
    let userText = user.isEmpty ? String(ownUser) : escapedUser(user)
    return address[..<scheme.upperBound] + (userText.isEmpty ? "" : userText + "@") + host
      + rest[authority.endIndex...]
  }

  /// The user as a URL holds it: everything but letters, digits and `-_.~$&+,;=` as `%XX`.
  private static func escapedUser(_ user: String) -> String {
    let digits = Array("0123456789ABCDEF")
    return user.utf8.reduce(into: "") { result, byte in
      let character = Character(Unicode.Scalar(byte))
      if byte < 0x80, character.isLetter || character.isNumber || "-_.~$&+,;=".contains(character) {
        result.append(character)
      } else {
        result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      }
    }
  }

  private static func read(_ file: String) throws(ConfigError) -> [String: Secret] {
    try passwords(try readFile(file, limitBytes: limitBytes), file: file)
  }

  static func passwords(_ bytes: [UInt8], file: String) throws(ConfigError) -> [String: Secret] {
    do throws(JSONError) {
      return try JSONReader.texts(bytes).mapValues { Secret($0) }
    } catch {
      throw ConfigError(
        .file(file, SourceMark(line: error.line, column: error.column)), problem: error.problem, hint: error.hint)
    }
  }
}
