import NIOCore
import Redis
import Testing

@testable import Fleet

/// What real servers say of a user's rights; skipped where there is no redis-server.
@Suite(.enabled(if: RedisServer.program != nil, "no redis-server was found"), .timeLimit(.minutes(1)))
struct AccessCheckLiveTests {
  private func check(_ server: RedisServer, user: String?, needs: [AccessNeed]) async throws -> AccessCheck {
    var options = ConnectionOptions(address: server.address)
    if let user { options.credentials = { Credentials(user: user, password: "s3same") } }
    return try await AccessCheck(options, timeout: .seconds(10), in: RedisServer.context) { _ in needs }
  }

  private func reasons(_ check: AccessCheck) -> [String: [AccessCheck.Verdict.Reason]] {
    Dictionary(uniqueKeysWithValues: check.verdicts.map { ($0.need.feature, $0.reasons) })
  }

  private static let needs = [
    AccessNeed("config", [["CONFIG", "GET", "maxmemory"]], lost: ["config"]),
    AccessNeed("slowlog", [["SLOWLOG", "GET", "1"], ["SLOWLOG", "LEN"], ["SLOWLOG", "LEN"]], lost: ["slowlog"]),
    AccessNeed("nothing", [["NOSUCHCOMMAND"]], lost: ["nothing"]),
    AccessNeed("keys", keys: [Array("app:*".utf8), Array("lock:*".utf8)], lost: ["keys"]) { [KeyCommand.type($0)] },
    AccessNeed("events", [["PSUBSCRIBE", "*"]], channels: ["*"], lost: ["events"]),
  ]

  @Test func whoMayDoAllLacksOnlyWhatTheServerHasNot() async throws {
    let server = try await RedisServer()
    let found = try await check(server, user: nil, needs: Self.needs)
    #expect(
      reasons(found) == [
        "config": [], "slowlog": [], "nothing": [.unknown(aclName: "nosuchcommand")], "keys": [], "events": [],
      ])
    #expect(!found.isComplete)
    #expect(found.facts.version >= Version(6))
    #expect(try await check(server, user: nil, needs: []).isComplete)
  }

  @Test func eachMissingRightIsNamedOnce() async throws {
    let server = try await RedisServer()
    guard server.isNewer(than: 7, try await check(server, user: nil, needs: [])) else { return }
    try await server.run(
      "ACL SETUSER u on >s3same resetkeys resetchannels -@all +info +config|get +type +psubscribe ~app:*")
    #expect(
      reasons(try await check(server, user: "u", needs: Self.needs)) == [
        "config": [], "slowlog": [.denied(aclRule: "+slowlog|get"), .denied(aclRule: "+slowlog|len")],
        "nothing": [.unknown(aclName: "nosuchcommand")], "keys": [.denied(aclRule: "~app:* ~lock:*")],
        "events": [.denied(aclRule: "&*")],
      ])
  }

  private static let databases = [
    AccessNeed(
      "databases", [["SELECT", "3"], ["SELECT", "99"], ["SELECT", "0"]], databases: [3, 99], lost: ["keys"])
  ]

  @Test func aDatabaseThatIsNotThereIsNamed() async throws {
    let found = try await check(try await RedisServer(), user: nil, needs: Self.databases)
    #expect(reasons(found) == ["databases": [.unknown(aclName: "database 99")]])
  }

  @Test func aUserWithoutSelectIsTold() async throws {
    let server = try await RedisServer()
    try await server.run("ACL SETUSER u on >s3same -@all +info")
    let found = try await check(server, user: "u", needs: Self.databases)
    #expect(reasons(found) == ["databases": [.denied(aclRule: "+select")]])
  }

  /// Valkey 9.1 limits users to databases.
  @Test func aDatabaseThatTheUserMayNotReadIsNamed() async throws {
    let server = try await RedisServer()
    let facts = try await check(server, user: nil, needs: []).facts
    guard let version = facts.valkeyVersion, version >= Version(9, 1) else { return }
    try await server.run("ACL SETUSER u on >s3same +@all resetdbs db=0")
    let found = try await check(server, user: "u", needs: [AccessNeed("databases", [["SELECT", "3"]], lost: ["keys"])])
    #expect(reasons(found) == ["databases": [.denied(aclRule: "db=3")]])
  }

  /// The user that the rules give lacks nothing of what they were made from.
  @Test func theRulesSuffice() async throws {
    let server = try await RedisServer()
    let version = try await check(server, user: nil, needs: []).facts.version
    let needs =
      Self.needs.filter { $0.feature != "nothing" && $0.feature != "slowlog" } + [
        AccessNeed("info", [["INFO", "ALL"]], lost: ["everything"])
      ]
    let rules = AccessRules(needs, version: version, configCommand: "CONFIG")
    try await server.run("ACL SETUSER u on >s3same \(rules.text)")
    let found = try await check(server, user: "u", needs: needs + [Self.needs[1]])
    #expect(found.verdicts.filter { !$0.reasons.isEmpty }.map(\.need.feature) == ["slowlog"])
  }

  @Test func withoutALoginOrInfoThereIsNoVerdict() async throws {
    let server = try await RedisServer()
    try await server.run("ACL SETUSER u on >s3same -@all +ping")
    for (user, code) in [("u", "NOPERM"), ("stranger", "WRONGPASS")] {
      let error = await #expect(throws: RedisError.self) { try await check(server, user: user, needs: []) }
      #expect("\(error!)".contains(code) && !"\(error!)".contains("s3same"), "\(error!)")
    }
  }
}

extension RedisServer {
  /// Rights to subcommands came with Redis 7.
  fileprivate func isNewer(than major: Int, _ check: AccessCheck) -> Bool { check.facts.version.major >= major }
}
