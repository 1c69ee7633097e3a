import Config
import Fleet
import Runtime
import Web

/// A workload that another shard watches.
struct ForeignWorkload: Sendable {
  /// As our file has it.
  let config: WorkloadConfig
  let shard: Int
  /// Where its shard is; nil where that gives no answer.
  let url: String?
  /// What its shard says of it, as `/api/v1/fleet` does; nil for nothing.
  let told: JSONValue?
  /// Why nothing is known; empty where something is.
  let problem: String

  var name: String { config.name }

  /// Unknown unless its shard says a state that is known here.
  var state: TopologyPage.State {
    told?["state"]?.string.flatMap { TopologyPage.State(rawValue: $0) } ?? .unknown
  }

  var since: WallTime? {
    told?["since"]?.string.flatMap { RFC3339.milliseconds($0) }.map { WallTime(epochMs: $0) }
  }

  /// What a shard says of a workload, each with a value of its kind; the rest it may leave out.
  private static let fields: [(name: String, example: JSONValue, isNeeded: Bool)] = [
    ("since", .string(""), true), ("stateByChecks", .string(""), true), ("kind", .string(""), true),
    ("topology", .string(""), true), ("environment", .string(""), false), ("degraded", .object([]), false),
    ("windows", .array([]), true), ("change", .object([]), false), ("membersPresent", .number(0), true),
    ("membersExpected", .number(0), false), ("failovers", .object([]), false), ("traffic", .object([]), true),
    ("ttlCrowdingRatio", .number(0), false), ("budgets", .array([]), true), ("members", .array([]), true),
    ("findings", .array([]), true), ("unknown", .array([]), true), ("alerts", .array([]), true),
  ]

  /// Whether what a shard says of a workload has the form of `/api/v1/fleet`: a known state, and all that it must have.
  static func isUnderstood(_ told: JSONValue) -> Bool {
    guard told["state"]?.string.flatMap({ TopologyPage.State(rawValue: $0) }) != nil else { return false }
    return fields.allSatisfy { field in
      guard let value = told[field.name] else { return !field.isNeeded }
      switch (value, field.example) {
      case (.string, .string), (.number, .number): return true
      case (.array(let elements), .array):
        // Windows are names, the others are objects.
        return elements.allSatisfy { element in
          if case .object = element { return field.name != "windows" }
          return field.name == "windows" && element.string != nil
        }
      case (.object, .object): return true
      default: return false
      }
    }
  }

  /// One value, in the form of the workloads of this daemon.
  func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("name", name)
      json.field("state", state.rawValue)
      json.field("shard", shard)
      if let url { json.field("url", url) }
      guard let told else { return writeUnknown(to: &json) }
      for field in Self.fields {
        guard let value = told[field.name] else { continue }
        json.key(field.name)
        json.write(value)
      }
    }
  }

  /// Neither since when nor how many members are up: nobody knows.
  private func writeUnknown(to json: inout JSONWriter) {
    json.field("stateByChecks", TopologyPage.State.unknown.rawValue)
    json.field("kind", config.kind.rawValue)
    json.field("topology", config.topology.rawValue)
    if let environment = config.environment { json.field("environment", environment) }
    json.key("traffic")
    json.object { _ in }
    for name in ["windows", "budgets", "members", "findings", "alerts"] {
      json.key(name)
      json.array { _ in }
    }
    json.key("unknown")
    json.array { json in
      json.object { json in
        json.field("check", Self.check)
        json.field("group", CheckGroup.health.rawValue)
        json.key("subject")
        json.object { $0.field("kind", "workload") }
        json.field("reason", shown: problem)
      }
    }
  }

  /// Stands for the check that cannot say anything.
  private static let check = "shard"
}

extension TopologyPage.Workload {
  /// A workload by what its shard says, whose pages show its servers.
  init(_ foreign: ForeignWorkload, now: WallTime) {
    let (config, told) = (foreign.config, foreign.told)
    func number(_ name: String) -> Int? { told?[name]?.number.map { Int(clamping: $0) } }
    self.init(
      foreign.name, state: foreign.state,
      traits: ["\(config.kind)", "\(config.topology)"] + [config.environment].compactMap { $0 }
        + ["shard \(foreign.shard)"],
      presentCount: number("membersPresent") ?? 0, expectedCount: number("membersExpected"))
    stateAgeSeconds = foreign.since.map { max(0, now - $0) }
    environment = config.environment
    elsewhere = TopologyPage.Elsewhere(
      site: foreign.url,
      note: told == nil ? "Nothing is known of its servers." : "Its servers are on the pages of shard \(foreign.shard)."
    )
    figures = TopologyPage.Figure.all(of: WorkloadTraffic(told?["traffic"]), partial: nil)
    findings =
      told.map { TopologyPage.Finding.all(toldBy: $0) } ?? [TopologyPage.Finding(.note, "Unknown: \(foreign.problem)")]
  }
}

