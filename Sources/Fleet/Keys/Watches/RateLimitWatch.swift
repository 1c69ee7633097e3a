import Config
import Metrics
import Redis

/// A rate limit that somebody declared: counters that never expire, that are forgotten too early, and how often it refuses.
struct RateLimitWatch: KeyWatch, ConfiguredWatch {
  static let block = "rate_limits"
  static let meaning = "Rate limits, each as it is meant to be."
  /// Each has series of its own.
  static let listLimit: Int? = 20

  enum Kind: String, CaseIterable, Sendable {
    /// A counter for each client and window.
    case fixed
    /// A sorted set for each client, with the times of its calls.
    case sliding
    /// Whatever a script keeps for each client.
    case bucket

    /// What its keys are, as TYPE names it; nil for anything.
    var type: String? {
      switch self {
      case .fixed: "string"
      case .sliding: "zset"
      case .bucket: nil
      }
    }
  }

  /// The label `limit`.
  let limitName: String
  let kind: Kind
  let globs: [KeyPattern]
  /// Calls of a client in a window; nil where that is not declared.
  let limit: Int?
  let window: Duration?
  /// How long a counter lives after the end of its window at most.
  let ttl: Duration?
  let format: WindowFormat
  let maxSize: Int?
  let maxKeys: Int
  private let places: [WindowPlace?]

  init(_ fields: WatchFields) {
    limitName = fields.name
    kind = fields.word("kind", "a kind of rate limit", default: nil, "How it counts.")
    globs = fields.patterns(
      "patterns", "Its keys. Of kind `fixed` the last `*` stands for the window, any before it for the client.")
    limit = fields.count(
      "limit", 1...1_000_000_000, "Calls that a client has in a window; needed but for kind `bucket`.")
    window = fields.duration("window", .positive, "The length of a window; needed for kind `fixed`.")
    ttl = fields.duration("ttl", .positive, "The life that a counter is given; that of the window unless it is set.")
    format = fields.word(
      "window_format", "a form of windows", default: .auto,
      "What stands for the window: a time in UTC, seconds or milliseconds since the epoch, or the number of the window; `auto` finds out."
    )
    maxSize =
      fields.count(
        "max_size", 1...1_000_000_000, "Members from which on a set is too large; 10 times `limit` unless it is set.")
      ?? limit.map { $0 * 10 }
    maxKeys = fields.count(
      "max_keys", 1...1_000_000, default: 10_000, "Matching keys looked at in a walk; of more, a share of them.")
    places = globs.map { WindowPlace($0.bytes) }
    if kind != .bucket, limit == nil { fields.report("limit", problem: "is missing") }
    guard kind == .fixed else { return }
    if window == nil { fields.report("window", problem: "is missing") }
    for (glob, place) in zip(globs, places) where place == nil {
      fields.report(
        "patterns", value: glob.text, problem: "does not say where the window stands",
        hint: "end it with a text and a *, as in rate:*:*")
    }
  }

  var isOn: Bool { true }
  var name: String { "\(Self.block).\(limitName)" }
  var lost: [String] { ["redis_rate_limit_*"] }
  /// Its share of keys does that.
  var meetsKeysOnce: Bool { false }

  // MARK: What was found

  struct Findings: KeyFindings {
    var share: KeyShare
    var withoutTTLCount = 0
    /// Of kind `fixed`.
    var windows: RateWindows?
    /// Of kind `sliding`.
    var sizes = Sizes()
    /// Without PTTL nothing is known of any key.
    var isKnown = true
    /// Nothing that tells about windows or sizes was refused.
    var isPartKnown = true
    var hasOneDatabase = false
    var omittedCount: Int {
      get { share.omittedCount }
      set { share.omittedCount = newValue }
    }
    var sampledRatio: Double? { share.ratio }
  }

  /// Of sorted sets: calls of clients in their window, refused ones among them where the application adds those, too.
  struct Sizes: Sendable, Equatable {
    var largest: Double?
    var oversizeCount = 0
    var memoryBytes: Double?
  }

  struct Summary: KeyFindings, Equatable {
    var limit = ""
    var keyCount = 0
    var withoutTTLCount = 0
    var earlyCount: Int?
    var lateCount: Int?
    var ended = RateWindows.WindowCount()
    var sizes = Sizes()
    var omittedCount = 0
    var isKnown = true
    var sampledRatio: Double? = 1
  }

