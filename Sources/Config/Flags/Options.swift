/// What the flags and the environment ask for, checked and typed.
public struct Options: Sendable {
  public let redis: RedisOptions
  public let export: ExportOptions
  public let keys: KeyOptions
  public let web: WebOptions
  public let log: LogOptions
  /// The configuration of a fleet; nil to watch one server.
  public let configFile: String?
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
    pollInterval = flags.duration("poll.interval")
    shownFlags = Dictionary(uniqueKeysWithValues: Flags.all.map { ($0.name, Self.shown($0, flags)) })
    notices = Self.notices(flags)
    Self.refuseWhatIsNotBuilt(flags)
    if configFile == nil, storagePath != nil {
      flags.report(
        "storage.path", problem: "needs config.file", hint: "nothing is kept when one server is watched by flags")
    }
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

  private static func refuseWhatIsNotBuilt(_ flags: FlagReader) {
    if flags.bool("is-tile38") {
      flags.report("is-tile38", problem: "is not supported", hint: "metrics of Tile38 come in a later release")
    }
    if flags.bool("include-search-indexes-metrics") {
      flags.report(
        "include-search-indexes-metrics", problem: "is not supported",
        hint: "metrics of search indexes (FT.INFO) come in a later release")
    }
    if flags.string("check-search-indexes") != ".*" {
      flags.report(
        "check-search-indexes", problem: "is not supported",
        hint: "metrics of search indexes (FT.INFO) come in a later release")
    }
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
