/// How commands that write or kill reach a workload: `drill` of a workload.
///
/// They never use the logins of the monitor, which only reads: what a drill may do is granted to a user of its own.
public struct DrillConfig: Sendable, Equatable {
  /// In bytes.
  static let commandLimit = 4096

  /// On the servers; nil where none is given, and then nothing is drilled.
  public let login: LoginConfig?
  /// On the Sentinels; nil for Sentinels without a password.
  public let sentinelLogin: LoginConfig?
  /// What ends the master, as a line for `sh -c`; nil where none is given.
  public let command: String?

  init(_ fields: MappingReader) {
    login =
      fields.mapping(
        "credentials", "Login of drills and load tests on the servers: a user other than that of the monitor."
      ) { LoginConfig($0) } ?? nil
    sentinelLogin =
      fields.mapping("sentinel_credentials", "Login of drills on the Sentinels, where these want one.") {
        LoginConfig($0)
      } ?? nil
    command = fields.optional(
      "exec", .oneLine(upToBytes: Self.commandLimit),
      "What `redline drill --fault kill` runs to end the master, by `sh -c`, where `--exec` is not given.")
  }
}

/// Whether commands that write or kill may touch a workload.
public enum Disruption: String, Sendable, CaseIterable {
  case allowed, refused
}