  func begin(_ pass: KeyPass) -> Findings? { begin(pass, after: nil) }

  func begin(_ pass: KeyPass, after last: Findings?) -> Findings? {
    var windows: RateWindows?
    if kind == .fixed, let window {
      windows =
        last?.windows?.next()
        ?? RateWindows(length: window.seconds, ttl: (ttl ?? window).seconds, declared: format)
    }
    return Findings(
      share: KeyShare(limit: maxKeys, after: last?.share), windows: windows, hasOneDatabase: pass.server.hasOneDatabase)
  }

  func meet(_ key: KeyName, matching: [Int], _ findings: inout Findings) -> Bool {
    findings.share.admit(KeyShare.hash(key))
  }

  // MARK: What is asked

  /// The value of a counter is read as far as a number goes.
  private static let counterBytes = 20

  private func questions(about key: [UInt8]) -> [Command] {
    switch kind {
    case .fixed: [KeyCommand.prefix(key, count: Self.counterBytes), ["TIME"]]
    case .sliding: [Command(bytes: [Array("ZCARD".utf8), key]), KeyCommand.memoryUsage(key)]
    case .bucket: []
    }
  }

  func commands(for key: [UInt8], after replies: [[Reply?]], _ pass: KeyPass) -> [Command] {
    guard let type = kind.type else { return replies.isEmpty ? [KeyCommand.remainingLife(key)] : [] }
    return TypedQuestion.commands(for: key, of: type, after: replies, questions(about: key))
  }

  func everyCommand(for key: [UInt8], on server: ServerFacts) -> [Command] {
    kind == .bucket ? [KeyCommand.remainingLife(key)] : TypedQuestion.everyCommand(for: key, questions(about: key))
  }

  func note(_ key: KeyName, _ replies: [[Reply?]], _ findings: inout Findings) {
    guard let reply = replies[0][0] else {
      findings.isKnown = false
      return
    }
    if let type = kind.type, TypedQuestion.isElse(type, replies) {
      if !TypedQuestion.isGone(replies) { findings.share.noteUnread() }
      return
    }
    guard let life = KeyLife(reply) else {
      findings.share.noteUnread()
      return
    }
    if life == .unlimited { findings.withoutTTLCount += findings.share.weight }
    switch kind {
    case .fixed: noteCounter(key, life, replies[1], &findings)
    case .sliding: noteSet(replies[1], &findings)
    case .bucket: break
    }
  }

  private func noteCounter(_ key: KeyName, _ life: KeyLife, _ replies: [Reply?], _ findings: inout Findings) {
    guard let value = replies[0], let time = replies[1], let now = time.clockMilliseconds.map({ $0 / 1000 }) else {
      findings.isPartKnown = false
      return
    }
    guard let bytes = value.isError ? nil : value.bytes, let count = parseDouble(bytes), count.isFinite else {
      // An empty text is a key that is gone by now.
      if value.isError || value.bytes?.isEmpty == false { findings.share.noteUnread() }
      return
    }
    var expires: Double?
    if case .milliseconds(let left) = life { expires = now + Double(left) / 1000 }
    let place = globs.indices.first { index in
      (findings.hasOneDatabase || globs[index].database == key.database)
        && Glob(globs[index].bytes).matches(key.bytes[...])
    }
    findings.windows?.note(
      RateWindows.Reading(
        hash: KeyShare.hash(key), stamp: place.flatMap { places[$0] }?.stamp(in: key.bytes), expires: expires,
        isOver: limit.map { count > Double($0) } ?? false, now: now))
  }

  private func noteSet(_ replies: [Reply?], _ findings: inout Findings) {
    guard let size = replies[0] else {
      findings.isPartKnown = false
      return
    }
    if let count = size.isError ? nil : size.double {
      findings.sizes.largest = max(findings.sizes.largest ?? 0, count)
      if let maxSize, count > Double(maxSize) { findings.sizes.oversizeCount += findings.share.weight }
    }
    if let reply = replies[1], !reply.isError, let bytes = reply.double {
      findings.sizes.memoryBytes = (findings.sizes.memoryBytes ?? 0) + bytes * Double(findings.share.weight)
    }
  }

