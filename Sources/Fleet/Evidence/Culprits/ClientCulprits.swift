import Redis
import Runtime
import Storage

extension CulpritRule {
  /// What clients did.
  static let ofClients: [CulpritRule] = [
    CulpritRule(id: "flush") { scene in
      var found = scene.nodes.flatMap { flushes(on: $0, scene) }
      // The client that ran it may have hung up by now.
      for event in scene.events where event.kind == .flush && scene.isNear(event.at) && found.isEmpty {
        let node = event.node.isEmpty ? event.workload : event.node
        found.append(
          Evidence.Culprit(
            "flush", key: node, weight: 90,
            "FLUSHALL or FLUSHDB ran on \(node), seen at \(EvidenceText.clock(event.at)); its client has hung up",
            restsOn: "the server's count of calls"))
      }
      return found
    },
    .node("no-connection-left") { node, _ in
      guard node.silence?.errorClass == .maxclients else { return [] }
      return [
        culprit(
          "no-connection-left", node, weight: 85, "clients have taken every connection of \(named(node)): maxclients",
          restsOn: "its refusal")
      ]
    },
    .node("client-storm") { node, _ in
      guard let count = node.numbers["connected_clients"] else { return [] }
      let limit = node.numbers["maxclients"]
      let isFull = limit.map { $0 > 0 && count >= 0.8 * $0 } ?? false
      let refused = node.rise("rejected_connections") ?? 0
      let rate = node.rate("total_connections_received") ?? 0
      guard isFull || refused > 0 || rate >= 100 else { return [] }
      let origins = Dictionary(grouping: node.clients.filter { !$0.isReplica }) { $0.origin }
        .mapValues { $0.reduce(0) { $0 + $1.count } }
      let top = origins.max { ($0.value, $1.key.place) < ($1.value, $0.key.place) }
      var parts: [String] = []
      if let top, Double(top.value) >= max(20, 0.3 * count) {
        parts.append(
          "\(top.key.place) holds \(EvidenceText.count(Double(top.value))) of \(EvidenceText.count(count)) connections")
      } else if isFull || refused > 0 {
        parts.append("\(EvidenceText.count(count)) connections are open")
      }
      if let limit, isFull || refused > 0 { parts.append("maxclients is \(EvidenceText.count(limit))") }
      if rate >= 100 { parts.append("\(EvidenceText.count(rate)) new ones a second") }
      if refused > 0 { parts.append("\(EvidenceText.count(refused)) turned away in \(node.pastSpan)") }
      return [
        culprit(
          "client-storm", node, weight: refused > 0 || isFull ? 86 : 60,
          "on \(named(node)) \(parts.joined(separator: ", "))", restsOn: "CLIENT LIST and INFO of \(node.instance)")
      ]
    },
    .node("output-buffers") { node, _ in
      // Clients that do not read what they asked for.
      node.clients.filter { !$0.isReplica && $0.outputBytes >= Double(64 << 20) }.prefix(1).map { group in
        culprit(
          "output-buffers", node, key: group.origin.place, weight: 66,
          "\(group.origin.place) leaves \(EvidenceText.bytes(group.outputBytes)) of answers unread on \(named(node))",
          restsOn: "CLIENT LIST of \(node.instance)")
      }
    },
    .node("refused-by-acl") { node, scene in
      let near = node.denials.filter { scene.isNear(node.wall - $0.ageSeconds, within: 300) }
      guard let most = near.max(by: { $0.count < $1.count }), most.count >= 5 else { return [] }
      let what =
        switch most.reason {
        case "login": "failed to log in"
        case "command": "was refused \(most.command?.uppercased().replacing("|", with: " ") ?? "a command")"
        default: "was refused a \(most.reason)"
        }
      return [
        culprit(
          "refused-by-acl", node, key: "\(most.reason) \(most.origin.place)", weight: 52,
          "\(most.origin.place) \(what) \(most.count) times on \(named(node))", restsOn: "ACL LOG of \(node.instance)")
      ]
    },
  ]

  /// The clients whose last command was a flush, and the flushes that were slow.
  private static func flushes(on node: NodeFacts, _ scene: CulpritScene) -> [Evidence.Culprit] {
    var found: [Evidence.Culprit] = []
    for group in node.clients where group.command.hasPrefix("flush") {
      let at = node.wall - (group.idleSeconds.isFinite ? group.idleSeconds : 0)
      guard scene.isNear(at) else { continue }
      found.append(
        culprit(
          "flush", node, key: group.origin.place, weight: 96,
          "\(group.command.uppercased()) by client \(group.origin.place) at \(EvidenceText.clock(at)), \(scene.distance(at))",
          restsOn: "CLIENT LIST of \(node.instance)"))
    }
    guard found.isEmpty else { return found }
    for call in node.slow where call.shape.name.hasPrefix("flush") && scene.isNear(call.ended) {
      let who = call.client.map { " by client \($0.place)" } ?? ""
      found.append(
        culprit(
          "flush", node, key: call.client?.place ?? "", weight: 95,
          "\(call.shape.title)\(who) took \(EvidenceText.duration(call.seconds)) at \(EvidenceText.clock(call.ended)), "
            + scene.distance(call.ended),
          restsOn: "slow log of \(node.instance)"))
    }
    return found
  }
}
