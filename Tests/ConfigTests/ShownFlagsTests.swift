import Testing

@testable import Config

@Suite struct ShownFlagsTests {
  private func shown(_ arguments: [String], _ environment: [String: String] = [:]) throws -> [String: String] {
    guard case .run(let options) = try Invocation.parse(arguments, environment: environment) else { return [:] }
    return options.shownFlags
  }

  @Test func everyFlagHasItsValue() throws {
    let flags = try shown(["-web.max-age=3s"], ["REDLINE_WEB_MAX_CONNECTIONS": "77"])
    #expect(flags.count == Flags.all.count)
    #expect(flags["web.max-age"] == "3s")
    #expect(flags["web.max-connections"] == "77")
    #expect(flags["web.enable-lifecycle"] == "true")
    #expect(flags["redis.password"] == "")
  }

  @Test(arguments: [
    ("redis://user:pa:/@ss@host:1", "redis://<secret>@host:1"), ("word@host", "<secret>@host"),
    ("redis://host:1", "redis://host:1"),
  ])
  func passwordsInAddressesAreHidden(address: String, text: String) throws {
    #expect(try shown(["--redis.addr=\(address)"])["redis.addr"] == text)
  }

  @Test func secretsAreHidden() throws {
    let flags = try shown(
      ["--basic-auth-username=a"], ["REDIS_PASSWORD": "s3cret", "REDIS_EXPORTER_BASIC_AUTH_PASSWORD": "w0rd"])
    #expect(flags["redis.password"] == "<secret>")
    #expect(!flags.values.contains { $0.contains("s3cret") || $0.contains("w0rd") })
  }
}
