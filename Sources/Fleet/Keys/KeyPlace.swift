import Config
import Metrics
import NIOCore
import Redis

/// Where the key watches reach one member: a connection of their own with its share of time, and what it has cost.
final class KeyPlace: Sendable {
  let address: NodeAddress
  let link: KeyLink
  let cost: KeyWorkCost
  private let node: Node

  /// - Parameter dutyRatio: the share of a replica's time; of a master's it is half.
  init(_ member: WatchedNode, isCluster: Bool, dutyRatio: Double, context: ConnectionContext) {
    address = member.address
    node = member.node
    let options = member.node.poller.options
    var connection = options.connection
    connection.readsReplica = isCluster
    let duty = DutyCycle(ratio: dutyRatio)
    cost = KeyWorkCost(dutyRatio: duty.ratio, node: member.node.cost)
    link = KeyLink(connection, context: context, duty: duty, timeout: options.timeout, cost: cost)
  }

  /// Puts what the work has cost on the page of the member.
  func publish() {
    var sink = SampleSink()
    cost.collect(into: &sink)
    node.publishKeyWork(sink.finish(), under: "keys")
  }

  /// Shows streams among the series of the member.
  func publishStreams(_ samples: Samples) { node.publishKeyWork(samples, under: "streams") }
}
