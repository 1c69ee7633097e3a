import Metrics
import Redis

/// Asks a server for its view of the topology: a cluster node for CLUSTER NODES, a Sentinel for one of its masters.
///
/// It exports nothing itself: its replies become ``MemberFacts`` of the poll's snapshot.
struct MembershipCollector: Collector {
  /// The master that Sentinels are asked about; nil where no Sentinel is asked.
  let masterName: String?

  let name = "membership"
  let families: [Family] = []
  /// NOQUORUM, and that a Sentinel does not know the master, are answers.
  let acceptsErrors = true
  let readsInfoOnly = true

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    switch server.mode {
    case .cluster: return [["CLUSTER", "NODES"]]
    case .sentinel:
      guard let masterName else { return [] }
      return [
        ["SENTINEL", "MYID"], ["SENTINEL", "MASTER", masterName], ["SENTINEL", "SLAVES", masterName],
        ["SENTINEL", "SENTINELS", masterName], ["SENTINEL", "CKQUORUM", masterName],
      ]
    case .standalone: return []
    }
  }

  func collect(_ input: CollectorInput, into sink: inout SampleSink) throws(CollectorError) {}
}
