import Redis
import Runtime
import Testing

@testable import Drills

@Suite struct ClientErrorsTests {
  @Test(arguments: [
    ("-READONLY You can't write against a read only replica.", "READONLY"), ("-MOVED 42 10.0.0.1:6379", "MOVED"),
    ("-CLUSTERDOWN The cluster is down", "CLUSTERDOWN"), ("-LOADING Redis is loading", "LOADING"),
    ("-UNKILLABLE x", "BUSY"), ("-ERR user:alice is odd", "other"), ("-user:alice", "other"),
  ])
  func errorsAreCountedByKnownKinds(line: String, kind: String) throws {
    let reply = try Replies.read(Array("\(line)\r\n".utf8))[0]
    #expect(ClientErrors.kind(of: reply) == kind)
  }

  @Test func theyAreCountedByServer() {
    var errors = ClientErrors()
    errors.note("READONLY", at: "a:1", Monotonic(seconds: 2))
    var more = ClientErrors()
    more.note("READONLY", at: "b:1", Monotonic(seconds: 1))
    more.note("timeout", at: "a:1", Monotonic(seconds: 3))
    errors.add(more)
    #expect(errors.total == 3 && errors.count("READONLY") == 2 && errors.count("READONLY", at: "b:1") == 1)
    #expect(errors.first == Monotonic(seconds: 1) && errors.last == Monotonic(seconds: 3))
    for number in 0..<2000 { errors.note("timeout", at: "\(number)", Monotonic(seconds: 4)) }
    #expect(errors.counts.count <= ClientErrors.limit)
  }

  @Test func failuresAreOfFewKinds() {
    #expect(ClientErrors.kind(of: RedisError(.timeout, "")) == "timeout")
    #expect(ClientErrors.kind(of: RedisError(.closed, "")) == "closed")
    #expect(ClientErrors.kind(of: RedisError(.connect, "")) == "refused")
  }

  @Test func onlyThisMachineFlatters() {
    #expect(LocalHost.areAll(["127.0.0.1", "::1", "localhost"]))
    #expect(!LocalHost.areAll(["127.0.0.1", "192.0.2.1"]))
    #expect(!LocalHost.areAll(["redis.internal"]))
    #expect(!LocalHost.areAll([]))
  }
}
