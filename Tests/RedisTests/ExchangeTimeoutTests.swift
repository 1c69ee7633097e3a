import NIOCore
import NIOPosix
import Testing

@testable import Redis

/// Deadlines of exchanges, which share a timer.
@Suite struct ExchangeTimeoutTests {
  /// A server that answers PING, and nothing else.
  private static func server(_ group: MultiThreadedEventLoopGroup) async throws -> any Channel {
    try await ServerBootstrap(group: group)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(PingServer()) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  private final class PingServer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let text = String(buffer: unwrapInboundIn(data))
      guard text.contains("PING") else { return }
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "+PONG\r\n")), promise: nil)
    }
  }

  @Test(.timeLimit(.minutes(1))) func whatIsNotAnsweredEndsAtItsDeadlineAndNothingElseDoes() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let server = try await Self.server(group)
    let port = try #require(server.localAddress?.port)
    let context = ConnectionContext(group: group)
    let options = ConnectionOptions(address: try RedisAddress("redis://127.0.0.1:\(port)"))
    func open() async throws -> Connection {
      try await Connection.open(options, in: context, deadline: .now() + .seconds(10))
    }
    // Later deadlines first, so that the timer has to come forward.
    let silent = try await (open(), open(), open())
    let lively = try await open()
    async let last = silent.0.send(CommandBatch([["GET", "x"]]), deadline: .now() + .milliseconds(900))
    async let middle = silent.1.send(CommandBatch([["GET", "x"], ["PONG"]]), deadline: .now() + .milliseconds(500))
    async let first = silent.2.send(CommandBatch([["GET", "x"]]), deadline: .now() + .milliseconds(200))
    // Answered exchanges leave nothing behind that ends a later one of the same connection.
    for _ in 0..<20 {
      let answer = await lively.send(CommandBatch([["PING"]]), deadline: .now() + .milliseconds(300))
      #expect(answer.failure == nil)
      try await Task.sleep(for: .milliseconds(30))
    }
    let ends = await [first, middle, last]
    for (exchange, milliseconds) in zip(ends, [200, 500, 900]) {
      #expect(exchange.failure?.errorClass == .timeout)
      let took = exchange.ended - exchange.sent
      // Never early, but for what passed between the test's clock and the sending.
      #expect(took > .milliseconds(Int64(milliseconds) - 100) && took < .seconds(20))
    }
    #expect(ends.map { $0.ended }.sorted() == ends.map { $0.ended })
    #expect(ends[1].failure?.message == "0 of 2 replies came before the deadline")
    let again = await silent.0.send(CommandBatch([["PING"]]), deadline: .now() + .seconds(5))
    #expect(again.failure != nil, "a connection that owes a reply is closed")
    lively.close()
    try await server.close()
    try await group.shutdownGracefully()
  }
}
