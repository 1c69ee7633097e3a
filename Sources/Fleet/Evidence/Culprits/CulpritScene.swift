import Redis
import Runtime
import Storage

/// What is known around an alert when rules look for what may be its cause.
struct CulpritScene: Sendable {
  /// When the alert became pending.
  let at: WallTime
  let now: WallTime
  let nodes: [NodeFacts]
  /// What happened to the workload in the quarter of an hour before, in any order.
  let events: [Event]

  /// What is older has nothing to do with it.
  static let reachSeconds = 90.0

  /// Whether a moment is close enough to the alert to be its cause, or later.
  func isNear(_ time: WallTime, within seconds: Double = reachSeconds) -> Bool {
    time >= at - seconds && time <= now + seconds
  }

  func distance(_ time: WallTime) -> String { EvidenceText.distance(time, from: at) }

  /// Everything that stands out, the heaviest first.
  func culprits(_ rules: [CulpritRule] = CulpritRule.all) -> [Evidence.Culprit] {
    var found = rules.flatMap { $0.look(self) }
    // Who flushed was slow as well, and says the same.
    if found.contains(where: { $0.rule == "flush" }) {
      found.removeAll { $0.rule == "slow-command" && $0.key.hasPrefix("flush") }
    }
    return found.sorted { ($1.weight, $0.rule, $0.key) < ($0.weight, $1.rule, $1.key) }
  }
}

/// Something that may be the cause of an alert, and how it shows.
///
/// Rules are data: each names what it looks at and how heavy its sentence is beside those of others. It says nothing where
/// nothing stands out.
struct CulpritRule: Sendable {
  /// Short and stable, in lower case with hyphens.
  let id: String
  let look: @Sendable (CulpritScene) -> [Evidence.Culprit]

  /// A rule that looks at each server.
  static func node(
    _ id: String, _ look: @escaping @Sendable (NodeFacts, CulpritScene) -> [Evidence.Culprit]
  ) -> CulpritRule {
    CulpritRule(id: id) { scene in scene.nodes.flatMap { look($0, scene) } }
  }

  /// Every rule: a new one is an entry here.
  static let all = ofServers + ofClients + ofReplication + ofPersistence + ofMemory + ofChanges
}
