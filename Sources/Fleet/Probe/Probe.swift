import Metrics
import NIOCore
import Redis

/// Sends one PING a second on a connection of its own, on a fixed schedule: a late answer delays no other PING, and a
/// second that passes without one is counted.
///
/// Round trips are taken on the connection's event loop, so the daemon's own load is not in them.
actor Probe {
  static let interval: Duration = .seconds(1)
  /// How long a PING may take, with the connect that it may need: the next one is due then.
  static let patience: TimeAmount = .milliseconds(950)
  /// The page is made anew with each change of success, and after this many PINGs.
  static let publishEvery = 5

  private let connectionOptions: ConnectionOptions
  private let context: ConnectionContext
  /// Whether no connect is to be tried now.
  private let isLeftAlone: @Sendable () -> Bool
  private let publish: @Sendable (Samples) -> Void
  private let durations = Histogram(ProbeFamilies.duration, edges: ProbeFamilies.edges)
  private let ping = CommandBatch([["PING"]])

  private var connection: Connection?
  private var isSuccess: Bool?
  private var attempts = 0.0
  private var failures = 0.0
  private var missed = 0.0
  private var connections = 0.0
  private var connectSeconds: Double?

  init(
    _ options: ConnectionOptions, context: ConnectionContext, isLeftAlone: @escaping @Sendable () -> Bool,
    publish: @escaping @Sendable (Samples) -> Void
  ) {
    connectionOptions = options
    self.context = context
    self.isLeftAlone = isLeftAlone
    self.publish = publish
  }

  /// Probes until the task is cancelled. The first PING comes within a second, by chance.
  func run() async {
    let clock = ContinuousClock()
    var slot = clock.now + Self.interval * Double.random(in: 0...1)
    var untilPublish = 1
    while true {
      do { try await clock.sleep(until: slot, tolerance: .milliseconds(2)) } catch { break }
      let late = Int((clock.now - slot) / Self.interval)
      if late > 0 {
        missed += Double(late)
        slot += Self.interval * late
      }
      let before = isSuccess
      await probe()
      untilPublish -= 1
      if isSuccess != before || untilPublish <= 0 {
        publish(samples)
        untilPublish = Self.publishEvery
      }
      slot += Self.interval
    }
    connection?.close()
    connection = nil
  }

  private func probe() async {
    attempts += 1
    let deadline = NIODeadline.now() + Self.patience
    var isAnswered = false
    if let connection = await open(deadline) {
      let exchange = await connection.send(ping, deadline: deadline)
      isAnswered = exchange.failure == nil && exchange.replies.count == 1 && !exchange.replies[0].isError
      if isAnswered { durations.observe(Double((exchange.ended - exchange.sent).nanoseconds) / 1e9) }
    }
    if !isAnswered {
      failures += 1
      connection?.close()
      connection = nil
    }
    isSuccess = isAnswered
  }

  private func open(_ deadline: NIODeadline) async -> Connection? {
    if let connection, connection.isActive { return connection }
    connection = nil
    guard !isLeftAlone() else { return nil }
    connection = try? await Connection.open(connectionOptions, in: context, deadline: deadline)
    if let connection {
      connections += 1
      connectSeconds = connection.connectSeconds
    }
    return connection
  }

  private var samples: Samples {
    var sink = SampleSink()
    if let isSuccess { sink.add(ProbeFamilies.success, isSuccess ? 1 : 0) }
    durations.collect(into: &sink)
    sink.add(ProbeFamilies.attempts, attempts)
    sink.add(ProbeFamilies.failures, failures)
    sink.add(ProbeFamilies.missed, missed)
    if let connectSeconds { sink.add(ProbeFamilies.connectSeconds, connectSeconds) }
    sink.add(ProbeFamilies.connections, connections)
    return sink.finish()
  }
}
