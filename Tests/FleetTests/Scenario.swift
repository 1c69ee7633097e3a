import Config
import Metrics
import Redis
import Runtime
import Testing

@testable import Fleet

/// A file of `Scenarios`, read line by line; its README says how it is written.
struct Scenario {
  static let folder = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Scenarios"

  struct Expectation: Equatable {
    var state = ""
    var findings: [String] = []
    var samples: [String] = []
    var results: [String] = []
  }
  struct Seen {
    let state: String
    /// Of the scenario's check alone.
    let findings: [String]
    let samples: [String]
    /// What each check answers about each subject.
    let results: [String]
    /// What all checks found.
    let everything: [String]
  }
  struct Look {
    let time: Double
    let expected: Expectation
    let seen: Seen
  }

  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  let id: String
  private let checks: [any Check]
  private let lines: [Substring]

  /// - Parameter checks: those that judge.
  init(_ id: String, _ checks: [any Check] = CheckCatalogue.all) throws {
    self.id = id
    self.checks = checks
    guard let text = SmallFile.text("\(Self.folder)/\(id).txt") else {
      throw Problem(description: "the check \(id) has no scenario: write Tests/FleetTests/Scenarios/\(id).txt")
    }
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// One that is in no file.
  init(_ id: String, text: String) {
    self.id = id
    checks = CheckCatalogue.all
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// Plays it from the first look to the last.
  func looks() throws -> [Look] {
    var stage: Stage?
    var regions = ""
    var looks: [Look] = []
    var reader: ((Substring) throws -> Void)?
    var expected: Expectation?
    func finish() throws {
      guard let expectation = expected, let stage else { return }
      looks.append(Look(time: stage.time, expected: expectation, seen: try stage.look(id, checks)))
      expected = nil
    }
    for (index, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
      do {
        if line.hasPrefix("  ") {
          let content = line.drop { $0 == " " }
          if expected != nil { expected?.take(content) } else { try reader?(content) }
          continue
        }
        try finish()
        let words = line.split(separator: " ", maxSplits: 1)
        let rest = words.count > 1 ? String(words[1]) : ""
        switch words[0] {
        case "regions:": regions = "regions: \(rest)\n"
        case "workload:": stage = try Stage(regions, rest)
        case "at": stage?.time = Double(rest.dropLast()) ?? .nan
        case "keys": reader = { try stage?.addKeys($0) }
        case "declared": reader = stage?.declaring(rest)
        case "announced": reader = { try stage?.addAnnounced($0) }
        case "expect": expected = Expectation(state: rest)
        default: reader = try stage?.member(String(words[0]), rest)
        }
      } catch {
        throw Problem(description: "\(id).txt:\(index + 1): \(error)")
      }
    }
    try finish()
    return looks
  }
}

extension Scenario.Expectation {
  mutating func take(_ line: Substring) {
    if line.hasPrefix("result ") {
      results.append(String(line.dropFirst(7)))
    } else if line.hasPrefix("redis_") {
      samples.append(String(line))
    } else {
      findings.append(String(line))
    }
  }
}

/// The servers of a scenario, and the workload that watches them.
private final class Stage {
  var time = 0.0
  private var replay: WorkloadReplay
  private var servers: [NodeAddress: ScenarioServer] = [:]
  private var locks: LockWatch.Findings?
  private var circuits: [String: Double]?
  private var circuitsWithoutTTLCount = 0
  private var requests: IdempotencyWatch.Summary?
  private var limits: [String: RateLimitWatch.Summary] = [:]
  private var streams: [WatchedStream] = []
  private var refused: [String: Set<String>] = [:]
  private var splitLockCount: Int?
  private var lives: KeyLives?
  private var followed: FollowOverview?
  private var census: CensusReading?
  private var turnedAway = TurnedAway()
  /// What looks over the security of servers bring, and whose is taken at the next look.
  private var audits: [NodeAddress: ScenarioAudit] = [:]
  private var lookedOver: Set<NodeAddress> = []
  /// The lines of declared files, by name.
  private var declared: [String: [String]] = [:]
  private var unconfirmedFailoverCount = 0
  private let config: WorkloadConfig
  init(_ regions: String, _ fields: String) throws {
    let text = "\(regions)workloads: [{name: w, \(fields.dropFirst())]"
    config = try FleetConfig.parse(Array(text.utf8), file: "scenario").workloads[0]
    replay = WorkloadReplay(config)
  }

  /// Changes a server, and gives what reads the lines below.
  func member(_ name: String, _ what: String) throws -> (Substring) throws -> Void {
    let address = try self.address(name)
    var server = servers[address] ?? ScenarioServer()
    switch what {
    case "up", "sentinel": (server.isUp, server.isSentinel) = (true, what == "sentinel")
    case "down": server.isUp = false
    case let text where text.hasPrefix("down: "): (server.isUp, server.problem) = (false, String(text.dropFirst(6)))
    case "gone": servers[address] = nil
    case "probe lost": server.isProbeAnswered = false
    case "probe ok": server.isProbeAnswered = true
    default:
      throw Scenario.Problem(description: "\"\(what)\" is none of up, down, gone, sentinel, probe lost, probe ok")
    }
    if what == "gone" { return { _ in } }
    servers[address] = server
    return { line in
      if line.hasPrefix("nodes ") {
        self.servers[address]?.nodes.append(String(line.dropFirst(6)))
        return
      }
      if line.hasPrefix("audit ") {
        try self.audits[address, default: ScenarioAudit()].take(line.dropFirst(6))
        self.lookedOver.insert(address)
        return
      }
      if line.hasPrefix("migration") {
        let words = line.split(separator: " ", maxSplits: 2).map(String.init)
        var migrations = self.servers[address]?.migrations ?? [:]
        if words.count > 2 { migrations[words[1]] = words[2] }
        self.servers[address]?.migrations = migrations
        return
      }
      if line.hasPrefix("config ") {
        let words = line.split(separator: " ").map(String.init)
        self.servers[address]?.settings[words[1]] = words.dropFirst(2).joined(separator: " ")
        return
      }
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count > 0 else { return }
      self.servers[address]?.set(String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
  }

  private func address(_ name: String) throws -> NodeAddress {
    guard let colon = name.lastIndex(of: ":"), let port = Int(name[name.index(after: colon)...]) else {
      throw Scenario.Problem(description: "\"\(name)\" is no host:port")
    }
    return NodeAddress(host: String(name[..<colon]), port: port)
  }

  /// Another form of a declared file: what reads its lines.
  func declaring(_ file: String) -> (Substring) throws -> Void {
    declared[file] = []
    return { self.declared[file]?.append(String($0)) }
  }

  private func declaredWorkload() throws -> DeclaredWorkload? {
    guard !declared.isEmpty else { return nil }
    func file(_ name: String) throws -> ConfFile? {
      try declared[name].map { try ConfFile(Array($0.joined(separator: "\n").utf8), file: name) }
    }
    return DeclaredWorkload(
      settings: try file("redis.conf").map { ("redis.conf", try DeclaredSettings($0)) },
      sentinel: try file("sentinel.conf").map { file in
        let name = config.sentinel?.masterName ?? ""
        return ("sentinel.conf", try DeclaredSentinel(file, path: "sentinel.conf", masterName: name))
      })
  }

  func addAnnounced(_ line: Substring) throws {
    let words = line.split(separator: " ").map(String.init)
    if words.count == 4, words[0] == "refused", let reason = MemberRefusal(rawValue: words[1]) {
      turnedAway.note(reason, try address(words[2]), count: Int(words[3]) ?? 0)
    } else if words.count == 2, words[0] == "unconfirmed-failovers" {
      unconfirmedFailoverCount = Int(words[1]) ?? 0
    } else {
      throw Scenario.Problem(description: "write: refused REASON HOST:PORT COUNT, or unconfirmed-failovers COUNT")
    }
  }

  func addKeys(_ line: Substring) throws {
    let words = line.split(separator: " ").map(String.init)
    switch words[0] {
    case "locks":
      let overTTLCount = words.count > 5 ? Int(words[5]) : nil
      locks = .init(seenCount: Int(words[1]) ?? 0, withoutTTLCount: Int(words[3]) ?? 0, overTTLCount: overTTLCount)
    case "circuits": circuitsWithoutTTLCount = Int(words[2]) ?? 0
    case "idempotency":
      requests = .init(
        keyCount: Int(words[1]) ?? 0, withoutTTLCount: Int(words[3]) ?? 0, stuckCount: Int(words[5]) ?? 0)
    case "rate-limit":
      var limit = RateLimitWatch.Summary(
        limit: words[1], keyCount: Int(words[2]) ?? 0, withoutTTLCount: Int(words[4]) ?? 0, earlyCount: Int(words[6]))
      if words.count > 8 { limit.sizes = .init(largest: Double(words[8]), oversizeCount: 1) }
      limits[words[1]] = limit
    case "circuit": circuits = (circuits ?? [:]).merging([words[1]: Double(words[2]) ?? 0]) { $1 }
    case "stream":
      let values = Dictionary(
        words.dropFirst(2).map { word in
          let pair = word.split(separator: "=")
          return (String(pair[0]), String(pair[1]))
        }, uniquingKeysWith: { $1 })
      streams.removeAll { $0.report.name == Array(words[1].utf8) }
      streams.append(try stream(words[1], values))
    case "refused": refused[words[1]] = Set(words.dropFirst(2))
    case "follow": followed = .init(words)
    case "split-locks": splitLockCount = Int(words[1])
    case "lives":
      lives = KeyLives(expiringRatio: Double(words[2]) ?? 0, lastingRatio: Double(words[4]) ?? 0)
    case "census":
      census =
        words[1] == "refused"
        ? CensusReading(pause: .refused)
        : CensusReading(
          largestKeys: stride(from: 1, to: words.count - 2, by: 3).map {
            .init(type: words[$0], server: words[$0 + 2], maxMemoryRatio: Double(words[$0 + 1]) ?? 0)
          })
    default:
      throw Scenario.Problem(
        description:
          "\"\(words[0])\" is none of locks, circuit, circuits, idempotency, rate-limit, stream, refused, follow, split-locks, lives, census"
      )
    }
  }

  /// A stream with one group, whose newest entry is of now.
  private func stream(_ name: String, _ values: [String: String]) throws -> WatchedStream {
    func text(_ text: String) -> String { "$\(text.utf8.count)\r\n\(text)\r\n" }
    let now = 1_700_000_000_000.0
    let delivered = now - (values["lag-seconds"].flatMap { Double($0) } ?? 0) * 1000
    let newest = "\(Int(now))-0"
    let stream = "*6\r\n\(text("length")):9\r\n\(text("last-generated-id"))\(text(newest))\(text("groups")):1\r\n"
    let group =
      "*1\r\n*10\r\n\(text("name"))\(text(values["group"] ?? ""))\(text("consumers")):\(values["consumers"] ?? "1")\r\n"
      + "\(text("pending")):\(values["pending-seconds"] == nil ? 0 : 1)\r\n"
      + "\(text("last-delivered-id"))\(text("\(Int(delivered))-0"))\(text("lag")):\(values["lag"] ?? "1")\r\n"
    var report = try #require(
      StreamReport(
        name: Array(name.utf8), stream: try Replies.read(Array(stream.utf8))[0],
        groups: try Replies.read(Array(group.utf8))[0]))
    if let age = values["pending-seconds"].flatMap({ Double($0) }) { report.groups[0].oldestPending = now - age * 1000 }
    return WatchedStream(database: 0, report: report, nowMilliseconds: now)
  }

  /// One look, as the daemon takes it.
  func look(_ id: String, _ checks: [any Check]) throws -> Scenario.Seen {
    let declared = try declaredWorkload()
    var look = replay.look(
      at: time, servers: servers, checks, keys: keys, turnedAway: turnedAway,
      unconfirmedFailoverCount: unconfirmedFailoverCount,
      audits: audits.filter { lookedOver.contains($0.key) }.mapValues {
        $0.reading(
          at: WallTime(seconds: ScenarioServer.start + time), asked: declared?.settings?.values.names ?? [])
      }, declared: declared)
    lookedOver = []
    let state = look.judgement.state
    look.verdict.addSummary(config.name, FindingAllowances())
    look.verdict.add { state.addFigures(into: &$0) }
    let (verdict, judgement) = (look.verdict, look.judgement)
    let page = String(decoding: Exposition().page([verdict.samples(constantLabels: [])]), as: UTF8.self)
    let dated = judgement.findings
    return Scenario.Seen(
      state: verdict.health.rawValue,
      findings: dated.filter { $0.check == id }.map { ScenarioText.line($0) }
        + verdict.asides.filter { $0.check == id }.map { ScenarioText.line($0) }
        + verdict.unknowns.filter { $0.check == id }.map { ScenarioText.line($0) },
      samples: Fixture.lines(page).filter { !$0.hasPrefix("#") },
      results: judgement.results(checks).map(line),
      everything: dated.map { "\($0.check) \(ScenarioText.line($0))" }
        + verdict.unknowns.map { "\($0.check) \(ScenarioText.line($0))" })
  }

  private func line(_ result: CheckResult) -> String {
    let subject = result.instance.map { "\($0) " } ?? ""
    return
      "\(result.check) \(subject)\(result.severity?.name ?? result.answer.rawValue)\(result.reason.map { ": \($0)" } ?? (result.answer.isAside ? ": \(result.text)" : ""))"
  }

  private var keys: KeyReading {
    let counted = config.watches.keyWatches.lazy.compactMap { $0 as? CircuitWatch }.first
    let summaries: [(any KeyFindings)?] = [
      locks,
      circuits.flatMap { counted?.summary(of: [.init(failures: $0, withoutTTLCount: circuitsWithoutTTLCount)]) },
      requests, streams.isEmpty ? nil : StreamFindings(streams: streams),
    ]
    let limits = limits.sorted { $0.key < $1.key }.map { $0.value as any KeyFindings }
    return KeyReading(
      summaries.compactMap { $0 } + limits, refused: refused, splitLockCount: splitLockCount, lives: lives,
      census: census, followed: followed)
  }
}

extension FollowOverview {
  /// `follow held-long 2 acquired 700 expired 8`, of contracts that want locks given back; `follow refused client|tracking`.
  fileprivate init(_ words: [String]) {
    var reading = FollowReading()
    reading.isFollowing = words[1] != "refused"
    reading.refused = words[1] == "refused" ? words[2] : nil
    var counts = HoldCounts()
    if words.count > 6 {
      reading.heldLongCount = Int(words[2]) ?? 0
      counts.acquired.required = Int(words[4]) ?? 0
      counts.expired.required = Int(words[6]) ?? 0
    }
    self.init([reading], hasContracts: true, hasLocks: true, counts: counts, lastHour: counts)
  }
}
