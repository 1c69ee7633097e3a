import ArgumentParser
import Config
import Fleet
import Logging
import NIOCore

/// Polls a server a number of times and prints nothing: what the benchmark measures against a bare C loop.
struct BenchPollCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "bench-poll", shouldDisplay: false)

  @Option(name: .customLong("redis.addr"), help: "The server to poll.")
  var address: String

  @Option(help: "How many polls to make.")
  var count = 1000

  func run() async throws {
    guard case .run(let options) = try Invocation.parse(["--redis.addr", address], environment: [:]) else { return }
    let daemon = try await Daemon(options, environment: [:], log: Logger(label: "redline") { _ in SwiftLogNoOpLogHandler() })
    guard let node = daemon.node else { return }
    for _ in 0..<count { _ = await node.poller.snapshot(since: .now()) }
    guard node.poller.newest?.state.isUp == true else {
      throw ValidationError("the server at \(address) cannot be polled")
    }
  }
}
