import Metrics
import NIOCore
import Redis
import Runtime
import Synchronization
import Testing

@testable import Fleet

/// Probes of real servers; skipped where there is no redis-server.
@Suite(.enabled(if: RedisServer.program != nil, "no redis-server was found"), .timeLimit(.minutes(1)))
struct ProberLiveTests {
  private final class Gate: Sendable {
    let isOpen = Atomic(true)
    let pollCount = Atomic(0)
  }

  /// A prober with what it published last.
  private final class Probe: Sendable {
    let prober: Prober
    private let newest: Lock<(counts: ProbeCounts, missedCount: Int)>
    private let gate: Gate
    private let task: Lock<Task<Void, Never>?>

    init(
      _ address: RedisAddress, timeout: TimeAmount = .seconds(2), _ change: (inout ConnectionOptions) -> Void = { _ in }
    ) {
      let newest = Lock((counts: ProbeCounts(), missedCount: 0))
      let gate = Gate()
      var options = ConnectionOptions(address: address)
      change(&options)
      let prober = Prober(
        options, timeout: timeout, context: RedisServer.context, mayConnect: { gate.isOpen.load(ordering: .relaxed) },
        pollNow: { gate.pollCount.add(1, ordering: .relaxed) },
        publish: { counts, missedCount in newest.withLock { $0 = (counts, missedCount) } })
      (self.newest, self.prober, self.gate) = (newest, prober, gate)
      task = Lock(Task { await prober.run() })
    }

    /// No further connection may be tried.
    func openBreaker() { gate.isOpen.store(false, ordering: .relaxed) }

    var counts: ProbeCounts { newest.withLock { $0.counts } }
    /// Polls out of turn that it asked for.
    var pollCount: Int { gate.pollCount.load(ordering: .relaxed) }
    var missedCount: Int { newest.withLock { $0.missedCount } }

    func until(seconds: Int = 20, _ isReached: (Probe) -> Bool) async throws {
      for _ in 0..<seconds * 50 where !isReached(self) { try await Task.sleep(for: .milliseconds(20)) }
      #expect(isReached(self))
    }

    /// Ends, and shows that it ends.
    func end() async {
      await prober.stop()
      await task.withLock { $0 }?.value
    }
  }

  @Test func aFrozenServerIsSeenAndCostsOthersNothing() async throws {
    let (frozen, healthy) = (try await RedisServer(), try await RedisServer())
    let (one, other) = (Probe(frozen.address), Probe(healthy.address))
    try await one.until { $0.counts.isAnswered == true }
    try await other.until { $0.counts.isAnswered == true }
    frozen.freeze()
    try await one.until { $0.counts.isAnswered == false }
    try await Task.sleep(for: .seconds(3))
    frozen.thaw()
    try await one.until { $0.counts.isAnswered == true }
    // It publishes every five seconds.
    try await other.until { $0.counts.durations.count >= 5 }
    await one.end()
    await other.end()
    #expect(one.missedCount >= 1)
    #expect(one.counts.failureCount >= 1)
    #expect(one.counts.durations.sum >= 4, "two turns at least waited for the whole timeout")
    #expect(one.counts.connects.count >= 2, "a probe that was not answered costs its connection")
    #expect(other.missedCount == 0 && other.counts.failureCount == 0)
    #expect(other.counts.durations.sum < 1 && other.counts.connects.count == 1)
  }

  @Test func aServerThatIsDownIsLeftAloneWhileTheBreakerIsOpen() async throws {
    let server = try await RedisServer()
    let probe = Probe(server.address, timeout: .seconds(1))
    try await probe.until { $0.counts.isAnswered == true }
    server.stop()
    try await probe.until { $0.counts.isAnswered == false }
    probe.openBreaker()
    let failures = probe.counts.failureCount
    try await probe.until { $0.missedCount >= 2 && $0.counts.failureCount >= failures + 2 }
    await probe.end()
    #expect(probe.counts.connects.count == 1)
  }

  /// A connection that others killed is no failure.
  @Test func aKilledConnectionIsOpenedAnew() async throws {
    let server = try await RedisServer()
    let probe = Probe(server.address)
    try await probe.until { $0.counts.isAnswered == true }
    try await server.run("CLIENT KILL TYPE normal")
    try await probe.until { $0.counts.connects.count >= 2 }
    await probe.end()
    #expect(probe.counts.isAnswered == true && probe.counts.failureCount == 0)
  }

  /// The password is read at every connect, and a reset causes one.
  @Test func aRotatedPasswordServesFromTheNextConnectOn() async throws {
    let server = try await RedisServer()
    try await server.run("ACL SETUSER probe on >right +ping")
    let password = Lock("wrong")
    let probe = Probe(server.address) { options in
      options.credentials = { Credentials(user: "probe", password: password.withLock { $0 }) }
    }
    try await probe.until { $0.counts.isAnswered == false }
    #expect(probe.counts.connects.count == 0)
    password.withLock { $0 = "right" }
    try await probe.until { $0.counts.isAnswered == true }
    await probe.prober.reset()
    try await probe.until { $0.counts.connects.count == 2 }
    // Without the permission the server answers all the same.
    try await server.run("ACL SETUSER probe -ping")
    let count = probe.counts.durations.count
    try await probe.until { $0.counts.durations.count > count + 1 }
    await probe.end()
    #expect(probe.counts.isAnswered == true)
  }

  /// The one that is polled out of turn has nine of ten connections taken, and each probe asks for it.
  @Test func aCrowdedServerIsPolledOutOfTurn() async throws {
    let server = try await RedisServer(["--maxclients", "20"])
    let probe = Probe(server.address)
    try await probe.until { $0.counts.isAnswered == true }
    try await Task.sleep(for: .milliseconds(1200))
    #expect(probe.pollCount == 0)
    var clients: [Connection] = []
    for _ in 0..<17 {
      clients.append(
        try await Connection.open(
          ConnectionOptions(address: server.address), in: RedisServer.context, deadline: .now() + .seconds(5)))
    }
    try await probe.until { $0.pollCount >= 2 }
    for client in clients { client.close() }
    try await Task.sleep(for: .milliseconds(1200))
    let count = probe.pollCount
    try await Task.sleep(for: .milliseconds(1200))
    await probe.end()
    #expect(probe.pollCount == count, "there is room again")
    #expect(probe.counts.failureCount == 0)
  }

  /// A refusal is noted once for each connection, as every one is a line of the server's ACL LOG.
  @Test func aServerThatDoesNotTellItsClientsIsAskedOnce() async throws {
    let server = try await RedisServer()
    try await server.run("ACL SETUSER probe on >secret +ping")
    let probe = Probe(server.address) { $0.credentials = { Credentials(user: "probe", password: "secret") } }
    try await probe.until { $0.counts.durations.count >= 3 }
    await probe.end()
    #expect(probe.counts.isAnswered == true && probe.counts.failureCount == 0)
    let entries = try await server.run("ACL LOG")[0].elements.map { $0.map { $0.field("count")?.integer } }
    #expect(entries == [1])
  }

  @Test func nothingIsLeftAfterAStop() async throws {
    let server = try await RedisServer()
    let probe = Probe(server.address)
    try await probe.until { $0.counts.isAnswered == true }
    await probe.end()
    // Each question is a connection of this test's own, and the one before may not be closed yet.
    var clientCount = 0
    for _ in 0..<100 where clientCount != 1 {
      clientCount = try await server.info("connected_clients")
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(clientCount == 1)
    let count = probe.counts.durations.count
    try await Task.sleep(for: .milliseconds(1200))
    #expect(probe.counts.durations.count == count)
  }
}
