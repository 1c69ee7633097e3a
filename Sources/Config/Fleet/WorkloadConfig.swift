/// One workload of the file with everything filled in: its own fields, else `defaults`, else what its kind brings.
public struct WorkloadConfig: Sendable, Equatable {
  /// Unique in the file; the label `workload`.
  public let name: String
  public let kind: WorkloadKind
  public let topology: Topology
  /// Servers to start from; empty with topology `sentinel`, whose Sentinels are in `sentinel`.
  public let seeds: [SeedAddress]
  /// Present with topology `sentinel` alone.
  public let sentinel: SentinelGroup?
  public let login: LoginConfig?
  /// Nil for connections without TLS.
  public let tls: TLSConfig?
  public let expected: MemberCounts
  public let members: MemberRules
  public let eviction: EvictionPolicy
  public let persistence: PersistencePolicy
  /// Outside of the peak's windows.
  public let objectives: Objectives
  public let peak: PeakProfile?
  public let pollInterval: Duration
  /// The deadline of one whole poll.
  public let timeout: Duration
  public let environment: String?
  public let team: String?
  /// Further labels; none of them reserved.
  public let labels: [String: String]
  /// Its own windows, then those of the whole file.
  public let maintenance: Schedule
  /// Its own rules, then those of the whole file; the first that matches counts.
  public let addressRewrites: [AddressRewrite]
  public let watches: KeyWatches
  /// Instance names by address in the form of `SeedAddress.description`.
  public let aliases: [String: String]

  /// The objectives in force at a moment.
  public func objectives(at time: Timestamp) -> Objectives {
    activePeak(at: time)?.objectives ?? objectives
  }

  /// Whether keys may be evicted at a moment; nil when that is not judged.
  public func areEvictionsAllowed(at time: Timestamp) -> Bool? {
    if activePeak(at: time)?.areEvictionsForbidden == true { return false }
    return eviction.permission == .any ? nil : eviction.permission == .allowed
  }

  public func isInPeak(at time: Timestamp) -> Bool { activePeak(at: time) != nil }

  public func isInMaintenance(at time: Timestamp) -> Bool { maintenance.contains(time) }

  private func activePeak(at time: Timestamp) -> PeakProfile? {
    peak.flatMap { $0.windows.contains(time) ? $0 : nil }
  }
}
