import NIOCore

/// Counts what the server sends for one response, and ends the connection when that is too much.
final class ByteLimit: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let limitBytes: Int
  private var receivedBytes = 0

  init(_ limitBytes: Int) { self.limitBytes = limitBytes }

  /// Whether anything came since the last restart.
  var hasStarted: Bool { receivedBytes > 0 }

  func restart() { receivedBytes = 0 }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    receivedBytes += unwrapInboundIn(data).readableBytes
    guard receivedBytes <= limitBytes else {
      context.fireErrorCaught(HTTPClientError(.limit, "the server's answer is larger than \(limitBytes) bytes"))
      return
    }
    context.fireChannelRead(data)
  }
}
