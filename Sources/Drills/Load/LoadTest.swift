import Config
import Fleet
import NIOCore
import Redis
import Runtime

/// Runs a generator that somebody trusts, and judges by probes of its own and by what the servers say.
public struct LoadTest: Sendable {
  /// A server that is looked at, with the login of the monitor: nothing is written.
  public struct Server: Sendable {
    public let instance: String
    let options: ConnectionOptions

    public init(instance: String, _ options: ConnectionOptions) { (self.instance, self.options) = (instance, options) }
  }

  public struct Failure: Error, Sendable, CustomStringConvertible { public let description: String }

  let pass: GuardPass
  let servers: [Server]
  let command: String
  let duration: Duration
  let rules: LoadRules
  let context: ConnectionContext

  static let probeSeconds = 0.1
  private static let timeoutSeconds = 5.0
  private static let pingLimit: TimeAmount = .seconds(5)
  /// How long is looked on before the load begins.
  private static let baseSeconds = 10.0
  private static let grace: Duration = .seconds(10)

  public init(
    _ pass: GuardPass, _ servers: [Server], command: String, for duration: Duration, _ rules: LoadRules,
    in context: ConnectionContext
  ) {
    (self.pass, self.servers, self.command, self.duration) = (pass, servers, command, duration)
    (self.rules, self.context) = (rules, context)
  }

  /// - Parameter say: is told what begins.
  /// - Throws: ``Failure`` where a server is another than the guards have seen, ``ChildError``.
  public func run(_ say: @escaping @Sendable (String) -> Void = { _ in }) async throws -> LoadOutcome {
    let started = WallTime.now
    let course = Lock(LoadCourse(rules))
    for server in servers { try await check(server) }
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      for server in servers {
        tasks.addTask { await probe(server, course) }
        tasks.addTask { await look(at: server, course) }
      }
      defer { tasks.cancelAll() }
      say("looks on for \(Int(Self.baseSeconds)) s before the load")
      try await Task.sleep(for: .seconds(Self.baseSeconds))
      let began = Monotonic.now
      course.withLock { $0.beginLoad(at: began) }
      say("the load begins")
      var child = ChildCommand(shell: command, timeLimit: duration + .seconds(60))
      child.niceness = 0
      child.environment = ["REDLINE_LOAD_WORKLOAD": pass.workload.name]
      let (stop, outcome) = try await child.run { child in await attend(child, course, since: began) }
      let seconds = Monotonic.now - began
      // What still waits is answered, or counts as late.
      try await Task.sleep(for: .seconds(1))
      tasks.cancelAll()
      return LoadOutcome(
        workload: pass.workload.name, course: course.withLock { $0 }, stop: stop, command: outcome.end,
        loadSeconds: seconds, startedAt: started, endedAt: .now)
    }
  }

  private func attend(
    _ child: RunningChild, _ course: Lock<LoadCourse>, since began: Monotonic
  ) async -> LoadCourse.Stop? {
    let limit = duration / .seconds(1)
    while child.ended == nil, Monotonic.now - began < limit {
      try? await Task.sleep(for: .milliseconds(500))
      if let stop = course.withLock({ $0.reasonToStop(at: .now) }) {
        await child.stop(grace: .seconds(1))
        return stop
      }
    }
    if child.ended == nil { await child.stop(grace: Self.grace) }
    return nil
  }

  /// The servers are those that passed the guards.
  private func check(_ server: Server) async throws {
    do throws(RedisError) {
      let connection = try await Connection.open(server.options, in: context, deadline: .now() + .seconds(5))
      defer { connection.close() }
      let info = try await Self.info(connection)
      guard pass.runIDs.contains(info.text("run_id") ?? "") else {
        throw RedisError(.denied, "it is a server that the guards have not seen")
      }
    } catch {
      throw Failure(description: "\(server.instance) cannot be looked at: \(error)")
    }
  }

  private static func info(_ connection: Connection) async throws(RedisError) -> InfoText {
    let exchange = await connection.send(CommandBatch([["INFO"]]), deadline: .now() + .seconds(5))
    if let failure = exchange.failure { throw failure }
    guard !exchange.replies[0].isError, let text = exchange.replies[0].bytes else {
      throw RedisError(reply: exchange.replies[0], to: ["INFO"])
    }
    return InfoText(text)
  }

  // MARK: Looks and probes

  private func look(at server: Server, _ course: Lock<LoadCourse>) async {
    var connection: Connection?
    defer { connection?.close() }
    while !Task.isCancelled {
      do throws(RedisError) {
        if connection?.isActive != true {
          connection = try await Connection.open(server.options, in: context, deadline: .now() + .seconds(5))
        }
        if let connection {
          let sample = LoadSample(try await Self.info(connection), at: .now)
          course.withLock { $0.note(sample, of: server.instance) }
        }
      } catch {}
      try? await Task.sleep(for: .seconds(1))
    }
  }

  /// Ten times a second, whatever became of those before: a server that stands still shows in every probe that was due.
  private func probe(_ server: Server, _ course: Lock<LoadCourse>) async {
    let schedule = Lock(
      ProbeSchedule(start: .now, intervalSeconds: Self.probeSeconds, timeoutSeconds: Self.timeoutSeconds))
    let link = Lock<Connection?>(nil)
    defer { link.withLock { $0 }?.close() }
    await withDiscardingTaskGroup { tasks in
      while !Task.isCancelled {
        let due = schedule.withLock(\.nextTurn)
        let wait = due - .now
        if wait > 0 { guard (try? await Task.sleep(for: .seconds(wait), tolerance: .zero)) != nil else { break } }
        let now = Monotonic.now
        course.withLock { $0.note(lateSeconds: max(0, now - due), at: now) }
        guard schedule.withLock({ $0.takeTurn(at: now, mayTry: true) }) else { continue }
        tasks.addTask {
          let isAnswered = await ping(server, link)
          let now = Monotonic.now
          let ended = schedule.withLock { isAnswered ? $0.answer(afterSeconds: now - due, at: now) : $0.fail(at: now) }
          course.withLock { course in for one in ended { course.note(one, at: now) } }
        }
      }
      tasks.cancelAll()
    }
  }

  private func ping(_ server: Server, _ link: Lock<Connection?>) async -> Bool {
    let deadline = NIODeadline.now() + Self.pingLimit
    var connection = link.withLock { $0 }
    if connection?.isActive != true {
      connection = try? await Connection.open(server.options, in: context, deadline: deadline)
      let opened = connection
      link.withLock { $0 = opened }
    }
    guard let connection else { return false }
    let exchange = await connection.send(CommandBatch([["PING"]]), deadline: deadline)
    return exchange.failure == nil && !exchange.replies[0].isError
  }
}
