import Runtime

/// A text that must not be seen. It prints as `<secret>` in every form: description, dump, interpolation, reflection.
///
/// `reveal()` is the only way to the text, so that a search for it finds every use.
public struct Secret: Sendable, Equatable {
  private let text: String

  /// From now on no text of others repeats it (``KnownSecrets``).
  public init(_ text: String) {
    self.text = text
    KnownSecrets.add(text)
  }

  public func reveal() -> String { text }

  public var isEmpty: Bool { text.isEmpty }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, TextOutputStreamable, CustomReflectable {
  public var description: String { "<secret>" }
  public var debugDescription: String { "<secret>" }
  public func write<Target: TextOutputStream>(to target: inout Target) { target.write("<secret>") }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

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

/// Reads secrets again at each use, without waiting for a file that hangs.
///
/// While a file cannot be read, what it held last stays in force; ``FileWork`` reports that.
public final class SecretReader: Sendable {
  public static let shared = SecretReader()

  private let known = Lock([String: Secret]())

  /// The secret as it is now, or as it was last.
  ///
  /// - Throws: why it cannot be read, when it never could.
  public func read(_ source: SecretSource, environment: [String: String]) async throws(ConfigError) -> Secret {
    guard let path = source.path(environment: environment) else { return try source.read(environment: environment) }
    do throws(ConfigError) {
      let secret = try await FileWork.shared.value(
        of: path
      ) { () throws(ConfigError) in try source.read(environment: environment) }
      known.withLock { $0[path] = secret }
      return secret
    } catch {
      guard let last = known.withLock({ $0[path] }) else { throw error }
      return last
    }
  }
}
