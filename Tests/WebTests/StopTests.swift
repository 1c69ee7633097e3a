import Runtime
import Testing

@testable import Web

extension SocketTests {
  /// Stopping, with requests in every state.
  @Suite struct Stopping {}
}

extension SocketTests.Stopping {
  @Test func waitingRequestsAreAnsweredAtOnce() async throws {
    let latch = Latch()
    let wait = Route("/wait") { _ in
      await latch.wait()
      return .text("from what is there")
    }
    try await withServer([wait], options: ServerLimits()) { port, server in
      let clients = try (0..<8).map { _ in try TestClient(port: port) }
      for client in clients { client.send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n") }
      try await Task.sleep(for: .milliseconds(100))
      let started = ContinuousClock.now
      #expect(!server.isStopping)
      // The handler's wait ends with the cancellation, so nobody waits for the grace.
      let stopped = Task(executorPreference: globalConcurrentExecutor) { await server.stop() }
      for client in clients {
        let answer = try client.answer(timeoutSeconds: 2)
        #expect(answer.text == "from what is there")
        #expect(answer.header("Connection")?.lowercased() == "close")
      }
      await stopped.value
      #expect(ContinuousClock.now - started < .milliseconds(500))
      #expect(server.isStopping)
    }
  }

  @Test func handlersThatHangDoNotHoldItUp() async throws {
    let latch = Latch()
    let hang = Route("/hang") { _ in
      await latch.hang()
      return .text("late")
    }
    try await withServer([hang]) { port, server in
      let clients = try (0..<8).map { _ in try TestClient(port: port) }
      for client in clients { client.send("GET /hang HTTP/1.1\r\nHost: t\r\n\r\n") }
      let idle = try TestClient(port: port)
      let half = try TestClient(port: port)
      half.send("GET /hang HTTP/1.1\r\nHost: ")
      try await Task.sleep(for: .milliseconds(100))
      let started = ContinuousClock.now
      let stopped = Task(executorPreference: globalConcurrentExecutor) { await server.stop() }
      for client in clients { #expect(try client.answer(timeoutSeconds: 2).status == 503) }
      await stopped.value
      #expect(ContinuousClock.now - started < .seconds(1))
      #expect(idle.isClosed(withinSeconds: 1))
      #expect(half.isClosed(withinSeconds: 1))
      #expect(throws: TestClient.Failure.self) { try TestClient(port: port) }
    }
    // A handler that answers after the end of its server must not touch it.
    latch.open()
    try await Task.sleep(for: .milliseconds(50))
  }

  /// Requests come in without a pause while the server stops: every run must end in time and alive.
  @Test func stoppingUnderLoad() async throws {
    for _ in 0..<20 {
      try await withServer([hello]) { port, server in
        let clients = try (0..<16).map { _ in try TestClient(port: port) }
        for client in clients {
          client.send((0..<50).map { _ in "GET /hello HTTP/1.1\r\nHost: t\r\n\r\n" }.joined())
        }
        let started = ContinuousClock.now
        let stopped = Task(executorPreference: globalConcurrentExecutor) { await server.stop() }
        for client in clients { _ = client.isClosed(withinSeconds: 1) }
        await stopped.value
        #expect(ContinuousClock.now - started < .seconds(1.2))
      }
    }
  }

  @Test func stoppingTwiceIsHarmless() async throws {
    try await withServer([hello]) { _, server in
      await server.stop()
      await server.stop()
    }
  }
}
