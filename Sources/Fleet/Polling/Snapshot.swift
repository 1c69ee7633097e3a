import Metrics
import NIOCore
import Redis
import Runtime

/// What one poll left behind. Immutable; a newer one replaces it whole.
public struct Snapshot: Sendable {
  public let samples: Samples
  public let state: TargetState
  /// When the poll began, by the event loops' clock: what freshness is measured from.
  public let started: NIODeadline
  public let ended: WallTime
  public let durationSeconds: Double
  /// What INFO said of the server, or what it said last while it is down.
  public let facts: ServerFacts?
  /// What the poll says of the target's place in a topology; nil when it failed or nobody follows one.
  let member: Shared<MemberFacts>?
  /// When a poll last succeeded.
  public let lastSuccess: WallTime?
}
