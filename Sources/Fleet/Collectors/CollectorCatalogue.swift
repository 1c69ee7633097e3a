/// Every collector, in the order in which they run: a new one is a file and a line here.
public enum CollectorCatalogue {
  public static let all: [any Collector] = [
    InfoCollector(),
    InstanceCollector(),
    ReplicaLinksCollector(),
    MasterLinkCollector(),
    CommandStatsCollector(),
    ErrorStatsCollector(),
    LatencyPercentilesCollector(),
    KeyspaceCollector(),
  ]
}
