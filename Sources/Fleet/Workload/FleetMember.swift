import Config
import NIOCore
import Redis
import Runtime

/// A member of a workload, or one of its Sentinels, as it is known now.
public struct FleetMember: Sendable {
  public enum Role: String, Sendable {
    case master, replica, sentinel
    /// It has not answered yet.
    case unknown
  }

  public let workload: String
  /// nil where none is configured.
  public let environment: String?
  /// The label `instance`.
  public let instance: String
  public let address: RedisAddress
  /// As its newest good poll found it.
  public let role: Role
  /// `present`, `missing` or `ghost`; nil for a Sentinel.
  public let standing: String?
  public let node: Node
  /// Between two polls.
  public let pollInterval: Duration
  /// The deadline of one whole poll.
  public let timeout: Duration
  /// It failed so often that nothing waits for it.
  public let isLeftAlone: Bool

  /// The id that a node has in its cluster; nil for everything else, and where it did not tell.
  public var clusterNodeID: String? {
    node.poller.newest?.member?.value.cluster?.nodes.first(where: \.isMyself)?.id
  }

  /// Of when the figures of the server are that are not current: when it last answered, where its newest
  /// poll failed, or where that is longer ago than two polls are apart. nil where they are current, and where it has never
  /// answered.
  public func figuresAsOf(now: WallTime) -> WallTime? {
    guard let newest = node.poller.newest, let answered = newest.lastSuccess else { return nil }
    let pace = (pollInterval + timeout) / .seconds(1)
    return newest.state.isUp && now - answered <= pace ? nil : answered
  }
}

extension FleetMember.Role {
  /// As its newest poll found a server that is no Sentinel.
  fileprivate init(serverOf member: WatchedNode) {
    let isMaster =
      member.reading.facts?.replication?.isMaster
      ?? member.node.poller.newest?.facts.flatMap { ReplicationRole($0.role)?.takesWrites }
    self = isMaster.map { $0 ? .master : .replica } ?? .unknown
  }
}

extension Workload {
  /// All that are watched, in the order of their addresses, Sentinels last.
  var watched: [FleetMember] {
    func list(_ nodes: [NodeAddress: WatchedNode], isSentinel: Bool) -> [FleetMember] {
      nodes.sorted { $0.key < $1.key }.map { watched($0.value, at: $0.key, isSentinel: isSentinel) }
    }
    return list(crew.members, isSentinel: false) + list(crew.sentinels, isSentinel: true)
  }

  func watched(_ member: WatchedNode, at address: NodeAddress, isSentinel: Bool) -> FleetMember {
    FleetMember(
      workload: config.name, environment: config.environment, instance: member.instance,
      address: member.node.poller.options.connection.address,
      role: isSentinel ? .sentinel : FleetMember.Role(serverOf: member),
      standing: isSentinel ? nil : membership.standings[address]?.name, node: member.node,
      pollInterval: config.pollInterval, timeout: config.timeout, isLeftAlone: member.schedule.isBreakerOpen)
  }
}