extension WorkloadTraffic {
  /// As `/api/v1/fleet` has it; what is not there is not known.
  fileprivate init(_ json: JSONValue?) {
    self.init()
    func number(_ name: String) -> Double? { json?[name]?.number }
    operationsPerSecond = number("operationsPerSecond")
    evictionsPerSecond = number("evictionsPerSecond")
    if case .boolean(let isAllowed)? = json?["evictionsAllowed"] { areEvictionsAllowed = isAllowed }
    clientCount = number("clients").map { Int(clamping: $0) }
    usedMemoryBytes = number("memoryUsedBytes").map { Int(clamping: $0) }
    memoryUsedRatio = number("memoryUsedRatio")
    memoryObjectiveRatio = number("memoryObjectiveRatio")
    hitRatio = number("hitRatio")
    hitRatioObjective = number("hitRatioObjective")
    latencyP99Seconds = number("latencyP99Seconds")
    latencyObjectiveSeconds = number("latencyObjectiveSeconds")
    lagSeconds = number("lagSeconds")
    lagObjectiveSeconds = number("lagObjectiveSeconds")
  }
}

/// What pages show of other shards.
extension OtherShards {
  /// Their workloads, as the start page shows them.
  func cards(at now: WallTime) async -> [TopologyPage.Workload] {
    await fleet().workloads.map { TopologyPage.Workload($0, now: now) }
  }

  /// What fires at each of them.
  func alerts() async -> [AlertsElsewhere] {
    let (shards, workloads) = await fleet()
    return shards.map { shard in AlertsElsewhere(shard, workloads.filter { $0.shard == shard.index }) }
  }

  /// Where the page of a workload is, in a sentence; nil where no other shard watches it.
  func place(of name: String) async -> String? {
    guard let other = await workload(named: name) else { return nil }
    return "It is watched by shard \(other.shard): \(other.url.map { "\($0)/workload/\(name)" } ?? other.problem)."
  }
}

extension AlertsElsewhere {
  /// What a shard says of its workloads.
  fileprivate init(_ shard: OtherShards.Standing, _ workloads: [ForeignWorkload]) {
    self.init(shard: shard.index, site: shard.answer?.url)
    problem = shard.problem
    for workload in workloads {
      guard let told = workload.told else { continue }
      alerts += TopologyPage.Finding.alerts(toldBy: told).map { finding in
        Alert(
          workload: workload.name, level: finding.level, text: finding.text, sinceSeconds: finding.sinceSeconds)
      }
    }
  }
}

extension TopologyPage.Finding {
  /// One of them, by its own severity.
  private static func told(_ json: JSONValue, _ text: String) -> TopologyPage.Finding {
    let level: TopologyPage.Level =
      switch json["severity"]?.string {
      case "critical": .grave
      case "warning": .warning
      default: .note
      }
    var finding = TopologyPage.Finding(level, text)
    finding.isPosture = json["group"]?.string == CheckGroup.posture.rawValue
    finding.sinceSeconds = json["since"]?.string.flatMap { RFC3339.milliseconds($0) }.map { Double($0) / 1000 }
    return finding
  }

  /// The alerts that fire.
  fileprivate static func alerts(toldBy json: JSONValue) -> [TopologyPage.Finding] {
    (json["alerts"]?.elements ?? []).prefix(FleetAnswers.findingLimit).map { alert in
      told(alert, "\(alert["name"]?.string ?? "An alert") fires: \(alert["summary"]?.string ?? "")")
    }
  }

  /// The alerts that fire, and what the checks find and cannot see.
  fileprivate static func all(toldBy json: JSONValue) -> [TopologyPage.Finding] {
    let findings = (json["findings"]?.elements ?? []).prefix(FleetAnswers.findingLimit).map { one in
      told(one, one["text"]?.string ?? "")
    }
    let unknown = (json["unknown"]?.elements ?? []).prefix(FleetAnswers.findingLimit).map { one in
      told(one, "\(one["check"]?.string ?? "A check") is unknown: \(one["reason"]?.string ?? "")")
    }
    return alerts(toldBy: json) + findings + unknown
  }
}
