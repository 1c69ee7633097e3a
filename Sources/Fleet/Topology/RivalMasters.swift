import Redis
import Runtime

/// Members that call themselves master although another member is agreed upon.
///
/// Sentinels demote a former master themselves, seconds after a failover or after its return. Only what they do not mend
/// in time is a split brain; until then writes to it are lost all the same.
struct RivalMasters: Sendable {
  /// Longer than Sentinels need: they look every 10 s and wait for two such looks.
  static let sentinelGraceSeconds = 30.0

  /// How long a second master is taken for one that is about to be demoted.
  let graceSeconds: Double
  private var since: [NodeAddress: Monotonic] = [:]

  init(graceSeconds: Double) { self.graceSeconds = graceSeconds }

  mutating func note(_ view: ReplicationView, at now: Monotonic) {
    let rivals = view.rivals
    since = Dictionary(uniqueKeysWithValues: rivals.map { ($0, since[$0] ?? now) })
  }

  /// Those that are still to be demoted, sorted.
  func demoted(at now: Monotonic) -> [NodeAddress] {
    since.filter { now - $0.value < graceSeconds }.keys.sorted()
  }

  /// Whether nobody seems to demote one of them.
  func isSplit(at now: Monotonic) -> Bool { since.values.contains { now - $0 >= graceSeconds } }
}
