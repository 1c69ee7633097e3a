import Runtime

/// What the flags and the environment ask for, checked and typed.
public struct Options: Sendable {
  public let redis: RedisOptions
  public let export: ExportOptions
  public let keys: KeyOptions
  public let web: WebOptions
  public let log: LogOptions
  /// The configuration of a fleet; nil to watch one server.
  public let configFile: String?
  /// Which part of the workloads of ``configFile`` is watched; nil for all.
  public let shard: Shard?
  /// Where events and durable counters are kept; nil for memory alone.
  public let storagePath: String?
  /// Time between polls in the background.
  public let pollInterval: Duration
  /// The text of every flag by name, as it was given or by default; secrets hidden.
  public let shownFlags: [String: String]
  /// Sentences to log once at the start: flags without effect, secrets in plain view.
  public let notices: [String]

  init(_ flags: FlagReader) {
    redis = RedisOptions(flags)
    export = ExportOptions(flags)
    keys = KeyOptions(flags)
    web = WebOptions(flags)
    log = LogOptions(flags)
    configFile = flags.optionalString("config.file")
    storagePath = flags.optionalString("storage.path")
    shard = flags.parsed("shard", placeholder: nil) { text throws(Mismatch) in
      text.isEmpty ? nil : try Shard.parse(text)
    }
    pollInterval = flags.duration("poll.interval")
    shownFlags = Dictionary(uniqueKeysWithValues: Flags.all.map { ($0.name, Self.shown($0, flags)) })
    notices = Self.notices(flags)
    if configFile == nil, flags.optionalString("shard") != nil {
      flags.report(
        "shard", problem: "needs config.file",
        hint: "shards share the workloads of a file; leave it out where flags name one server, and for /scrape")
    }
    if configFile == nil, storagePath != nil {
      flags.report(
        "storage.path", problem: "needs config.file", hint: "nothing is kept when one server is watched by flags")
    }
  }

  /// A sentence to log once at the start: what `/scrape` needs so that the targets that it is asked for get the general
  /// password. Nil where there is none, where nobody may ask, or where it is said already.
  public var scrapeNote: String? {
    let hasGeneral = redis.password != nil || redis.tls.identity != nil
    let isSettled = !web.scrapeHosts.isEmpty || redis.passwordMapFile != nil || configFile != nil
    guard hasGeneral, web.isScrapeEnabled, !isSettled else { return nil }
    let receiver =
      redis.address == nil ? "no target of /scrape gets" : "of the targets of /scrape, redis.addr alone gets"
    return """
      \(receiver) the password or client certificate: list the hosts that may get it in --scrape.allow, or \
      addresses with passwords of their own in the file of --redis.password-file
      """
  }

  private static func shown(_ flag: Flag, _ flags: FlagReader) -> String {
    let text = flags.given(flag.name)?.text ?? flag.defaultText
    if flag.isSecret { return text.isEmpty ? "" : "<secret>" }
    // What stands before an @ may be a password, with or without a scheme; and a password may hold any character.
    guard let at = text.lastIndex(of: "@") else { return text }
    let start = text[..<at].firstRange(of: "://")?.upperBound ?? text.startIndex
    return "\(text[..<start])<secret>\(text[at...])"
  }

  private static func notices(_ flags: FlagReader) -> [String] {
    var notices: [String] = []
    if flags.bool("include-go-runtime-metrics") {
      notices.append("include-go-runtime-metrics has no effect: this process has no Go runtime")
    }
    for flag in Flags.all where flag.isSecret && flags.isOnCommandLine(flag.name) {
      notices.append(
        "every user of this machine can read \(flag.name) on the command line; use its environment variable or a file")
    }
    return notices
  }
}

/// What the command line asks the program to do.
public enum Invocation: Sendable {
  /// Print `Flags.usage()` and exit 0.
  case help
  /// Print the version and exit 0.
  case version
  case run(Options)

