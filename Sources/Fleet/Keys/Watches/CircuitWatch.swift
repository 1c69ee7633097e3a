import Config
import Metrics
import Redis
import Runtime

/// Counters of failures by service: from a threshold on, applications stop calling it, until the counter expires.
struct CircuitWatch: KeyWatch, ConfiguredWatch {
  static let block = "circuits"
  static let meaning = "Counters of failures by service."

  let isOn: Bool
  /// Each holds one `*`, which stands for the service.
  let globs: [KeyPattern]
  /// Failures from which a circuit counts as open.
  let threshold: Int
  /// How long a counter may have to live; nil where that is not declared.
  let ttl: Duration?
  /// Services that get a series each.
  let maxServices: Int

  init(_ fields: WatchFields) {
    isOn = fields.enabled()
    globs = fields.patterns(
      "patterns", default: "circuit:*:failures", "Counters; exactly one `*` in each stands for the service.")
    fields.checkFollowing("patterns", globs)
    threshold = fields.count("threshold", 1...1_000_000, default: 5, "Failures from which a circuit counts as open.")
    ttl = fields.duration("ttl", .positive, "The longest life that applications give a counter.")
    maxServices = fields.count("max_services", 1...10_000, default: 100, "Services that get a series each.")
    for pattern in globs where pattern.bytes.filter({ "*?[]\\".utf8.contains($0) }) != [UInt8(ascii: "*")] {
      fields.report(
        "patterns", value: pattern.text, problem: "does not name the service",
        hint: "use exactly one *, as in circuit:*:failures")
    }
  }

  struct Findings: KeyFindings, Equatable {
    /// Failures by service; counters that are gone by the time they are read are left out.
    var failures: [String: Double] = [:]
    var omittedCount = 0
    /// Counters that never expire, and those that live longer than was declared; nil where PTTL is refused.
    var withoutTTLCount: Int? = 0
    var overTTLCount: Int? = 0
    /// Without GETRANGE nothing is known of any circuit.
    var isKnown = true
    var askedCount = 0
    var hasOneDatabase = false

    mutating func note(_ service: String, failures count: Double) {
      failures[service] = max(failures[service] ?? 0, count)
    }
  }

  struct Circuit: Sendable, Equatable {
    let service: String
    let failures: Double
    let isOpen: Bool
  }

  struct Summary: KeyFindings, Equatable {
    /// The services that get a series, by name; those with the most failures where there are too many.
    var circuits: [Circuit] = []
    /// Services with and without a series.
    var openCount = 0
    var withoutTTLCount: Int?
    var overTTLCount: Int?
    var omittedCount = 0
    var isKnown = true
  }

  /// The most counters that are read in one walk.
  static let readLimit = 10_000
  /// Bytes of a counter that are read; no number of failures has more.
  private static let counterBytes = 20

  var name: String { Self.block }
  var lost: [String] { ["redis_circuit_open", "redis_circuits_without_ttl"] }

  func begin(_ pass: KeyPass) -> Findings? { Findings(hasOneDatabase: pass.server.hasOneDatabase) }

  func meet(_ key: KeyName, matching: [Int], _ findings: inout Findings) -> Bool {
    guard service(of: key.bytes, matching: matching) != nil else { return false }
    findings.askedCount += 1
    if findings.askedCount > Self.readLimit { findings.omittedCount += 1 }
    return findings.askedCount <= Self.readLimit
  }

  func commands(for key: [UInt8], after replies: [[Reply?]], _ pass: KeyPass) -> [Command] {
    questions(about: key, after: replies)
  }

  func questions(about key: [UInt8], after replies: [[Reply?]]) -> [Command] {
    TypedQuestion.commands(
      for: key, of: Self.type, after: replies, [KeyCommand.prefix(key, count: Self.counterBytes)])
  }

  /// The service of a key that any of the patterns matches.
  func service(of key: [UInt8]) -> String? { service(of: key, matching: Array(globs.indices)) }

  /// What the answers to ``questions(about:after:)`` count; nil where there is no counter.
  func failures(in replies: [[Reply?]]) -> Double? {
    guard replies.count > 1, let reply = replies[1][0], !reply.isError else { return nil }
    return reply.bytes.flatMap { parseDouble($0) }.flatMap { $0.isFinite ? $0 : nil }
  }

  func everyCommand(for key: [UInt8], on server: ServerFacts) -> [Command] {
    TypedQuestion.everyCommand(for: key, [KeyCommand.prefix(key, count: Self.counterBytes)])
  }

