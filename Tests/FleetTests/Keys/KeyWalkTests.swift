import Config
import Metrics
import NIOCore
import Redis
import TestSupport
import Testing

@testable import Fleet

/// Walks over made-up servers, without any connection.
@Suite struct KeyWalkTests {
  private func names(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

  /// What one pass over these keys of a database shows, and what it asked.
  private func pass(
    _ options: KeyWorkOptions, database: Int = 0, _ pages: [[String]], info: String = "redis_version:7.0.15\r\n",
    answer: (Command) -> String = { _ in "+none\r\n" }
  ) throws -> (page: String, asked: [String]) {
    let watches = try KeyWatchCatalogue.ofFlags(options)
    let server = KeyServer(
      InfoText(bytes: Array(info.utf8)), skipsMasters: options.skipsMasters, isCluster: options.isCluster)
    let runs = watches.compactMap { $0.run(KeyPass(server: server, isByName: false)) }
    let plan = KeyPlan(runs.map(\.watch), hasOneDatabase: options.isCluster, databases: [database])
    var walk = KeyWalk(runs, server, pace: ScanPace())
    var asked: [String] = []
    for part in plan.walks where part.database == database {
      walk.enter(part)
      for names in pages {
        walk.meet(walk.sort(self.names(names), of: part))
        for batch in KeyQuestion.batches(walk.takeQuestions(), walk.runs) {
          var dialogue = KeyDialogue(batch)
          while let commands = dialogue.next(walk.runs) {
            asked += commands.map { $0.arguments.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") }
            let answers = try replies(commands.map(answer).joined())
            dialogue.take(commands.indices.map { answers[$0] })
          }
          var elsewhere: [KeyQuestion] = []
          dialogue.finish(&walk.runs, &elsewhere)
        }
      }
    }
    return (page { sink in for run in walk.runs { run.watch.add(any: run.summary(with: []), to: &sink) } }, asked)
  }

  @Test func patternsOfOneDatabaseShareTheWalk() throws {
    var options = KeyWorkOptions()
    options.checkKeys = [KeyPattern(database: 1, pattern: "user:*"), KeyPattern(database: 1, pattern: "user:1")]
    options.countKeys = [KeyPattern(database: 1, pattern: "*"), KeyPattern(database: 1, pattern: "cart:*")]
    options.checkStreams = [KeyPattern(database: 1, pattern: "s*"), KeyPattern(database: 0, pattern: "*")]
    let plan = KeyPlan(try KeyWatchCatalogue.ofFlags(options), hasOneDatabase: false)
    #expect(plan.walks.map(\.database) == [0, 1] && plan.walks.map(\.match) == [nil, nil])
    let (page, asked) = try pass(options, database: 1, [["user:1", "user:2", "cart:1", "stock", "cart:1"]])
    // user:1 is looked up by name already.
    #expect(asked == ["TYPE user:2", "MEMORY USAGE user:2", "TYPE stock"])
    #expect(
      page == """
        redis_keys_count{db="db1",key="*"} 4
        redis_keys_count{db="db1",key="cart:*"} 1
        """)
  }

  @Test func patternsAreTheServersToMatchAsFarAsItCan() throws {
    func match(_ patterns: String...) throws -> [[UInt8]?] {
      var options = KeyWorkOptions()
      options.countKeys = patterns.map { KeyPattern(database: 0, pattern: $0) }
      return KeyPlan(try KeyWatchCatalogue.ofFlags(options), hasOneDatabase: false).walks.map(\.match)
    }
    #expect(try match("a*") == [Array("a*".utf8)])
    #expect(try match("a*", "b*") == [Array("[ab]*".utf8)])
    #expect(try match("*") == [nil])
  }

  @Test func keyGroupsNeedEveryName() throws {
    var options = KeyWorkOptions()
    options.countKeys = [KeyPattern(database: 0, pattern: "a*")]
    options.checkKeyGroups = ["^(.)"]
    let plan = KeyPlan(try KeyWatchCatalogue.ofFlags(options), hasOneDatabase: false, databases: [0, 3])
    #expect(plan.walks.map(\.database) == [0, 3] && plan.walks.map(\.match) == [nil, nil])
    let (page, asked) = try pass(options, [["a", "b", "a"]]) { _ in ":50\r\n" }
    #expect(asked == ["MEMORY USAGE a", "MEMORY USAGE b"])
    #expect(
      page == """
        redis_key_group_count{db="db0",key_group="a"} 1
        redis_key_group_count{db="db0",key_group="b"} 1
        redis_key_group_memory_usage_bytes{db="db0",key_group="a"} 50
        redis_key_group_memory_usage_bytes{db="db0",key_group="b"} 50
        redis_keys_count{db="db0",key="a*"} 1
        redis_number_of_distinct_key_groups{db="db0"} 2
        """)
  }

