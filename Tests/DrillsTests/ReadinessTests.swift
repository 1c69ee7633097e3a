import Config
import Fleet
import Runtime
import Testing

@testable import Drills

/// Which line each fact decides, and that one fact decides no other line.
@Suite struct ReadinessTests {
  static let now = WallTime(seconds: 1_795_000_000)
  private static let day = 86_400.0

  private static func workload(_ kind: String = "session", _ more: String = "") throws -> WorkloadConfig {
    let source = kind == "session" ? "sentinel: {master_name: m, seeds: [s]}" : "seeds: [a]"
    let text = "workloads:\n  - {name: carts, kind: \(kind), \(source)\(more)}\n"
    return try #require(try FleetConfig.parse(Array(text.utf8), file: "fleet").workloads.first)
  }

  private static func report(
    _ check: String, _ verdict: CheckResult.Answer = .ok, daysAgo: Double = 3, seconds: Double = 600,
    _ numbers: [String: Double] = [:], lines: [CheckReport.Line] = []
  ) -> CheckReport {
    let end = now - daysAgo * day
    return CheckReport(
      check: check, workload: "carts", startedAt: end - seconds, endedAt: end, verdict: verdict, numbers: numbers,
      lines: lines)
  }

  private static let loaded = ["factor": 10, "p99_seconds": 0.003, "memory_used_ratio": 0.7]

  /// Everything is as it should be.
  private static func evidence() throws -> ReadinessEvidence {
    func result(_ check: String) -> CheckResult {
      CheckResult(check: check, group: .posture, workload: "carts", answer: .ok)
    }
    var evidence = ReadinessEvidence()
    evidence.results = ["version-skew", "settings-drift", "fork-headroom-gone", "node-down"].map(result)
    var traffic = ReadinessEvidence.Traffic()
    (traffic.memoryUsedRatio, traffic.latencyP99Seconds, traffic.hitRatio) = (0.08, 0.001, 0.9)
    (traffic.clientsUsedRatio, traffic.eventLoopBusyRatio) = (0.01, 0.05)
    evidence.traffic = traffic
    var members = ReadinessEvidence.Members()
    (members.masters, members.replicas, members.sentinels) = (1, 2, 3)
    evidence.members = members
    evidence.reports = [
      report("load", daysAgo: 3, seconds: 600, loaded), report("drill", daysAgo: 3.002, seconds: 60), report("backup"),
    ]
    evidence.topologyChanged = now - 40 * day
    evidence.deliveries = [.init(alertmanager: "http://am:9093", lastAccepted: now - 60)]
    var presence = KeyPresence()
    (presence.presentCount, presence.absentCount) = (99, 1)
    evidence.presence = presence
    evidence.ticks = try ReadinessTicks(
      "# by hand\nttl-jitter 2026-11-10 anna: 10% jitter in the client\nstampede-locks 2026-11-10 bo\nrunbooks-printed 2026-11-17 bo\n",
      file: "ticks")
    return evidence
  }

  private static func answers(
    _ change: (inout ReadinessEvidence) throws -> Void = { _ in }, _ workload: WorkloadConfig? = nil
  ) throws -> [ReadinessLine.Subject: CheckResult.Answer] {
    var evidence = try evidence()
    try change(&evidence)
    let lines = Readiness(try workload ?? Self.workload(), factor: 10, evidence, now: now).lines
    return Dictionary(uniqueKeysWithValues: lines.map { ($0.subject, $0.answer) })
  }

  @Test func allIsWell() throws {
    let answers = try Self.answers()
    #expect(answers.filter { $0.value != .ok }.isEmpty, "\(answers)")
    // A session has no hit ratio to hold; a list of keys was given.
    #expect(Set(answers.keys) == Set(ReadinessLine.Subject.allCases).subtracting([.hitRatio]))
  }

  /// The sample of the keys tells what somebody would have to look at.
  @Test func aSampleStandsForATick() throws {
    let answers = try Self.answers {
      $0.ticks = try ReadinessTicks("stampede-locks 2026-11-10 bo\nrunbooks-printed 2026-11-17 bo", file: "t")
      $0.ttlCrowdingRatio = 0.0044
    }
    #expect(answers[.jitter] == .ok)
  }

  private struct Fault: Sendable, CustomTestStringConvertible {
    let subject: ReadinessLine.Subject
    let answer: CheckResult.Answer
    let name: String
    let plant: @Sendable (inout ReadinessEvidence) throws -> Void