  func note(_ key: KeyName, _ replies: [[Reply?]], _ findings: inout Findings) {
    guard !TypedQuestion.isElse(Self.type, replies) else {
      if !TypedQuestion.isGone(replies) { findings.omittedCount += 1 }
      return
    }
    note(replies[0][0].flatMap(KeyLife.init), isRefused: replies[0][0] == nil, &findings)
    guard let reply = replies[1][0] else {
      findings.isKnown = false
      return
    }
    guard !reply.isError, let bytes = reply.bytes else {
      findings.omittedCount += 1
      return
    }
    let matching = globs.indices.filter { findings.hasOneDatabase || globs[$0].database == key.database }
    guard let count = parseDouble(bytes), count.isFinite, let service = service(of: key.bytes, matching: matching)
    else { return }
    findings.note(service, failures: count)
  }

  private func note(_ life: KeyLife?, isRefused: Bool, _ findings: inout Findings) {
    if isRefused { (findings.withoutTTLCount, findings.overTTLCount) = (nil, nil) }
    switch life {
    case .unlimited: findings.withoutTTLCount? += 1
    case .milliseconds(let left):
      if let ttl, Double(left) > (ttl.seconds + 1) * 1000 { findings.overTTLCount? += 1 }
    case .gone, nil: break
    }
  }

  /// The service that a key counts failures of; nil for a key of another shape.
  func service(of key: [UInt8], matching: [Int]) -> String? {
    for pattern in matching.map({ globs[$0].bytes }) {
      guard let star = pattern.firstIndex(of: UInt8(ascii: "*")) else { continue }
      let (before, after) = (pattern[..<star], pattern[(star + 1)...])
      if key.count > before.count + after.count, key.starts(with: before), key.suffix(after.count) == after {
        return String(decoding: key[before.count..<(key.count - after.count)], as: UTF8.self)
      }
    }
    return nil
  }

  func summary(of shards: [Findings]) -> Summary {
    let known = shards.filter(\.isKnown)
    var all = Findings()
    for found in known {
      all.omittedCount += found.omittedCount
      all.withoutTTLCount = sum(all.withoutTTLCount, found.withoutTTLCount)
      all.overTTLCount = sum(all.overTTLCount, found.overTTLCount)
      for (service, failures) in found.failures { all.note(service, failures: failures) }
    }
    let ranked = all.failures.map { service, failures in
      Circuit(service: service, failures: failures, isOpen: failures >= Double(threshold))
    }.sorted { ($1.failures, $0.service) < ($0.failures, $1.service) }
    return Summary(
      circuits: ranked.prefix(maxServices).sorted { $0.service < $1.service }, openCount: ranked.count(where: \.isOpen),
      withoutTTLCount: all.withoutTTLCount, overTTLCount: ttl == nil ? nil : all.overTTLCount,
      omittedCount: all.omittedCount + max(0, ranked.count - maxServices), isKnown: !known.isEmpty)
  }

  private func sum(_ one: Int?, _ other: Int?) -> Int? { one.flatMap { one in other.map { one + $0 } } }

  func add(_ summary: Summary, to sink: inout SampleSink) {
    for circuit in summary.circuits {
      let service = LabelValue.text(keyLabel(Array(circuit.service.utf8)))
      sink.add(Self.open, circuit.isOpen ? 1 : 0, service)
      sink.add(Self.failures, circuit.failures, service)
    }
    sink.add(Self.openCount, Double(summary.openCount))
    if let count = summary.withoutTTLCount { sink.add(Self.withoutTTL, Double(count)) }
    if let count = summary.overTTLCount { sink.add(Self.overTTL, Double(count)) }
  }

  private static let type = "string"

  static let families = [open, failures, openCount, withoutTTL, overTTL]
  static let open = Family.gauge(
    "circuit_open", "Whether the service's failure counter has reached the threshold: 1 yes, 0 no.",
    labels: ["service"])
  static let failures = Family.gauge(
    "circuit_failures", "Failure counter of the service; absent once it is deleted or expired.", labels: ["service"])
  static let openCount = Family.gauge(
    "circuits_open", "Services whose circuit is open, including those without a series of their own.")
  static let withoutTTL = Family.gauge(
    "circuits_without_ttl", "Failure counters that never expire: such a circuit cannot close by itself.")
  static let overTTL = Family.gauge(
    "circuits_over_ttl",
    "Failure counters that have more than a second longer to live than the declared TTL; absent where none is declared."
  )
}
