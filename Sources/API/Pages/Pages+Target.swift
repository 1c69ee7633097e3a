import Fleet
import Metrics
import NIOCore
import Redis
import Runtime
import Web

/// The page of the one server that flags name. It is polled when somebody asks, and no history of it is kept.
extension Pages {
  /// The part of its address that a path can show: `localhost:6379`.
  static func name(of node: Node) -> String {
    guard let scheme = node.name.firstRange(of: "://") else { return node.name }
    return String(node.name[scheme.upperBound...])
  }

  func page(of node: Node, maxAge: TimeAmount, _ request: Request) async -> Response {
    _ = await node.page(since: .now() - maxAge, until: nil)
    let snapshot = node.poller.newest
    var page = NodePage(Self.name(of: node), metricsPath: metricsPath, nowSeconds: WallTime.now.seconds)
    page.isRefreshed = request.queryValue("refresh") != nil
    let state = snapshot?.state ?? .unknown
    page.condition = NodePage.Condition(
      state.name, TopologyPage.Level(state), reason: state.error?.message ?? "",
      asOfSeconds: state.isUp ? nil : snapshot?.lastSuccess?.seconds)
    if let facts = snapshot?.facts {
      page.facts = [("Role", state.isUp ? facts.role : "was \(facts.role)"), ("Version", facts.versionText)]
    }
    page.facts.append(("Address", node.name))
    page.take(CurrentFigures(node.registry.page(), namespace: namespace))
    page.notice = "No history is kept of a server that flags name: watch it by a configuration file for that."
    return page.response()
  }
}

extension TopologyPage.Level {
  init(_ state: TargetState) {
    self =
      switch state {
      case .up: .good
      case .loading: .warning
      case .unknown: .note
      case .failed: .grave
      }
  }
}

extension ServerFacts {
  /// Product and version: `Valkey 8.0.1`.
  var versionText: String {
    valkeyVersion.map { "Valkey \($0)" } ?? "\(product == .keydb ? "KeyDB" : "Redis") \(version)"
  }
}

/// Single numbers of a metrics page, by the names of their families without the namespace.
struct CurrentFigures {
  private static let names = [
    "memory_used_bytes", "memory_max_bytes", "instantaneous_operations_per_second", "connected_clients",
    "uptime_in_seconds",
    "slowlog_length", "last_slow_execution_duration_seconds", "last_slow_execution_timestamp_seconds",
    "keyspace_hits_total", "keyspace_misses_total",
  ]
  private var values: [String: Double] = [:]

  init(_ page: Registry.Page, namespace: String) {
    let prefix = namespace.isEmpty ? "" : "\(namespace)_"
    var selection = FamilySelection(namespace: namespace) { Self.names.map { prefix + $0 }.contains($0) }
    for samples in page.sources {
      var found: [String] = []
      samples.forEachSeries(of: &selection, namespace: namespace, areEdgesFloats: false) { found.append($0.name) }
      var numbers: [Double] = []
      samples.appendValues(of: &selection, to: &numbers)
      for (name, value) in zip(found, numbers) { values[String(name.dropFirst(prefix.count))] = value }
    }
  }

  subscript(name: String) -> Double? { values[name] }
}

extension NodePage {
  fileprivate mutating func take(_ now: CurrentFigures) {
    if let uptime = now["uptime_in_seconds"] { facts.append(("Up for", TimeSeries.Unit.seconds.words(uptime))) }
    if let used = now["memory_used_bytes"] {
      let limit = now["memory_max_bytes"] ?? 0
      let share = limit > 0 ? "\(TimeSeries.Unit.ratio.words(used / limit)) of maxmemory" : "no limit is set"
      figures.append(Figure("Memory", TimeSeries.Unit.bytes.words(used), note: share))
    }
    if let rate = now["instantaneous_operations_per_second"] {
      figures.append(Figure("Commands", TimeSeries.Unit.perSecond.words(rate)))
    }
    if let hits = now["keyspace_hits_total"], let misses = now["keyspace_misses_total"], hits + misses > 0 {
      figures.append(
        Figure("Hit ratio", TimeSeries.Unit.ratio.words(hits / (hits + misses)), note: "since the server started"))
    }
    if let clients = now["connected_clients"] {
      figures.append(Figure("Clients", TimeSeries.Unit.count.words(clients)))
    }
    guard let entries = now["slowlog_length"] else { return }
    var log = SlowLog()
    log.entryCount = entries
    log.newestDurationSeconds = now["last_slow_execution_duration_seconds"]
    log.newestSeconds = now["last_slow_execution_timestamp_seconds"]
    slowLog = log
  }
}
