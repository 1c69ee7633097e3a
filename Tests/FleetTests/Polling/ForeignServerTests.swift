import Config
import Metrics
import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// Servers that speak Redis' protocol and have words, headings and fields of their own.
@Suite struct ForeignServerTests {
  private func info(_ name: String) throws -> InfoText {
    InfoText(bytes: try #require(Fixture.bytes("foreign/\(name).txt")))
  }

  /// The series of all collectors that need nothing but INFO.
  private func series(_ name: String) throws -> [String] {
    let info = try info(name)
    var options = CollectorOptions()
    options.configCommand = nil
    var sink = SampleSink()
    for collector in CollectorCatalogue.all where collector.readsInfoOnly {
      guard collector.commands(for: ServerFacts(info), options).isEmpty else { continue }
      try collector.collect(
        PollContext(collector, info, [], config: nil, options: options, now: 1000), into: &sink)
    }
    let page = String(decoding: Exposition(namespace: "").page([sink.finish()]), as: UTF8.self)
    return Fixture.lines(page).filter { !$0.hasPrefix("#") }
  }

  private func member(_ name: String) throws -> MemberFacts {
    let info = try info(name)
    return MemberFacts(info, config: nil, replies: [], server: ServerFacts(info), now: 1000)
  }

  private func named(_ prefix: String, in series: [String]) -> [String] { series.filter { $0.hasPrefix(prefix) } }

  @Test func anActiveReplicaOfKeyDBShowsTheLinkToEachMaster() throws {
    let series = try series("keydb-6.3.4-active-replica")
    #expect(
      named("master_link_up", in: series) == [
        #"master_link_up{master_host="10.0.0.2",master_port="6379"} 1"#,
        #"master_link_up{master_host="10.0.0.3",master_port="6380"} 0"#,
      ])
    #expect(
      named("master_link_down_seconds", in: series) == [
        #"master_link_down_seconds{master_host="10.0.0.3",master_port="6380"} 77"#
      ])
    #expect(named("slave_info", in: series).count == 2)
    #expect(named("slave_repl_offset", in: series).count == 2)
    #expect(named("connected_slave_lag_seconds", in: series).count == 1)
  }

  @Test func anActiveReplicaIsAMasterAndAReplica() throws {
    let facts = try #require(try member("keydb-6.3.4-active-replica").replication)
    #expect(facts.role == .activeReplica && facts.isMaster && facts.role.follows)
    #expect(facts.masterAddresses.map(\.description) == ["10.0.0.2:6379", "10.0.0.3:6380"])
    #expect(facts.isLinkUp == false && facts.linkDownSeconds == 77, "the worst of its links")
    #expect(facts.offset == 2800)
  }

  /// Two active replicas of one another are two masters, no split brain and nobody's fault.
  @Test func activeReplicasOfOneAnotherAreNoSplitBrain() {
    func active(_ port: Int, of others: [Int], link: String = "up") -> MemberReading {
      let links = others.enumerated().map { index, master in
        let prefix = index == 0 ? "master" : "master_\(index)"
        return "\(prefix)_host:10.0.0.1\n\(prefix)_port:\(master)\n\(prefix)_link_status:\(link)\n"
      }
      let listed = others.enumerated().map { "slave\($0):ip=10.0.0.1,port=\($1),state=online,offset=5,lag=0\n" }
      return Readings.up(
        Readings.address(port),
        "role:active-replica\nrun_id:run\(port)\nslave_priority:100\nmaster_repl_offset:5\n" + (links + listed).joined()
      )
    }
    var follower = ReplicationFollower(seeds: [Readings.address(1)])
    let three = follower.follow(
      [active(1, of: [2, 3]), active(2, of: [1, 3]), active(3, of: [1, 2])], sentinels: [])
    #expect(three.listings.map(\.address.port) == [1, 2, 3])
    #expect(three.replication?.masters.count == 3 && three.replication?.rivals == [])
    #expect(!three.isTroubled && three.replication?.misledReplicas == [] && three.replication?.loopingReplicas == [])
    #expect(three.replication?.onlineReplicas.count == 3)
    // A master that the ring does not know is one, and a link that is down is told.
    let split = follower.follow(
      [active(1, of: [2]), active(2, of: [1], link: "down"), Readings.master(3, replicas: [])], sentinels: [])
    #expect(split.replication?.rivals == [Readings.address(3)] && split.isTroubled)
    #expect(split.replication?.offlineReplicas.keys.first == Readings.address(2))
  }

  @Test func remarksAmongTheKeyspaceHideNoKeys() throws {
    let series = try series("kvrocks-2.8.0-master")
    #expect(series.contains(#"db_keys{db="db0"} 1200"#))
    #expect(series.contains(#"db_keys_expiring{db="db0"} 30"#))
    #expect(named("db_keys{", in: series).count == 16, "the others are empty, and the section says so")
  }

  /// A padded 0 would say that there are no keys.
  @Test(arguments: ["kvrocks-2.8.0-never-scanned", "cut-before-keyspace"])
  func keysThatWereNotReadAreAbsent(_ name: String) throws {
    #expect(named("db_keys", in: try series(name)) == [])
  }

  @Test(arguments: ["# Databases\ndb3:keys=7,expires=0", "# keyspace\ndb3:keys=7,expires=0", "db3:keys=7,expires=0"])
  func keysAreFoundUnderAnyHeading(_ text: String) throws {
    let info = InfoText(bytes: Array("# Server\r\nredis_version:7.0.0\r\n\(text)\r\n".utf8))
    var sink = SampleSink()
    let collector = KeyspaceCollector()
    try collector.collect(
      PollContext(collector, info, [], config: nil, options: CollectorOptions(), now: 1000), into: &sink)
    let page = String(decoding: Exposition(namespace: "").page([sink.finish()]), as: UTF8.self)
    #expect(page.contains(#"db_keys{db="db3"} 7"#))
    #expect(KeyServer(info, readsKeyspace: true).keyCounts == [3: 7])
  }

  @Test func keyWorkPassesNoDatabaseOverThatItCannotSee() throws {
    #expect(KeyServer(try info("cut-before-keyspace"), readsKeyspace: true).keyCounts == nil)
    #expect(KeyServer(try info("dragonfly-1.25-master"), readsKeyspace: true).keyCounts == [:])
    #expect(KeyServer(try info("kvrocks-2.8.0-never-scanned"), readsKeyspace: true).hasKeys(0), "its 0 is none")
    #expect(KeyServer(try info("kvrocks-2.8.0-master"), readsKeyspace: true).keyCounts == nil, "counted some time ago")
  }

  @Test func aReplicaByAnotherWordIsOne() throws {
    let series = try series("dragonfly-1.25-replica")
    #expect(series.contains(#"master_link_up{master_host="dragonfly-0.internal",master_port="6379"} 1"#))
    #expect(!series.contains { $0.hasPrefix("db_avg_ttl_seconds") }, "-1 is no mean")
    let facts = try member("dragonfly-1.25-replica")
    #expect(facts.replication?.isMaster == false && facts.replication?.isLinkUp == true)
    #expect(facts.memory.maxBytes == 1 << 30)
    let kvrocks = try member("kvrocks-2.8.0-never-scanned")
    #expect(kvrocks.replication?.isLinkUp == true && kvrocks.replication?.isSyncing == false)
  }

  @Test func statesOfReplicasHaveOtherWords() throws {
    let dragonfly = try #require(try member("dragonfly-1.25-master").replication)
    #expect(dragonfly.replicas.map(\.state) == [.online, .syncing])
    #expect(dragonfly.replicas.allSatisfy { $0.offset == nil }, "an offset that is not told is not 0")
    let kvrocks = try #require(try member("kvrocks-2.8.0-master").replication)
    #expect(kvrocks.replicas.map(\.state) == [.online])
    #expect(kvrocks.replicas.map(\.ackAgeSeconds) == [0], "its lag is a number of writes")
    var lag = ReplicationLag()
    let replica = Readings.address(6379, "10.0.0.8")
    lag.expect([replica], at: 0)
    lag.note(dragonfly, at: 1)
    #expect(lag.lag(of: replica, at: 1)?.state == .online)
    #expect(lag.lag(of: replica, at: 1)?.bytes == nil, "nobody knows how far it is behind")
  }

  @Test func whatInfoDoesNotTellIsNot0() throws {
    let kvrocks = try member("kvrocks-2.8.0-master")
    #expect(kvrocks.memory.usedBytes == nil && kvrocks.memory.maxBytes == nil && kvrocks.memory.usedRatio == nil)
    #expect(!kvrocks.persistence.isTold && kvrocks.persistence.changesSinceSave == nil)
    let keydb = try member("keydb-6.3.4-active-replica")
    #expect(keydb.persistence.isTold && keydb.persistence.changesSinceSave == 12)
  }

  @Test(
    arguments: [
      ("up", true), ("OK", true), ("Yes", true), ("1", true), ("online", true), ("down", false), ("err", false),
      ("0", false),
      ("no", false), ("", nil), ("2", nil), ("connecting", nil), ("upp", nil), ("u", nil), ("o\u{b}", nil),
    ] as [(String, Bool?)])
  func words(_ word: String, _ meaning: Bool?) {
    #expect(isYes(Array(word.utf8)[...]) == meaning)
  }

  @Test(
    arguments: [
      ("master", .master), ("primary", .master), ("slave", .replica), ("replica", .replica), ("Secondary", .replica),
      ("active-replica", .activeReplica), ("sentinel", nil), ("", nil),
    ] as [(String, ReplicationRole?)])
  func roles(_ word: String, _ role: ReplicationRole?) { #expect(ReplicationRole(word) == role) }

  private func lines(_ sink: inout SampleSink) -> [String] {
    Fixture.lines(String(decoding: Exposition().page([sink.finish()]), as: UTF8.self)).filter { !$0.hasPrefix("#") }
  }

  private func tile38(_ reply: [UInt8]) throws -> [String] {
    var sink = SampleSink()
    let collector = Tile38Collector()
    try collector.collect(
      PollContext(
        collector, InfoText(bytes: []), [try Replies.read(reply)[0]], config: nil, options: .everything, now: 1000),
      into: &sink)
    #expect(sink.duplicateCount == 0)
    return lines(&sink)
  }

  @Test func tile38SaysWhatItIs() throws {
    #expect(Tile38Collector().commands(for: ServerFacts(InfoText(bytes: [])), CollectorOptions()).isEmpty)
    let page = try tile38(try #require(Fixture.bytes("foreign/tile38-1.36.6-server-ext.resp")))
    #expect(page.count == Tile38Collector().families.count, "each once")
    for line in [
      "redis_tile38_aof_size_bytes 1024", "redis_tile38_http_transport 1", "redis_tile38_num_points_total 7",
      "redis_tile38_read_only 0", "redis_tile38_threads_total 9", "redis_tile38_cpus_total 2",
      "redis_tile38_heap_size_bytes 1048577", "redis_tile38_last_gc_time_seconds 1764446400.123456",
    ] { #expect(page.contains(line), "\(line)") }
  }

  @Test func whatTile38DoesNotMeanIsLeftOut() throws {
    let fields = [
      "tile38_num_hooks", "2\nup:1", "sys_cpus", "x", "tile38_sys_cpus", "4", "sys_cpus", "5", "cluster_x", "1",
      "tile38_num_points",
    ]
    let reply = "*\(fields.count)\r\n" + fields.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
    #expect(try tile38(Array(reply.utf8)) == ["redis_tile38_cpus_total 4"])
  }
}
