import Fleet
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

  func page(of node: Node, maxAge: TimeAmount) async -> Response {
    _ = await node.page(since: .now() - maxAge, until: nil)
    let snapshot = node.poller.newest
    var page = NodePage(Self.name(of: node), metricsPath: metricsPath, nowSeconds: WallTime.now.seconds)
    let state = snapshot?.state ?? .unknown
    page.condition = NodePage.Condition(
      state.name, TopologyPage.Level(state), reason: state.error?.message ?? "",
      asOfSeconds: state.isUp ? nil : snapshot?.lastSuccess?.seconds)
    if let facts = snapshot?.facts {
      page.identity.role = state.isUp ? facts.role : "was \(facts.role)"
      page.identity.facts = [("Version", facts.versionText)]
    }
    page.identity.facts.append(("Address", node.name))
    let samples = CurrentSamples(of: node, namespace: namespace)
    page.takeFigures(samples)
    page.take(samples)
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

extension NodePage {
  /// The figures of a server without a history, but for those that are known already.
  mutating func takeFigures(_ now: CurrentSamples) {
    let known = Set(figures.map(\.title))
    defer {
      let found = figures.dropFirst(known.count).filter { !known.contains($0.title) }
      figures =
        figures.prefix(known.count)
        + found.map { figure in
          var figure = figure
          figure.asOfSeconds = condition.asOfSeconds
          return figure
        }
    }
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
  }
}