    var testDescription: String { name }

    init(
      _ subject: ReadinessLine.Subject, _ answer: CheckResult.Answer, _ name: String,
      _ plant: @escaping @Sendable (inout ReadinessEvidence) throws -> Void
    ) {
      (self.subject, self.answer, self.name, self.plant) = (subject, answer, name, plant)
    }

    init(
      _ subject: ReadinessLine.Subject, _ name: String,
      _ plant: @escaping @Sendable (inout ReadinessEvidence) throws -> Void
    ) {
      self.init(subject, .finding, name, plant)
    }
  }

  private static func found(
    _ check: String, _ answer: CheckResult.Answer = .finding, _ severity: Finding.Severity? = .warning
  ) -> CheckResult {
    CheckResult(
      check: check, group: .posture, workload: "carts", answer: answer, severity: answer == .finding ? severity : nil,
      text: answer == .finding ? "it is so" : "", reason: answer == .unknown ? "+config|get" : nil)
  }

  private static let faults: [Fault] = [
    Fault(.load, "the members changed since") { $0.topologyChanged = now - day },
    Fault(.load, "no failover in the same run") { $0.reports?[1] = report("drill", daysAgo: 5) },
    Fault(.load, "the load did not hold") {
      $0.reports?[0] = report("load", .finding, daysAgo: 3, seconds: 600, loaded, lines: [.init(.finding, "p99")])
    },
    Fault(.load, .unknown, "no factor is told") { evidence in
      evidence.reports?.insert(report("load", daysAgo: 2.999, seconds: 700), at: 0)
    },
    Fault(.failover, "a newer drill went wrong") { $0.reports?.append(report("drill", .finding, daysAgo: 1)) },
    Fault(.backup, "a backup is too old") { $0.reports?[2] = report("backup", daysAgo: 32) },
    Fault(.backup, .unknown, "a backup was never verified") { $0.reports?.removeLast() },
    Fault(.backup, "a newer backup is bad") { $0.reports?.append(report("backup", .finding, daysAgo: 1)) },
    Fault(.memory, "memory at the factor") { evidence in
      evidence.reports?[0] = report("load", daysAgo: 3, loaded.merging(["memory_used_ratio": 0.81]) { $1 })
    },
    Fault(.memory, .unknown, "the load test does not tell memory") { evidence in
      evidence.reports?[0] = report("load", daysAgo: 3, loaded.filter { $0.key != "memory_used_ratio" })
    },
    Fault(.latency, "slow now") { $0.traffic?.latencyP99Seconds = 0.006 },
    Fault(.latency, "slow at the factor") { evidence in
      evidence.reports?[0] = report("load", daysAgo: 3, loaded.merging(["p99_seconds": 0.0051]) { $1 })
    },
    Fault(.headroom, "a busy event loop") { $0.traffic?.eventLoopBusyRatio = 0.2 },
    Fault(.headroom, .unknown, "nothing but memory is told") {
      $0.traffic?.eventLoopBusyRatio = nil
      $0.traffic?.clientsUsedRatio = nil
    },
    Fault(.version, "two versions") { $0.results?[0] = found("version-skew") },
    Fault(.drift, "a setting differs") { $0.results?[1] = found("settings-drift") },
    Fault(.drift, .unknown, "settings cannot be read") { $0.results?[1] = found("settings-drift", .unknown) },
    Fault(.fork, "no memory for a fork") { $0.results?[2] = found("fork-headroom-gone") },
    Fault(.critical, "a server is down") { $0.results?[3] = found("node-down", .finding, .critical) },
    Fault(.size, "a replica is missing") { $0.members?.replicas = 1 },
    Fault(.alerts, "alerts do not arrive") { $0.deliveries?[0].problem = "connection refused" },
    Fault(.alerts, "no alert was ever accepted") { $0.deliveries?[0].lastAccepted = nil },
    Fault(.alerts, "no Alertmanager") { $0.deliveries = [] },
    Fault(.alerts, "a second Alertmanager was told long ago") {
      $0.deliveries?.append(.init(alertmanager: "b", lastAccepted: now - 8 * day))
    },
    Fault(.jitter, .unknown, "nobody looked at TTLs") {
      $0.ticks = try ReadinessTicks("stampede-locks 2026-11-10 bo\nrunbooks-printed 2026-11-17 bo", file: "t")
    },
    Fault(.jitter, "many keys expire in one second, whatever was ticked") { $0.ttlCrowdingRatio = 0.026 },
    Fault(.locks, "looked at long ago") {
      $0.ticks = try ReadinessTicks(
        "ttl-jitter 2026-11-10 a\nstampede-locks 2026-09-10 bo\nrunbooks-printed 2026-11-17 bo", file: "t")
    },
    Fault(.warmth, "keys are missing") {
      $0.presence?.presentCount = 94
      $0.presence?.absentCount = 6
    },
    Fault(.warmth, .unknown, "keys could not be asked about") {
      $0.presence?.unknownCount = 1
      $0.presence?.problem = "NOPERM"
    },
  ]

