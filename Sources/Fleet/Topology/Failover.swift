import Redis
import Runtime

/// One failover, or an attempt at one, in whatever way its topology shows it.
public struct Failover: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// A quorum had found the master down.
    case automatic
    /// Somebody asked for it.
    case manual
    /// An attempt that led to no new master.
    case aborted
    /// Learnt afterwards from the epoch or the address; who started it is not known.
    case missed
  }

  /// The steps of a failover in their order; raw values serve as label values.
  public enum Phase: String, Sendable, CaseIterable, Comparable {
    case sdown, odown
    case attempt = "try"
    case elected, selected, promoted
    case switched = "switch"
    case end

    public static func < (left: Phase, right: Phase) -> Bool { left.order < right.order }
    private var order: Int { Phase.allCases.firstIndex(of: self) ?? 0 }
  }

  /// Tells it from all others of the workload, also over restarts of the daemon: what is known later comes under the same.
  public let key: String
  /// What failed over: `mymaster`, `5461 slots`.
  public let subject: String
  public internal(set) var kind: Kind
  public internal(set) var from: NodeAddress?
  /// What the former master is called where its address is not known any more.
  public internal(set) var fromID: String?
  /// nil for an aborted attempt, and while a missed one's new master is not known.
  public internal(set) var to: NodeAddress?
  /// The epoch that the new master won, once it was read.
  public internal(set) var epoch: Int?
  /// That of the new master, where nobody counts epochs.
  public internal(set) var replicationID: String?
  /// When it was counted; of a missed one when it had taken place at the latest, as far as servers tell.
  public internal(set) var counted: WallTime
  /// When each phase was first heard of by any Sentinel.
  public internal(set) var phases: [Phase: WallTime] = [:]
  /// The abort's channel, or `+failover-end-for-timeout` where replicas did not follow in time.
  public internal(set) var trouble: String?
  /// How many failovers a missed one may stand for: the difference of epochs, which failed elections raise too.
  public internal(set) var atMost = 1
  public internal(set) var cost = Cost()

  init(key: String, subject: String, kind: Kind, counted: WallTime) {
    self.key = key
    self.subject = subject
    self.kind = kind
    self.counted = counted
  }

  /// How long it took to come to each phase from the phase before it that was seen; the first has none.
  public var durations: [(phase: Phase, seconds: Double)] {
    let seen = Phase.allCases.compactMap { phase in phases[phase].map { (phase, $0) } }
    return zip(seen.dropFirst(), seen).map { ($0.0, max(0, $0.1 - $1.1)) }
  }

  /// What everybody who saw it knows it by, also another daemon; nil until that was read.
  public var mark: String? { epoch.map { "\($0)" } ?? replicationID }
}

extension Failover.Phase {
  /// The phase that an event about a master or its chosen replica begins.
  public init?(_ change: SentinelEvent.Change) {
    switch change {
    case .subjectivelyDown: self = .sdown
    case .objectivelyDown: self = .odown
    case .tryFailover: self = .attempt
    case .electedLeader: self = .elected
    case .selectedReplica: self = .selected
    case .promotedReplica: self = .promoted
    case .failoverEnd: self = .end
    default: return nil
    }
  }
}
