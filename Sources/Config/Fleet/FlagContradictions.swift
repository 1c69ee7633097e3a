/// What the flags for one server say beside a configuration file, which describes every server itself.
public enum FlagContradictions {
  /// A flag that a configuration file leaves without meaning, and where its value belongs instead.
  static let flags: [(name: String, place: String)] = [
    ("redis.addr", "workloads[].seeds"),
    ("redis.user", "workloads[].credentials.user"),
    ("redis.password", "workloads[].credentials"),
    ("redis.password-file", "workloads[].credentials.password_file"),
    ("redis.password-from-file", "workloads[].credentials.password_file"),
    ("connection-timeout", "defaults.timeout"),
    ("is-cluster", "workloads[].topology"),
    ("tls-client-key-file", "defaults.tls.key_file"),
    ("tls-client-cert-file", "defaults.tls.cert_file"),
    ("tls-ca-cert-file", "defaults.tls.ca_file"),
    ("tls-server-name", "defaults.tls.server_name"),
    ("skip-tls-verification", "defaults.tls.insecure_skip_verify"),
    ("poll.interval", "defaults.poll_interval"),
    ("append-instance-role-label", ""),
    ("check-keys", ""), ("check-single-keys", ""), ("check-streams", ""), ("check-single-streams", ""),
    ("count-keys", ""), ("check-key-groups", ""), ("script", ""),
  ]

  /// One error for each flag or environment variable that was given and contradicts the file, secrets unseen.
  /// Empty values and booleans that are false say nothing and so contradict nothing.
  public static func find(_ arguments: [String], environment: [String: String]) throws(ConfigErrors) -> [ConfigError] {
    do throws(ConfigError) {
      guard case .given(let given) = try FlagSyntax().parse(arguments) else { return [] }
      return find(FlagReader(arguments: given, environment: environment))
    } catch {
      throw ConfigErrors(error)
    }
  }

  static func find(_ reader: FlagReader) -> [ConfigError] {
    guard reader.optionalString("config.file") != nil else { return [] }
    return flags.compactMap { flag in
      guard let (origin, text) = reader.given(flag.name), !text.isEmpty else { return nil }
      if case .bool = reader.kind(flag.name), (try? ScalarType.goBool.parse(text)) == false { return nil }
      return ConfigError(
        origin, problem: "contradicts config.file, which describes every server",
        hint: flag.place.isEmpty ? "leave it out" : "write \(flag.place) there instead")
    }
  }
}
