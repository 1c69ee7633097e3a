import Metrics
import Redis

/// CONFIG GET *: limits that rules need, and on request every key.
///
/// Other collectors read the reply as well, by ``PollContext/config``.
struct ConfigCollector: Collector {
  let name = "config"
  var families: [Family] {
    Self.numbers.map(\.family) + [
      Self.bufferLimit, Self.bufferOvercome, Self.keyValue, Self.value,
    ]
  }
  private struct Number: Sendable {
    let key: String
    let family: Family
    init(_ key: String, as name: String, _ unit: Unit = .none, traits: [Family.Trait] = [], help: String) {
      self.key = key
      family = .gauge(name, "\(help) (CONFIG \(key)).", unit: unit, traits: traits)
    }
  }

  private static let numbers: [Number] = [
    Number(
      "maxmemory", as: "config_maxmemory", .bytes, traits: [.unlimitedAtZero],
      help: "Configured memory limit, in bytes; 0 for no limit"),
    Number("maxclients", as: "config_maxclients", help: "Configured maximum number of connections"),
    Number("io-threads", as: "config_io_threads", help: "Configured number of threads for input and output"),
    Number(
      "repl-backlog-size", as: "config_repl_backlog_size", .bytes,
      help: "Configured size of the replication backlog, in bytes"),
    Number(
      "commandlog-execution-slower-than", as: "commandlog_execution_slower_than", .microseconds,
      help: "Time above which a command goes to the log of slow commands, in microseconds"),
    Number(
      "commandlog-slow-execution-max-len", as: "commandlog_slow_execution_max_len",
      help: "Maximum number of entries in the log of slow commands"),
    Number(
      "commandlog-request-larger-than", as: "commandlog_request_larger_than", .bytes,
      help: "Size above which a request goes to the log of large requests, in bytes"),
    Number(
      "commandlog-large-request-max-len", as: "commandlog_large_request_max_len",
      help: "Maximum number of entries in the log of large requests"),
    Number(
      "commandlog-reply-larger-than", as: "commandlog_reply_larger_than", .bytes,
      help: "Size above which a reply goes to the log of large replies, in bytes"),
    Number(
      "commandlog-large-reply-max-len", as: "commandlog_large_reply_max_len",
      help: "Maximum number of entries in the log of large replies"),
  ]
  private static let byHash = Dictionary(
    uniqueKeysWithValues: numbers.map { (fnvHash($0.key), $0) })
  private static let bufferLimitKey = fnvHash("client-output-buffer-limit")
  private static let bufferLimit = Family.gauge(
    "config_client_output_buffer_limit_bytes",
    "Output buffer size at which a client of the class is disconnected, at once (hard) or after a time (soft), in bytes; 0 for no limit (CONFIG client-output-buffer-limit).",
    labels: ["class", "limit"], unit: .bytes)
  private static let bufferOvercome = Family.gauge(
    "config_client_output_buffer_limit_overcome_seconds",
    "Time that the output buffer of a client of the class may stay above the soft limit, in seconds (CONFIG client-output-buffer-limit).",
    labels: ["class", "limit"], unit: .seconds)
  private static let anyKey: [Family.Trait] = [.flag("`--include-config-metrics`")]
  private static let keyValue = Family.gauge(
    "config_key_value", "A configuration key with its value as a label; the value is always 1 (CONFIG GET).",
    labels: ["key", "value"], traits: anyKey)
  private static let value = Family.gauge(
    "config_value", "The value of a configuration key that is a number (CONFIG GET).", labels: ["key"], traits: anyKey)

  /// The command, or nil when CONFIG must not be used or the server has none.
  static func configCommand(for server: ServerFacts, _ options: CollectorOptions) -> Command? {
    guard server.mode != .sentinel, let command = options.configCommand else { return nil }
    return Command([command, "GET", "*"])
  }

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    Self.configCommand(for: server, options).map { [$0] } ?? []
  }

  var isRecordedSeldom: Bool { true }

  func recording(of command: Command) -> ReplyRecording { .pairs(Self.recorded) }

  /// The settings that collectors and facts of members read by name; no secret is among them.
  private static let recorded = HashSet(
    (numbers.map(\.key) + ["client-output-buffer-limit", "appendfsync", "save", "maxmemory-policy", "timeout"]).map {
      fnvHash($0)
    })

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard let config = poll.config else { throw CollectorError("CONFIG GET is not a list of strings") }
    for entry in config.entries {
      if let number = Self.byHash[entry.keyHash] {
        if let value = parseDouble(config.value(of: entry)) { sink.add(number.family, value) }
      } else if entry.keyHash == Self.bufferLimitKey {
        addBufferLimits(config.value(of: entry), into: &sink)
      }
      guard poll.options.includesConfig else { continue }
      let key = config.key(of: entry)
      let text = config.value(of: entry)
      if !(poll.options.redactsConfig && Secret.isKey(key)) {
        sink.add(Self.keyValue, 1, [LabelValue(key), LabelValue(text)])
        if let value = parseDouble(text) { sink.add(Self.value, value, LabelValue(key)) }
      }
    }
  }

  /// `normal 0 0 0 slave 268435456 67108864 60`: class, hard limit, soft limit, seconds.
  private func addBufferLimits(_ text: ArraySlice<UInt8>, into sink: inout SampleSink) {
    let words = text.split(separator: UInt8(ascii: " "))
    for start in stride(from: 0, to: words.count - 3, by: 4) {
      let kind = LabelValue(words[start])
      if let hard = parseDouble(words[start + 1]) { sink.add(Self.bufferLimit, hard, [kind, "hard"]) }
      if let soft = parseDouble(words[start + 2]) { sink.add(Self.bufferLimit, soft, [kind, "soft"]) }
      if let seconds = parseDouble(words[start + 3]) {
        sink.add(Self.bufferOvercome, seconds, [kind, "soft"])
      }
    }
  }
}
