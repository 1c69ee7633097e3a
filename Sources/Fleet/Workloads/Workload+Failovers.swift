import Config
import Logging
import NIOCore
import Redis
import Runtime
import Storage

extension Workload {
  // MARK: Sentinels

  /// Listens to every Sentinel that is watched.
  func listen(to group: Set<NodeAddress>) {
    guard let sentinel = config.sentinel else { return }
    for (address, listener) in listeners where !group.contains(address) || listener.lease !== sentinels[address]?.lease {
      listener.stop()
      listeners[address] = nil
    }
    for address in group where listeners[address] == nil {
      guard let node = sentinels[address], let lease = node.lease else { continue }
      listeners[address] = SentinelEar(lease) {
        SentinelListener(
          factory.sentinelConnection(address, sentinel), timeout: TimeAmount(config.timeout),
          context: factory.context.connections, cost: node.node.cost, log: log)
      } connected: { [weak self] in
        // What was published meanwhile shows in config-epoch.
        await self?.sentinels[address]?.pollNow()
      } hear: { [weak self] message in
        guard let event = SentinelEvent(message.reply) else { return }
        await self?.heard(event, from: address, atSeconds: message.seconds)
      }
    }
  }

  private func heard(_ event: SentinelEvent, from sentinel: NodeAddress, atSeconds seconds: Double) {
    guard var tracker = failovers else { return }
    let actions = tracker.receive(event, from: sentinel.name, atSeconds: seconds)
    failovers = tracker
    take(actions, atSeconds: seconds)
  }

  /// Takes in the `config-epoch` of each Sentinel that was polled since the last time.
  func observe(_ readings: [MemberReading]) {
    guard var tracker = failovers else { return }
    var actions: [FailoverTracker.Action] = []
    for reading in readings where observedSeconds[reading.address] != reading.seconds {
      observedSeconds[reading.address] = reading.seconds
      guard let master = reading.facts?.sentinel?.master else { continue }
      actions += tracker.observe(
        FailoverTracker.Observation(master, sentinel: reading.address.name, seconds: reading.endedSeconds))
    }
    let now = wallClockSeconds()
    actions += tracker.advance(toSeconds: now)
    failovers = tracker
    take(actions, atSeconds: now)
  }

  private func take(_ actions: [FailoverTracker.Action], atSeconds seconds: Double) {
    guard let tracker = failovers else { return }
    var counted: [(record: FailoverRecord, event: Event)] = []
    var mustPoll = false
    for action in actions {
      switch action {
      case .count(let record):
        counted.append((record, record.event(workload: config.name, instance: instance, clients: clients)))
        newestFailover = record
        if record.kind != .aborted { lastFailover = counted.last?.event.summary }
        log.warning("\(counted.last?.event.summary ?? "failover")")
      case .update(let record): if newestFailover?.number == record.number { newestFailover = record }
      case .poll: mustPoll = true
      }
    }
    archive.keep(tracker.state, counting: counted, atSeconds: seconds)
    if !counted.isEmpty { publish() }
    if mustPoll { pollNow() }
  }

  // MARK: Clusters

  func observe(_ view: ClusterView, atSeconds seconds: Double) {
    guard var tracker = clusterFailovers else { return }
    let found = tracker.observe(view, atSeconds: seconds)
    clusterFailovers = tracker
    let counted = found.map { failover in
      let from = view[failover.fromID].map { instance($0.address) } ?? failover.fromID
      let event = failover.event(workload: config.name, from: from, instance: instance, clients: clients)
      log.warning("\(event.summary)")
      lastFailover = event.summary
      return (kind: failover.kind, event: event)
    }
    archive.keep(tracker.state, counting: counted, atSeconds: seconds)
  }

  // MARK: Names

  func instance(_ address: NodeAddress) -> String {
    members[address]?.instance ?? factory.instance(of: address, announced: following.hostnames[address])
  }

  /// Connected clients of each member, as its newest good poll had them.
  private var clients: [String: Int] {
    Dictionary(
      members.values.compactMap { member in member.reading.facts.map { (member.instance, $0.connectedClients) } },
      uniquingKeysWith: { first, _ in first })
  }
}
