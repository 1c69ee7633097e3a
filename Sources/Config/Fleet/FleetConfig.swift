/// The configuration file of a fleet, `redline.yml`, with everything filled in.
public struct FleetConfig: Sendable, Equatable {
  static let workloadLimit = 1000

  /// Windows of the whole file; each workload has them among its own.
  public let maintenance: Schedule
  /// Rules of the whole file; each workload has them after its own.
  public let addressRewrites: [AddressRewrite]
  /// Where servers are, by their addresses; each workload knows them.
  public let regions: Regions
  /// Nil when alerts are sent to nobody.
  public let alerting: AlertingConfig?
  /// In the order of the file; never empty, unless a shard has none of them.
  public private(set) var workloads: [WorkloadConfig]
  /// Which part of the file's workloads these are; nil for all.
  public internal(set) var share: ShardShare?
  /// Nil when the daemon judges nothing by itself.
  public let rules: RulesConfig?
  public let history: HistoryConfig
  /// Nil where nothing is recorded.
  public let recorder: RecorderConfig?
  public let evidence: EvidenceConfig
  /// Nil where results of checks are taken from nobody.
  public let results: ResultsConfig?
  /// Nil where marks are taken from nobody.
  public let marks: MarksConfig?
  /// Nil where a shard asks no other one.
  public let shards: ShardsConfig?

  /// The same with one workload alone; nil where it has none of that name.
  public func limited(to name: String) -> FleetConfig? {
    guard let workload = workload(named: name) else { return nil }
    var config = self
    config.workloads = [workload]
    return config
  }

  /// The same with some workloads alone, in the order of the file.
  public func limited(to isWanted: (WorkloadConfig) -> Bool) -> FleetConfig {
    var config = self
    config.workloads = workloads.filter(isWanted)
    return config
  }

  /// The same with another file of known faults for all workloads; nil for none in the place of theirs.
  public func auditing(against file: String?) -> FleetConfig {
    guard let file else { return self }
    var config = self
    config.workloads = workloads.map { $0.auditing(against: file) }
    return config
  }

  /// Reads the file at `path`. Throws everything that is wrong in it.
  ///
  /// - Parameter watches: every watch over keys that the file may set.
  public static func load(
    _ path: String, watches: [any ConfiguredWatch.Type]
  ) throws(ConfigErrors) -> FleetConfig {
    try read(YAMLNode.load(path), file: path, watches)
  }

  /// Reads a text; `file` names it in errors.
  public static func parse(
    _ bytes: [UInt8], file: String, watches: [any ConfiguredWatch.Type]
  ) throws(ConfigErrors) -> FleetConfig {
    try read(YAMLNode.parse(bytes, file: file), file: file, watches)
  }

  private static func read(
    _ node: YAMLNode, file: String, _ watches: [any ConfiguredWatch.Type]
  ) throws(ConfigErrors) -> FleetConfig {
    try node.decode(file: file) { fields in
      let slash = file.lastIndex(of: "/")
      return FleetConfig(fields, folder: slash.map { String(file[..<$0]) } ?? "", watches: watches)
    }
  }

