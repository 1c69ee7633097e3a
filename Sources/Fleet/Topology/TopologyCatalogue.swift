import Config
import Redis

/// What follows each topology, and beside it what counts its failovers: a line each.
enum TopologyCatalogue {
  static func make(_ config: WorkloadConfig, _ kept: KeptFailovers) -> (any Follower, any FailoverTracking) {
    let seeds = config.seeds.map { NodeAddress($0) }
    return switch config.topology {
    case .static, .redlock: (StaticFollower(seeds: seeds), NoFailovers())
    case .replication:
      (ReplicationFollower(seeds: seeds), ReplicationFailoverTracker(subject: config.name, state: kept.state()))
    case .cluster: (ClusterFollower(seeds: seeds), ClusterFailoverTracker(state: kept.state()))
    case .sentinel: (SentinelFollower(config), SentinelFailoverTracker(config, state: kept.state()))
    }
  }
}
