import Config
import Metrics
import NIOCore
import Testing

@testable import Fleet
@testable import Redis

/// What each watch makes of keys, and what the catalogue says of all.
@Suite struct KeyWatchTests {
  static func watches(_ text: String, kind: String = "queue") throws -> [any KeyWatch] {
    try KeyPlanTests.workload("watches: \(text)", kind: kind).watches.keyWatches
  }

  static func one<Watch: KeyWatch>(_ kind: Watch.Type, _ text: String = "{}") throws -> Watch {
    try #require(try watches(text).lazy.compactMap { $0 as? Watch }.first)
  }

  // MARK: The catalogue

  /// Each says what it may ask, what it shows and what is lost without it; rights come from that.
  @Test func everyWatchDescribesItself() throws {
    let limits = "{rate_limits: [{name: api, kind: fixed, patterns: ['rate:*:*'], limit: 9, window: 60s}]}"
    let all = try Self.watches(limits)
    #expect(all.map { $0.name.prefix { $0 != "." } } == KeyWatchCatalogue.ofWorkloads.map { $0.block[...] })
    let server = ServerFacts(product: .redis, version: Version(7), mode: .standalone)
    for watch in all {
      #expect(!watch.everyCommand(for: [1], on: server).isEmpty && !watch.lost.isEmpty, "\(watch.name)")
      #expect(!(watch.globs + watch.names).isEmpty, "\(watch.name)")
    }
    let families = KeyWatchFamilies.all.map(\.name)
    #expect(Set(families).count == families.count)
  }

  /// Every setting is read, written, read again, and stands in the reference.
  @Test func settingsComeFromTheWatchItself() throws {
    let text = "workloads: [{name: w, kind: queue, seeds: ['a:1']}]"
    let plain = try FleetConfig.parse(Array(text.utf8), file: "test.yml")
    #expect(try FleetConfig.parse(Array(plain.resolvedText.utf8), file: "test.yml") == plain)
    for watch in KeyWatchCatalogue.ofWorkloads {
      let isList = watch.listLimit != nil
      #expect(plain.resolvedText.contains("\n      \(watch.block):\n        enabled: ") != isList, "\(watch.block)")
      let path = "workloads[].watches.\(watch.block)\(isList ? "[]" : "")"
      #expect(FleetConfig.referenceText.contains("## `\(path)`\n\n\(watch.meaning)\n"), "\(path)")
    }
    let told = try FleetConfig.parse(
      Array(
        """
        workloads:
          - name: w
            kind: cache
            seeds: [a]
            watches:
              locks:
                enabled: false
                patterns: ['lock:*', 'db3=mutex%3D:*']
                contracts: [{pattern: 'lock:pay:*', ttl: 30s, release: required}, {pattern: 'lock:*'}]
                max_long: 3
                max_keys: 500
              circuits: {patterns: ['breaker:*:open'], threshold: 3, ttl: 90s, max_services: 20}
              idempotency: {patterns: ['once:*'], max_ttl: 1h, processing: [busy, 'at work'], stuck_after: 90s}
              rate_limits:
                - {name: api, kind: fixed, patterns: ['rate:*:*'], limit: 100, window: 60s, ttl: 2m, window_format: yyyyMMddHH}
                - {name: calls, kind: sliding, patterns: ['calls:*'], limit: 20}
                - {name: bucket, kind: bucket, patterns: ['bucket:*', 'db2=bucket:*']}
              streams: {patterns: ['jobs:*', orders], max_streams: 7, consumers: true}
        """.utf8), file: "test.yml")
    let resolved = [
      """
            locks:
              enabled: false
              patterns: [lock:*, "db3=mutex%3D:*"]
              contracts:
                - pattern: lock:pay:*
                  ttl: 30s
                  release: required
                - pattern: lock:*
                  ttl: 10s
                  release: optional
              max_long: 3
              max_keys: 500

      """,
      """
            circuits:
              enabled: true
              patterns: [breaker:*:open]
              threshold: 3
              ttl: 1m30s
              max_services: 20

      """,
      """
            idempotency:
              enabled: true
              patterns: [once:*]
              max_ttl: 1h
              processing: [busy, "at work"]
              stuck_after: 1m30s
              max_keys: 10000

      """,
      """
            rate_limits:
              - name: api
                kind: fixed
                patterns: [rate:*:*]
                limit: 100
                window: 1m
                ttl: 2m
                window_format: yyyyMMddHH
                max_keys: 10000
              - name: calls
                kind: sliding
                patterns: [calls:*]
                limit: 20
                window_format: auto
                max_keys: 10000
              - name: bucket
                kind: bucket
                patterns: [bucket:*, db2=bucket:*]
                window_format: auto
                max_keys: 10000

      """,
      """
            streams:
              enabled: true
              patterns: [jobs:*, orders]
              max_streams: 7
              consumers: true

      """,
    ]
    for block in resolved { #expect(told.resolvedText.contains(block)) }
    #expect(try FleetConfig.parse(Array(told.resolvedText.utf8), file: "test.yml") == told)
    let names = told.workloads[0].watches.keyWatches.map(\.name)
    #expect(names.contains("circuits") && names.contains("streams") && !names.contains("locks"))
  }

  @Test func streamsAreOnForQueuesAndWhereTheyAreNamed() throws {
    func on(_ text: String, _ kind: String) throws -> Bool {
      try Self.watches(text, kind: kind).contains { $0 is StreamWatch }
    }
    #expect(try on("{}", "queue") && !on("{}", "cache") && !on("{streams: {patterns: []}}", "cache"))
    #expect(try on("{streams: {patterns: [a]}}", "cache") && !on("{streams: {enabled: false}}", "queue"))
  }

  // MARK: Circuits

  @Test(arguments: ["circuit", "c:*:*", "c?*"]) func aCircuitNamesItsService(pattern: String) throws {
    let error = #expect(throws: ConfigErrors.self) { try Self.watches("{circuits: {patterns: ['\(pattern)']}}") }
    #expect(
      error?.description.contains("does not name the service; use exactly one *, as in circuit:*:failures") == true)
  }

