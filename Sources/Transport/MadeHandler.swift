import NIOCore

/// Hands the handler that a channel's initializer makes to the code that connects. Looking for it in the pipeline would be vain
/// where a failing handshake has emptied that already; the handler knows why.
public struct MadeHandler<Handler>: Sendable {
  private let box: NIOLoopBoundBox<Handler?>
  private let loop: any EventLoop

  public init(of type: Handler.Type, on loop: any EventLoop) {
    box = .makeEmptyBox(valueType: type, eventLoop: loop)
    self.loop = loop
  }

  /// For the initializer, on the channel's loop.
  public func note(_ handler: Handler) { box.value = handler }

  /// - Throws: where no channel was made.
  public func get() async throws -> NIOLoopBound<Handler> {
    try await loop.submit { [box, loop] in
      guard let handler = box.value else { throw ChannelError.inappropriateOperationForState }
      return NIOLoopBound(handler, eventLoop: loop)
    }.get()
  }
}
