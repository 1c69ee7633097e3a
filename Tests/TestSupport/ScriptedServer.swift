import NIOCore
import NIOHTTP1
import NIOPosix

/// An HTTP server on loopback that answers as a test says: well, badly, or not at all.
public final class ScriptedServer: Sendable {
  public struct Request: Sendable {
    public let method: String
    public let target: String
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]
    /// From 0, which connection it came on.
    public let connection: Int

    public func header(_ name: String) -> String? {
      headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
  }

  public enum Answer: Sendable {
    /// A whole response; the connection stays open.
    case response(Int, headers: [(name: String, value: String)] = [], body: String = "")
    /// These bytes as they are, and whether the connection then ends.
    case bytes(String, closes: Bool)
    case nothing
  }

  private let channel: any Channel
  public let port: Int

  /// - Parameter answer: is asked on the server's event loop.
  public init(_ answer: @escaping @Sendable (Request) -> Answer) async throws {
    let connections = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: MultiThreadedEventLoopGroup.singleton.next())
    let loop = connections.eventLoop
    channel = try await ServerBootstrap(group: loop)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
          try pipeline.addHandler(ScriptHandler(connection: connections.value, answer: answer))
          connections.value += 1
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
  }

  public func close() { channel.close(promise: nil) }
}

private final class ScriptHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = ByteBuffer

  private let connection: Int
  private let answer: @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer
  private var head: HTTPRequestHead?
  private var body: [UInt8] = []

  init(connection: Int, answer: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer) {
    self.connection = connection
    self.answer = answer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): (self.head, body) = (head, [])
    case .body(let buffer): body += buffer.readableBytesView
    case .end:
      guard let head else { return }
      let request = ScriptedServer.Request(
        method: head.method.rawValue, target: head.uri, headers: head.headers.map { ($0.name, $0.value) }, body: body,
        connection: connection)
      switch answer(request) {
      case .response(let status, let headers, let body):
        let lines = headers.map { "\($0.name): \($0.value)\r\n" }.joined()
        write("HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\n\(lines)\r\n\(body)", context)
      case .bytes(let text, let closes):
        write(text, context)
        if closes { context.close(promise: nil) }
      case .nothing: break
      }
    }
  }

  private func write(_ text: String, _ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
  }
}
