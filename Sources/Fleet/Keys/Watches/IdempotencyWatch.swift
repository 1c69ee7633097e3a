import Config
import Metrics
import Redis

/// Keys that keep a request from being worked on twice. One that says "processing" and never gets further refuses every retry.
struct IdempotencyWatch: KeyWatch, ConfiguredWatch {
  static let block = "idempotency"
  static let meaning = "Keys that keep a request from being worked on twice."

  let isOn: Bool
  let globs: [KeyPattern]
  let maxTTL: Duration
  let processing: [[UInt8]]
  let stuckAfter: Duration
  let maxKeys: Int

  init(_ fields: WatchFields) {
    isOn = fields.enabled()
    globs = fields.patterns("patterns", default: "idem:*", "Keys of requests.")
    maxTTL = fields.duration(
      "max_ttl", .positive, default: .seconds(86_400), "The longest life that applications give such a key.")
    let words = fields.texts(
      "processing", default: "processing", "Values of a request that is still worked on, at most 15 bytes each.")
    processing = words.map { Array($0.utf8) }
    stuckAfter = fields.duration(
      "stuck_after", .positive, default: .seconds(300), "How long a request may be worked on.")
    maxKeys = fields.count(
      "max_keys", 1...1_000_000, default: 10_000, "Matching keys looked at in a walk; of more, a share of them.")
    if let word = words.first(where: { $0.utf8.count >= Self.valueBytes }) {
      fields.report("processing", value: word, problem: "has more than 15 bytes", hint: "no value is read further")
    }
  }

  /// A request that is worked on.
  struct Request: Sendable, Equatable {
    /// When the walk ended that met it first; nil during that walk.
    var since: Double?
    /// Nobody knows whether one that the first walk met was counted before.
    let isCounted: Bool
    var isStuck = false
  }

  struct Findings: KeyFindings, Equatable {
    var share: KeyShare
    var withoutTTLCount = 0
    var overTTLCount = 0
    var stuckCount = 0
    var eventCount = 0
    var isFirst: Bool
    var startedSeconds: Double
    /// By hash of the name, those that are worked on.
    var requests: [UInt64: Request] = [:]
    /// Those of the walk before.
    var known: [UInt64: Request] = [:]
    /// Without PTTL and GETRANGE little is known of any key.
    var isKnown = true
    var omittedCount: Int {
      get { share.omittedCount }
      set { share.omittedCount = newValue }
    }
    var sampledRatio: Double? { share.ratio }
  }

  struct Summary: KeyFindings, Equatable {
    var keyCount = 0
    var withoutTTLCount = 0
    var overTTLCount = 0
    var processingCount = 0
    var stuckCount = 0
    var eventCount = 0
    var omittedCount = 0
    var isKnown = true
    var sampledRatio: Double? = 1
  }

  /// Bytes of a value that are read: enough to tell a word from a longer one.
  private static let valueBytes = 16
  private static let type = "string"

  var name: String { Self.block }
  var lost: [String] { ["redis_idempotency_*"] }
  /// Its share of keys does that.
  var meetsKeysOnce: Bool { false }

  func begin(_ pass: KeyPass) -> Findings? { begin(pass, after: nil) }

  func begin(_ pass: KeyPass, after last: Findings?) -> Findings? {
    Findings(
      share: KeyShare(limit: maxKeys, after: last?.share), eventCount: last?.eventCount ?? 0, isFirst: last == nil,
      startedSeconds: pass.startedSeconds, known: last?.requests ?? [:])
  }

  func meet(_ key: KeyName, matching: [Int], _ findings: inout Findings) -> Bool {
    findings.share.admit(KeyShare.hash(key))
  }

  func commands(for key: [UInt8], after replies: [[Reply?]], _ pass: KeyPass) -> [Command] {
    TypedQuestion.commands(for: key, of: Self.type, after: replies, [KeyCommand.prefix(key, count: Self.valueBytes)])
  }

