import Fleet
import NIOCore
import Redis
import Runtime

/// How a fault is brought about, and undone.
protocol FaultAction: Sendable {
  /// Brings it about; returns once all is done that has to be.
  ///
  /// - Throws: ``FaultProblem``.
  func begin() async throws(FaultProblem)

  /// Takes back what can be, and waits for what cannot. Does nothing where nothing is left.
  func undo() async
}

/// Why a fault did not come about, or not in full.
struct FaultProblem: Error, Sendable, Equatable {
  let text: String
}

/// A handover under Sentinels that loses nothing: writes are held on the old master until it is a replica.
///
/// The pause is renewed every second and lasts five: a drill that is killed leaves none for longer. While it holds, the
/// Sentinels cannot make the old master a replica: their PUBLISH is held as well, and all that they send behind it. So the drill
/// does that, as they would, once they have named another master. If the pause ended first, what clients had sent by then would be
/// taken, acknowledged and lost.
final class PlannedFailover: FaultAction {
  private let group: DrillGroup
  private let masterName: String
  private let client: DrillClient
  private let timeline: Timeline
  private struct State {
    /// Whether the pause must go on.
    var isHolding = false
    /// Whether Sentinels were asked, so that the old master may be a replica at any time.
    var isAsked = false
    var holding: Task<Void, Never>?
  }
  private let state = Lock(State())

  static let pauseMilliseconds = 5000
  private static let catchUpSeconds = 3.0
  private static let coordinatedSeconds = 15.0
  private static let switchSeconds = 20.0

  init(_ group: DrillGroup, masterName: String, client: DrillClient, timeline: Timeline) {
    self.group = group
    self.masterName = masterName
    self.client = client
    self.timeline = timeline
  }

  func begin() async throws(FaultProblem) {
    if await coordinated() { return }
    let master = DrillLine(group.master.address, client)
    try await pause(master)
    timeline.note("writes are held at \(client.access.name(group.master.address)) (CLIENT PAUSE WRITE)")
    state.withLock { state in
      state.isHolding = true
      state.holding = Task { await self.hold(master) }
    }
    try await waitForReplicas(master)
    try await askForFailover()
    state.withLock { $0.isAsked = true }
    try await stepDown()
    await release()
  }

  func undo() async {
    guard state.withLock({ $0.holding != nil }) else { return }
    // Once a failover was asked for, held writes must not go on before the old master is a replica.
    if state.withLock({ $0.isAsked }) { try? await stepDown() }
    await release()
  }

  /// Ends the pause.
  private func release() async {
    let holding = state.withLock { state in
      state.isHolding = false
      return state.holding
    }
    await holding?.value
    guard holding != nil else { return }
    do throws(RedisError) {
      _ = try await client.ask(group.master.address, [["CLIENT", "UNPAUSE"]])
      timeline.note("writes are held no longer (CLIENT UNPAUSE)")
    } catch {
      timeline.note(
        "CLIENT UNPAUSE had no answer: the pause ends by itself within \(Self.pauseMilliseconds / 1000) s (\(error.message))"
      )
    }
    state.withLock { $0.holding = nil }
  }