  /// Reads the words after the program's name, and the environment.
  ///
  /// Throws all wrong values at once; wrong syntax, such as an unknown flag, alone.
  public static func parse(
    _ arguments: [String], environment: [String: String]
  ) throws(ConfigErrors) -> Invocation {
    let given: [(flag: Flag, text: String)]
    do throws(ConfigError) {
      guard case .given(let found) = try FlagSyntax().parse(arguments) else { return .help }
      given = found
    } catch {
      throw ConfigErrors(error)
    }
    let flags = FlagReader(arguments: given, environment: environment)
    let wantsVersion = flags.bool("version")
    if wantsVersion { return .version }
    let options = Options(flags)
    try flags.finish()
    let contradictions = FlagContradictions.find(flags)
    if !contradictions.isEmpty { throw ConfigErrors(contradictions) }
    return .run(options)
  }
}

/// Which metrics are exported, and under which names.
public struct ExportOptions: Sendable {
  /// The first part of every metric name, without the underscore; may be empty.
  public let namespace: String
  /// False when the metrics of this process and its build are left out.
  public let areSelfMetricsIncluded: Bool
  public let areConfigMetricsIncluded: Bool
  public let isConfigRedacted: Bool
  public let areModulesIncluded: Bool
  /// The regular expression by which search indexes are looked at, in RE2's syntax; nil for none.
  public let searchIndexPattern: String?
  public let isTile38: Bool
  public let areSystemMetricsIncluded: Bool
  public let isRDBFileSizeIncluded: Bool
  public let areEmptyDatabasesIncluded: Bool
  public let areSentinelPeersIncluded: Bool
  /// False when neither LATENCY LATEST nor LATENCY HISTOGRAM is sent.
  public let areLatenciesIncluded: Bool
  public let clients: ClientSeries
  public let isRoleLabelAppended: Bool

  init(_ flags: FlagReader) {
    namespace = flags.parsed("namespace", placeholder: "") { text throws(Mismatch) in
      guard text.isEmpty || LabelSyntax.isName(text) else {
        throw Mismatch("cannot start a metric name", hint: "use letters, digits and underscores, no digit first")
      }
      return text
    }
    areSelfMetricsIncluded = !flags.bool("redis-only-metrics")
    areConfigMetricsIncluded = flags.bool("include-config-metrics")
    isConfigRedacted = flags.bool("redact-config-metrics")
    areModulesIncluded = flags.bool("include-modules-metrics")
    let pattern = flags.string("check-search-indexes")
    searchIndexPattern = flags.bool("include-search-indexes-metrics") ? pattern : nil
    isTile38 = flags.bool("is-tile38")
    areSystemMetricsIncluded = flags.bool("include-system-metrics")
    isRDBFileSizeIncluded = flags.bool("include-rdb-file-size-metric")
    areEmptyDatabasesIncluded = flags.bool("include-metrics-for-empty-databases")
    areSentinelPeersIncluded = flags.bool("include-sentinel-peer-info")
    areLatenciesIncluded = !flags.bool("exclude-latency-histogram-metrics")
    clients = ClientSeries(
      areListed: flags.bool("export-client-list"), havePorts: flags.bool("export-client-port"),
      areSummed: flags.bool("export-client-aggregates"))
    isRoleLabelAppended = flags.bool("append-instance-role-label")
  }
}

/// What is exported of the clients that are connected to a server.
public struct ClientSeries: Sendable {
  /// A series for each client.
  public var areListed = false
  /// The port of each is a label.
  public var havePorts = false
  /// Counts, buffers and ages over all clients, in a few series; always there where they are listed.
  public var areSummed = false

  public init(areListed: Bool = false, havePorts: Bool = false, areSummed: Bool = false) {
    (self.areListed, self.havePorts, self.areSummed) = (areListed, havePorts, areSummed)
  }
}

/// What is logged and how.
public struct LogOptions: Sendable {
  public let level: LogLevel
  public let format: LogFormat

  init(_ flags: FlagReader) {
    guard let format = LogFormat(rawValue: flags.choice("log-format")),
      let level = LogLevel(word: flags.choice("log-level"))
    else { preconditionFailure("the flag table names a level or format that is none") }
    self.format = format
    self.level = flags.bool("debug") ? .debug : level
  }
}
