/// How to reach the server and log in.
public struct RedisOptions: Sendable {
  /// A URL or host:port; nil when only /scrape is used.
  public let address: String?
  /// Nil for the default user.
  public let user: String?
  /// Read again on every reload; nil for none.
  public let password: SecretSource?
  /// The JSON file of passwords by address.
  public let passwordMapFile: String?
  /// The deadline of one whole poll.
  public let deadline: Duration
  public let isClientNameSet: Bool
  public let isPingSent: Bool
  /// Nil when CONFIG must not be sent.
  public let configCommand: String?
  public let isCluster: Bool
  public let areHostnamesDiscovered: Bool
  public let tls: ClientTLSOptions

  init(_ flags: FlagReader) {
    address = flags.optionalString("redis.addr")
    user = flags.optionalString("redis.user")
    password = Self.password(flags)
    passwordMapFile = flags.optionalString("redis.password-file")
    deadline = flags.duration("connection-timeout")
    isClientNameSet = flags.bool("set-client-name")
    isPingSent = flags.bool("ping-on-connect")
    let command = flags.parsed("config-command", placeholder: "") { text throws(Mismatch) in
      guard !text.isEmpty else { throw Mismatch("names no command", hint: "use - to leave CONFIG out") }
      return text
    }
    configCommand = command == "-" ? nil : command
    isCluster = flags.bool("is-cluster")
    areHostnamesDiscovered = flags.bool("cluster-discover-hostnames")
    tls = ClientTLSOptions(flags)
  }

  private static func password(_ flags: FlagReader) -> SecretSource? {
    let literal = flags.secret("redis.password")
    let file = flags.optionalString("redis.password-from-file")
    if file != nil, !literal.isEmpty {
      flags.report("redis.password-from-file", problem: "conflicts with redis.password", hint: "keep one of them")
    }
    let credentialPrefix = "credential:"
    if let file {
      return file.hasPrefix(credentialPrefix)
        ? .credential(String(file.dropFirst(credentialPrefix.count))) : .file(file)
    }
    return literal.isEmpty ? nil : .literal(literal)
  }
}

/// TLS on the connections to Redis. The files are PEM and are read again on reload.
public struct ClientTLSOptions: Sendable {
  /// The client's certificate and its key; both or neither.
  public let identity: (certificateFile: String, keyFile: String)?
  /// Takes the place of the system's authorities.
  public let authoritiesFile: String?
  /// The name the certificate must carry; nil for the host of the address.
  public let serverName: String?
  public let isVerificationSkipped: Bool

  init(_ flags: FlagReader) {
    identity = flags.pair("tls-client-cert-file", "tls-client-key-file")
      .map { (certificateFile: $0.first, keyFile: $0.second) }
    authoritiesFile = flags.optionalString("tls-ca-cert-file")
    serverName = flags.optionalString("tls-server-name")
    isVerificationSkipped = flags.bool("skip-tls-verification")
  }
}

extension FlagReader {
  /// Two strings: both or neither must be given.
  func pair(_ first: String, _ second: String) -> (first: String, second: String)? {
    switch (optionalString(first), optionalString(second)) {
    case (let a?, let b?): return (a, b)
    case (nil, nil): return nil
    case (_?, nil): report(first, problem: "is given without \(second)", hint: "give both or neither")
    case (nil, _?): report(second, problem: "is given without \(first)", hint: "give both or neither")
    }
    return nil
  }
}
