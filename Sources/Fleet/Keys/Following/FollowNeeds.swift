import Config
import Redis

extension ServerFacts {
  /// Whether it names keys by prefix as they change (Redis 6).
  var knowsTracking: Bool { version >= Version(6) }
}

extension KeyWatches {
  /// What following locks and circuits needs of a member. It changes the language of the connection: it comes last.
  func followNeeds(_ server: ServerFacts) -> [AccessNeed] {
    guard FollowPlan(self) != nil, server.knowsTracking else { return [] }
    return [
      AccessNeed(
        FollowRights.feature, Tracking.trials, channels: [Tracking.channel],
        lost: ["redis_lock_* and redis_locks_held_long: locks are found by walks alone"])
    ]
  }
}

/// Following locks and circuits, as rights know it.
public enum FollowRights {
  /// Of ``AccessNeed``.
  public static let feature = "follow"

  /// What somebody should know who grants them.
  public static let notice = """
    With these rights (follow) a server names every key that changes and begins with a prefix that this user asks for,
    whatever the user's key rights are: who logs in as this user can see names, never values, of all keys.
    """
}
