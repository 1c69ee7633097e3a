import Logging
import NIOCore
import NIOPosix
import Runtime
import Testing

@testable import Fleet
@testable import Redis

/// A name that leads to another server, as a Service or a proxy does: what is shown is the server that it leads to now.
@Suite(.timeLimit(.minutes(1)))
struct RenewalLiveTests {
  @Test func aPollFollowsTheName() async throws {
    let door = try await SwitchedDoor()
    let poller = try subject(door, maximumAge: .zero)
    #expect(await poller.snapshot(since: .now())?.facts?.runID == "old")
    door.lead(to: .server("new"))
    let snapshot = await poller.snapshot(since: .now())
    #expect(snapshot?.facts?.runID == "new" && snapshot?.state == .up)
    await poller.stop()
    door.close()
  }

  /// Of a virtual address, or that of a Service.
  @Test(arguments: [true, false]) func aPollFollowsAnAddressThatMayMove(_ mayMove: Bool) async throws {
    let door = try await SwitchedDoor()
    let poller = try subject(door, host: door.literal, maximumAge: .zero, literalsMayMove: mayMove)
    #expect(await poller.snapshot(since: .now())?.facts?.runID == "old")
    door.lead(to: .server("new"))
    #expect(await poller.snapshot(since: .now())?.facts?.runID == (mayMove ? "new" : "old"))
    await poller.stop()
    door.close()
  }

  @Test func aYoungConnectionIsKept() async throws {
    let door = try await SwitchedDoor()
    let poller = try subject(door, maximumAge: Renewal.maximumAge)
    _ = await poller.snapshot(since: .now())
    door.lead(to: .server("new"))
    #expect(await poller.snapshot(since: .now())?.facts?.runID == "old")
    await poller.stop()
    door.close()
  }

  /// Without the kept connection nobody would see into a full server; the refusal is counted.
  @Test func aFullServerIsAskedOverTheKeptOne() async throws {
    let door = try await SwitchedDoor()
    let cost = NodeCost()
    let poller = try subject(door, maximumAge: .zero, cost)
    _ = await poller.snapshot(since: .now())
    door.lead(to: .refusal)
    for round in 1...5 {
      let snapshot = await poller.snapshot(since: .now())
      #expect(snapshot?.state == .up && snapshot?.facts?.runID == "old")
      #expect(cost.totals.failures[.maxclients] == Double(round))
    }
    await poller.stop()
    door.close()
  }

  @Test func aDoorThatIsShutIsDownAfterThreeTries() async throws {
    let door = try await SwitchedDoor()
    let poller = try subject(door, maximumAge: .zero)
    _ = await poller.snapshot(since: .now())
    door.close()
    var states: [String] = []
    for _ in 1...3 { states.append(await poller.snapshot(since: .now())?.state.name ?? "") }
    #expect(states == ["up", "up", "connect"])
    await poller.stop()
  }

  private func subject(
    _ door: SwitchedDoor, host: String = "localhost", maximumAge: TimeAmount, literalsMayMove: Bool = false,
    _ cost: NodeCost = NodeCost()
  ) throws -> Poller {
    var connection = ConnectionOptions(address: try RedisAddress("redis://\(host):\(door.port)"))
    connection.maximumAge = maximumAge
    connection.literalsMayMove = literalsMayMove
    return Poller(
      PollerOptions(connection: connection), collectors: [],
      context: ConnectionContext(group: MultiThreadedEventLoopGroup.singleton),
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, cost: cost, publish: { _ in })
  }
}

/// Connections lead to the server that is chosen when they are opened, and stay there.
private final class SwitchedDoor: Sendable {
  enum Behind: Sendable {
    /// One whose INFO has this run_id.
    case server(String)
    /// One that has no connection left.
    case refusal
  }
  private let behind = Lock(Behind.server("old"))
  private let channel: any Channel
  let port: Int
  /// The address that `localhost` is.
  var literal: String {
    channel.localAddress?.protocol == .inet6 ? "[::1]" : "127.0.0.1"
  }

  init() async throws {
    let behind = behind
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Server(behind.withLock { $0 }))
        }
      }
      .bind(host: "localhost", port: 0).get()
    port = channel.localAddress?.port ?? 0
  }

  func lead(to next: Behind) { behind.withLock { $0 = next } }

  func close() { try? channel.close().wait() }

  private final class Server: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let behind: Behind

    init(_ behind: Behind) { self.behind = behind }

    func channelActive(context: ChannelHandlerContext) {
      guard case .refusal = behind else { return }
      context.writeAndFlush(
        wrapOutboundOut(ByteBuffer(string: "-ERR max number of clients reached\r\n")), promise: nil)
      context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      guard case .server(let id) = behind else { return }
      let info = "# Server\r\nredis_version:8.2.0\r\nrun_id:\(id)\r\n"
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "$\(info.utf8.count)\r\n\(info)\r\n")), promise: nil)
    }
  }
}
