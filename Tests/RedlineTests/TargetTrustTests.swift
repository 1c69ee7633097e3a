import Config
import Redis
import Testing

@testable import redline

@Suite struct TargetTrustTests {
  /// `redis.addr`, `scrape.allow`, the target, its `tls_server_name`, and whether it gets the general password.
  static let decisions: [(configured: String?, allowed: String, target: String, name: String?, isTrusted: Bool)] = [
    ("redis://a:1", "", "redis://a:1", nil, true), ("redis://a:1", "", "a:1", nil, true),
    ("redis://a:1", "", "redis://a:2", nil, false), ("redis://a:1", "", "redis://b:1", nil, false),
    // Its scheme is part of it.
    ("rediss://a:1", "", "rediss://a:1", nil, true), ("rediss://a:1", "", "redis://a:1", nil, false),
    ("rediss://a:1", "a", "redis://a:1", nil, false), ("redis://a:1", "", "rediss://a:1", nil, false),
    // So is the user, and the name of the certificate.
    ("redis://a:1", "", "redis://general:@a:1", nil, true), ("redis://a:1", "", "redis://other:@a:1", nil, false),
    ("rediss://a:1", "", "rediss://a:1", "a", true), ("rediss://a:1", "", "rediss://a:1", "evil", false),
    // What is allowed is trusted, but never with less than the configured one.
    ("redis://a:1", "b", "redis://b:7", nil, true), ("redis://a:1", "b", "rediss://b:7", nil, true),
    ("rediss://a:1", "b", "rediss://b:7", nil, true), ("rediss://a:1", "b", "redis://b:7", nil, false),
    ("redis://a:1", "b", "redis://other:@b:7", nil, false), ("rediss://a:1", "b", "rediss://b:7", "evil", false),
    (nil, "b", "redis://b:7", nil, true), (nil, "", "redis://b:7", nil, false), (nil, "b", "redis://c:7", nil, false),
    // Sockets.
    ("unix:///run/a", "", "unix:///run/a", nil, true), ("redis://a:1", "", "unix:///run/a", nil, false),
    ("redis://a:1", "*", "unix:///run/a", nil, false), ("redis://a:1", "/run/*", "unix:///run/a", nil, true),
    ("rediss://a:1", "/run/*", "unix:///run/a", nil, false),
  ]

  @Test(arguments: decisions)
  func whoGetsTheGeneralPassword(configured: String?, allowed: String, target: String, name: String?, isTrusted: Bool)
    throws
  {
    let trust = TargetTrust(
      configured: try configured.map { try RedisAddress($0) }, user: "general", serverName: nil,
      allowed: try HostFilter.parse(allowed))
    #expect(trust.includes(try RedisAddress(target), serverName: name) == isTrusted)
  }

  /// `redis.addr`, `scrape.allow`, the target, its `tls_server_name`, and what the log says to do.
  static let advice: [(configured: String?, allowed: String, target: String, name: String?, words: String)] = [
    (nil, "", "redis://b:7", nil, "--scrape.allow"), (nil, "c", "redis://b:7", nil, "--redis.password-file"),
    ("redis://a:1", "", "redis://other:@a:1", nil, "leave the user out"),
    ("rediss://a:1", "", "rediss://a:1", "evil", "tls_server_name"),
    ("rediss://a:1", "", "redis://a:1", nil, "the same scheme"), ("rediss://a:1", "b", "redis://b:7", nil, "rediss://"),
  ]

  @Test(arguments: advice)
  func whoGetsNoneIsToldWhy(configured: String?, allowed: String, target: String, name: String?, words: String) throws {
    let trust = TargetTrust(
      configured: try configured.map { try RedisAddress($0) }, user: "general", serverName: nil,
      allowed: try HostFilter.parse(allowed))
    let distrust = try #require(trust.distrust(of: try RedisAddress(target), serverName: name))
    #expect(distrust.contains(words))
  }

  @Test func theConfiguredNameMayBeNamed() throws {
    let address = try RedisAddress("rediss://10.0.0.1:1")
    let trust = TargetTrust(
      configured: address, user: nil, serverName: "redis.internal", allowed: try HostFilter.parse("10.0.0.0/8"))
    #expect(trust.includes(address, serverName: "redis.internal"))
    #expect(!trust.includes(address, serverName: "10.0.0.1"))
  }
}
