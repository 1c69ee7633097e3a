import Runtime

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

  /// The file that is read; nil where there is none.
  func path(environment: [String: String]) -> String? {
    switch self {
    case .literal, .environment: nil
    case .file(let path): path
    case .credential(let name): environment["CREDENTIALS_DIRECTORY"].map { "\($0)/\(name)" }
    }
  }

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
      // Else it may be the secret itself.
      guard name.utf8.allSatisfy({ $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "_") }), name.first?.isNumber == false
      else {
        throw ConfigError(
          .commandLine, problem: "a secret is to be read from a variable whose name is none",
          hint: "give letters, digits and underscores")
      }
      guard let text = environment[name] else {
        throw ConfigError(.environment(name), problem: "is not set, but a secret is to be read from it")
      }
      return Secret(text)
    case .credential(let name):
      guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
        throw ConfigError(
          .commandLine, problem: "a systemd credential is asked for under what is no name of one",
          hint: "give the name alone, as in LoadCredential=NAME:PATH")
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
