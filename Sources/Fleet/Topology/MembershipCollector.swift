import Metrics
import Redis
import Runtime

/// Asks a server for its view of the topology: a cluster node for CLUSTER NODES, a Sentinel for some of its masters.
///
/// It exports nothing itself: its replies become the ``MemberFacts`` of the poll's snapshot.
struct MembershipCollector: Collector {
  /// The masters that Sentinels are asked about.
  let masters: MasterNames

  let name = "membership"
  let families: [Family] = []
  /// NOQUORUM, and that a Sentinel does not know the master, are answers.
  let acceptsErrors = true
  let readsInfoOnly = true
  let lost: String? = "the other members of the workload, and its failovers"

  /// What is asked about each master, in the order in which ``MemberFacts/SentinelFacts`` reads the answers.
  private static let questions = ["MASTER", "SLAVES", "SENTINELS", "CKQUORUM"]

  /// The masters that the commands of a poll asked about.
  static func masterNames(in commands: [Command]) -> [String] {
    commands.filter { $0.arguments.count == 3 && $0.description == "SENTINEL MASTER" }
      .map { String(decoding: $0.arguments[2], as: UTF8.self) }
  }

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    switch server.mode {
    case .cluster: return [["CLUSTER", "NODES"]]
    case .sentinel:
      let names = masters.names
      guard !names.isEmpty else { return [] }
      return [["SENTINEL", "MYID"]]
        + names.flatMap { name in Self.questions.map { ["SENTINEL", $0, name] as Command } }
    case .standalone: return []
    }
  }

  func recording(of command: Command) -> ReplyRecording {
    switch command.description {
    case "CLUSTER NODES": .nodes
    case "SENTINEL MYID", "SENTINEL CKQUORUM": .text
    default: .pairs(SentinelFields.recorded)
    }
  }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {}
}

extension MemberFacts: SharedReading {
  static func read(_ poll: PollContext) -> MemberFacts? {
    guard let step = poll.step(of: MembershipCollector.self) else { return nil }
    let replies = poll.replies(to: step) ?? []
    let isRefused = replies.first(where: \.isError).flatMap { Refusals.reason($0) } != nil
    var facts = MemberFacts(
      poll.info, config: poll.config, replies: isRefused ? [] : replies,
      masterNames: MembershipCollector.masterNames(in: step.commands), server: poll.server,
      now: poll.now)
    facts.latency = poll.latencies.map { CommandLatency(merging: $0) }
    facts.slotMigrations = poll.slotMigrations
    facts.clusterMessages = poll.clusterInfo.flatMap { ClusterTestimony.Messages($0) }
    return facts
  }
}
