import Redis

/// Members that call themselves master although another member is agreed upon.
///
/// Sentinels demote a former master themselves, seconds after a failover or after its return. Only what they do not mend
/// in time is a split brain; until then writes to it are lost all the same.
struct RivalMasters: Sendable {
  /// Longer than Sentinels need: they look every 10 s and wait for two such looks.
  static let sentinelGraceSeconds = 30.0

  /// How long a second master is taken for one that is about to be demoted.
  let graceSeconds: Double
  private var sinceSeconds: [NodeAddress: Double] = [:]

  init(graceSeconds: Double) { self.graceSeconds = graceSeconds }

  mutating func note(_ view: ReplicationView, atSeconds now: Double) {
    let rivals = view.masters.filter { $0 != view.master }
    sinceSeconds = Dictionary(uniqueKeysWithValues: rivals.map { ($0, sinceSeconds[$0] ?? now) })
  }

  /// Those that are still to be demoted, sorted.
  func demoted(atSeconds now: Double) -> [NodeAddress] {
    sinceSeconds.filter { now - $0.value < graceSeconds }.keys.sorted()
  }

  /// Whether nobody seems to demote one of them.
  func isSplit(atSeconds now: Double) -> Bool { sinceSeconds.values.contains { now - $0 >= graceSeconds } }
}
