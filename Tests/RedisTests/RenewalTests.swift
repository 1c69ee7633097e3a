import NIOCore
import Testing

@testable import Redis

/// When a connection is opened again, and when the old one serves on.
@Suite struct RenewalTests {
  private let start = NIODeadline.uptimeNanoseconds(1)

  private func renewal(_ address: String = "redis://cache:6379") throws -> Renewal {
    Renewal(of: try RedisAddress(address).endpoint, openedAt: start)
  }

  @Test func aNameIsFollowedAfterAMinute() throws {
    let renewal = try renewal()
    #expect(!renewal.isDue(at: start + .seconds(59)) && renewal.isDue(at: start + .seconds(60)))
  }

  @Test(arguments: ["redis://10.0.0.1:6379", "redis://[::1]:6379", "unix:///run/redis.sock"])
  func anAddressIsKept(_ address: String) throws {
    #expect(try !renewal(address).isDue(at: start + .hours(1000)))
  }

  /// What flags name may be the address of a balancer.
  @Test func anAddressThatMayMoveIsFollowedToo() throws {
    func renewal(_ address: String) throws -> Renewal {
      Renewal(of: try RedisAddress(address).endpoint, openedAt: start, literalsMayMove: true)
    }
    for address in ["redis://10.0.0.1:6379", "redis://[::1]:6379", "redis://cache:6379"] {
      let renewal = try renewal(address)
      #expect(!renewal.isDue(at: start + .seconds(59)) && renewal.isDue(at: start + .seconds(60)))
    }
    #expect(try !renewal("unix:///run/redis.sock").isDue(at: start + .hours(1000)))
  }

  /// A full server is seen by the kept connection alone; it is not asked for another at every poll.
  @Test(arguments: [RedisError.Class.maxclients, .dns])
  func whereNoneCanBeHadTheOldOneServes(_ errorClass: RedisError.Class) throws {
    var renewal = try renewal()
    for round in 1...10 {
      let now = start + .seconds(60) * round
      #expect(renewal.isDue(at: now))
      let serves = renewal.fail(errorClass, at: now)
      #expect(serves)
      #expect(!renewal.isDue(at: now + .seconds(59)))
    }
  }

  /// What others cannot reach under the name is not up because of a connection of yesterday.
  @Test func theOldOneDoesNotHideThatNoneCanConnect() throws {
    var renewal = try renewal()
    let now = start + .seconds(60)
    let serves = [RedisError.Class.connect, .timeout, .auth].map { renewal.fail($0, at: now) }
    #expect(serves == [true, true, false])
    #expect(renewal.isDue(at: now))
  }
}
