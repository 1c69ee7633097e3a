import Config
import Redis
import Runtime
import Transport

extension WorkloadConfig {
  /// How a server of the workload is reached: rewritten where the configuration says so, with a login that is read again
  /// at each connect.
  func connection(
    to address: NodeAddress, _ login: LoginConfig?, _ tls: TLSConfig?, policy: AddressPolicy,
    environment: [String: String], clientName: String?
  ) -> ConnectionOptions {
    let endpoint: Endpoint
    let isSocket = address.isPath && policy.isSeed(address)
    if isSocket {
      endpoint = .unix(path: address.host)
    } else {
      let (host, port) = addressRewrites.apply(host: address.host, port: address.port)
      endpoint = .tcp(host: host, port: port)
    }
    var options = ConnectionOptions(address: RedisAddress(endpoint: endpoint, usesTLS: tls != nil && !isSocket))
    options.mayConnect = policy.check(of: address)
    options.clientName = clientName
    if let tls {
      options.tls.caFile = tls.authoritiesFile
      options.tls.certificateFile = tls.certificateFile
      options.tls.keyFile = tls.keyFile
      options.tls.serverName = tls.serverName
      options.tls.skipsVerification = tls.isVerificationSkipped
    }
    guard let login else { return options }
    options.credentials = { () async throws(RedisError) -> Credentials? in
      do throws(ConfigError) {
        let password = try await SecretReader.shared.read(login.password, environment: environment)
        return Credentials(user: login.user, password: password.reveal())
      } catch {
        throw RedisError(.auth, "the password cannot be read, so there is no login: \(error)")
      }
    }
    return options
  }
}

/// How commands that write or kill reach the servers of a workload: with the logins of `drill`, never with those of the
/// monitor.
public struct DrillAccess: Sendable {
  public static let clientName = "redline-drill"

  private let config: WorkloadConfig
  private let environment: [String: String]
  private let policy: AddressPolicy

  public init(_ config: WorkloadConfig, environment: [String: String]) {
    self.config = config
    self.environment = environment
    policy = AddressPolicy(config)
  }

  /// To a server of data.
  public func server(_ address: NodeAddress) -> ConnectionOptions {
    config.connection(
      to: address, config.drill?.login, config.tls, policy: policy, environment: environment,
      clientName: Self.clientName)
  }

  /// To a Sentinel; its name is not set, which a user of a Sentinel seldom may.
  public func sentinel(_ address: NodeAddress) -> ConnectionOptions {
    config.connection(
      to: address, config.drill?.sentinelLogin, config.sentinel?.tls, policy: policy, environment: environment,
      clientName: nil)
  }

  /// Where the search for the servers of data begins.
  public var seeds: [NodeAddress] { config.seeds.map { NodeAddress($0) } }
  /// Where the search for the Sentinels begins.
  public var sentinelSeeds: [NodeAddress] { (config.sentinel?.seeds ?? []).map { NodeAddress($0) } }

  /// Whether an address that a server announces may be connected to, and given a login.
  public func admits(_ address: NodeAddress) -> Bool { policy.refusal(of: address) == nil }

  /// What a server is called in reports: its alias, else its address.
  public func name(_ address: NodeAddress) -> String { config.instanceName(of: address, announced: nil) }
}
