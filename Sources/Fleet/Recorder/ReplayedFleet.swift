import Config
import Metrics
import Redis
import Runtime

/// How the servers of a recording stood: made of their newest replies by the collectors of today.
public struct ReplayedFleet {
  /// A server as a page shows it.
  public struct Member: Sendable {
    public let instance: String
    public let address: NodeAddress
    public let role: String
    /// A value of the label `state`; `unknown` before its first poll.
    public let state: String
    public let isProbeAnswered: Bool?
    /// When its newest poll ended.
    public let time: WallTime
    /// When a poll last succeeded.
    public let lastSuccess: WallTime?
    public let usedMemoryBytes: Int?
    public let maxMemoryBytes: Int?
    public let clientCount: Int?
    public let operationsPerSecond: Double?
  }

  struct Server {
    let node: RecordedNode
    var poll: ReplayedPoll?
    /// The newest that succeeded.
    var answer: ReplayedPoll?
    var isProbeAnswered: Bool?
  }

  private(set) var servers: [ObjectIdentifier: Server] = [:]
  /// What the checks said then, by workload.
  public private(set) var judgements: [String: RecordedJudgement] = [:]

  static let collectors: [any Collector] = CollectorCatalogue.all + [MembershipCollector(masters: MasterNames())]

  public init() {}

  public mutating func take(_ event: RecordedEvent) {
    switch event {
    case .segment: servers = [:]
    case .poll(let poll):
      var server = servers[ObjectIdentifier(poll.node)] ?? Server(node: poll.node)
      server.poll = poll
      if poll.transcript != nil { server.answer = poll }
      servers[ObjectIdentifier(poll.node)] = server
    case .probe(let isAnswered, let node):
      servers[ObjectIdentifier(node), default: Server(node: node)].isProbeAnswered = isAnswered
    case .gone(let node): servers[ObjectIdentifier(node)] = nil
    case .judgement(let judgement): judgements[judgement.workload] = judgement
    case .text, .page, .evaluation, .dropped, .shift: break
    }
  }

  /// The names of the workloads, sorted.
  public var workloads: [String] { Set(judgements.keys).union(servers.values.map(\.node.workload)).sorted() }

  /// The servers of a workload by their names, Sentinels last.
  public func members(of workload: String) throws(RecordingDamage) -> [Member] {
    var all: [Member] = []
    for server in sorted(workload) where server.node.role != .scout { all.append(try member(server)) }
    return all
  }

  func sorted(_ workload: String) -> [Server] {
    servers.values.filter { $0.node.workload == workload }.sorted {
      ($0.node.role.rawValue, $0.node.instance) < ($1.node.role.rawValue, $1.node.instance)
    }
  }

  private func member(_ server: Server) throws(RecordingDamage) -> Member {
    let isUp = server.poll?.transcript != nil
    let facts = try facts(server.answer)
    let role: String =
      server.node.role == .sentinel
      ? "sentinel" : facts?.replication.map { $0.isMaster ? "master" : "replica" } ?? "unknown"
    return Member(
      instance: server.node.instance, address: server.node.address, role: role, state: server.poll?.state ?? "unknown",
      isProbeAnswered: server.isProbeAnswered, time: server.poll?.ended ?? WallTime(seconds: 0),
      lastSuccess: server.answer?.ended, usedMemoryBytes: facts?.memory.usedBytes,
      maxMemoryBytes: facts?.memory.maxBytes,
      clientCount: isUp ? facts?.connectedClients : nil, operationsPerSecond: isUp ? facts?.operationsPerSecond : nil)
  }

  func facts(_ poll: ReplayedPoll?) throws(RecordingDamage) -> MemberFacts? {
    guard let poll, let transcript = poll.transcript else { return nil }
    return try PollTranscript(transcript).context(Self.collectors, CollectorOptions(), at: poll.ended)
      .reading(MemberFacts.self)
  }

  /// What the collectors of today make of the newest answer of a server; nil where it gave none.
  public func samples(ofInstance instance: String) throws(RecordingDamage) -> Samples? {
    guard
      let server = servers.values.filter({ $0.node.instance == instance }).max(by: { a, b in
        (a.poll?.ended.seconds ?? 0) < (b.poll?.ended.seconds ?? 0)
      }), let poll = server.answer, let transcript = poll.transcript
    else { return nil }
    var sink = SampleSink()
    var reading = PollReading()
    reading.read(
      try PollTranscript(transcript).context(Self.collectors, CollectorOptions(), at: poll.ended), into: &sink)
    return sink.finish(
      constantLabels: [("workload", .text(server.node.workload)), ("instance", .text(instance))])
  }
}
