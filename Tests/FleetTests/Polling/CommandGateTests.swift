import Redis
import Testing

@testable import Fleet

/// Which commands a server is asked: never one that its version cannot know.
struct CommandGateTests {
  struct Server: Sendable {
    let info: String
    let asked: Set<String>
    init(_ info: String, _ asked: String...) { (self.info, self.asked) = (info, Set(asked)) }
  }

  @Test(arguments: [
    Server(
      "redis_version:5.0.14", "CONFIG GET", "LATENCY LATEST", "SLOWLOG LEN", "SLOWLOG GET", "CLIENT LIST",
      "INFO MODULES"),
    Server(
      "redis_version:7.0.0", "CONFIG GET", "LATENCY LATEST", "LATENCY HISTOGRAM", "SLOWLOG LEN", "SLOWLOG GET",
      "CLIENT LIST", "INFO MODULES"),
    Server(
      "redis_version:7.2.4\nvalkey_version:8.0.1\ncluster_enabled:1", "CONFIG GET", "LATENCY LATEST",
      "LATENCY HISTOGRAM", "SLOWLOG LEN", "SLOWLOG GET", "CLIENT LIST", "INFO MODULES", "CLUSTER INFO"),
    Server(
      "redis_version:7.2.4\nvalkey_version:8.1.0", "CONFIG GET", "LATENCY LATEST", "LATENCY HISTOGRAM",
      "SLOWLOG LEN", "SLOWLOG GET", "CLIENT LIST", "INFO MODULES", "COMMANDLOG LEN"),
    Server("redis_version:6.0.9\nredis_mode:sentinel", "SENTINEL MASTERS", "CLIENT LIST"),
    Server(
      "redis_version:6.2.0\nredis_mode:sentinel\n# Sentinel\nmaster0:name=m,status=ok", "SENTINEL MASTERS",
      "SENTINEL SENTINELS", "SENTINEL SLAVES", "SENTINEL CKQUORUM", "SENTINEL CONFIG", "CLIENT LIST"),
    // A version that cannot be read is taken for the oldest.
    Server("redis_version:?", "CONFIG GET", "CLIENT LIST"),
  ])
  func withEverythingOn(_ server: Server) {
    var options = CollectorOptions.wholePage
    options.isTile38 = false
    #expect(commands(server.info, options) == server.asked)
  }

  @Test func whatIsCalledTile38IsAskedAsOne() {
    var options = CollectorOptions()
    options.isTile38 = true
    // As Tile38 1.36 says of itself.
    #expect(commands("tile38_version:1.36.6\r\nredis_version:1.36.6", options) == ["CONFIG GET", "SERVER EXT"])
  }

  @Test func byDefaultNothingIsAskedThatAnOptionGates() {
    #expect(
      commands("redis_version:7.4.0", CollectorOptions()) == [
        "CONFIG GET", "LATENCY LATEST", "LATENCY HISTOGRAM", "SLOWLOG LEN", "SLOWLOG GET",
      ])
    var quiet = CollectorOptions()
    quiet.configCommand = nil
    quiet.excludesLatency = true
    #expect(commands("redis_version:7.4.0", quiet) == ["SLOWLOG LEN", "SLOWLOG GET"])
    var renamed = CollectorOptions()
    renamed.configCommand = "XCONFIG"
    #expect(commands("redis_version:7.4.0", renamed).contains("XCONFIG GET"))
  }

  private func commands(_ info: String, _ options: CollectorOptions) -> Set<String> {
    let facts = ServerFacts(InfoText(bytes: Array(info.utf8)))
    return Set(CollectorCatalogue.all.flatMap { $0.commands(for: facts, options) }.map(\.description))
  }
}
