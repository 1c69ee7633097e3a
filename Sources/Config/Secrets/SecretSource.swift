/// Where a secret comes from. Reading again gives the newest text, which is how a reload picks up a rotated password.
public enum SecretSource: Sendable, Equatable {
  case literal(Secret)
  /// A file that holds the text; newlines at its end are not part of it.
  case file(String)
  /// An environment variable of this process.
  case environment(String)
  /// A systemd credential: the file of that name in `$CREDENTIALS_DIRECTORY`.
  case credential(String)

  private static let limitBytes = 64 << 10

  /// The secret as it is now.
  ///
  /// Errors: a file, variable or credential that is missing, too large (64 KiB) or not UTF-8. They never show the text.
  public func read(environment: [String: String]) throws(ConfigError) -> Secret {
    switch self {
    case .literal(let secret):
      return secret
    case .file(let path):
      return try Self.readFrom(path)
    case .environment(let name):
      guard let text = environment[name] else {
        throw ConfigError(.environment(name), problem: "is not set, but a secret is to be read from it")
      }
      return Secret(text)
    case .credential(let name):
      guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
        throw ConfigError(.commandLine, value: name, problem: "is not the name of a systemd credential")
      }
      guard let directory = environment["CREDENTIALS_DIRECTORY"], !directory.isEmpty else {
        throw ConfigError(
          .environment("CREDENTIALS_DIRECTORY"), problem: "is not set, but credential \(quoted(name)) is asked for",
          hint: "give the unit LoadCredential=\(name):PATH")
      }
      return try Self.readFrom("\(directory)/\(name)")
    }
  }

  private static func readFrom(_ path: String) throws(ConfigError) -> Secret {
    var bytes = try readFile(path, limitBytes: limitBytes)[...]
    while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigError(.file(path, nil), problem: "holds a secret that is not UTF-8 text")
    }
    return Secret(text)
  }
}
