import Config
import Redis
import Testing

@testable import Fleet

@Suite struct AddressPolicyTests {
  static func policy(_ seeds: String..., allow: String = "") throws -> AddressPolicy {
    AddressPolicy(seeds: seeds.map { address($0) }, allowed: try HostFilter.parse(allow))
  }

  static func address(_ text: String, port: Int = 6379) -> NodeAddress {
    NodeAddress(host: text, port: text.hasPrefix("/") ? 0 : port)
  }

  @Test(arguments: [
    "/run/redis.sock", "127.1", "0x7f000001", "0x7f.1", "2130706433", "017700000001", "10.0.0.256", "10.0.0.1.", "a b",
    "",
    "[::1]", "fe80::1%eth0", "../x", "a..b", "10.1", "a,b", "\u{1b}[2J",
  ])
  func noAddressInFullAndNoName(_ host: String) throws {
    #expect(try Self.policy("10.0.0.1").refusal(of: Self.address(host)) == .form)
  }

  @Test(arguments: [
    "10.0.0.2", "redis-1", "redis_1.example.org.", "fd00::2", "1a.example", "localhost", "a.0b", "x0x1",
  ])
  func addressesAndNames(_ host: String) throws {
    #expect(try Self.policy("10.0.0.1").refusal(of: Self.address(host)) == nil)
  }

  @Test func portZeroIsNoAddress() throws {
    #expect(try Self.policy("10.0.0.1").refusal(of: Self.address("10.0.0.2", port: 0)) == .form)
  }

  @Test(arguments: ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "169.254.169.254", "fe80::1", "::ffff:127.0.0.1"])
  func whatReachesThisMachineOrLinkAlone(_ host: String) throws {
    #expect(try Self.policy("10.0.0.1", "redis.example").refusal(of: Self.address(host)) == .scope)
    #expect(try Self.policy("10.0.0.1", host).refusal(of: Self.address(host, port: 7000)) == nil)
    // A network has to name it as such.
    #expect(try Self.policy("10.0.0.1", allow: "0.0.0.0/0,::/0").refusal(of: Self.address(host)) != nil)
  }

  @Test func aSeedOnThisMachineLetsLoopbackIn() throws {
    for seed in ["localhost", "127.0.0.1", "/run/redis.sock"] {
      let policy = try Self.policy(seed)
      #expect(policy.refusal(of: Self.address("127.0.0.2")) == nil)
      #expect(policy.refusal(of: Self.address("169.254.0.1")) == .scope)
    }
    #expect(try Self.policy("/run/redis.sock").refusal(of: Self.address("/run/redis.sock")) == nil)
    #expect(try Self.policy("/run/redis.sock").refusal(of: Self.address("/run/other.sock")) == .form)
  }

  /// What a peer announces for another is a name for its certificate, unless the configuration names others.
  @Test func announcedNamesAreForCertificates() throws {
    #expect(try Self.policy("10.0.0.1").certifiedName("redis-1.example") == "redis-1.example")
    let policy = try Self.policy("10.0.0.1", allow: "10.0.0.0/8,redis-*.internal")
    let names: [String?] = ["redis-1.internal", "redis-1.elsewhere", "10.0.0.2", "a b", "", nil]
    #expect(names.map(policy.certifiedName) == ["redis-1.internal", nil, nil, nil, nil, nil])
    #expect(try Self.policy("10.0.0.1", allow: "10.0.0.0/8").certifiedName("redis-1") == "redis-1")
  }

  @Test func allowNamesEverybodyButTheSeeds() throws {
    let policy = try Self.policy("192.168.0.1", allow: "10.0.0.0/8,127.0.0.0/8,redis-*.internal")
    for host in ["192.168.0.1", "10.1.2.3", "127.0.0.1", "redis-1.internal"] {
      #expect(policy.refusal(of: Self.address(host)) == nil)
    }
    for host in ["192.168.0.2", "192.169.0.1", "other.internal", "fd00::1"] {
      #expect(policy.refusal(of: Self.address(host)) == .allow)
    }
    // A seed is an address with its port.
    #expect(policy.refusal(of: Self.address("192.168.0.1", port: 22)) == .allow)
  }

  @Test func aNameIsCheckedWhereItLeads() throws {
    let name = Self.address("redis-1.internal")
    let listed = try #require(try Self.policy("192.168.0.1", allow: "10.0.0.0/8,redis-*").check(of: name))
    #expect(listed("10.1.2.3") && !listed("192.168.0.9") && !listed("127.0.0.1") && !listed("nonsense"))
    let open = try #require(try Self.policy("192.168.0.1").check(of: name))
    #expect(open("8.8.8.8") && !open("127.0.0.1") && !open("169.254.169.254") && !open("0.0.0.0"))
    // Networks alone say nothing of names: where they lead decides.
    let networks = try Self.policy("192.168.0.1", allow: "10.0.0.0/8")
    #expect(networks.refusal(of: name) == nil && networks.check(of: name)?("11.0.0.1") == false)
    #expect(try Self.policy("redis-1.internal").check(of: name) == nil)
  }
}
