import Config
import Metrics
import Redis
import Testing

@testable import Fleet

@Suite struct KeyTallyTests {
  private func names(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

  @Test func patternsOfOneDatabaseShareTheWalk() {
    var options = KeyWorkOptions()
    options.checkKeys = [KeyPattern(database: 1, pattern: "user:*"), KeyPattern(database: 1, pattern: "user:1")]
    options.countKeys = [KeyPattern(database: 1, pattern: "*"), KeyPattern(database: 1, pattern: "cart:*")]
    options.checkStreams = [KeyPattern(database: 1, pattern: "s*"), KeyPattern(database: 0, pattern: "*")]
    var tally = KeyTally(database: 1, options, patterns: [], showsKeys: true)
    #expect(tally.match == nil && tally.hasWork)
    let page = tally.take(names(["user:1", "user:2", "cart:1", "stock", "cart:1"]))
    // user:1 is looked up by name already.
    #expect(page.keys == names(["user:2"]))
    #expect(page.streams == names(["stock"]))
    #expect(page.measured.isEmpty)
    #expect(
      summary(tally) == """
        redis_keys_count{db="db1",key="*"} 4
        redis_keys_count{db="db1",key="cart:*"} 1
        """)
  }

  private func summary(_ tally: KeyTally) -> String { page { tally.add(groupLimit: 10, into: &$0) } }

  @Test func aSinglePatternIsTheServersToMatch() {
    var options = KeyWorkOptions()
    options.countKeys = [KeyPattern(database: 0, pattern: "a*")]
    #expect(KeyTally(database: 0, options, patterns: [], showsKeys: true).match == Array("a*".utf8))
    #expect(!KeyTally(database: 1, options, patterns: [], showsKeys: true).hasWork)
  }

  @Test func keyGroupsNeedEveryName() throws {
    var options = KeyWorkOptions()
    options.countKeys = [KeyPattern(database: 0, pattern: "a*")]
    var tally = KeyTally(database: 0, options, patterns: [try LuaPattern("^(.)")], showsKeys: true)
    #expect(tally.match == nil)
    #expect(tally.take(names(["a", "b", "a"])).measured == names(["a", "b"]))
  }

  @Test func aMasterThatIsSkippedIsStillCounted() {
    var options = KeyWorkOptions()
    options.checkKeys = [KeyPattern(database: 0, pattern: "*")]
    options.countKeys = [KeyPattern(database: 0, pattern: "b*")]
    var tally = KeyTally(database: 0, options, patterns: [], showsKeys: false)
    #expect(tally.take(names(["b"])) == KeyTally.Page())
    #expect(summary(tally) == "redis_keys_count{db=\"db0\",key=\"b*\"} 1")
  }

  @Test func aClusterHasOneDatabase() {
    var options = KeyWorkOptions()
    options.isCluster = true
    options.checkKeys = [KeyPattern(database: 5, pattern: "*")]
    #expect(KeyTally(database: 0, options, patterns: [], showsKeys: true).hasWork)
  }

  @Test func routesSendKeysWhereTheirSlotIs() {
    let text = """
      a 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-8191
      b 10.0.0.2:7000@17000,b.example master - 0 0 1 connected 8192-16000
      """
    let cluster = ClusterNodes(Array(text.utf8)[...])
    let routes = KeyRoutes(cluster, target: .tcp(host: "10.0.0.1", port: 7000), usesTLS: false)
    // foo is in slot 12182, bar in 5061; 16001 and up are nobody's.
    let parts = routes.split(names(["foo", "bar"]))
    #expect(parts.map(\.node) == [nil, .tcp(host: "10.0.0.2", port: 7000)])
    #expect(parts.map(\.names) == [names(["bar"]), names(["foo"])])
    let secure = KeyRoutes(cluster, target: .tcp(host: "10.0.0.1", port: 7000), usesTLS: true)
    #expect(secure.nodes == [nil, .tcp(host: "b.example", port: 7000)])
    #expect(KeyRoutes.single.split(names(["x"])).map(\.node) == [nil])
  }

  @Test func theServerTellsItsDatabasesAndRole() {
    let info = InfoText(
      bytes: Array(
        "redis_version:8.8.0\r\nrole:master\r\ndb0:keys=3,expires=0\r\ndb15:keys=2,expires=1\r\ndbx:keys=9\r\n".utf8))
    let server = KeyServer(info, skipsMasters: true, isCluster: false)
    #expect(!server.showsKeys && server.knowsNacked)
    #expect(server.databases.sorted() == [0, 15] && server.keyTotal == 5)
    #expect(server.hasKeys(15) && !server.hasKeys(1))
    let silent = KeyServer(nil, skipsMasters: true, isCluster: false)
    #expect(silent.showsKeys && silent.hasKeys(7) && silent.keyTotal == nil && !silent.knowsNacked)
  }

  @Test(arguments: [
    (["TYPE", "k"], "TYPE", true), (["MEMORY", "USAGE", "k"], "MEMORY USAGE", false),
    (["XINFO", "STREAM", "secret"], "XINFO STREAM", true),
    (["XINFO", "STREAM", "secret", "FULL", "COUNT", "1"], "XINFO STREAM FULL", true),
    (["GETRANGE", "secret", "0", "3"], "GETRANGE", true), (["SCAN", "0"], "SCAN", false),
  ]) func aCommandIsNamedWithoutItsKey(arguments: [String], verb: String, countsAsLookup: Bool) {
    #expect(Command(arguments).verb == verb)
    #expect(Command(arguments).countsAsLookup == countsAsLookup)
  }
}

extension KeyPattern {
  init(database: Int, pattern: String) { self.init(database: database, bytes: Array(pattern.utf8)) }
}
