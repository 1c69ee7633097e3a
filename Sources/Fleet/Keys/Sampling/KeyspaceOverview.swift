import Config
import Runtime

/// What is known of a workload's keys by samples, for the page about them.
public struct KeyspaceOverview: Sendable {
  /// Why a sample did not come about.
  public enum Pause: String, Sendable, CaseIterable {
    /// Of some shard no server can be read.
    case noReader = "no_reader"
    case refused, failed
    /// Servers were restarted, flushed or failed over meanwhile.
    case changed
  }

  /// What a sample was compared with to say what has grown.
  public enum Comparison: Sendable, Equatable {
    /// Why nothing older can be compared with.
    public enum Cause: Sendable {
      /// Sampling began.
      case first
      /// Other places of the tables were chosen to be looked at.
      case otherPlaces
      /// Servers were restarted, or others are read.
      case otherServers
      /// Not every key had been looked at then: large ones came to be known since.
      case census
    }

    /// With the sample of then.
    case with(WallTime)
    /// With nothing: the oldest sample that will do is of then.
    case begun(since: WallTime, Cause)
    /// A right is missing to know how large keys are, or when they expire.
    case refused
    /// The sample was ended early, or there is no room to keep it: nothing can be compared with it later.
    case notKept
  }

  /// When there is a sample again.
  public enum Turn: Sendable, Equatable {
    /// Servers are not known yet.
    case unknown
    case due(WallTime)
    /// It is under way, or waits for those of other workloads.
    case underWay
  }

  /// The newest; nil before the first has ended, and where it is too old.
  public let report: KeyspaceReport?
  /// When the newest began, however old; nil before the first.
  public let newestAt: WallTime?
  /// By prefix, how much more memory it takes than then; prefixes are missing where that is not known.
  public let growth: [String: SampledAmount]
  /// nil where no sample is.
  public let comparison: Comparison?
  /// Why the last attempt came to nothing; nil where it did not.
  public let pause: Pause?
  public let turn: Turn
  /// From the start of a sample to the start of the next.
  public let intervalSeconds: Double
  /// Since when growth is told.
  public let growthSeconds: Double
  /// What passes over every key found; nil where none are made.
  public let census: CensusOverview?
  public let names: KeyspaceConfig.Names

  init(
    _ config: KeyspaceConfig, _ tracker: KeyspaceTracker?, _ turn: Turn, _ census: CensusOverview? = nil,
    at now: WallTime
  ) {
    self.census = census
    names = config.names
    let fresh = tracker?.fresh(at: now)
    report = fresh?.report
    newestAt = tracker?.newest?.report.beganAt
    growth = fresh?.growth ?? [:]
    comparison = fresh?.comparison
    pause = tracker?.pause
    self.turn = turn
    intervalSeconds = config.interval.seconds
    growthSeconds = config.growth.seconds
  }
}