  /// A server tells names apart by how they begin: what begins with a wildcard is found by walks alone.
  @Test(arguments: [
    ("locks: {patterns: ['*:lock']}", "watches.locks.patterns: \"*:lock\""),
    ("locks: {contracts: [{pattern: '[lm]ock:*'}]}", "watches.locks.contracts[0].pattern: \"[lm]ock:*\""),
    ("circuits: {patterns: ['*:failures']}", "watches.circuits.patterns: \"*:failures\""),
  ])
  func whatIsFollowedBeginsWithAText(watch: String, place: String) throws {
    #expect(try Self.watches("{\(watch)}").count > 0)
    let error = #expect(throws: ConfigErrors.self) { try Self.watches("{follow: replica, \(watch)}") }
    #expect(error?.description.contains("\(place) cannot be followed, since it begins with a wildcard") == true)
    #expect(try Self.watches("{follow: any, locks: {patterns: ['l?ck:*', 'lock:[ab]*']}}").count > 0)
  }

  @Test func servicesAreReadFromTheNamesOfKeys() throws {
    let circuits = try Self.one(CircuitWatch.self)
    func service(_ key: String) -> String? { circuits.service(of: Array(key.utf8), matching: [0]) }
    #expect(service("circuit:payments:failures") == "payments")
    #expect(service("circuit:a:b:failures") == "a:b")
    #expect(service("circuit::failures") == nil && service("circuit:failures") == nil)
    #expect(circuits.threshold == 5)
  }

  private func lines<Watch: KeyWatch>(_ watch: Watch, _ findings: [Watch.Findings]) -> [String] {
    page { watch.add(watch.summary(of: findings), to: &$0) }.split(separator: "\n").map(String.init)
  }

