import Config
import TestSupport
import Testing

@testable import Web

extension SocketTests {
  /// The plain rules of HTTP, over real sockets.
  @Suite struct HTTP {}
}

/// A request that is none, named for the test's report.
struct Malformed: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var bytes: String

  static let all = [
    Malformed(
      testDescription: "giant header",
      bytes: "GET /hello HTTP/1.1\r\nHost: t\r\nX: " + String(repeating: "a", count: 100_000) + "\r\n\r\n"),
    Malformed(
      testDescription: "giant URL",
      bytes: "GET /" + String(repeating: "b", count: 200_000) + " HTTP/1.1\r\nHost: t\r\n\r\n"),
    Malformed(
      testDescription: "5000 headers",
      bytes: (0..<5000).map { "X\($0): y\r\n" }.reduce("GET /hello HTTP/1.1\r\nHost: t\r\n", +) + "\r\n"),
    Malformed(testDescription: "control characters", bytes: "\u{0}\u{1}\u{2}\u{7F}\r\n\r\n\r\n\r\n"),
    Malformed(testDescription: "no target", bytes: "GET\r\n\r\n"),
    Malformed(testDescription: "unknown version", bytes: "GET /hello HTTP/9.9\r\n\r\n"),
    Malformed(
      testDescription: "negative length", bytes: "GET /hello HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n"),
    Malformed(
      testDescription: "bad chunk", bytes: "POST /hello HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"
    ),
  ]
}

extension SocketTests.HTTP {
  var echo: Route {
    Route("/echo", methods: [.post]) { request in Response(contentType: "text/plain", body: request.body) }
  }
  var reload: Route { Route(anyMethod: "/-/reload") { _ in .text("ok") } }

  @Test func getIsAnswered() async throws {
    try await withServer([hello]) { port, _ in
      let answer = try TestClient(port: port).get("/hello?name=a%20b+c%26")
      #expect(answer.status == 200)
      #expect(answer.text == "hello a b c&\n")
      #expect(answer.header("Connection") != "close")
    }
  }

  @Test func headIsGetWithoutItsBody() async throws {
    try await withServer([hello]) { port, _ in
      let client = try TestClient(port: port)
      let head = try client.get("/hello", method: "HEAD")
      #expect(head.status == 200)
      #expect(head.header("Content-Length") == "12")
      // A body after all would be read as the next answer.
      #expect(try client.get("/hello").status == 200)
    }
  }

  @Test(arguments: [
    ("GET", "/nowhere", 404), ("GET", "/hello/", 404), ("POST", "/hello", 405), ("DELETE", "/hello", 405),
    ("BREW", "/hello", 405), ("GET", "/echo", 405), ("PUT", "/-/reload", 200), ("GET", "/-/reload", 200),
    ("BREW", "/-/reload", 200), ("GET", "http://elsewhere/hello", 200),
  ])
  func statuses(method: String, path: String, status: Int) async throws {
    try await withServer([hello, echo, reload]) { port, _ in
      let answer = try TestClient(port: port).get(path, method: method)
      #expect(answer.status == status)
      #expect((answer.header("Allow") != nil) == (status == 405))
    }
  }

  @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
    try await withServer([hello]) { port, _ in
      let client = try TestClient(port: port)
      client.send((0..<50).map { "GET /hello?name=\($0) HTTP/1.1\r\nHost: t\r\n\r\n" }.joined())
      for number in 0..<50 { #expect(try client.answer().text == "hello \(number)\n") }
    }
  }

  @Test func bodiesAreBounded() async throws {
    try await withServer([echo]) { port, _ in
      let client = try TestClient(port: port)
      for count in [0, 1, 100_000, Request.bodyLimitBytes, Request.bodyLimitBytes + 1, 3 << 20] {
        client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: \(count)\r\n\r\n")
        client.send([UInt8](repeating: 7, count: count))
        let answer = try client.answer()
        #expect(answer.status == (count > Request.bodyLimitBytes ? 413 : 200))
        if answer.status == 200 { #expect(answer.body.count == count) }
      }
    }
  }

  @Test(arguments: Malformed.all)
  func refusesWhatIsNoRequest(_ request: Malformed) async throws {
    try await withServer([hello]) { port, server in
      let client = try TestClient(port: port)
      client.send(request.bytes)
      client.send("GET /nowhere HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
      let answer = try? client.answer(timeoutSeconds: 2)
      #expect(answer == nil || answer!.status >= 400)
      #expect(try TestClient(port: port).get("/hello").status == 200)
      // Every request has been accounted for, or stopping would wait for it until the grace ends.
      let started = ContinuousClock.now
      await server.stop(graceSeconds: 5)
      #expect(ContinuousClock.now - started < .seconds(1))
    }
  }

  @Test func randomBytesDoNotHurt() async throws {
    try await withServer([hello]) { port, server in
      var generator = FixedRandom(state: 1)
      for _ in 0..<200 {
        let client = try TestClient(port: port)
        let prefix = Bool.random(using: &generator) ? Array("GET /hello HTTP/1.1\r\n".utf8) : []
        client.send(
          prefix + (0..<Int.random(in: 1...300, using: &generator)).map { _ in .random(in: 0...255, using: &generator) }
        )
      }
      #expect(try TestClient(port: port).get("/hello").status == 200)
      let started = ContinuousClock.now
      await server.stop(graceSeconds: 5)
      #expect(ContinuousClock.now - started < .seconds(1))
    }
  }

  @Test func portInUseIsExplained() async throws {
    try await withServer([hello]) { port, _ in
      let error = #expect(throws: WebError.self) {
        _ = try ListenSocket.open(.init(host: "127.0.0.1", port: port))
      }
      #expect(error?.description.contains("cannot listen on 127.0.0.1:\(port): Address already in use") == true)
      #expect(error?.description.contains("--web.listen-address") == true)
    }
  }

  @Test func allAddressesMeanBothFamilies() async throws {
    let configuration = try WebConfiguration(.settings(WebSettings()), log: quietLog)
    let server = WebServer(
      .address(.init(host: "", port: 0)), configuration: configuration, routes: [hello], log: quietLog)
    let port = try server.start()!
    #expect(try TestClient(port: port).get("/hello").status == 200)
    let six = shell("exec 3<>/dev/tcp/::1/\(port) && printf 'GET /hello HTTP/1.0\\r\\n\\r\\n' >&3 && head -1 <&3".bash)
    let hasIPv6 = shell("test -e /proc/net/if_inet6 && grep -q ' lo$' /proc/net/if_inet6").status == 0
    #expect(six.output.contains("200") || !hasIPv6)
    await server.stop()
  }

  @Test func takesOverAListeningSocket() async throws {
    let socket = try ListenSocket.open(.init(host: "127.0.0.1", port: 0))
    let configuration = try WebConfiguration(.settings(WebSettings()), log: quietLog)
    let server = WebServer(.descriptor(socket), configuration: configuration, routes: [hello], log: quietLog)
    let port = try #require(try server.start())
    #expect(try TestClient(port: port).get("/hello").status == 200)
    await server.stop()
    #expect(throws: TestClient.Failure.self) { try TestClient(port: port) }
  }
}

extension String {
  /// The same command line, run by bash.
  fileprivate var bash: String { "bash -c \"\(self)\"" }
}