  /// - Parameters:
  ///   - folder: of the file, where relative paths begin; empty for the working directory.
  ///   - watches: every watch over keys that the file may set.
  init(_ fields: MappingReader, folder: String, watches: [any ConfiguredWatch.Type]) {
    var defaults =
      fields.mapping("defaults", "Defaults for every workload.") { WorkloadDefaults($0, folder: folder) }
      ?? WorkloadDefaults(folder: folder)
    maintenance = Schedule(fields.list("maintenance", of: .window, "Windows of planned work on every workload."))
    addressRewrites = fields.mappings(
      "address_rewrites", "Rules for announced addresses that cannot be reached from here."
    ) {
      AddressRewrite($0)
    }
    regions =
      fields.mapping(
        "regions",
        "Addresses of servers by region: a list of address patterns for each name; the first that fits counts."
      ) { Regions($0) } ?? Regions()
    alerting = fields.mapping("alerting", "Where alerts are sent; without it, nowhere.") { AlertingConfig($0) }
    defaults.maintenance = maintenance
    defaults.addressRewrites = addressRewrites
    defaults.regions = regions
    var names: Set<String> = [""]
    workloads = fields.mappings("workloads", "Workloads to monitor; at least one, at most \(Self.workloadLimit).") {
      fields in
      let workload = WorkloadConfig(fields, defaults: defaults, watches: watches)
      if !names.insert(workload.name).inserted, !workload.name.isEmpty {
        fields.report("name", value: workload.name, problem: "is the name of another workload as well")
      }
      return workload
    }
    if !fields.contains("workloads") || fields.hasEmptyList("workloads") {
      fields.report("workloads", problem: "is missing", hint: "list at least one workload")
    }
    rules = fields.mapping("rules", "Rules that the daemon evaluates itself; without it, none.") {
      RulesConfig($0, folder: folder)
    }
    history =
      fields.mapping("history", "How long samples are kept for rules and queries.") { HistoryConfig($0) }
      ?? HistoryConfig(nil)
    recorder = fields.mapping(
      "recorder", "Flight recorder: what decided on findings and alerts is kept in files; without it, nothing is."
    ) {
      RecorderConfig($0, folder: folder)
    }
    evidence =
      fields.mapping("evidence", "What is gathered about alerts as they begin.") { EvidenceConfig($0) }
      ?? EvidenceConfig(nil)
    results = fields.mapping("results", "Where results of checks come in: verified backups, drills, load tests.") {
      ResultsConfig($0, folder: folder)
    }
    marks = fields.mapping("marks", "Marks of changes, deploys and incidents over HTTP; without it, none.") {
      MarksConfig($0)
    }
    shards = fields.mapping(
      "shards", "The daemons that share this file by `--shard`, so that each shows the whole fleet."
    ) {
      ShardsConfig($0)
    }
    if workloads.count > Self.workloadLimit {
      fields.report("workloads", problem: "has more than \(Self.workloadLimit) entries")
    }
  }

  public func workload(named name: String) -> WorkloadConfig? {
    workloads.first { $0.name == name }
  }
}

extension FleetConfig {
  /// One line for people: `2 workloads: carts (session, sentinel), pages (cache, cluster)`; of a shard
  /// `1 of 2 workloads, shard 3/10: pages (cache, cluster)`.
  public var summary: String {
    let names = workloads.map { "\($0.name) (\($0.kind), \($0.topology))" }.joined(separator: ", ")
    let list = names.isEmpty ? "" : ": \(names)"
    guard let share else { return "\(workloads.count) \(workloads.count == 1 ? "workload" : "workloads")\(list)" }
    return "\(workloads.count) of \(share.owners.count) workloads, shard \(share.shard)\(list)"
  }
}

/// What a reload has to do: workloads are told apart by name.
public struct FleetChanges: Sendable, Equatable {
  /// These keep running untouched.
  public let unchanged: [String]
  /// The new form of those that differ in anything.
  public let changed: [WorkloadConfig]
  public let added: [WorkloadConfig]
  public let removed: [String]

  public var isEmpty: Bool { changed.isEmpty && added.isEmpty && removed.isEmpty }
}

extension FleetConfig {
  /// How this configuration differs from the one in force. A secret behind a reference that stayed the same is no
  /// difference: it is read again at each login.
  public func changes(from old: FleetConfig) -> FleetChanges {
    var unchanged: [String] = []
    var changed: [WorkloadConfig] = []
    var added: [WorkloadConfig] = []
    for workload in workloads {
      switch old.workload(named: workload.name) {
      case nil: added.append(workload)
      case workload?: unchanged.append(workload.name)
      default: changed.append(workload)
      }
    }
    let removed = old.workloads.map(\.name).filter { workload(named: $0) == nil }
    return FleetChanges(unchanged: unchanged, changed: changed, added: added, removed: removed)
  }
}
