import Runtime

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