  @Test(arguments: faults) private func eachFaultFlipsItsOwnLine(fault: Fault) throws {
    let before = try Self.answers()
    let after = try Self.answers(fault.plant)
    #expect(after.filter { before[$0.key] != $0.value } == [fault.subject: fault.answer])
  }

  @Test func withoutADaemonItIsUnknownAndSaysSo() throws {
    let lines = Readiness(try Self.workload(), factor: 10, ReadinessEvidence(), now: Self.now).lines
    #expect(!lines.isEmpty && lines.allSatisfy { $0.answer == .unknown })
    #expect(lines.first { $0.subject == .load }?.text == "only a daemon's history tells: give --url")
  }

  @Test func cachesNeedNoBackupAndMustBeWarm() throws {
    let cache = try Self.workload("cache", ", expected: {masters: 1, replicas: 2}")
    let answers = try Self.answers({ $0.presence = nil }, cache)
    #expect(answers[.backup] == nil && answers[.fork] == nil)
    #expect(answers[.hitRatio] == .ok && answers[.warmth] == .unknown)
    #expect(try Self.answers({ $0.traffic?.hitRatio = 0.84 }, cache)[.hitRatio] == .finding)
  }

  @Test func thePeakHasItsOwnSizeAndObjectives() throws {
    let peak = try Self.workload(
      "session",
      ", peak: {windows: [2026-11-27T00:00:00Z/2026-12-01T00:00:00Z], expected: {replicas: 4}, objectives: {latency_p99: 2ms}}"
    )
    let answers = try Self.answers({ _ in }, peak)
    #expect(answers.filter { $0.value != .ok } == [.size: .finding, .latency: .finding])
  }

  @Test func theReportHasTheWorstFirst() throws {
    var evidence = try Self.evidence()
    evidence.members?.replicas = 0
    evidence.presence = nil
    let readiness = Readiness(try Self.workload(), factor: 10, evidence, now: Self.now)
    let report = readiness.report(readiness.lines, startedAt: Self.now - 1)
    #expect(report.check == "ready" && report.verdict == .finding)
    #expect(
      report.lines[0].text == "as many members as the peak needs: 1 of 1 masters, 0 of 2 replicas, 3 of 3 Sentinels")
    #expect(report.numbers["finding_lines"] == 1 && report.numbers["factor"] == 10)
    #expect(try CheckReport(json: report.json, now: Self.now) == report)
    let text = ReadinessText(workload: "carts", factor: 10, readiness.lines)
    #expect(text.plain.hasSuffix("carts is not ready for 10 times its load: 14 ok, 1 not, 0 unknown\n"))
    #expect(text.markdown.contains("- [ ] as many members as the peak needs: **no**: 1 of 1 masters"))
    #expect(text.markdown.contains("## On the day\n\n- [x] runbooks are printed: ticked by hand "))
  }

  @Test func ticksThatAreWrongAreNamed() {
    let error = #expect(throws: ConfigErrors.self) {
      try ReadinessTicks("stampede-locks yesterday bo\nload-tested 2026-11-10 bo\n\nttl-jitter 2026-11-10\n", file: "t")
    }
    #expect(
      error?.errors.map { "\($0)" } == [
        #"t:1:1: "stampede-locks" has no date and nobody's name; write it like `stampede-locks 2026-11-20 anna: tried on staging`"#,
        #"t:2:1: "load-tested" is nothing that is ticked by hand; use one of ttl-jitter, stampede-locks, runbooks-printed"#,
        #"t:4:1: "ttl-jitter" has no date and nobody's name; write it like `ttl-jitter 2026-11-20 anna: tried on staging`"#,
      ])
  }
}
