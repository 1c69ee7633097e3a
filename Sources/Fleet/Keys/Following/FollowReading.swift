/// What is known of the locks and circuits of one shard, or of a workload, by following them.
struct FollowReading: Sendable {
  /// A lock that is held.
  struct Lock: Sendable {
    /// Of its name.
    let hash: Int
    /// Since it was taken; of one that was held before anybody listened, at least so long.
    let seconds: Double
    let isWhole: Bool
    /// nil for one that never expires.
    let leftSeconds: Double?

    /// The hash as people see it: another one after each start.
    var mark: String {
      let digits = String(UInt(bitPattern: hash) >> 32, radix: 16)
      return "#" + String(repeating: "0", count: 8 - digits.count) + digits
    }
  }

  /// Locks that pages show.
  static let oldestLimit = 20

  var isFollowing = false
  /// What the server does not allow, as an ACL names it; nil where nothing is known to be refused.
  var refused: String?
  var heldLongCount = 0
  var longestSeconds: Double?
  /// Locks without TTL.
  var lastingCount = 0
  var heldCount = 0
  var circuits = FollowedCircuits()
  var oldest: [Lock] = []
}

extension FollowReading {
  /// What a walk found, with what is newer laid over it.
  ///
  /// - Parameter began: when the walk did, in seconds of a clock that only goes forward.
  func overlay(_ run: any WatchRun, began: Double, at now: Double) -> any WatchRun {
    guard isFollowing else { return run }
    if var locks = run as? RunOf<LockWatch> {
      // Those that were there before anybody listened are known to walks alone.
      locks.revise { $0.withoutTTLCount = max($0.withoutTTLCount, lastingCount) }
      return locks
    }
    if var counters = run as? RunOf<CircuitWatch> {
      counters.revise { $0 = circuits.overlay($0, began: began, at: now) }
      return counters
    }
    return run
  }
}
