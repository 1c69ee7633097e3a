import Config
import Redis
import Testing

@testable import Fleet

@Suite struct AccessNeedsTests {
  private func needs(
    _ version: Version = Version(7), _ mode: ServerFacts.Mode = .standalone, product: ServerFacts.Product = .redis,
    masters: [String] = [], namesClients: Bool = true, _ change: (inout CollectorOptions) -> Void = { _ in }
  ) -> AccessNeeds {
    var options = CollectorOptions()
    change(&options)
    let facts = ServerFacts(product: product, version: version, mode: mode, sentinelMasters: masters)
    return AccessNeeds(server: facts, collectors: options, namesClients: namesClients)
  }

  private func names(_ needs: [AccessNeed]) -> Set<String> {
    Set(needs.flatMap(\.commands).map { $0.aclName(configCommand: nil) })
  }

  private func key(_ text: String) -> KeyPattern { KeyPattern(database: 0, pattern: text) }

  @Test func aTargetNeedsWhatItsFlagsSwitchOn() {
    let plain = needs().target(KeyWorkOptions(), database: 0, pings: false, discoversCluster: false)
    #expect(
      names(plain) == [
        "info", "client|setname", "config|get", "latency|latest", "latency|histogram", "slowlog|get", "slowlog|len",
      ])
    #expect(plain.allSatisfy { $0.keys.isEmpty && $0.channels.isEmpty })