  @Test func aMasterThatIsSkippedIsStillCounted() throws {
    var options = KeyWorkOptions()
    options.checkKeys = [KeyPattern(database: 0, pattern: "*")]
    options.countKeys = [KeyPattern(database: 0, pattern: "b*")]
    options.skipsMasters = true
    let (page, asked) = try pass(options, [["b"]], info: "redis_version:7.0.15\r\nrole:master\r\n")
    #expect(asked == [])
    #expect(page == "redis_keys_count{db=\"db0\",key=\"b*\"} 1")
  }

  @Test func aClusterHasOneDatabase() throws {
    var options = KeyWorkOptions()
    options.isCluster = true
    options.checkKeys = [KeyPattern(database: 5, pattern: "*")]
    #expect(KeyPlan(try KeyWatchCatalogue.ofFlags(options), hasOneDatabase: true).walks.map(\.database) == [0])
  }

  /// What is asked next depends on what was answered; a command that names no key is sent once for all.
  @Test func streamsAreAskedRoundByRound() throws {
    var options = KeyWorkOptions()
    options.checkStreams = [KeyPattern(database: 0, pattern: "*")]
    let stream = "*2\r\n$6\r\nlength\r\n:3\r\n"
    let groups = "*1\r\n*4\r\n$4\r\nname\r\n$1\r\ng\r\n$7\r\npending\r\n:1\r\n"
    let (page, asked) = try pass(options, [["a", "b", "plain"]]) { command in
      switch command.verb {
      case "TYPE": command.arguments[1] == Array("plain".utf8) ? "+string\r\n" : "+stream\r\n"
      case "XINFO STREAM": stream
      case "XINFO GROUPS": groups
      case "TIME": "*2\r\n$1\r\n5\r\n$1\r\n0\r\n"
      default: "*0\r\n"
      }
    }
    #expect(asked.count { $0 == "TIME" } == 1 && !asked.contains("XINFO STREAM plain"))
    #expect(asked.suffix(4) == ["XINFO CONSUMERS a g", "XPENDING a g", "XINFO CONSUMERS b g", "XPENDING b g"])
    #expect(page.contains("redis_stream_length{db=\"db0\",stream=\"b\"} 3") && !page.contains("plain"))
  }

  @Test func batchesAreBoundedByKeysAndByTheirNames() throws {
    var options = KeyWorkOptions()
    options.checkKeys = [KeyPattern(database: 0, pattern: "*")]
    options.checkStreams = [KeyPattern(database: 0, pattern: "*")]
    let server = KeyServer(nil)
    let runs = try KeyWatchCatalogue.ofFlags(options).compactMap { $0.run(KeyPass(server: server, isByName: true)) }
    func batches(_ sizes: [Int], run: (Int) -> Int) -> [Int] {
      let questions = sizes.enumerated().map { index, size in
        KeyQuestion(run: run(index), key: KeyName(database: 0, bytes: Array(repeating: 1, count: size)))
      }
      return KeyQuestion.batches(questions, runs).map(\.count)
    }
    #expect(batches(Array(repeating: 1, count: 150)) { _ in 0 } == [64, 64, 22])
    #expect(batches(Array(repeating: 1, count: 40)) { $0 % 2 } == [16, 16, 8], "streams have long answers")
    #expect(batches([1 << 20, 1 << 20, 1, 5]) { _ in 0 } == [1, 1, 2])
  }

  @Test func aStepOfScanGrowsWhileItIsCheap() {
    var pace = ScanPace()
    var counts: [Int] = []
    for _ in 0..<5 {
      counts.append(pace.count)
      pace.note(seconds: 0.0002)
    }
    #expect(counts == [64, 128, 256, 512, 512])
    pace.note(seconds: 0.003)
    #expect(pace.count == 512)
    for _ in 0..<10 { pace.note(seconds: 0.006) }
    #expect(pace.count == 8)
    var asked = ScanPace(1000)
    asked.note(seconds: 0.5)
    asked.note(seconds: 0)
    #expect(asked.count == 1000, "who asks for a count gets it")
  }

  @Test func aReplyThatIsTooLargeIsAskedForInSmallSteps() {
    var pace = ScanPace()
    var isSmaller = pace.noteTooLarge()
    #expect(isSmaller && pace.count == 1)
    for _ in 0..<10 { pace.note(seconds: 0) }
    #expect(pace.count == 32, "half of what failed")
    isSmaller = pace.noteTooLarge()
    #expect(isSmaller)
    for _ in 0..<10 { pace.note(seconds: 0) }
    #expect(pace.count == 16)
    isSmaller = pace.noteTooLarge()
    #expect(isSmaller)
    isSmaller = pace.noteTooLarge()
    #expect(!isSmaller, "less than one key cannot be asked for")
    var asked = ScanPace(1_000_000)
    isSmaller = asked.noteTooLarge()
    #expect(isSmaller && asked.count == 1)
    for _ in 0..<40 { asked.note(seconds: 1) }
    #expect(asked.count == 500_000)
  }