  /// Valkey 9 does all of it by itself, where its Sentinels may.
  private func coordinated() async -> Bool {
    guard let major = group.sentinelValkeyMajor, major >= 9, let sentinel = group.sentinels.first else { return false }
    let aborts = timeline.abortCount
    do throws(RedisError) {
      _ = try await client.ask(sentinel, [["SENTINEL", "FAILOVER", masterName, "COORDINATED"]], isSentinel: true)
    } catch {
      timeline.note("no coordinated failover: \(error.message)")
      return false
    }
    timeline.note("a coordinated failover is asked for (SENTINEL FAILOVER … COORDINATED)")
    let end = Monotonic.now + Self.coordinatedSeconds
    while Monotonic.now < end, !Task.isCancelled {
      if !timeline.switches.isEmpty { return true }
      if timeline.abortCount > aborts { return false }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return !timeline.switches.isEmpty
  }

  private func pause(_ line: DrillLine) async throws(FaultProblem) {
    do throws(RedisError) {
      _ = try await line.ask([["CLIENT", "PAUSE", "\(Self.pauseMilliseconds)", "WRITE"]], seconds: 2)
    } catch { throw FaultProblem(text: "writes cannot be held: \(error.message)") }
  }

  /// Renews the pause for as long as it must hold.
  private func hold(_ line: DrillLine) async {
    while state.withLock({ $0.isHolding }) {
      for _ in 0..<10 {
        guard state.withLock({ $0.isHolding }) else { return }
        try? await Task.sleep(for: .milliseconds(100))
      }
      guard state.withLock({ $0.isHolding }) else { return }
      try? await pause(line)
    }
  }

  private func waitForReplicas(_ line: DrillLine) async throws(FaultProblem) {
    let end = Monotonic.now + Self.catchUpSeconds
    while Monotonic.now < end, !Task.isCancelled {
      if let facts = try? await line.ask([["INFO"]], seconds: 1).facts, let replication = facts.replication {
        let online = replication.replicas.filter { $0.offset != nil }
        if !online.isEmpty, online.allSatisfy({ ($0.offset ?? 0) >= replication.masterOffset }) {
          timeline.note("all replicas have what the master had")
          return
        }
      }
      try? await Task.sleep(for: .milliseconds(20))
    }
    throw FaultProblem(text: "the replicas did not catch up within \(Int(clamping: Self.catchUpSeconds)) s")
  }

  private func askForFailover() async throws(FaultProblem) {
    var last = "no Sentinel answers"
    for sentinel in group.sentinels {
      do throws(RedisError) {
        _ = try await client.ask(sentinel, [["SENTINEL", "FAILOVER", masterName]], isSentinel: true)
        timeline.note("a failover is asked for (SENTINEL FAILOVER)")
        return
      } catch { last = error.message }
    }
    throw FaultProblem(text: "no Sentinel fails over: \(last)")
  }

  /// Waits until the Sentinels have named another master, and has the old one follow it.
  private func stepDown() async throws(FaultProblem) {
    let aborts = timeline.abortCount
    let end = Monotonic.now + Self.switchSeconds
    while Monotonic.now < end {
      if let new = timeline.switches.last?.to { return try await follow(new) }
      if timeline.abortCount > aborts { throw FaultProblem(text: "the Sentinels gave the failover up") }
      try? await Task.sleep(for: .milliseconds(20))
    }
    throw FaultProblem(text: "nobody took over within \(Int(clamping: Self.switchSeconds)) s")
  }

  private func follow(_ new: NodeAddress) async throws(FaultProblem) {
    let name = client.access.name(group.master.address)
    do throws(RedisError) {
      // As the Sentinels do it: clients are sent away, with what they sent and nobody has answered.
      _ = try await client.ask(
        group.master.address,
        [["REPLICAOF", new.host, "\(new.port)"], ["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]])
      timeline.note("\(name) is made a replica, and its clients are sent away (REPLICAOF, CLIENT KILL)")
    } catch {
      throw FaultProblem(
        text: "\(name) cannot be made a replica, so clients that wait there may lose writes: \(error.message)")
    }
  }
}

extension Replies {
  /// Of the reply to INFO.
  fileprivate var facts: DrillFacts { DrillFacts(self[0]) }
}

/// A handover in a cluster, asked of the replica that is furthest.
struct PlannedClusterFailover: FaultAction {
  let group: DrillGroup
  let client: DrillClient
  let timeline: Timeline

  func begin() async throws(FaultProblem) {
    var furthest: (address: NodeAddress, offset: Int)?
    for replica in group.replicas {
      guard let offset = try? await client.facts(replica.address).replication?.offset else { continue }
      if furthest.map({ offset > $0.offset }) ?? true { furthest = (replica.address, offset) }
    }
    guard let replica = furthest?.address else { throw FaultProblem(text: "no replica answers") }
    do throws(RedisError) {
      _ = try await client.ask(replica, [["CLUSTER", "FAILOVER"]])
    } catch { throw FaultProblem(text: "\(client.access.name(replica)) does not take over: \(error.message)") }
    timeline.note("\(client.access.name(replica)) is asked to take over (CLUSTER FAILOVER)")
  }

  /// The master ends its own pause of writes in a moment, whatever comes of it.
  func undo() async {}
}

/// A master that answers nobody for a while. It cannot be told to stop: a server that holds everything holds that, too.
final class HangingMaster: FaultAction {
  private let group: DrillGroup
  private let client: DrillClient
  private let timeline: Timeline
  private let end = Lock<Monotonic?>(nil)

  /// Beyond the time after which Sentinels find it down: for their vote and what follows.
  static let voteSeconds = 10.0
  static let longestSeconds = 300.0

  init(_ group: DrillGroup, client: DrillClient, timeline: Timeline) {
    self.group = group
    self.client = client
    self.timeline = timeline
  }

  /// For how long, in seconds.
  var seconds: Double { group.downAfterSeconds + Self.voteSeconds }

  func begin() async throws(FaultProblem) {
    guard seconds <= Self.longestSeconds else {
      throw FaultProblem(
        text: "the Sentinels wait for \(Int(clamping: group.downAfterSeconds)) s: nobody is held that long for a drill")
    }
    do throws(RedisError) {
      let milliseconds = Int(clamping: (seconds * 1000).rounded())
      _ = try await client.ask(group.master.address, [["CLIENT", "PAUSE", "\(milliseconds)", "ALL"]])
    } catch { throw FaultProblem(text: "the master cannot be held: \(error.message)") }
    end.withLock { $0 = .now + seconds }
    timeline.note(
      "\(client.access.name(group.master.address)) answers nobody for \(Int(clamping: seconds.rounded(.up))) s (CLIENT PAUSE ALL)"
    )
  }

  func undo() async {
    guard let left = end.withLock({ $0 }).map({ $0 - .now }), left > 0 else { return }
    timeline.note("CLIENT UNPAUSE is not heard by a server that holds everything: waits until the pause ends by itself")
    try? await Task.sleep(for: .seconds(left))
  }
}
