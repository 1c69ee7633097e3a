import Fleet
import NIOCore
import Redis
import Runtime

/// What all writers of a drill share.
struct CanaryWork: Sendable {
  let keys: CanaryKeys
  let settings: DrillSettings
  let group: DrillGroup
  let topology: any DrillTopology
  let client: DrillClient
  let ledger: AckStore
  /// The processes that passed the guards.
  let runIDs: Set<String>

  /// Between two writes of a writer, in seconds.
  var pauseSeconds: Double { Double(DrillSettings.writerCount) / Double(settings.writesPerSecond) }
}

/// One client of the kind that applications should have: it writes to the master, and looks for it again, by Sentinels or by
/// the cluster's nodes, as soon as that fails.
final class CanaryWriter: Sendable {
  struct State: Sendable {
    /// Numbers below it were tried.
    var number = 0
    var errors = ClientErrors()
    /// When the newest write was acknowledged, and by which process.
    var lastAck: (at: Monotonic, runID: String)?
    /// When the newest error was met.
    var lastError: Monotonic?
    var isStopped = false
  }

  let index: Int
  private let work: CanaryWork
  private let state = Lock(State())
  private static let timeoutSeconds = 1.0
  private static let retrySeconds = 0.1

  init(_ index: Int, _ work: CanaryWork) {
    self.index = index
    self.work = work
  }

  var now: State { state.withLock { $0 } }
  func stop() { state.withLock { $0.isStopped = true } }

  private struct Link {
    let connection: Connection
    let address: NodeAddress
    let runID: String
    let place: Int32
  }

  /// Writes until it is stopped.
  func run() async {
    var link: Link?
    var due = Monotonic.now + work.pauseSeconds * Double(index) / Double(DrillSettings.writerCount)
    while !now.isStopped {
      if let wait = Optional(due - .now), wait > 0 { try? await Task.sleep(for: .seconds(wait)) }
      // What is late is not made up for: a burst after an outage would be no measure of it.
      due = max(due + work.pauseSeconds, .now)
      do throws(Trouble) {
        let current: Link
        if let link { current = link } else { current = try await find() }
        link = current
        try await write(over: current)
      } catch {
        note(error)
        link?.connection.close()
        link = nil
        try? await Task.sleep(for: .seconds(Self.retrySeconds))
      }
    }
    link?.connection.close()
  }

  /// Why a write was not acknowledged.
  private struct Trouble: Error {
    let kind: String
    let node: String
  }

  private func note(_ trouble: Trouble) {
    let moment = Monotonic.now
    state.withLock { state in
      state.errors.note(trouble.kind, at: trouble.node, moment)
      state.lastError = moment
    }
  }

  /// Finds the master and makes sure that it is one, as clients of Sentinels should.
  private func find() async throws(Trouble) -> Link {
    let address: NodeAddress
    do throws(RedisError) { address = try await work.topology.master(work.group) } catch {
      throw Trouble(kind: ClientErrors.kind(of: error), node: "")
    }
    let node = work.client.access.name(address)
    let deadline = NIODeadline.now() + .lasting(Self.timeoutSeconds)
    do throws(RedisError) {
      let connection = try await Connection.open(
        work.client.access.server(address), in: work.client.context, deadline: deadline)
      do throws(RedisError) {
        let facts = DrillFacts(try await connection.answers([["INFO"]], deadline: deadline)[0])
        // One that was started again in its place is the same server to its clients.
        let isKnown =
          work.runIDs.contains(facts.server.runID) || work.group.nodes.contains { $0.address == address }
        guard isKnown else { throw RedisError(.denied, "a server that the guards have not seen") }
        guard facts.replication?.isMaster == true else { throw RedisError(.protocol, "no master") }
        let master = LedgerMaster(runID: facts.server.runID, address: node)
        return Link(
          connection: connection, address: address, runID: facts.server.runID, place: work.ledger.place(of: master))
      } catch {
        connection.close()
        throw error
      }
    } catch {
      let isNoMaster = error.errorClass == .protocol && error.message == "no master"
      throw Trouble(kind: isNoMaster ? "no master" : ClientErrors.kind(of: error), node: node)
    }
  }

  private func write(over link: Link) async throws(Trouble) {
    let number = state.withLock { state -> Int in
      while !work.group.owns(slotIfAny(state.number)) { state.number += 1 }
      defer { state.number += 1 }
      return state.number
    }
    let command: Command = [
      "SET", work.keys.key(index, number), work.keys.value(index, number), "EX", "\(work.settings.keySeconds)",
    ]
    let exchange = await link.connection.send(
      CommandBatch([command]), deadline: .now() + .lasting(Self.timeoutSeconds))
    let moment = Monotonic.now
    let node = work.client.access.name(link.address)
    if let failure = exchange.failure { throw Trouble(kind: ClientErrors.kind(of: failure), node: node) }
    if exchange.replies[0].isError { throw Trouble(kind: ClientErrors.kind(of: exchange.replies[0]), node: node) }
    work.ledger.note(
      Ack(writer: Int32(index), number: Int32(clamping: number), master: link.place, at: moment))
    state.withLock { $0.lastAck = (moment, link.runID) }
  }

  private func slotIfAny(_ number: Int) -> Int { work.group.isCluster ? work.keys.slot(index, number) : 0 }
}