  @Test func failuresMakeItRest() {
    var schedule = PassSchedule(intervalSeconds: 15)
    #expect(schedule.restSeconds(afterSeconds: 4, jitter: 1) == 11)
    #expect(schedule.restSeconds(afterSeconds: 40, jitter: 1) == 0.01, "the next follows at once")
    var rests: [Double] = []
    for _ in 0..<7 {
      schedule.noteFailure()
      rests.append(schedule.restSeconds(afterSeconds: 4, jitter: 1))
    }
    #expect(rests == [15, 30, 60, 120, 240, 300, 300])
    for _ in 0..<70 { schedule.noteFailure() }
    #expect(schedule.restSeconds(afterSeconds: 0, jitter: 1.1) == 330)
    schedule.noteSuccess()
    #expect(schedule.restSeconds(afterSeconds: 5, jitter: 1) == 10)
    var hourly = PassSchedule(intervalSeconds: 3600)
    hourly.noteFailure()
    #expect(hourly.restSeconds(afterSeconds: 0, jitter: 1) == 3600)
  }

  @Test func whatIsTooOldIsNotShown() {
    var results = KeyResults()
    results.walk = WholePass([], ended: 0, tookSeconds: 200)
    results.byName = WholePass([], ended: 0, tookSeconds: 1)
    var options = KeyScanOptions()
    let now = NIODeadline.now()
    func known(afterSeconds seconds: Int64) -> [Bool] {
      let fresh = results.fresh(at: now + .seconds(seconds), options)
      return [fresh.byName != nil, fresh.walk != nil]
    }
    options.isOfWorkload = true
    #expect(known(afterSeconds: 290) == [true, true])
    #expect(known(afterSeconds: 310) == [false, true], "three intervals and walks are longer")
    #expect(known(afterSeconds: 700) == [false, false])
    // What flags ask for stands while the server answers, however long a walk takes.
    options.isOfWorkload = false
    results.answeredAt = now + .seconds(600)
    #expect(known(afterSeconds: 700) == [true, true])
    #expect(known(afterSeconds: 1000) == [false, true])
  }

  @Test func theWayThereAndBackIsNotCharged() {
    #expect(KeyLink.charged(0.02, tripSeconds: nil) == 0.02)
    #expect(abs(KeyLink.charged(0.0205, tripSeconds: 0.02) - 0.0045) < 1e-9)
    #expect(KeyLink.charged(0.001, tripSeconds: 0.01) == 0)
  }

  @Test func routesSendKeysWhereTheirSlotIs() {
    let text = """
      a 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-8191
      b 10.0.0.2:7000@17000,b.example master - 0 0 1 connected 8192-16000
      """
    let cluster = ClusterNodes(Array(text.utf8)[...])
    let routes = KeyRoutes(cluster, target: .tcp(host: "10.0.0.1", port: 7000))
    // foo is in slot 12182, bar in 5061; 16001 and up are nobody's.
    let parts = routes.split(names(["foo", "bar"])) { $0 }
    #expect(parts.map(\.node) == [nil, .tcp(host: "10.0.0.2", port: 7000)])
    #expect(parts.map(\.1) == [names(["bar"]), names(["foo"])])
    #expect(routes.names == [.tcp(host: "10.0.0.2", port: 7000): "b.example"], "for its certificate")
    #expect(KeyRoutes.single.split(names(["x"]), by: { $0 }).map(\.node) == [nil])
  }

  @Test func theServerTellsItsDatabasesAndRole() {
    let info = InfoText(
      bytes: Array(
        "redis_version:8.8.0\r\nrole:master\r\ndb0:keys=3,expires=0\r\ndb15:keys=2,expires=1\r\ndbx:keys=9\r\n".utf8))
    let server = KeyServer(info, skipsMasters: true, readsKeyspace: true)
    #expect(!server.showsKeys && server.facts.knowsNacked && server.facts.knowsNoTouch && server.knowsScanTypes)
    #expect(server.keyCounts == [0: 3, 15: 2] && server.keyTotal == 5)
    #expect(server.hasKeys(15) && !server.hasKeys(1))
    let silent = KeyServer(nil, skipsMasters: true, readsKeyspace: true)
    #expect(silent.showsKeys && silent.hasKeys(7) && silent.keyTotal == nil && !silent.facts.knowsNacked)
  }

  @Test(arguments: [
    (["TYPE", "k"], "TYPE", true), (["MEMORY", "USAGE", "k"], "MEMORY USAGE", false),
    (["XINFO", "STREAM", "secret"], "XINFO STREAM", true),
    (["XINFO", "STREAM", "secret", "FULL", "COUNT", "1"], "XINFO STREAM FULL", true),
    (["GETRANGE", "secret", "0", "3"], "GETRANGE", true), (["SCAN", "0"], "SCAN", false),
    (["CLIENT", "NO-TOUCH", "ON"], "CLIENT NO-TOUCH", false),
  ]) func aCommandIsNamedWithoutItsKey(arguments: [String], verb: String, countsAsLookup: Bool) {
    #expect(Command(arguments).verb == verb)
    #expect(Command(arguments).countsAsLookup == countsAsLookup)
  }
}

extension KeyPattern {
  init(database: Int, pattern: String) { self.init(database: database, bytes: Array(pattern.utf8)) }
}
