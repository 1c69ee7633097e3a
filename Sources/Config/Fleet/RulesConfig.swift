/// What the daemon judges by, and how: `rules` of a fleet's file.
public struct RulesConfig: Sendable, Equatable {
  /// Paths of rule files, globs allowed in them, relative ones made absolute by the place of the configuration.
  public let files: [String]
  /// Time between two evaluations of a group without an interval of its own.
  public let interval: Duration
  /// Between two looks at all series.
  public let scrapeInterval: Duration
  /// How far before the time of an evaluation groups look that say nothing of it.
  public let queryOffset: Duration
  /// The folder of runbooks, one `ALERT.md` each; nil for `runbooks` beside the first rule file.
  public let runbooks: String?
  /// Links that runbooks end with.
  public let runbookLinks: [RunbookLink]
  /// The labels `job` and `instance` of series that have none: what a scrape would give them.
  public let job: String
  public let instance: String?
  /// Put on every alert that has no such label.
  public let externalLabels: [String: String]
  /// Under which people and Alertmanagers reach this daemon; nil for what it listens on.
  public let externalURL: String?
  /// Whether expressions mean what they mean to Prometheus 2.
  public let isDialect2: Bool
  /// Whether an alert that always fires tells a dead man's switch that the way to it works.
  public let hasWatchdog: Bool

  enum DialectName: String, CaseIterable, Sendable {
    case v2 = "2.x"
    case v3 = "3.x"
  }

  init(_ fields: MappingReader, folder: String) {
    files = fields.list(
      "files", of: .nonEmptyString, "Rule files of Prometheus, globs allowed, relative to this file; at least one."
    ).map { Self.absolute($0, in: folder) }
    if files.isEmpty { fields.report("files", problem: "is missing", hint: "list rule files, such as alerts/*.yml") }
    interval = fields.value(
      "interval", .duration(.extended, .atLeast(.seconds(1))), default: .seconds(15),
      "Time between two evaluations of a group without an interval of its own.")
    scrapeInterval = fields.value(
      "scrape_interval", .duration(.extended, .atLeast(.milliseconds(200))), default: .seconds(5),
      "Time between two samples of a series, as rules and queries see it.")
    queryOffset = fields.value(
      "query_offset", .duration(.extended, .nonNegative), default: .zero,
      "How far back in time groups without an offset of their own are evaluated.")
    runbooks = fields.optional(
      "runbooks", .nonEmptyString,
      "Folder of runbooks, one `ALERT.md` each; by default `runbooks` beside the first rule file."
    ).map { Self.absolute($0, in: folder) }
    runbookLinks = fields.mappings(
      "runbook_links", "Links that are shown with every runbook: series of the host, the last deploys."
    ) { RunbookLink($0) }
    if runbookLinks.count > RunbookLink.limit {
      fields.report("runbook_links", problem: "has more than \(RunbookLink.limit) entries")
    }
    job = fields.value("job", .nonEmptyString, default: "redline", "The label `job` of series that have none.")
    instance = fields.optional(
      "instance", .nonEmptyString,
      "The label `instance` of series that have none; by default the address that the daemon listens on.")
    externalLabels =
      fields.mapping("external_labels", "Labels, by name, that are added to every alert without a label of that name.")
    { labels in
      Dictionary(
        uniqueKeysWithValues: labels.keys.map { name in
          if let (problem, hint) = LabelRules.problem(ofAnyName: name) {
            labels.report(name, problem: problem, hint: hint)
          }
          return (name, labels.required(name, .labelValue))
        })
    } ?? [:]
    externalURL = fields.optional(
      "external_url", .webAddress,
      "URL of this daemon, for links in alerts; by default the address that it listens on.")
    isDialect2 =
      fields.value(
        "dialect", .oneOf(DialectName.self, noun: "a dialect"), default: .v3,
        "PromQL dialect of the rules: that of Prometheus 2.42 or 3.") == .v2
    hasWatchdog = fields.value(
      "watchdog", .bool, default: true,
      "Whether the alert `RedlineWatchdog` always fires, for a dead man's switch.")
  }

  /// A path as seen from the folder of the configuration.
  static func absolute(_ path: String, in folder: String) -> String {
    path.hasPrefix("/") || folder.isEmpty ? path : "\(folder)/\(path)"
  }
}

/// How long samples are kept beyond what rules look back over: `history` of a fleet's file.
public struct HistoryConfig: Sendable, Equatable {
  /// For every series; nil keeps what rules read, for as long as they read it.
  public let retention: Duration?
  /// Bytes of memory that all samples may take.
  public let memoryBytes: Int

  private static let standardMegabytes = 2048

  init(_ fields: MappingReader?) {
    retention = fields?.optional(
      "retention", .duration(.extended, .atLeast(.seconds(60))),
      "How long all series are kept, for the query API; without it, only what rules read, as far as they look back.")
    let megabytes =
      fields?.value(
        "memory_mb", .int(16...1_048_576), default: Self.standardMegabytes,
        "Memory limit of all samples, in megabytes.") ?? Self.standardMegabytes
    memoryBytes = megabytes << 20
  }
}

extension ScalarType<String> {
  /// `http://host:port/path` without user, query and fragment.
  static var webAddress: ScalarType {
    nonEmptyString.restricted(
      to: { text in
        guard let scheme = ["http://", "https://"].first(where: { text.hasPrefix($0) }) else { return false }
        let rest = text.dropFirst(scheme.count)
        return !rest.isEmpty && rest.first != "/" && !rest.contains { "?#@ \"<>\\".contains($0) }
      }, "is not a web address", hint: "write http://host:port or https://host:port/path, without user and query",
      name: "web address")
  }
}
