import Redis
import Runtime

/// What a poll of one node of a cluster says that tells how a failover came about.
public struct ClusterTestimony: Sendable, Equatable {
  /// Messages on the cluster bus that betray why a failover took place, counted since the node's start.
  public struct Messages: Sendable, Equatable {
    /// A replica that was told CLUSTER FAILOVER asks its master to pause: `mfstart`, sent and received.
    public var manualRequestCount: Int
    /// The majority of masters has found a node failed: `fail`, sent and received.
    public var failNoticeCount: Int

    public init(manualRequestCount: Int, failNoticeCount: Int) {
      self.manualRequestCount = manualRequestCount
      self.failNoticeCount = failNoticeCount
    }

    /// Reads CLUSTER INFO, which leaves out what never was; nil before Redis 4, which does not count by kind.
    init?(_ info: InfoText) {
      func sum(_ kind: String) -> Int {
        (info.integer("cluster_stats_messages_\(kind)_sent") ?? 0)
          + (info.integer("cluster_stats_messages_\(kind)_received") ?? 0)
      }
      guard info["cluster_stats_messages_ping_sent"] != nil || info["cluster_stats_messages_ping_received"] != nil
      else {
        return nil
      }
      self.init(manualRequestCount: sum("mfstart"), failNoticeCount: sum("fail"))
    }
  }

  public let id: String
  /// When the poll ended.
  public let ended: WallTime
  /// nil when it did not answer.
  public let answer: Answer?

  public struct Answer: Sendable, Equatable {
    public let runID: String
    public let isMaster: Bool
    /// nil where CLUSTER INFO cannot be read.
    public let messages: Messages?
    /// The masters that the node suspects or finds failed.
    public let failingMasters: Set<String>

    public init(runID: String, isMaster: Bool, messages: Messages?, failingMasters: Set<String>) {
      self.runID = runID
      self.isMaster = isMaster
      self.messages = messages
      self.failingMasters = failingMasters
    }
  }

  public init(id: String, ended: WallTime, answer: Answer?) {
    self.id = id
    self.ended = ended
    self.answer = answer
  }

  /// - Returns: nil for a node that has not been polled, or that nobody can tell the id of.
  init?(_ reading: MemberReading, in view: ClusterView) {
    guard let answers = reading.answers else { return nil }
    guard answers, let facts = reading.facts, let nodes = facts.cluster,
      let myself = nodes.nodes.first(where: \.isMyself)
    else {
      guard !answers, let id = view.members.first(where: { $0.address == reading.address })?.id else { return nil }
      self.init(id: id, ended: reading.ended, answer: nil)
      return
    }
    let failing = nodes.nodes.filter { $0.isMaster && ($0.flags.contains("fail") || $0.flags.contains("fail?")) }
    self.init(
      id: myself.id, ended: reading.ended,
      answer: Answer(
        runID: facts.server.runID, isMaster: myself.isMaster, messages: facts.clusterMessages,
        failingMasters: Set(failing.map(\.id))))
  }
}