  func everyCommand(for key: [UInt8], on server: ServerFacts) -> [Command] {
    TypedQuestion.everyCommand(for: key, [KeyCommand.prefix(key, count: Self.valueBytes)])
  }

  /// The value is compared, and forgotten.
  func note(_ key: KeyName, _ replies: [[Reply?]], _ findings: inout Findings) {
    guard let reply = replies[0][0] else {
      findings.isKnown = false
      return
    }
    switch KeyLife(reply) {
    case .gone: return
    case nil: findings.share.noteUnread()
    case .unlimited: findings.withoutTTLCount += findings.share.weight
    case .milliseconds(let left):
      if Double(left) > (maxTTL.seconds + 1) * 1000 { findings.overTTLCount += findings.share.weight }
    }
    // A request of another type, such as a hash, is only looked at for its TTL.
    guard replies.count > 1 else { return }
    guard let value = replies[1][0] else {
      findings.isKnown = false
      return
    }
    guard let bytes = value.isError ? nil : value.bytes, processing.contains(where: bytes.elementsEqual) else { return }
    noteProcessing(KeyShare.hash(key), &findings)
  }

  private func noteProcessing(_ hash: UInt64, _ findings: inout Findings) {
    var request = findings.known[hash] ?? Request(isCounted: !findings.isFirst)
    if let since = request.since, findings.startedSeconds - since > stuckAfter.seconds {
      findings.stuckCount += findings.share.weight
      if request.isCounted, !request.isStuck { findings.eventCount += findings.share.weight }
      request.isStuck = true
    }
    findings.requests[hash] = request
  }

  /// A request's age counts from the end of the walk that met it first: it is at least so old.
  func finish(_ findings: inout Findings, at seconds: Double) {
    findings.share.finish()
    findings.known = [:]
    for (hash, request) in findings.requests where request.since == nil { findings.requests[hash]?.since = seconds }
  }

  func summary(of shards: [Findings]) -> Summary {
    let known = shards.filter(\.isKnown)
    var sum = Summary(isKnown: !known.isEmpty)
    for found in known {
      sum.keyCount += found.share.seenCount
      sum.withoutTTLCount += found.withoutTTLCount
      sum.overTTLCount += found.overTTLCount
      sum.processingCount += found.requests.count * found.share.weight
      sum.stuckCount += found.stuckCount
      sum.omittedCount += found.omittedCount
      sum.sampledRatio = min(sum.sampledRatio ?? 1, found.share.ratio)
    }
    return sum
  }

  func add(_ summary: Summary, to sink: inout SampleSink) {
    sink.add(Self.keys, Double(summary.keyCount))
    sink.add(Self.withoutTTL, Double(summary.withoutTTLCount))
    sink.add(Self.overTTL, Double(summary.overTTLCount))
    sink.add(Self.processing, Double(summary.processingCount))
    sink.add(Self.stuck, Double(summary.stuckCount))
    sink.add(Self.stuckTotal, Double(summary.eventCount))
  }

  static let families = [keys, withoutTTL, overTTL, processing, stuck, stuckTotal]
  static let keys = Family.gauge("idempotency_keys", "Keys of requests found by the last complete walk over the keys.")
  static let withoutTTL = Family.gauge(
    "idempotency_without_ttl", "Keys of requests that never expire: their number only grows.")
  static let overTTL = Family.gauge(
    "idempotency_over_ttl", "Keys of requests that have more than a second longer to live than max_ttl.")
  static let processing = Family.gauge("idempotency_processing", "Requests that are still worked on, by their value.")
  static let stuck = Family.gauge(
    "idempotency_stuck",
    "Requests that were worked on for longer than stuck_after, counted from when they were first seen: retries are refused."
  )
  static let stuckTotal = Family.counter(
    "idempotency_stuck_total",
    "Requests that came to be stuck, each once, without those that the first walk after a start found.")
}