    var work = KeyWorkOptions()
    work.checkKeys = [key("app:*")]
    work.checkSingleStreams = [key("events")]
    work.checkKeyGroups = ["^(app):"]
    let all = needs { options in
      options.clients.areListed = true
      options.includesModules = true
    }.target(work, database: 3, pings: true, discoversCluster: true)
    let more = names(all).subtracting(names(plain))
    #expect(
      more.isSuperset(of: [
        "select", "ping", "cluster|nodes", "client|list", "scan", "type", "memory|usage", "xinfo|stream",
        "xinfo|groups", "xpending",
      ]))
    #expect(!names(all).contains("client|no-touch"), "Redis 7.0 does not know it")
    #expect(names(plain).isDisjoint(with: ["client|no-touch", "ping"]), "without work on keys")
    #expect(Set(all.flatMap(\.keys)) == Set(["app:*", "events", "*"].map { Array($0.utf8) }))
  }

  @Test func searchAndTile38AreAskedOnlyWhereTheirFlagsSaySo() {
    var work = KeyWorkOptions()
    work.searchIndexes = { _ in true }
    let found = needs { $0.isTile38 = true }.target(work, database: 0, pings: false, discoversCluster: false)
    let plain = needs().target(KeyWorkOptions(), database: 0, pings: false, discoversCluster: false)
    #expect(names(found).subtracting(names(plain)) == ["ft._list", "ft.info", "server"])
    #expect(found.first { $0.feature == "search indexes" }?.lost == ["redis_search_index_*"])
  }

  @Test func everyDatabaseThatAPatternNamesIsSelected() {
    func selected(_ needs: AccessNeeds, isCluster: Bool = false, groups: [String] = []) -> [String] {
      var work = KeyWorkOptions()
      work.isCluster = isCluster
      work.checkKeyGroups = groups
      work.checkSingleKeys = [3, 5, 0].map { KeyPattern(database: $0, pattern: "k") }
      return needs.target(work, database: 0, pings: false, discoversCluster: false)
        .first { $0.feature == "databases" }?.commands.map { String(decoding: $0.arguments[1], as: UTF8.self) } ?? []
    }
    #expect(selected(needs()) == ["3", "5", "0"], "and back to where connections begin")
    #expect(selected(needs(), groups: ["^a"]) == ["1", "3", "5", "0"])
    let valkey = needs(Version(9), .cluster, product: .valkey)
    #expect(selected(valkey, isCluster: true) == ["3", "5", "0"])
    #expect(selected(needs(Version(8), .cluster), isCluster: true) == [], "a cluster of Redis has one database")
  }

  @Test func lessIsAskedOfServersThatKnowLess() {
    func asked(_ version: Version) -> Set<String> {
      names(needs(version).target(KeyWorkOptions(), database: 0, pings: false, discoversCluster: false))
    }
    #expect(asked(Version(7)).contains("latency|histogram"))
    #expect(!asked(Version(6, 2)).contains("latency|histogram"), "it came with Redis 7")
  }

  @Test func withoutNamesOrConfigTheseRightsAreNotAskedFor() {
    let found = needs(namesClients: false) { $0.configCommand = nil }
      .target(KeyWorkOptions(), database: 0, pings: false, discoversCluster: false)
    #expect(names(found).isDisjoint(with: ["client|setname", "config|get"]))
  }

  @Test func aSentinelIsListenedToAndHasNoKeys() throws {
    let found = needs(Version(7), .sentinel, masters: ["m"]).sentinel(masterNames: ["m"])
    #expect(names(found).isSuperset(of: ["info", "sentinel|masters", "sentinel|ckquorum", "psubscribe", "ping"]))
    #expect(found.flatMap(\.channels) == [SentinelListener.pattern])
    var work = KeyWorkOptions()
    work.checkKeys = [key("app:*")]
    let target = needs(Version(7), .sentinel, masters: ["m"])
      .target(work, database: 0, pings: false, discoversCluster: false)
    #expect(!names(target).contains("scan"), "a Sentinel has no keys to look at")
  }

  @Test func aMemberIsProbedAndItsKeysAreWatchedOnlyWhereThatIsOn() throws {
    let off = try KeyPlanTests.workload("watches: \(KeyPlanTests.only([]))")
    let quiet = needs().member(of: off)
    #expect(names(quiet).isSuperset(of: ["info", "ping"]) && !names(quiet).contains("scan"))
    #expect(quiet.allSatisfy { $0.keys.isEmpty })

    let on = try KeyPlanTests.workload("watches: \(KeyPlanTests.only(["locks", "circuits"]))")
    let watched = needs().member(of: on)
    #expect(
      names(watched).subtracting(names(quiet)) == ["scan", "pttl", "type", "getrange"], "PING is a probe's already")
    let newer = names(needs(Version(7, 2)).member(of: on))
    #expect(newer.subtracting(names(watched)) == ["client|no-touch"])
    #expect(watched.first { $0.feature == "locks" }?.keys == [Array("lock:*".utf8)])

    let cluster = try KeyPlanTests.workload("watches: {}", kind: "cache")
    #expect(names(needs(Version(7), .cluster).member(of: cluster)).contains("readonly"), "replicas are asked for keys")
  }

  @Test func everyNeedSaysWhatIsLostWithoutIt() throws {
    let workload = try KeyPlanTests.workload("watches: {streams: {enabled: true, patterns: ['s:*']}}")
    let all =
      needs().member(of: workload) + needs(Version(7), .sentinel, masters: ["m"]).sentinel(masterNames: ["m"])
      + needs(Version(8, 8)).target(KeyWorkOptions(), database: 1, pings: true, discoversCluster: true)
    #expect(all.count > 15)
    for need in all { #expect(!need.lost.isEmpty && !need.commands.isEmpty, "\(need.feature)") }
  }

  @Test func factsOfAServerThatIsNotThere() {
    let valkey = ServerFacts(product: .valkey, version: Version(8, 1), mode: .cluster)
    #expect(valkey.product == .valkey && valkey.valkeyVersion == Version(8, 1) && valkey.version == Version(7, 2, 4))
    #expect(valkey.isClusterEnabled && valkey.mode == .cluster && !valkey.knowsNacked)
    let sentinel = ServerFacts(product: .redis, version: Version(7), mode: .sentinel, sentinelMasters: ["a", "b"])
    #expect(sentinel.mode == .sentinel && sentinel.sentinelMasters == ["a", "b"])
    #expect(ServerFacts(product: .redis, version: Version(8, 8), mode: .standalone).knowsNacked)
  }
}
