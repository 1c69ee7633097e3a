import Logging
import NIOCore
import NIOPosix
import Runtime
import TestSupport
import Testing

@testable import Fleet
@testable import Redis

/// A subscription that gives way to another one while messages come in: each is heard once, in order.
@Suite(.timeLimit(.minutes(1)))
struct SentinelListenerTests {
  private func message(_ epoch: Int, at seconds: Double = 0) -> Subscription.Message {
    Subscription.Message(event: .newEpoch(epoch), time: WallTime(seconds: 1000 + seconds))
  }

  private func news(_ second: [Subscription.Message], after first: [Subscription.Message]) -> [SentinelEvent] {
    var handover = Handover()
    for message in first { handover.note(message) }
    return second.filter { handover.isNews($0) }.map(\.event)
  }

  @Test func whatBothHearIsHeardOnce() {
    let first = [message(1), message(2), message(3)]
    #expect(news([message(2), message(3), message(4)], after: first) == [.newEpoch(4)])
    #expect(news([message(4), message(5)], after: first) == [.newEpoch(4), .newEpoch(5)])
    #expect(news([message(3), message(3)], after: first) == [.newEpoch(3)], "published twice")
  }

  /// What is published again an hour later is no echo.
  @Test func whatIsPublishedAgainIsNews() {
    #expect(news([message(1, at: 3600)], after: [message(1)]) == [.newEpoch(1)])
    #expect(news([message(1, at: 3)], after: [message(1)]) == [])
    #expect(news([message(2), message(1)], after: [message(1)]) == [.newEpoch(2), .newEpoch(1)], "another Sentinel")
  }

  @Test func nothingIsMissedNorHeardTwice() async throws {
    let sentinel = try await FakeSentinel()
    var options = ConnectionOptions(address: try RedisAddress("redis://localhost:\(sentinel.port)"))
    options.maximumAge = .milliseconds(100)
    let (heard, connectedCount) = (Lock<[Int]>([]), Lock(0))
    let listener = SentinelListener(
      options, timeout: .seconds(5), context: ConnectionContext(group: MultiThreadedEventLoopGroup.singleton),
      cost: NodeCost(), log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    _ = listener.add {
      connectedCount.withLock { $0 += 1 }
    } hear: { message in
      if case .newEpoch(let epoch) = message.event { heard.withLock { $0.append(epoch) } }
    }
    // Until the second of three has taken over from the first, and the first is closed.
    while sentinel.subscribedCount < 3 || sentinel.openCount > 2 {
      sentinel.publishNext()
      try await Task.sleep(for: .milliseconds(1))
    }
    let last = sentinel.publishNext()
    while heard.withLock({ $0.last ?? 0 }) < last { try await Task.sleep(for: .milliseconds(1)) }
    let all = heard.withLock { $0 }
    let first = try #require(all.first)
    #expect(all == Array(first...last))
    #expect(connectedCount.withLock { $0 } >= 2, "those that listen ask what was published before")
    #expect(listener.isListening)
    listener.stop()
    sentinel.close()
  }
}

/// A Sentinel on loopback that confirms subscriptions and publishes new epochs to all of them.
private final class FakeSentinel: Sendable {
  private struct Subscribers {
    var all: [any Channel] = []
    var count = 0
    var epoch = 0
  }
  private let subscribers = Lock(Subscribers())
  private let channel: any Channel
  let port: Int

  init() async throws {
    let subscribers = subscribers
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            Handler { channel in
              subscribers.withLock {
                $0.all.append(channel)
                $0.count += 1
              }
            })
        }
      }
      .bind(host: "localhost", port: 0).get()
    port = channel.localAddress?.port ?? 0
  }

  var subscribedCount: Int { subscribers.withLock(\.count) }
  var openCount: Int { subscribers.withLock { $0.all.count(where: \.isActive) } }

  @discardableResult func publishNext() -> Int {
    let (all, epoch) = subscribers.withLock { subscribers in
      subscribers.epoch += 1
      return (subscribers.all, subscribers.epoch)
    }
    let text = "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$10\r\n+new-epoch\r\n$\("\(epoch)".utf8.count)\r\n\(epoch)\r\n"
    for channel in all { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }
    return epoch
  }

  func close() {
    for channel in subscribers.withLock(\.all) { channel.close(promise: nil) }
    channel.close(promise: nil)
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let subscribed: (any Channel) -> Void

    init(_ subscribed: @escaping (any Channel) -> Void) { self.subscribed = subscribed }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let text = String(buffer: unwrapInboundIn(data)).uppercased()
      let isSubscription = text.contains("PSUBSCRIBE")
      let answer = isSubscription ? "*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n" : "*2\r\n$4\r\npong\r\n$0\r\n\r\n"
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
      if isSubscription { subscribed(context.channel) }
    }
  }
}
