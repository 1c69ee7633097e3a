import Testing

@testable import Config

@Suite(.timeLimit(.minutes(1))) struct AddressTests {
  static let hosts: [(filter: String, host: String, isAllowed: Bool)] = [
    ("", "anything", true),
    ("redis-*.internal", "redis-1.internal", true), ("redis-*.internal", "redis-1.external", false),
    ("REDIS.internal", "redis.INTERNAL", true), ("r?", "r1", true), ("r?", "r12", false), ("*", "10.0.0.1", true),
    ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.0/9", "10.128.0.1", false),
    ("10.0.0.0/8", "ten.example", false), ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "::1", false),
    ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("fd00::/8", "fd12::1", true), ("fd00::/8", "fe80::1", false),
    ("::1", "0:0:0:0:0:0:0:1", true), ("[::1]", "::1", true), ("127.0.0.1", "127.0.0.2", false),
    ("a, b ,c", "b", true), ("a,b", "d", false), ("10.*", "10.evil.example", true),
  ]

  @Test(arguments: hosts)
  func filterDecides(filter: String, host: String, isAllowed: Bool) throws {
    #expect(try HostFilter.parse(filter).allows(host: host) == isAllowed)
  }

  static let paths: [(filter: String, path: String, isAllowed: Bool)] = [
    ("", "/run/other.sock", true), ("10.0.0.0/8", "/run/redis.sock", false), ("*", "/run/redis.sock", false),
    ("/run/redis.sock", "/run/redis.sock", true), ("a,unix:///run/redis.sock", "/run/redis.sock", true),
    ("/run/redis/*.sock", "/run/redis/a.sock", true), ("/run/redis/*.sock", "/run/redis/a/b.sock", false),
    ("/run/*/a.sock", "/run/redis/a.sock", true), ("/run/redis/*", "/run/redis/../docker.sock", false),
    ("/run/redis?docker.sock", "/run/redis/docker.sock", false), ("/run/redis/*", "/run/redis//a", false),
    ("/run/redis/*", "/run/redis/.", false), ("/run/Redis.sock", "/run/redis.sock", false),
  ]

  @Test(arguments: paths)
  func filterDecidesOnSockets(filter: String, path: String, isAllowed: Bool) throws {
    #expect(try HostFilter.parse(filter).allows(socketPath: path) == isAllowed)
  }

  @Test func pathsAllowNoHost() throws {
    #expect(try !HostFilter.parse("/run/redis.sock").allows(host: "redis"))
  }

  @Test func globOfManyStarsIsQuick() throws {
    let filter = try HostFilter.parse(String(repeating: "a*", count: 2_000) + "b")
    #expect(!filter.allows(host: String(repeating: "a", count: 4_000)))
  }

  @Test(arguments: ["10.0.0.0/33", "::/129", "10.0.0.0/-1", "name/8", "10.0.0.0/8/8", "host:6379"])
  func badRuleIsRefused(text: String) throws {
    let error = try #require(throws: Mismatch.self) { try HostFilter.parse("ok,\(text)") }
    #expect(error.part == text)
  }

  static let listenAddresses: [(String, String, Int)] = [
    (":9121", "", 9121), ("127.0.0.1:0", "127.0.0.1", 0), ("[::]:65535", "::", 65535),
    ("localhost:80", "localhost", 80),
  ]

  @Test(arguments: listenAddresses)
  func listenAddressIsRead(text: String, host: String, port: Int) throws {
    let address = try ListenAddress.parse(text)
    #expect(address == ListenAddress(host: host, port: port))
    #expect(address.description == text)
  }

  @Test(arguments: [
    "", ":", "9121", "host", ":65536", ":-1", ":+1", "::1:80", "[::1]80", "[name]:80", "http://a:80", ":٣",
  ])
  func badListenAddressIsRefused(text: String) {
    #expect(throws: Mismatch.self) { try ListenAddress.parse(text) }
  }
}
