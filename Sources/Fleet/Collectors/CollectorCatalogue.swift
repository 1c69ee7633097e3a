/// Every collector, in the order in which they run: a new one is a file and a line here.
public enum CollectorCatalogue {
  public static let all: [any Collector] = [
    // From INFO alone.
    InfoCollector(),
    InstanceCollector(),
    ReplicaLinksCollector(),
    MasterLinkCollector(),
    CommandStatsCollector(),
    ErrorStatsCollector(),
    LatencyPercentilesCollector(),
    KeyspaceCollector(),
    ThreadsCollector(),
    ScriptingEnginesCollector(),
    CertificatesCollector(),
    SentinelStatusCollector(),
    // From commands of their own.
    ConfigCollector(),
    DumpFileCollector(),
    ClusterCollector(),
    LatencyEventsCollector(),
    LatencyHistogramCollector(),
    SlowlogCollector(),
    CommandLogCollector(),
    ClientListCollector(),
    ModulesCollector(),
    SentinelMastersCollector(),
    SentinelQuorumCollector(),
    SentinelConfigCollector(),
  ]
}
