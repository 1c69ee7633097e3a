import Glibc
import Runtime
import Testing

@testable import API

@Suite(.serialized, .timeLimit(.minutes(1))) struct QueryGateTests {
  private let soon = ContinuousClock.now + .seconds(30)

  /// The thread of the executor, not one of the pool.
  private static func thread() -> UInt { UInt(pthread_self()) }

  @Test func workRunsOnItsThread() async throws {
    let gate = QueryGate(executors: [WorkExecutor.queries[0]])
    let first = try await gate.run(until: soon) { Self.thread() }
    for _ in 0..<20 { #expect(try await gate.run(until: soon) { Self.thread() } == first) }
    let other = try await QueryGate(executors: [WorkExecutor.queries[1]]).run(until: soon) { Self.thread() }
    #expect(other != first)
  }

  @Test func furtherOnesWaitInLine() async throws {
    let gate = QueryGate(executors: [WorkExecutor.queries[0]])
    let running = Lock((now: 0, most: 0, done: 0))
    try await withThrowingTaskGroup { group in
      for _ in 0..<50 {
        group.addTask {
          try await gate.run(until: soon) {
            running.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.done) }
            try await Task.sleep(for: .milliseconds(1))
            running.withLock { $0 = ($0.now - 1, $0.most, $0.done + 1) }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(running.withLock { $0 } == (0, 1, 50))
  }

  /// Takes the one place for as long as the body runs.
  private func whileTaken(_ gate: QueryGate, _ body: () async throws -> Void) async throws {
    let (taken, released) = (Lock(false), Lock(false))
    async let holder: Void = gate.run(until: soon) {
      taken.withLock { $0 = true }
      while !released.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
    }
    while !taken.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
    try await body()
    released.withLock { $0 = true }
    try await holder
  }

  @Test func waitingEndsAtTheDeadline() async throws {
    let gate = QueryGate(executors: [WorkExecutor.queries[0]])
    try await whileTaken(gate) {
      let error = await #expect(throws: APIError.self) {
        try await gate.run(until: .now + .milliseconds(20)) { Issue.record("it ran all the same") }
      }
      #expect(error?.kind == .timeout)
      #expect(error?.status == 503)
    }
    #expect(try await gate.run(until: soon) { 1 } == 1)
  }

  @Test func waitingEndsWhenTheClientLeaves() async throws {
    let gate = QueryGate(executors: [WorkExecutor.queries[0]])
    try await whileTaken(gate) {
      let waiter = Task { try await gate.run(until: soon) { Issue.record("it ran all the same") } }
      try await Task.sleep(for: .milliseconds(20))
      waiter.cancel()
      let error = await #expect(throws: APIError.self) { try await waiter.value }
      #expect(error?.kind == .canceled)
    }
    #expect(try await gate.run(until: soon) { 1 } == 1)
  }

  @Test func tooManyAreRefused() async throws {
    let gate = QueryGate(executors: [WorkExecutor.queries[0]])
    try await whileTaken(gate) {
      let (ends, end) = AsyncStream.makeStream(of: APIError.Kind.self)
      let waiters = (0..<QueryGate.waitingLimit + 20).map { _ in
        Task {
          do { try await gate.run(until: .now + .seconds(50)) {} } catch { end.yield(APIError(error).kind) }
        }
      }
      // Those that wait do so until all others are refused, however slowly they come.
      var kinds: [APIError.Kind: Int] = [:]
      for await kind in ends {
        kinds[kind, default: 0] += 1
        if kinds == [.unavailable: 20] { for waiter in waiters { waiter.cancel() } }
        if kinds.values.reduce(0, +) == waiters.count { break }
      }
      #expect(kinds == [.canceled: QueryGate.waitingLimit, .unavailable: 20])
    }
    #expect(try await gate.run(until: soon) { 1 } == 1)
  }
}
