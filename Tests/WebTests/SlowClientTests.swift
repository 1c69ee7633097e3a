import Testing

@testable import Web

extension SocketTests {
  /// Clients that take their time, or leave: each gives its slot back within its deadline.
  @Suite struct SlowClients {}
}

extension SocketTests.SlowClients {
  /// 64 slots, and deadlines short enough for a test.
  private var options: ServerLimits {
    var options = ServerLimits()
    options.connectionLimit = 64
    options.perAddressLimit = 0
    options.headerDeadlineSeconds = 1
    options.responseDeadlineSeconds = 2
    options.idleTimeoutSeconds = 20
    return options
  }
  private var big: Route {
    Route("/big") { _ in Response(contentType: "text/plain", body: [UInt8](repeating: 65, count: 8 << 20)) }
  }

  /// The server has a free slot again: a fresh client is served.
  private func expectSlots(_ port: Int, withinSeconds seconds: Double) throws {
    let started = ContinuousClock.now
    let answer = try TestClient(port: port).get("/hello")
    #expect(answer.status == 200)
    #expect(ContinuousClock.now - started < .seconds(seconds))
  }

  @Test func sendersOfOneByteAtATime() async throws {
    try await withServer([hello], options: options) { port, _ in
      let clients = try (0..<64).map { _ in try TestClient(port: port) }
      let request = Array("GET /hello HTTP/1.1\r\nHost: t\r\nX-Long: aaaaaaaaaaaaaaaa".utf8)
      for byte in request.prefix(6) {
        for client in clients { client.send([byte]) }
        try await Task.sleep(for: .milliseconds(100))
      }
      try expectSlots(port, withinSeconds: 2)
      for client in clients { #expect(client.isClosed(withinSeconds: 2)) }
    }
  }

  /// The deadline of a further request's headers runs from its first byte, though the connection was idle before.
  @Test func slowSenderOnAConnectionThatWasServed() async throws {
    try await withServer([hello], options: options) { port, _ in
      let client = try TestClient(port: port)
      #expect(try client.get("/hello").status == 200)
      try await Task.sleep(for: .milliseconds(1500))
      #expect(try client.get("/hello").status == 200, "an idle connection is kept")
      try await Task.sleep(for: .milliseconds(100))
      for _ in 0..<3 {
        client.send("G")
        try await Task.sleep(for: .milliseconds(200))
      }
      #expect(client.isClosed(withinSeconds: 1.5))
    }
  }

  @Test func slowSenderOfABody() async throws {
    try await withServer([hello], options: options) { port, _ in
      let client = try TestClient(port: port)
      client.send("POST /hello HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\nx")
      #expect(client.isClosed(withinSeconds: 3))
    }
  }

  @Test func slowReaders() async throws {
    try await withServer([hello, big], options: options) { port, _ in
      let clients = try (0..<64).map { _ in try TestClient(port: port, receiveBufferBytes: 4096) }
      for client in clients { client.send("GET /big HTTP/1.1\r\nHost: t\r\n\r\n") }
      for _ in 0..<5 {
        for client in clients { _ = client.receive(limit: 1, timeoutSeconds: 0.2) }
        try await Task.sleep(for: .milliseconds(50))
      }
      try expectSlots(port, withinSeconds: 3)
    }
  }

  @Test func leaversInMidWait() async throws {
    let latch = Latch()
    let wait = Route("/wait") { _ in
      await latch.hang()
      return .text("late")
    }
    try await withServer([hello, wait], options: options) { port, _ in
      do {
        let clients = try (0..<64).map { _ in try TestClient(port: port) }
        for client in clients { client.send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n") }
        try await Task.sleep(for: .milliseconds(200))
        withExtendedLifetime(clients) {}
      }
      try expectSlots(port, withinSeconds: 3)
    }
    latch.open()
  }

  /// What nobody waits for any more is not worked on.
  @Test func leaversEndTheirHandlers() async throws {
    let (begun, cancelled) = (Latch(), Latch())
    let wait = Route("/wait") { _ in
      begun.open()
      while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
      cancelled.open()
      return .text("cancelled")
    }
    var options = options
    options.responseDeadlineSeconds = 20
    try await withServer([hello, wait], options: options) { port, _ in
      let started = ContinuousClock.now
      do {
        let client = try TestClient(port: port)
        client.send("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n")
        await begun.wait()
        withExtendedLifetime(client) {}
      }
      await cancelled.wait()
      #expect(ContinuousClock.now - started < .seconds(3))
    }
  }

  @Test func handlerThatHangsIsAnsweredFor() async throws {
    let latch = Latch()
    let wait = Route("/wait") { _ in
      await latch.hang()
      return .text("late")
    }
    try await withServer([wait], options: options) { port, _ in
      let started = ContinuousClock.now
      let answer = try TestClient(port: port).get("/wait")
      #expect(answer.status == 503)
      #expect(ContinuousClock.now - started < .seconds(2.2))
    }
    latch.open()
  }

  /// Beyond its share a client's connection that has asked for nothing gives way, then that which is idle for longest.
  @Test func oneAddressGetsItsShareOnly() async throws {
    var options = options
    options.perAddressLimit = 4
    try await withServer([hello], options: options) { port, _ in
      let clients = try (0..<3).map { _ in try TestClient(port: port) }
      for client in clients { #expect(try client.get("/hello").status == 200) }
      let silent = try TestClient(port: port)
      let fifth = try TestClient(port: port)
      #expect(try fifth.get("/hello").status == 200)
      #expect(silent.isClosed(withinSeconds: 2))
      let sixth = try TestClient(port: port)
      #expect(try sixth.get("/hello").status == 200)
      #expect(clients[0].isClosed(withinSeconds: 2))
      #expect(try clients[1].get("/hello").status == 200)
    }
  }

  @Test func queriesOfManyArgumentsAreRefusedAtOnce() async throws {
    try await withServer([hello], options: options) { port, _ in
      for count in [257, 2000, 5000] {
        let answer = try TestClient(port: port).get("/hello?" + String(repeating: "a=b&", count: count))
        #expect(answer.status == 414)
      }
    }
  }
}
