import Testing

@testable import Transport

@Suite struct CertificateNameTests {
  @Test(arguments: [
    ("redis.example", "redis.example", true), ("Redis.Example", "redis.example", true),
    ("*.example", "redis.example", true), ("*.example", "a.redis.example", false), ("*.example", "example", false),
    ("*.example", ".example", false), ("other.example", "redis.example", false), ("*", "redis", false),
  ])
  func names(pattern: String, name: String, isFor: Bool) { #expect(certifies(pattern, name) == isFor) }
}
