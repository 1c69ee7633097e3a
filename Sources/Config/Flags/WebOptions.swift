/// TLS versions by the names of redis_exporter's flag, oldest first.
public enum TLSVersion: String, Sendable, CaseIterable, Comparable {
  case tls10 = "TLS1.0"
  case tls11 = "TLS1.1"
  case tls12 = "TLS1.2"
  case tls13 = "TLS1.3"

  public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }
}

/// The web server.
public struct WebOptions: Sendable {
  public let listenAddress: ListenAddress
  /// Starts with a slash.
  public let telemetryPath: String
  public let isScrapeEnabled: Bool
  /// Hosts that /scrape may be sent to.
  public let scrapeHosts: HostFilter
  /// Nil for plain HTTP.
  public let tls: ServerTLSOptions?
  /// Nil when requests need no login.
  public let basicAuth: BasicAuthOptions?
  /// The exporter-toolkit file with TLS and users.
  public let configFile: String?
  /// Age up to which a snapshot is served without a new poll; zero for always a new one.
  public let maxAge: Duration
  public let isOpenMetricsEnabled: Bool
  /// Whether /-/reload does anything.
  public let isLifecycleEnabled: Bool
  /// An expression for the origins of other sites whose pages may read the API; nil for none.
  public let corsOrigin: String?
  public let isSystemdSocketUsed: Bool
  /// 1 or more.
  public let maxConnections: Int

  init(_ flags: FlagReader) {
    listenAddress = flags.parsed("web.listen-address", placeholder: ListenAddress(host: "", port: 0)) {
      text throws(Mismatch) in try ListenAddress.parse(text)
    }
    telemetryPath = flags.parsed("web.telemetry-path", placeholder: "/") { text throws(Mismatch) in
      let isPath = text.hasPrefix("/") && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
      guard isPath, !text.contains("?"), !text.contains("#") else {
        throw Mismatch("is not a path", hint: "start with / and use no spaces, ? or #")
      }
      return text
    }
    isScrapeEnabled = !flags.bool("disable-scrape-endpoint")
    scrapeHosts = flags.parsed("scrape.allow", placeholder: HostFilter(rules: [])) {
      text throws(Mismatch) in try HostFilter.parse(text)
    }
    tls = ServerTLSOptions(flags)
    basicAuth = BasicAuthOptions(flags)
    configFile = flags.optionalString("web.config.file")
    if configFile != nil, tls != nil || basicAuth != nil {
      flags.report(
        "web.config.file", problem: "conflicts with the tls-server-* and basic-auth-* flags",
        hint: "set TLS and users in one place")
    }
    maxAge = flags.duration("web.max-age")
    isOpenMetricsEnabled = flags.bool("web.enable-openmetrics")
    isLifecycleEnabled = flags.bool("web.enable-lifecycle")
    corsOrigin = flags.optionalString("web.cors.origin")
    isSystemdSocketUsed = flags.bool("web.systemd-socket")
    maxConnections = flags.int("web.max-connections")
  }
}

/// TLS of the web server. The files are PEM and are read again on reload.
public struct ServerTLSOptions: Sendable {
  public let certificateFile: String
  public let keyFile: String
  /// When given, every client must show a certificate signed by one of these authorities.
  public let clientAuthoritiesFile: String?
  public let minVersion: TLSVersion

  /// Nil when neither a certificate nor a key is given.
  init?(_ flags: FlagReader) {
    clientAuthoritiesFile = flags.optionalString("tls-server-ca-cert-file")
    guard let version = TLSVersion(rawValue: flags.choice("tls-server-min-version")) else {
      preconditionFailure("the flag table names a TLS version that is none")
    }
    minVersion = version
    guard let pair = flags.pair("tls-server-cert-file", "tls-server-key-file") else {
      if clientAuthoritiesFile != nil {
        flags.report(
          "tls-server-ca-cert-file", problem: "has no effect without tls-server-cert-file and tls-server-key-file",
          hint: "give all three")
      }
      return nil
    }
    certificateFile = pair.first
    keyFile = pair.second
  }
}

/// The one user of the web server.
public struct BasicAuthOptions: Sendable {
  public enum Password: Sendable {
    case plain(Secret)
    case bcryptHash(Secret)
  }

  public let user: String
  public let password: Password

  /// Nil when none of the three flags is given. A part alone is an error: the server would stand open unnoticed.
  init?(_ flags: FlagReader) {
    let user = flags.string("basic-auth-username")
    let plain = flags.secret("basic-auth-password")
    let hash = flags.secret("basic-auth-hash-password")
    self.user = user
    switch (plain.isEmpty, hash.isEmpty) {
    case (false, false):
      flags.report(
        "basic-auth-password", problem: "conflicts with basic-auth-hash-password", hint: "keep one of them")
      return nil
    case (true, true):
      if !user.isEmpty {
        flags.report("basic-auth-username", problem: "is given without a password", hint: "give one or leave it out")
      }
      return nil
    case (false, true): password = .plain(plain)
    case (true, false): password = .bcryptHash(hash)
    }
    if user.isEmpty {
      flags.report(
        plain.isEmpty ? "basic-auth-hash-password" : "basic-auth-password",
        problem: "is given without basic-auth-username", hint: "give both or neither")
      return nil
    }
  }
}
