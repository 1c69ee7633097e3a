import Logging
import Metrics
import NIOCore
import Redis
import Runtime

/// A server that a workload watches: its node, polled behind a breaker, on the fleet's page unless it is only asked for
/// its view.
struct WatchedNode: Sendable {
  let address: NodeAddress
  /// The label `instance`.
  let instance: String
  let node: Node
  let schedule: GuardedSchedule
  /// nil where the server is not probed.
  private let prober: Prober?
  private let work: Task<Void, Never>
  /// For a Sentinel, which may serve others too: one workload's share of it.
  private(set) var lease: SentinelLease?

  /// - Parameters:
  ///   - spread: within this time, at random, it is polled first.
  ///   - lateness: is told how late each poll began.
  ///   - makeProber: is told whether a new connection may be tried now, and how to have a poll out of turn.
  init(
    address: NodeAddress, instance: String, node: Node, interval: Duration, spread: Duration,
    lateness: Histogram?,
    makeProber: (
      _ mayConnect: @escaping @Sendable () -> Bool, _ pollNow: @escaping @Sendable () -> Void
    ) -> Prober?
  ) {
    self.address = address
    self.instance = instance
    self.node = node
    let schedule = GuardedSchedule(interval: interval, spread: spread, lateness: lateness)
    self.schedule = schedule
    let prober = makeProber({ !schedule.isBreakerOpen }, { Task { await schedule.pollOutOfTurn(node.poller) } })
    self.prober = prober
    work = Task {
      async let polls: Void = withTaskExecutorPreference(node.poller.executor) { await schedule.run(node.poller) }
      async let probes: Void = withTaskExecutorPreference(prober?.executor) { await prober?.run() }
      await node.run()
      await polls
      await probes
    }
  }

  /// Whether the newest probe was answered in time; nil where the server is not probed.
  var isProbeAnswered: Bool? { prober?.isAnswered }

  /// What came of all probes; nil where the server is not probed.
  var probes: ProbeCounts? { prober?.newestCounts }

  /// Why it cannot be asked, where the configuration may be to blame.
  var problem: String? {
    guard let newest = node.poller.newest, let error = newest.state.error, let cause = error.cause else { return nil }
    let hasAnswered = newest.lastSuccess != nil
    return node.poller.options.origin.advice(cause, hasAnswered: hasAnswered) == nil ? nil : error.message
  }

  var reading: MemberReading {
    let snapshot = node.poller.newest
    var facts = snapshot?.member
    if let lease { facts = facts.map { Shared($0.value.about(lease.masterName)) } }
    return MemberReading(
      address, answers: snapshot.map(\.state.isUp), sharing: facts,
      began: snapshot.map { Monotonic($0.started) } ?? Monotonic(seconds: 0),
      ended: snapshot?.ended ?? WallTime(seconds: 0), isProbeAnswered: isProbeAnswered,
      probeAnswered: prober?.lastAnswered)
  }

  /// Polls now instead of at the next turn.
  func pollNow() {
    let (schedule, node) = (schedule, node)
    Task { await schedule.pollOutOfTurn(node.poller) }
  }

  /// Takes note that files or permissions may have changed.
  func reset() async {
    await node.reset()
    await prober?.reset()
  }

  /// The same node in one workload's hands; to stop it gives its share back.
  func leased(_ lease: SentinelLease) -> WatchedNode {
    var node = self
    node.lease = lease
    return node
  }

  func stop() async {
    if let lease { return await lease.end() }
    work.cancel()
    await prober?.stop()
    await node.stop()
  }
}
