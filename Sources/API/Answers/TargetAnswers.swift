import Config
import Fleet
import Metrics
import PromQL
import Redis
import Runtime

extension HTTPAPI {
  /// One server that is polled, as `targets` shows it.
  public struct Target: Sendable {
    enum Health: String, Sendable { case unknown, up, down }

    /// Those that its series carry.
    var labels: [String: String]
    /// The job, or the workload.
    var pool: String
    /// Without a password.
    var url: String
    var health: Health
    /// Empty when the last poll was good.
    var lastError = ""
    /// Milliseconds since 1970.
    var lastScrapeMilliseconds: Int64?
    var lastScrapeSeconds = 0.0
    /// Between two polls, and the longest that one may take, in milliseconds.
    var intervalMilliseconds: Int64 = 0
    var timeoutMilliseconds: Int64 = 0
    /// The names of the metric families that it gives now.
    var families = { @Sendable () -> Set<String> in [] }
  }

  /// What is known of a metric family.
  public struct Metadata: Sendable {
    var name: String
    /// `counter`, `gauge`, `histogram`, `summary`, `unknown`.
    var type: String
    var help: String
    var unit: String
  }
}

/// The servers that are polled, and what the families of their series are.
struct TargetAnswers: Sendable {
  typealias Target = HTTPAPI.Target
  typealias Metadata = HTTPAPI.Metadata

  let all: @Sendable () async -> [Target]
  /// The metric families that the program can export.
  let families: [Metadata]

  /// The servers that are polled. None is ever dropped.
  func targets(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    let state = parameters.text("state")
    guard ["", "any", "active", "dropped"].contains(state.lowercased()) else {
      throw APIError.invalid("state", "\(parameters.shown(state)) is none of active, dropped, any")
    }
    let pool = parameters.text("scrapePool")
    let all = await all()
    let shown = state.lowercased() == "dropped" ? [] : all.filter { pool.isEmpty || $0.pool == pool }
    let limit = answer.limit
    try answer.data.object { json throws(APIError) in
      json.key("activeTargets")
      try json.list(shown, within: limit) { Self.write($1, to: &$0) }
      json.key("droppedTargets")
      json.array { _ in }
    }
  }

  private static func write(_ target: Target, to json: inout JSONWriter) {
    json.object { json in
      json.key("discoveredLabels")
      json.texts(target.labels)
      json.key("labels")
      json.texts(target.labels)
      json.field("scrapePool", target.pool)
      json.field("scrapeUrl", target.url)
      json.field("globalUrl", target.url)
      json.field("lastError", target.lastError)
      json.field("lastScrape", atMilliseconds: target.lastScrapeMilliseconds)
      json.field("lastScrapeDuration", target.lastScrapeSeconds)
      json.field("health", target.health.rawValue)
      json.field("scrapeInterval", NumberSyntax.duration(milliseconds: target.intervalMilliseconds))
      json.field("scrapeTimeout", NumberSyntax.duration(milliseconds: target.timeoutMilliseconds))
    }
  }

  /// Type and help of the metric families of each target, or of one family of each target that has it.
  func targetMetadata(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    let limit = try parameters.metadataLimit() ?? .max
    let matchers = try parameters.selectors("match_target").first ?? []
    let name = parameters.text("metric")
    var found: [(target: Target, family: Metadata)] = []
    for target in await all() where found.count < limit {
      let labels = Labels(target.labels.map { Labels.Pair($0.key, $0.value) })
      guard matchers.allSatisfy({ $0.matches(labels) }) else { continue }
      let names = target.families()
      found += families.filter { (name.isEmpty || $0.name == name) && names.contains($0.name) }.map {
        (target, $0)
      }
    }
    try answer.data.list(found.prefix(limit), within: answer.limit) { json, one in
      json.object { json in
        json.key("target")
        json.texts(one.target.labels)
        if name.isEmpty { json.field("metric", one.family.name) }
        json.field("type", one.family.type)
        json.field("help", one.family.help)
        json.field("unit", one.family.unit)
      }
    }
  }

  /// Type and help of every metric family, or of one.
  func metadata(_ parameters: APIParameters, _ answer: inout APIAnswer) throws {
    let limit = try parameters.metadataLimit() ?? .max
    _ = try parameters.metadataLimit("limit_per_metric")
    let name = parameters.text("metric")
    let found = families.filter { name.isEmpty || $0.name == name }
    answer.data.object { json in
      for family in found.prefix(limit) {
        json.key(family.name)
        json.array { json in
          json.texts(["type": family.type, "help": family.help, "unit": family.unit])
        }
      }
    }
  }
}

extension HTTPAPI.Metadata {
  /// The families that the program can export, by the names that its pages show.
  public static func catalogue(_ families: [Family], namespace: String) -> [HTTPAPI.Metadata] {
    let exposition = Exposition(namespace: namespace)
    var known: Set<String> = []
    return families.compactMap { family in
      let name = exposition.fullName(of: family)
      guard known.insert(name).inserted else { return nil }
      return HTTPAPI.Metadata(
        name: name, type: family.type == .untyped ? "unknown" : family.type.rawValue, help: family.help,
        unit: family.unit.rawValue)
    }.sorted { $0.name < $1.name }
  }
}

extension HTTPAPI.Target {
  public init(_ member: FleetMember, job: String, namespace: String) {
    var labels = ["job": job, "instance": member.instance, "workload": member.workload]
    labels["environment"] = member.environment
    self.init(labels: labels, pool: member.workload, url: "\(member.address)", health: .unknown)
    intervalMilliseconds = Int64(clamping: member.pollInterval / .milliseconds(1))
    timeoutMilliseconds = Int64(clamping: member.timeout / .milliseconds(1))
    families = { [registry = member.node.registry] in
      registry.page().sources.reduce(into: []) { $0.formUnion($1.familyNames(namespace: namespace)) }
    }
    guard let newest = member.node.poller.newest else { return }
    switch newest.state {
    case .unknown: break
    case .up, .loading: health = .up
    case .failed(let error):
      health = .down
      lastError = error.message
    }
    lastScrapeMilliseconds = newest.ended.epochMs
    lastScrapeSeconds = newest.durationSeconds
  }
}
