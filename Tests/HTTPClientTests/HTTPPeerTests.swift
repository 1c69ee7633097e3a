import NIOCore
import NIOPosix
import Runtime
import TestSupport
import Testing
import Transport

@testable import HTTPClient

@Suite(.timeLimit(.minutes(1))) struct HTTPPeerTests {
  static let context = HTTPContext(group: MultiThreadedEventLoopGroup.singleton)

  static func peer(_ port: Int, host: String = "127.0.0.1", limits: HTTPLimits = HTTPLimits()) -> HTTPPeer {
    HTTPPeer(HTTPOrigin(usesTLS: false, host: host, port: port), limits: limits, in: context)
  }

  static func get(_ peer: HTTPPeer, milliseconds: Int64 = 30_000) async -> Result<HTTPResponse, HTTPClientError> {
    do throws(HTTPClientError) {
      return .success(try await peer.send(HTTPRequest(.get, "/x"), deadline: .now() + .milliseconds(milliseconds)))
    } catch {
      return .failure(error)
    }
  }

  /// The class of the error that this answer gives.
  static func failure(
    _ answer: ScriptedServer.Answer, limits: HTTPLimits = HTTPLimits(), milliseconds: Int64 = 30_000
  ) async throws -> HTTPClientError.Class? {
    let server = try await ScriptedServer { _ in answer }
    defer { server.close() }
    guard case .failure(let error) = await get(peer(server.port, limits: limits), milliseconds: milliseconds) else {
      return nil
    }
    return error.errorClass
  }

  @Test func aRequestIsWrittenAndItsResponseRead() async throws {
    let server = try await ScriptedServer { request in
      let seen =
        "\(request.method) \(request.target) \(request.header("Host") ?? "") "
        + "\(request.header("Content-Length") ?? "-") \(request.header("X-A") ?? "")"
      return .response(201, headers: [("X-B", "c")], body: "\(seen) \(String(decoding: request.body, as: UTF8.self))")
    }
    defer { server.close() }
    let peer = Self.peer(server.port)
    let request = HTTPRequest(.post, "/a/b?c=d", headers: [("X-A", "1")], body: Array("hello".utf8))
    let response = try await peer.send(request, deadline: .now() + .seconds(30))
    #expect(response.status == 201 && response.isSuccess && response.header("x-b") == "c")
    #expect(String(decoding: response.body, as: UTF8.self) == "POST /a/b?c=d 127.0.0.1:\(server.port) 5 1 hello")
    #expect(response.sent.seconds > 1_700_000_000 && response.answered >= response.sent)
  }

  @Test func aConnectionServesAgain() async throws {
    let server = try await ScriptedServer { .response(200, body: "\($0.connection)") }
    defer { server.close() }
    let peer = Self.peer(server.port)
    for _ in 0..<3 { #expect(try await Self.get(peer).get().body == Array("0".utf8)) }
  }

  @Test func aConnectionThatWasClosedIsReplaced() async throws {
    let server = try await ScriptedServer { request in
      .bytes("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(request.connection)", closes: true)
    }
    defer { server.close() }
    let peer = Self.peer(server.port)
    for connection in 0..<3 { #expect(try await Self.get(peer).get().body == Array("\(connection)".utf8)) }
  }

  @Test func aBodyMayEndWithTheConnection() async throws {
    let server = try await ScriptedServer { _ in .bytes("HTTP/1.0 500 No\r\n\r\nall of it", closes: true) }
    defer { server.close() }
    let response = try await Self.get(Self.peer(server.port)).get()
    #expect(response.status == 500 && response.body == Array("all of it".utf8))
  }

  @Test func badAnswersHaveTheirClasses() async throws {
    var small = HTTPLimits()
    small.responseBytes = 1000
    let large = String(repeating: "x", count: 1001)
    #expect(try await Self.failure(.nothing, milliseconds: 200) == .timeout)
    #expect(try await Self.failure(.bytes("", closes: true)) == .closed)
    #expect(try await Self.failure(.bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", closes: true)) == .closed)
    #expect(
      try await Self.failure(
        .bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", closes: false), milliseconds: 200)
        == .timeout)
    #expect(try await Self.failure(.bytes("+PONG\r\n", closes: false)) == .protocol)
    #expect(try await Self.failure(.response(200, body: large), limits: small) == .limit)
    #expect(try await Self.failure(.bytes("HTTP/1.1 200 OK\r\nX: \(large)", closes: false), limits: small) == .limit)
  }

  @Test func aHeaderCannotBeForged() async throws {
    let server = try await ScriptedServer { _ in .response(200) }
    defer { server.close() }
    let request = HTTPRequest(.get, "/", headers: [("Authorization", "Bearer a\r\nX-Forged: b")])
    await #expect(throws: HTTPClientError.self) {
      try await Self.peer(server.port).send(request, deadline: .now() + .seconds(2))
    }
  }

  @Test func whereNobodyListensThereIsNoConnection() async throws {
    let server = try await ScriptedServer { _ in .nothing }
    let port = server.port
    server.close()
    try await Task.sleep(for: .milliseconds(50))
    guard case .failure(let error) = await Self.get(Self.peer(port)) else { return #expect(Bool(false)) }
    #expect(error.errorClass == .connect)
    #expect(error.description == "connect: http://127.0.0.1:\(port): Connection refused")
  }

  /// `localhost` may mean ::1 first, where nobody listens.
  @Test func everyAddressOfANameIsTried() async throws {
    let server = try await ScriptedServer { _ in .response(204) }
    defer { server.close() }
    #expect(try await Self.get(Self.peer(server.port, host: "localhost")).get().status == 204)
    #expect(await Self.context.names.addresses(of: "localhost").contains("127.0.0.1"))
  }

  @Test func aNameThatDoesNotExistSaysSo() async throws {
    guard case .failure(let error) = await Self.get(Self.peer(1, host: "no-such-host.invalid")) else {
      return #expect(Bool(false))
    }
    #expect(error.errorClass == .dns)
  }

  @Test func closingEndsTheRequestUnderWay() async throws {
    let server = try await ScriptedServer { _ in .nothing }
    defer { server.close() }
    let peer = Self.peer(server.port)
    async let outcome = Self.get(peer)
    try await Task.sleep(for: .milliseconds(100))
    peer.close()
    guard case .failure(let error) = await outcome else { return #expect(Bool(false)) }
    #expect(error.errorClass == .closed)
    guard case .failure = await Self.get(peer) else { return #expect(Bool(false)) }
  }
}
