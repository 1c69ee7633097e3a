/// Every collector, in the order in which they run: a new one is a file and a line here.
public enum CollectorCatalogue {
  public static let all: [any Collector] = withFamilies([
    // From INFO alone.
    InfoCollector(),
    InstanceCollector(),
    ReplicaLinksCollector(),
    MasterLinkCollector(),
    CommandStatsCollector(),
    ErrorStatsCollector(),
    LatencyPercentilesCollector(),
    KeyspaceCollector(),
    KeySizesCollector(),
    ThreadsCollector(),
    ClientPauseCollector(),
    ScriptingEnginesCollector(),
    CertificatesCollector(),
    SentinelStatusCollector(),
    // From commands of their own.
    ConfigCollector(),
    DumpFileCollector(),
    ClusterCollector(),
    SlotMigrationsCollector(),
    LatencyEventsCollector(),
    LatencyHistogramCollector(),
    SlowlogCollector(),
    CommandLogCollector(),
    ClientListCollector(),
    ModulesCollector(),
    Tile38Collector(),
    SentinelMastersCollector(),
    SentinelQuorumCollector(),
    SentinelConfigCollector(),
  ])

  /// The same collectors, once all their families are defined: no server may be first with one of their names.
  private static func withFamilies(_ collectors: [any Collector]) -> [any Collector] {
    for collector in collectors { _ = collector.families }
    return collectors
  }
}
