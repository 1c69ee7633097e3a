import NIOCore
import Transport

/// What all clients share.
public struct HTTPContext: Sendable {
  public let group: any EventLoopGroup
  public let names: NameResolver
  let tls: TLSContexts

  public init(group: any EventLoopGroup) {
    self.group = group
    names = NameResolver()
    tls = TLSContexts(protocols: ["http/1.1"])
  }
}

/// The value of `body`, or `late` when the deadline comes first; `body` then goes on by itself.
func value<Value: Sendable>(
  before deadline: NIODeadline, on loop: any EventLoop, orElse late: HTTPClientError,
  _ body: @escaping @Sendable () async -> Value
) async throws(HTTPClientError) -> Value {
  let promise = loop.makePromise(of: Value.self)
  let timer = loop.scheduleTask(deadline: deadline) { promise.fail(late) }
  defer { timer.cancel() }
  Task { promise.succeed(await body()) }
  do {
    return try await promise.futureResult.get()
  } catch {
    throw error as? HTTPClientError ?? late
  }
}
