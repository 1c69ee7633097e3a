import ArgumentParser
import Fleet
import Logging
import NIOCore
import NIOPosix
import Redis

/// Polls a server a number of times and prints nothing: what the benchmark measures against a bare C loop.
struct BenchPollCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "bench-poll", shouldDisplay: false)

  @Option(name: .customLong("redis.addr"), help: "The server to poll.")
  var address: String

  @Option(help: "How many polls to make.")
  var count = 1000

  @Flag(help: "Turn the replies into samples as well; without it they are read and dropped.")
  var samples = false

  func run() async throws {
    let context = ConnectionContext(group: MultiThreadedEventLoopGroup(numberOfThreads: 1))
    let connection = ConnectionOptions(address: try RedisAddress(address))
    let log = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
    let poller = Poller(
      PollerOptions(connection: connection), collectors: CollectorCatalogue.all, context: context, log: log
    ) { _ in }
    for _ in 0..<count {
      guard await poller.snapshot(since: .now())?.state.isUp == true else {
        throw ValidationError("the server at \(address) cannot be polled")
      }
      if !samples { return try await poller.exchange(count: count) }
    }
  }
}