  @Test func shardsAreTakenTogether() throws {
    let circuits = try Self.one(CircuitWatch.self)
    let found = [["mail": 2.0, "pay": 7], ["mail": 5]].map { CircuitWatch.Findings(failures: $0, omittedCount: 1) }
    let summary = circuits.summary(of: found)
    #expect(summary.circuits.map(\.service) == ["mail", "pay"] && summary.omittedCount == 2)
    #expect(summary.circuits.map(\.isOpen) == [true, true], "5 failures are the threshold")
    #expect(lines(circuits, found).contains("redis_circuit_open{service=\"pay\"} 1"))
    let locks = try Self.one(LockWatch.self)
    let held = [LockWatch.Findings(seenCount: 3, withoutTTLCount: 1), .init(seenCount: 4, withoutTTLCount: 2)]
    #expect(locks.summary(of: held) == .init(seenCount: 7, withoutTTLCount: 3))
    #expect(lines(locks, held) == ["redis_locks 7", "redis_locks_without_ttl 3"])
  }

  /// A series for each of so many services; those with the most failures, and all the open ones are counted.
  @Test func servicesAreBounded() throws {
    var failures: [String: Double] = [:]
    for number in 0..<50 { failures["quiet\(number)"] = 1 }
    for number in 0..<7 { failures["loud\(number)"] = 10 + Double(number) }
    let circuits = try Self.one(CircuitWatch.self, "{circuits: {max_services: 5}}")
    let summary = circuits.summary(of: [.init(failures: failures)])
    #expect(summary.circuits.map(\.service) == ["loud2", "loud3", "loud4", "loud5", "loud6"])
    #expect(summary.openCount == 7 && summary.omittedCount == 52)
  }

  @Test func whatARefusalHidesIsNotKnown() throws {
    let locks = try Self.one(LockWatch.self)
    var found = LockWatch.Findings()
    locks.note(KeyName(database: 0, bytes: [1]), [[nil]], &found)
    #expect(!found.isKnown && !locks.summary(of: [found]).isKnown)
    #expect(locks.summary(of: [found, .init(seenCount: 2)]) == .init(seenCount: 2))
  }

  /// What a command would have said about any key is not known, whichever round it belongs to.
  @Test func aRefusedCommandIsNamed() throws {
    let pass = KeyPass(server: KeyServer(facts: ServerFacts(InfoText(bytes: []))), isByName: false)
    let watches: [any KeyWatch] = [try Self.one(CircuitWatch.self), try Self.one(LockWatch.self)]
    var runs = watches.compactMap { $0.run(pass) }
    let key = KeyName(database: 0, bytes: Array("circuit:a:failures".utf8))
    var dialogue = KeyDialogue([KeyQuestion(run: 0, key: key), KeyQuestion(run: 1, key: key)])
    // PTTL and TYPE of the counter, PTTL of the lock.
    #expect(dialogue.next(runs)?.count == 3)
    let replies = try Replies.read(Array(":-1\r\n+string\r\n".utf8))
    dialogue.take([replies[0], replies[1], replies[0]])
    #expect(dialogue.next(runs)?.count == 1)
    dialogue.take([nil])
    var elsewhere: [KeyQuestion] = []
    dialogue.finish(&runs, &elsewhere)
    #expect(runs.map(\.refused) == [["getrange"], []])
  }

  /// A first walk may take its time, but not for ever, and not by failing again and again.
  @Test func aFirstWalkHasItsTime() {
    let start = NIODeadline.uptimeNanoseconds(1)
    var walk = FirstWalk()
    #expect(!walk.isUnderWay(at: start))
    walk.begin(at: start)
    walk.begin(at: start + .hours(23))
    #expect(walk.isUnderWay(at: start + .hours(23)) && !walk.isUnderWay(at: start + .hours(24)))
    var failing = walk
    for _ in 0..<2 { failing.noteFailure() }
    #expect(failing.isUnderWay(at: start))
    failing.noteFailure()
    #expect(!failing.isUnderWay(at: start))
    walk.complete()
    walk.begin(at: start)
    #expect(!walk.isUnderWay(at: start))
  }

  @Test func locksBeyondTheBoundAreCountedAndNotAskedAbout() throws {
    let locks = try Self.one(LockWatch.self, "{locks: {max_keys: 2}}")
    var found = LockWatch.Findings()
    let asked = (0..<5).map { locks.meet(KeyName(database: 0, bytes: [$0]), matching: [0], &found) }
    #expect(asked == [true, true, false, false, false] && found.seenCount == 5 && found.omittedCount == 3)
  }
}
