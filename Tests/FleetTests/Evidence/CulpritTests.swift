import Redis
import Runtime
import Storage
import Testing

@testable import Fleet

/// Answers of servers in, sentences out: one file below `Scenarios` for each fault.
@Suite(.timeLimit(.minutes(1)))
struct CulpritTests {
  private static let folder = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Scenarios"
  static let names = SmallFile.names(inDirectory: folder, limit: 100).filter { $0.hasSuffix(".txt") }.sorted()

  private func scenario(_ name: String) throws -> EvidenceScenario {
    try EvidenceScenario(try #require(SmallFile.text("\(Self.folder)/\(name)")))
  }

  @Test(arguments: names)
  func sentences(_ name: String) throws {
    let scenario = try scenario(name)
    let seen = scenario.scene.culprits().map { "\($0.weight) \($0.rule) \($0.text)" }
    #expect(seen == scenario.expected, "\(name)")
  }

  /// What clients sent is in no section, figure or sentence, and not in the record as it is kept.
  @Test(arguments: names)
  func nothingOfWhatClientsSentIsKept(_ name: String) throws {
    let scenario = try scenario(name)
    var evidence = Evidence(
      id: "a", alert: "RedisDown", subjects: [], severity: "critical", workload: "w", node: nil, atMs: 1)
    evidence.looks = [
      Evidence.Look(
        moment: .pending, atMs: 1,
        nodes: scenario.readings.map { reading in
          Evidence.Node(
            instance: reading.facts.instance, role: "master", atMs: 1, figures: reading.figures,
            sections: reading.sections)
        })
    ]
    evidence.culprits = scenario.scene.culprits()
    let text = JSONWriter.text { json in evidence.looks[0].write(to: &json) } + evidence.stored.head
    for planted in ["hunter2", "secret-key", "user42"] { #expect(!text.contains(planted), "\(name): \(planted)") }
    // As it is kept, it says the same.
    let read = Evidence(evidence.stored)
    #expect(read.looks == evidence.looks && read.culprits == evidence.culprits)
  }

  /// Each rule speaks in some scenario, and without it that scenario is not as expected.
  @Test func everyRuleIsHeld() throws {
    let scenarios = try Self.names.map { try scenario($0) }
    for rule in CulpritRule.all {
      #expect(
        scenarios.contains { scenario in scenario.scene.culprits().contains { $0.rule == rule.id } },
        "\(rule.id) never speaks")
    }
    #expect(Set(CulpritRule.all.map(\.id)).count == CulpritRule.all.count)
  }

  @Test func theHeavierOfTwoStays() {
    var evidence = Evidence(
      id: "a", alert: "A", subjects: [], severity: "", workload: "w", node: nil, atMs: 1)
    evidence.take([Evidence.Culprit("hung", key: "a", weight: 90, "hangs", restsOn: "")])
    evidence.take([
      Evidence.Culprit("slow-command", key: "k", weight: 92, "slow", restsOn: ""),
      Evidence.Culprit("hung", key: "a", weight: 62, "hangs less", restsOn: ""),
    ])
    #expect(evidence.culprits.map(\.text) == ["slow", "hangs"])
    evidence.take((0..<9).map { Evidence.Culprit("latency-event", key: "\($0)", weight: 50, "\($0)", restsOn: "") })
    #expect(evidence.culprits.count == Evidence.culpritLimit && evidence.culprits.first?.text == "slow")
  }
}

/// A file of `Scenarios`, read.
struct EvidenceScenario {
  private(set) var scene: CulpritScene
  private(set) var readings: [NodeReading] = []
  private(set) var expected: [String] = []

  struct Malformed: Error {
    let line: Substring
  }

  init(_ text: String) throws {
    var servers: [Server] = []
    var events: [Event] = []
    var at = WallTime(seconds: 0)
    var isExpecting = false
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ").map(String.init)
      if line == "expect" {
        isExpecting = true
      } else if isExpecting {
        expected.append(String(line.dropFirst(2)))
      } else if line.hasPrefix("  ") {
        guard !servers.isEmpty else { throw Malformed(line: line) }
        servers[servers.count - 1].lines.append(String(line.dropFirst(2)))
      } else if words[0] == "alert" {
        at = try Self.time(words[1])
      } else if words[0] == "event" {
        guard let kind = EventKind(rawValue: words[2]) else { throw Malformed(line: line) }
        // Of a mark, its kind stands in the place of the server.
        let isMark = kind == .mark
        events.append(
          Event(
            at: try Self.time(words[1]), workload: "w", node: isMark ? "" : words[3], kind: kind,
            summary: words.dropFirst(4).joined(separator: " "),
            details: isMark ? "{\"mark\":\"\(words[3])\"}" : "{}"))
      } else {
        servers.append(try Server(words))
      }
    }
    var facts: [NodeFacts] = []
    for server in servers {
      if let silence = server.silence {
        var one = NodeFacts(instance: server.instance, role: server.role, wall: at)
        one.silence = silence
        facts.append(one)
      } else {
        let reading = try server.reading(at: at)
        readings.append(reading)
        facts.append(reading.facts)
      }
    }
    scene = CulpritScene(at: at, now: at, nodes: facts, events: events)
  }

