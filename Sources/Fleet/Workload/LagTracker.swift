import Redis
import Runtime

/// The replication lag of every group of a workload, kept over failovers.
struct LagTracker: Sendable {
  private struct Entry: Sendable {
    var master: NodeAddress
    var replicas: Set<NodeAddress>
    var lag = ReplicationLag()
  }
  private var entries: [Entry] = []

  mutating func update(_ groups: [ReplicationGroup], _ all: [MemberReading], at now: Monotonic) {
    guard !groups.isEmpty else {
      entries = []
      return
    }
    let readings = Dictionary(all.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
    var old = entries
    entries = groups.compactMap { group in
      // Without a master its last one still counts.
      let index = old.firstIndex { entry in
        group.master.map { entry.master == $0 || entry.replicas.contains($0) } ?? group.replicas.contains(entry.master)
      }
      var entry: Entry
      if let index {
        entry = old.remove(at: index)
      } else if let master = group.master {
        entry = Entry(master: master, replicas: [])
      } else {
        return nil
      }
      if let master = group.master {
        if master != entry.master { entry.lag.interrupt() }
        entry.master = master
      }
      entry.replicas = group.replicas
      // Who holds itself for master follows nobody, whatever others say of it.
      let isMaster = { readings[$0]?.facts?.replication?.isMaster == true }
      entry.lag.expect(group.replicas.filter { $0 != entry.master && !isMaster($0) }, at: now)
      if let reading = readings[entry.master], let facts = reading.facts?.replication, facts.isMaster {
        entry.lag.note(facts, at: reading.began)
      } else {
        entry.lag.interrupt()
      }
      return entry
    }
  }

  func lag(of replica: NodeAddress, at now: Monotonic) -> ReplicationLag.Lag? {
    entries.lazy.compactMap { $0.lag.lag(of: replica, at: now) }.first
  }

  /// Which master tells the lag of a replica.
  func master(of replica: NodeAddress) -> NodeAddress? {
    entries.first { $0.replicas.contains(replica) }?.master
  }

  /// How much a failover now would lose at most: of all groups the worst, in seconds; nil while no master has answered.
  func failoverLossSeconds(electable: Set<NodeAddress>, at now: Monotonic) -> Double? {
    entries.compactMap { entry in
      entry.lag.failoverLossSeconds(electable: electable.intersection(entry.replicas), at: now)
    }.max()
  }
}
