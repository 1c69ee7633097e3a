import Config
import Redis
import Runtime

/// Which credentials go to which host.
///
/// A password of the password map goes to the address that it is written for, scheme and user included. The one general
/// password goes where ``TargetTrust`` says, never to a host that only a request names.
final class CredentialStore: Sendable {
  private struct State {
    var password: Secret?
    var map: PasswordMap?
  }
  private let user: String?
  private let source: SecretSource?
  private let options: RedisOptions
  private let environment: [String: String]
  private let state: Lock<State>

  /// - Throws: ``ConfigError`` when a file cannot be read.
  init(_ options: RedisOptions, environment: [String: String]) throws(ConfigError) {
    user = options.user
    self.options = options
    source = options.password
    self.environment = environment
    let password = try options.password?.read(environment: environment)
    var map: PasswordMap?
    if let file = options.passwordMapFile { map = try PasswordMap(file: file) }
    state = Lock(State(password: password, map: map))
    // What stands in an address is no less secret.
    if let text = options.address, let inAddress = (try? RedisAddress(text))?.password { _ = Secret(inAddress) }
  }

  /// Whether a file stands behind any of it.
  var isReloadable: Bool {
    if case .literal = source { return state.withLock { $0.map != nil } }
    return source != nil || state.withLock { $0.map != nil }
  }

  /// Reads all files again.
  /// - Throws: ``ConfigError``; the old passwords then stay.
  func reload() async throws(ConfigError) {
    let (source, environment, known) = (source, environment, state.withLock { $0.map })
    let fresh = try await FileWork.shared.value(
      of: Self.files(of: options), isTold: false
    ) { () throws(ConfigError) -> State in
      let password = try source?.read(environment: environment)
      var map = known
      try map?.reload()
      return State(password: password, map: map)
    }
    state.withLock { $0 = fresh }
  }

  /// What the passwords are read from, in words.
  static func files(of options: RedisOptions) -> String {
    let file: String? =
      switch options.password {
      case .file(let path)?: path
      case .credential(let name)?: "credential:\(name)"
      default: nil
      }
    return [file, options.passwordMapFile].compactMap { $0 }.joined(separator: ", ")
  }

  /// Credentials for an address.
  ///
  /// - Parameter isTrusted: whether the general password may go there.
  func credentials(for address: RedisAddress, isTrusted: Bool) -> Credentials? {
    if isTrusted, let password = address.password {
      return password.isEmpty ? nil : Credentials(user: address.user, password: password)
    }
    let state = state.withLock { $0 }
    let user = address.user ?? self.user
    if let mapped = mapped(address, user: user, in: state.map) {
      return mapped.isEmpty ? nil : Credentials(user: user, password: mapped.reveal())
    }
    guard isTrusted, let password = state.password, !password.isEmpty else { return nil }
    return Credentials(user: user, password: password.reveal())
  }

  /// The map's names are compared letter by letter, so every way of writing this address is tried.
  private func mapped(_ address: RedisAddress, user: String?, in map: PasswordMap?) -> Secret? {
    guard let map else { return nil }
    let endpoint = address.endpoint.description
    let schemes = address.usesTLS ? ["rediss", "valkeys"] : ["redis", "valkey", "tcp"]
    let names =
      if case .unix = address.endpoint { [endpoint] } else { schemes.map { "\($0)://\(endpoint)" } }
    for name in names {
      if let secret = map.password(for: name, user: user ?? "") { return secret }
    }
    return nil
  }
}