  /// `00:23:22` of one day.
  static func time(_ text: String) throws -> WallTime {
    let parts = text.split(separator: ":").compactMap { Double($0) }
    guard parts.count == 3 else { throw Malformed(line: text[...]) }
    return WallTime(seconds: 1_800_057_600 + parts[0] * 3600 + parts[1] * 60 + parts[2])
  }

  private static func seconds(_ text: String) -> Double {
    text.hasSuffix("ms") ? (Double(text.dropLast(2)) ?? 0) / 1000 : Double(text.dropLast()) ?? 0
  }

  private static func list(_ words: [String]) -> String { "*\(words.count)\r\n" + words.map(string).joined() }
  private static func string(_ text: String) -> String { "$\(text.utf8.count)\r\n\(text)\r\n" }

  private struct Server {
    let instance: String
    let role: FleetMember.Role
    var silence: NodeFacts.Silence?
    var lines: [String] = []

    /// `a:6379 master`, `b:6379 replica silent connect 00:23:10`
    init(_ words: [String]) throws {
      guard words.count >= 2, let role = FleetMember.Role(rawValue: words[1]) else {
        throw Malformed(line: words[0][...])
      }
      (instance, self.role) = (words[0], role)
      guard words.count >= 5 else { return }
      guard words[2] == "silent", let errorClass = RedisError.Class(rawValue: words[3]) else {
        throw Malformed(line: words[0][...])
      }
      silence = NodeFacts.Silence(errorClass: errorClass, text: "", lastAnswer: try time(words[4]))
    }

    private func all(_ word: String) -> [[String]] {
      lines.filter { $0.hasPrefix(word + " ") }.map { $0.split(separator: " ").map(String.init) }
    }

    func reading(at now: WallTime) throws -> NodeReading {
      let info = lines.filter { line in line.prefix { $0 != " " }.contains(":") }.joined(separator: "\r\n")
      let past = try self.past(at: now)
      var reading = NodeReading(
        InfoText(bytes: Array("redis_version:7.0.15\r\nredis_mode:standalone\r\n\(info)".utf8)), instance: instance,
        role: role,
        past: past, earlier: nil, since: now - 900, wall: now)
      reading.facts.host = host
      for (source, text) in try replies(at: now) {
        source.read(try text.map { try Replies.read(Array($0.utf8))[0] }, into: &reading)
      }
      return reading
    }

    /// `before 60s sync_full:1`
    private func past(at now: WallTime) throws -> CounterTracker.Past? {
      let before = all("before")
      guard let first = before.first else { return nil }
      let info = before.map { $0[2] }.joined(separator: "\r\n")
      return CounterTracker.Past(
        counts: ServerCounts(InfoText(bytes: Array(info.utf8))), wall: now - EvidenceScenario.seconds(first[1]))
    }

    private var host: NodeFacts.Host? {
      guard let words = all("host").first else { return nil }
      var host = NodeFacts.Host()
      for word in words.dropFirst() {
        let pair = word.split(separator: "=").map(String.init)
        switch pair[0] {
        case "free": host.freeBytes = Double(pair[1])
        case "swapped": host.swappedBytes = Double(pair[1])
        default: host.pressure[pair[0]] = Double(pair[1])
        }
      }
      return host
    }

    private func replies(at now: WallTime) throws -> [(any EvidenceSource, [String])] {
      let slow = try all("slow").enumerated().map { place, words in
        let from = words.firstIndex(of: "from") ?? words.count
        let microseconds = Int((EvidenceScenario.seconds(words[2]) * 1e6).rounded())
        let arguments = Array(words[3..<from]) + ["user42:secret-key", "hunter2-value"]
        return "*6\r\n:\(100 + place)\r\n:\(Int(try time(words[1]).seconds))\r\n:\(microseconds)\r\n\(list(arguments))"
          + string("\(words[from + 2]):40000") + string(words[from + 1])
      }
      let clients = all("client").flatMap { words in
        let fields = words.dropFirst(2).map { $0.hasPrefix("addr=") ? "\($0):40001" : $0 }.joined(separator: " ")
        return [String](repeating: "id=7 \(fields)", count: Int(words[1]) ?? 1)
      }
      let latency = try all("latency").map { words in
        "*4\r\n\(string(words[1])):\(Int(try time(words[2]).seconds))\r\n:\(Int(EvidenceScenario.seconds(words[3]) * 1000))\r\n:9\r\n"
      }
      let denied = all("denied").map { words in
        "*10\r\n" + string("count") + ":\(words[3])\r\n" + string("reason") + string(words[1]) + string("object")
          + string(words[2]) + string("age-seconds") + string(String(words[4].dropLast())) + string("client-info")
          + string("id=9 addr=\(words[6]):1 name= user=\(words[5]) cmd=get")
      }
      let limits =
        all("config").map { Array($0.dropFirst()) }.first.map { [$0[0], $0.dropFirst().joined(separator: " ")] } ?? []
      return [
        (SlowlogSource(), ["*\(slow.count)\r\n" + slow.joined()]),
        (ClientsSource(), [string(clients.joined(separator: "\n"))]),
        (LatencySource(), ["*\(latency.count)\r\n" + latency.joined(), list(["latency-monitor-threshold", "0"])]),
        (ACLLogSource(), ["*\(denied.count)\r\n" + denied.joined()]), (ReplicationSource(), [list(limits)]),
        (MemorySource(), []), (PersistenceSource(), []), (HostSource(), [list(["dir", "/var/lib/redis"])]),
      ]
    }
  }
}
