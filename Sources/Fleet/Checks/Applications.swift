import Config
import Metrics
import Redis
import Runtime

/// Applications know the topology by heart: they write to replicas, or ask a node of a cluster for slots that others have.
///
/// A failover or a move of slots explains such answers for a while; an application that follows the topology then stops.
struct HardcodedTopology: Check {
  let id = "hardcoded-topology"
  let group = CheckGroup.posture
  /// Minutes of the last 15 in which there must be such answers: somebody who tries something by hand is no application.
  private static let leastMinutes = 3
  /// Of the commands.
  private static let movedLimit = 0.01

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    var newest: RecentUse?
    for (member, facts) in state.up {
      let use = member.load.use
      // A master that is in no cluster sends nobody away.
      guard !member.isMaster || facts.server.mode == .cluster else { continue }
      guard facts.mix.countsErrors else {
        verdict.unknown(.node(member.instance), "it does not count errors by their kind (INFO errorstats)")
        continue
      }
      let readonly = use.settled(\.readonly)
      let writes = !member.isMaster && readonly.steps >= Self.leastMinutes
      if writes {
        verdict.find(
          .warning, node: member.instance,
          "is a replica and refused \(amount(Double(readonly.count), "writes", upTo: 1_000_000_000_000)) in the last 15 minutes: an application writes to it by its address"
        )
      }
      let moved = use.settled(\.moved)
      let share = Double(moved.count) / max(1, Double(moved.count + moved.all.commands))
      let isMoved = use.isFull && moved.steps >= Self.leastMinutes && share > Self.movedLimit
      if facts.server.mode == .cluster, isMoved {
        verdict.find(
          .warning, node: member.instance,
          "sent \(percent(share)) of commands to another node (MOVED) in the last 15 minutes, and no slot moved: an application does not know which node has which slot"
        )
      }
      if !writes, !use.isFull, newest.map({ use.watchedSeconds < $0.watchedSeconds }) ?? true { newest = use }
    }
    if let newest { verdict.notCompared(.workload, newest.watchedText) }
  }
}

/// One Redis is a queue and a cache at once: what is good for the one loses or blocks the other.
struct OneRedisForAll: Check {
  let id = "one-redis-for-all"
  let group = CheckGroup.posture
  /// Of the commands of the last 15 minutes.
  private static let shareLimit = 0.05
  /// Below so many commands a second nothing is said.
  private static let leastPerSecond = 1.0

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    let masters = state.up.filter { $0.member.isMaster }
    let uses = masters.map(\.member.load.use)
    if let new = uses.first(where: { !$0.isFull }) { return verdict.notCompared(.workload, new.watchedText) }
    let all = uses.reduce(into: CommandMix()) { $0.add($1.total) }
    guard Double(all.commands) >= Self.leastPerSecond * RecentUse.windowSeconds else { return }
    let (queue, cache) = (Double(all.queueCalls) / Double(all.commands), Double(all.cacheCalls) / Double(all.commands))
    guard queue >= Self.shareLimit, cache >= Self.shareLimit else { return }
    let evicts = masters.contains {
      ($0.facts.memory.policy ?? "noeviction") != "noeviction" && $0.facts.memory.maxBytes ?? 0 > 0
    }
    let risk = evicts ? "; it may evict, and then jobs are lost" : ""
    let text = "It is a queue (\(percent(queue)) of commands) and a cache (\(percent(cache))) at once\(risk)"
    guard let lives = state.keys.lives else {
      return verdict.find(.info, "\(text); which keys have a TTL was not looked at")
    }
    // Where all keys live alike, the verbs of a queue are those of another use, such as a list of the newest pages.
    guard lives.expiringRatio >= Self.shareLimit, lives.lastingRatio >= Self.shareLimit else { return }
    verdict.find(
      evicts ? .critical : .warning,
      "\(text): \(percent(lives.expiringRatio)) of its keys have prefixes that expire, \(percent(lives.lastingRatio)) prefixes that never do"
    )
  }
}

/// All that holds a queue is in one region: without it the jobs are gone until it is back.
struct QueueWithoutRegion: Check {
  let id = "queue-without-region"
  let group = CheckGroup.posture

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    let regions = state.config.regions
    guard state.config.kind == .queue, !regions.isEmpty else { return }
    for shard in state.keyShards {
      guard let master = shard.master, let member = state[master], member.answers == true else { continue }
      let home = regions.region(host: master.host, port: master.port)
      let online = shard.replicas.filter { address in
        state[address].map { $0.answers == true && ($0.lag.map { $0.state == .online } ?? true) } ?? false
      }
      guard let home else {
        verdict.unknown(
          .shard(member.instance), "\(member.instance) is in an unknown region: its address is in none of regions")
        continue
      }
      let places = online.map { (name: state.name($0), region: regions.region(host: $0.host, port: $0.port)) }
      if places.contains(where: { $0.region.map { $0 != home } ?? false }) { continue }
      if let lost = places.first(where: { $0.region == nil }) {
        verdict.unknown(
          .shard(member.instance), "\(lost.name) is in an unknown region: its address is in none of regions")
        continue
      }
      let what = online.isEmpty ? "has no replica that is online" : "has replicas in \(home) alone"
      verdict.find(
        .critical, .shard(member.instance),
        "\(member.instance) in \(home) \(what): without the region the queue is lost")
    }
  }
}
