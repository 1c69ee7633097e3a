import Config
import Logging
import Runtime
import Testing

@testable import Web

/// The tests with sockets, one after another: they measure times and block a thread.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct SocketTests {}

/// Collects what a test logs nowhere.
let quietLog = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Runs a server on a port of the system's choice for the time of a test.
func withServer(
  _ routes: [Route], options: ServerLimits = ServerLimits(), configuration: WebConfiguration? = nil,
  _ body: (_ port: Int, _ server: WebServer) async throws -> Void
) async throws {
  let server = WebServer(
    .address(ListenAddress(host: "127.0.0.1", port: 0)), options: options,
    configuration: try configuration ?? WebConfiguration(.settings(WebSettings()), log: quietLog), routes: routes,
    log: quietLog)
  let port = try server.start()!
  do {
    // The test's client blocks, which the shared pool, where handlers run, must not.
    try await withTaskExecutorPreference(TestExecutor.shared) { try await body(port, server) }
  } catch {
    await server.stop()
    throw error
  }
  await server.stop()
}

/// A moment that one task waits for and another brings about.
final class Latch: Sendable {
  private let isOpen = Lock(false)

  func open() { isOpen.withLock { $0 = true } }

  func wait() async {
    while !isOpen.withLock({ $0 }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(2)) }
  }

  /// Waits whatever happens to the task, as a handler that hangs.
  func hang() async {
    while !isOpen.withLock({ $0 }) { await Task { try? await Task.sleep(for: .milliseconds(5)) }.value }
  }
}

let hello = Route("/hello") { request in .text("hello \(request.queryValue("name") ?? "world")\n") }
