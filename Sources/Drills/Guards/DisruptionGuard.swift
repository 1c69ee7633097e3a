import Config
import Runtime

/// What stands before every command that writes to a workload or kills its servers.
///
/// Pure: what is known of the servers comes in as ``GuardEvidence``, what somebody typed as ``TypedConfirmation``.
public struct DisruptionGuard: Sendable {
  public enum Rule: String, Sendable, CaseIterable {
    /// `disruptive: allowed` is missing.
    case disruptive
    /// It is production, or nobody says what it is, and nobody at a terminal confirmed.
    case environment
    /// It has no login of its own for this, or that of the monitor.
    case login
    /// A server is that of a production workload as well, or that cannot be told.
    case shared
    /// Something critical holds already.
    case critical
    /// A peak is under way.
    case peak
  }

  /// Why the command must not go on.
  public struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    public let rule: Rule
    public let text: String

    public init(_ rule: Rule, _ text: String) {
      self.rule = rule
      self.text = text
    }

    public var description: String { "\(text) [guard: \(rule.rawValue)]" }
  }

  let workload: WorkloadConfig

  public init(_ workload: WorkloadConfig) { self.workload = workload }

  /// Whether the environment of a workload is production, by its name, or may be, since it has none.
  public static func mayBeProduction(_ environment: String?) -> Bool {
    guard let environment else { return true }
    // What stands before the letters must not make a test system of it.
    let plain = environment.lowercased().unicodeScalars.filter { $0.properties.isAlphabetic }
    return plain.isEmpty || String(String.UnicodeScalarView(plain)).hasPrefix("prod")
  }

  /// Whether a person must confirm.
  public var needsConfirmation: Bool { Self.mayBeProduction(workload.environment) }

  /// What the configuration alone refuses, before anybody is asked or connected to.
  public func refusals() -> [Refusal] {
    var refusals: [Refusal] = []
    if workload.disruptive != .allowed {
      refusals.append(
        Refusal(
          .disruptive, "\(workload.name) does not allow it: its owners set disruptive: allowed in the configuration"))
    }
    refusals += loginRefusals
    return refusals
  }

  private var loginRefusals: [Refusal] {
    guard let login = workload.drill?.login else {
      return [
        Refusal(
          .login, "\(workload.name) has no drill.credentials: what writes or kills never uses the monitor's login")
      ]
    }
    var refusals: [Refusal] = []
    if Self.user(login) == Self.user(workload.login) {
      refusals.append(
        Refusal(
          .login,
          "drill.credentials of \(workload.name) log in as \(quoted(Self.user(login))), which is the monitor's user: make one of its own"
        ))
    }
    if let sentinel = workload.sentinel, let monitor = sentinel.login {
      if let own = workload.drill?.sentinelLogin {
        if Self.user(own) == Self.user(monitor) {
          refusals.append(
            Refusal(
              .login,
              "drill.sentinel_credentials of \(workload.name) log in as \(quoted(Self.user(own))), which is the monitor's user"
            ))
        }
      } else {
        refusals.append(
          Refusal(.login, "the Sentinels of \(workload.name) want a login: give drill.sentinel_credentials"))
      }
    }
    return refusals
  }

  /// Whom a login stands for: without a user, and without a login at all, everybody is `default`.
  private static func user(_ login: LoginConfig?) -> String { login?.user ?? "default" }

  /// What a person must have confirmed and has not.
  public func refusals(_ confirmation: TypedConfirmation) -> [Refusal] {
    guard needsConfirmation else { return [] }
    let why =
      workload.environment.map { "\(workload.name) is of the environment \(quoted($0))" }
      ?? "\(workload.name) has no environment, so it may be production"
    return confirmation.problem(for: workload.name).map { [Refusal(.environment, "\(why): \($0)")] } ?? []
  }

  /// What the servers, and what is known of them, refuse.
  public func refusals(_ evidence: GuardEvidence, at time: Timestamp) -> [Refusal] {
    var refusals = evidence.sharing(of: workload.name)
    refusals += evidence.critical.prefix(Self.toldLimit).map { Refusal(.critical, "something is critical: \($0)") }
    if workload.isInPeak(at: time) { refusals.append(Refusal(.peak, "a peak of \(workload.name) is under way")) }
    return refusals
  }

  static let toldLimit = 10
}