  func finish(_ findings: inout Findings, at seconds: Double) {
    findings.share.finish()
    findings.windows?.finish(at: seconds)
  }

  func notice(_ findings: Findings) -> KeyNotice? {
    guard let windows = findings.windows, windows.isUnreadable else { return nil }
    return KeyNotice(
      kind: "windows of \(limitName)", message: "the windows of a rate limit are not understood",
      reason: "\(limitName): no window_format puts nine of ten keys near to now; dates are in UTC")
  }

  // MARK: What is shown

  func summary(of shards: [Findings]) -> Summary {
    let known = shards.filter(\.isKnown)
    var sum = Summary(limit: limitName, isKnown: !known.isEmpty)
    if kind == .fixed { (sum.earlyCount, sum.lateCount) = (0, 0) }
    for found in known {
      let weight = found.share.weight
      sum.keyCount += found.share.seenCount
      sum.withoutTTLCount += found.withoutTTLCount
      sum.omittedCount += found.omittedCount
      sum.sampledRatio = min(sum.sampledRatio ?? 1, found.share.ratio)
      if let windows = found.windows {
        let isEmpty = found.share.seenCount == 0
        let early = found.isPartKnown ? windows.earlyCount ?? (isEmpty ? 0 : nil) : nil
        let late = found.isPartKnown ? windows.lateCount ?? (isEmpty ? 0 : nil) : nil
        sum.earlyCount = sum.earlyCount.flatMap { sum in early.map { sum + $0 * weight } }
        sum.lateCount = sum.lateCount.flatMap { sum in late.map { sum + $0 * weight } }
        sum.ended.count += windows.ended.count
        sum.ended.overCount += windows.ended.overCount
      }
      sum.sizes.largest = [sum.sizes.largest, found.sizes.largest].compactMap { $0 }.max()
      sum.sizes.oversizeCount += found.sizes.oversizeCount
      if let bytes = found.sizes.memoryBytes { sum.sizes.memoryBytes = (sum.sizes.memoryBytes ?? 0) + bytes }
    }
    return sum
  }

  func add(_ summary: Summary, to sink: inout SampleSink) {
    let label = LabelValue.text(limitName)
    sink.add(Self.keys, Double(summary.keyCount), label)
    sink.add(Self.withoutTTL, Double(summary.withoutTTLCount), label)
    if let count = summary.earlyCount { sink.add(Self.early, Double(count), label) }
    if let count = summary.lateCount { sink.add(Self.late, Double(count), label) }
    if summary.ended.count > 0 {
      sink.add(Self.over, Double(summary.ended.overCount) / Double(summary.ended.count), label)
    }
    if let size = summary.sizes.largest { sink.add(Self.largest, size, label) }
    if let bytes = summary.sizes.memoryBytes { sink.add(Self.memory, bytes, label) }
  }

  private static let labels = ["limit"]
  static let families = [keys, withoutTTL, early, late, over, largest, memory]
  static let keys = Family.gauge(
    "rate_limit_keys", "Keys of the rate limit found by the last complete walk over the keys.", labels: labels)
  static let withoutTTL = Family.gauge(
    "rate_limit_without_ttl", "Keys of the rate limit that never expire: such a client may be refused for ever.",
    labels: labels)
  static let early = Family.gauge(
    "rate_limit_expiring_early",
    "Counters that expire before their window ends, so that a client has more calls than the limit; absent where windows are not understood.",
    labels: labels)
  static let late = Family.gauge(
    "rate_limit_expiring_late",
    "Counters that expire later than their TTL after their window has ended; absent where windows are not understood.",
    labels: labels)
  static let over = Family.gauge(
    "rate_limit_over_ratio",
    "Share of the clients' windows that ended in the last 15 minutes, or the last two windows, in which calls were refused; absent if none ended.",
    labels: labels, unit: .ratio)
  static let largest = Family.gauge(
    "rate_limit_largest_size",
    "Members of the largest set of a sliding rate limit: calls of one client, refused ones too where they are added.",
    labels: labels)
  static let memory = Family.gauge(
    "rate_limit_memory_bytes", "Memory of the sets of a sliding rate limit (MEMORY USAGE).", labels: labels,
    unit: .bytes)
}
