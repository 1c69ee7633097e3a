import NIOCore
import NIOPosix
import Runtime

@testable import Redis

/// A server on loopback that answers each command as a test says.
final class FakeRedis: Sendable {
  private let channel: any Channel
  private let asked = Lock<[String]>([])
  let port: Int

  /// - Parameter answer: gives the reply to a command, as it goes over the wire.
  init(_ answer: @escaping @Sendable (_ command: String) -> String) async throws {
    let asked = asked
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            Handler { command in
              asked.withLock { $0.append(command) }
              return answer(command)
            })
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
  }

  /// How often a command was asked.
  func count(of command: String) -> Int { asked.withLock { $0.count { $0 == command } } }

  func close() { channel.close(promise: nil) }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let reader = ReplyReader()
    private let answer: (String) -> String

    init(_ answer: @escaping (String) -> String) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      var text = ""
      unsafe unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
        try? unsafe reader.feed(bytes)
      }
      let commands = reader.take()
      for command in commands.replies(in: 0..<commands.count) {
        text += answer((command.elements.map(Array.init) ?? []).compactMap(\.text).joined(separator: " "))
      }
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }
  }
}
