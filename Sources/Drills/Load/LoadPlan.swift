import Redis
import Runtime

/// The load of a workload as arguments for generators, and what these cannot express. Pure.
public struct LoadPlan: Sendable, Equatable {
  /// Calls per second of each command, in lower case.
  public let mix: [String: Double]
  /// Lengths of strings that were sampled, in bytes.
  public let valueBytes: [Int]
  /// How many times as much it should be.
  public let factor: Double

  /// More than this share of calls that no generator makes leaves a test that proves nothing.
  public static let leftOutLimit = 0.1
  static let connections = 50

  /// - Parameter mix: what is about the connection or about monitoring is left out.
  public init(mix: [String: Double], valueBytes: [Int], factor: Double) {
    self.mix = mix.filter { $0.value > 0 && !Self.isOverhead($0.key) }
    self.valueBytes = valueBytes.sorted()
    self.factor = factor
  }

  public var callsPerSecond: Double { mix.values.reduce(0, +) }

  private static let overhead: Set<String> = [
    "acl", "auth", "client", "cluster", "command", "config", "debug", "hello", "info", "latency", "memory", "monitor",
    "ping",
    "psync", "replconf", "role", "select", "slowlog", "sync", "wait", "asking", "readonly", "randomkey", "strlen",
    "type",
  ]

  private static func isOverhead(_ command: String) -> Bool {
    overhead.contains(String(command.prefix { $0 != "|" }))
  }

  /// How memtier_benchmark is told a command: `--command`.
  private static let memtier: [String: String] = [
    "get": "GET __key__", "set": "SET __key__ __data__", "setex": "SETEX __key__ 600 __data__", "del": "DEL __key__",
    "unlink": "UNLINK __key__", "exists": "EXISTS __key__", "expire": "EXPIRE __key__ 600", "ttl": "TTL __key__",
    "incr": "INCR count:__key__", "incrby": "INCRBY count:__key__ 5", "decr": "DECR count:__key__",
    "mget": "MGET __key__ __key__",
    "hget": "HGET hash:__key__ field", "hset": "HSET hash:__key__ field __data__", "hgetall": "HGETALL hash:__key__",
    "hmget": "HMGET hash:__key__ field other", "hincrby": "HINCRBY hash:__key__ count 1",
    "lpush": "LPUSH list:__key__ __data__",
    "rpush": "RPUSH list:__key__ __data__", "lpop": "LPOP list:__key__", "rpop": "RPOP list:__key__",
    "lrange": "LRANGE list:__key__ 0 99", "sadd": "SADD set:__key__ __data__", "sismember": "SISMEMBER set:__key__ x",
    "smembers": "SMEMBERS set:__key__", "spop": "SPOP set:__key__", "zadd": "ZADD zset:__key__ 1 __data__",
    "zrange": "ZRANGE zset:__key__ 0 99", "zincrby": "ZINCRBY zset:__key__ 1 x", "zscore": "ZSCORE zset:__key__ x",
    "xadd": "XADD stream:__key__ MAXLEN ~ 1000 * field __data__",
  ]
  /// What redis-benchmark and valkey-benchmark know by `-t`.
  private static let benchmark: Set<String> = [
    "get", "set", "incr", "lpush", "rpush", "lpop", "rpop", "sadd", "hset", "spop", "zadd", "mset",
  ]

  /// The shares of the commands that a generator cannot make, the largest first.
  private func leftOut(_ isMade: (String) -> Bool) -> [(command: String, share: Double)] {
    mix.filter { !isMade($0.key) }.map { ($0.key, $0.value / callsPerSecond) }.sorted {
      ($1.share, $0.command) < ($0.share, $1.command)
    }
  }

  private var leftOutOfMemtier: [(command: String, share: Double)] { leftOut { Self.memtier[$0] != nil } }
  private var leftOutOfBenchmark: [(command: String, share: Double)] { leftOut { Self.benchmark.contains($0) } }

  /// The share of calls that not even the better generator makes, of 0 to 1.
  public var leftOutShare: Double { leftOutOfMemtier.reduce(0) { $0 + $1.share } }

  /// The middle one; nil where none was sampled.
  var medianBytes: Int? { valueBytes.isEmpty ? nil : max(1, valueBytes[valueBytes.count / 2]) }

  private func made(_ isMade: (String) -> Bool) -> [(command: String, rate: Double)] {
    mix.filter { isMade($0.key) }.map { ($0.key, $0.value) }.sorted { ($1.rate, $0.command) < ($0.rate, $1.command) }
  }

  /// The arguments of memtier_benchmark, without the server and a login.
  public var memtierArguments: [String] {
    let commands = made { Self.memtier[$0] != nil }
    guard let least = commands.map(\.rate).min() else { return [] }
    let target = callsPerSecond * factor
    var words = ["--threads=1", "--clients=\(Self.connections)"]
    words.append("--rate-limiting=\(max(1, Int(clamping: (target / Double(Self.connections)).rounded(.up))))")
    if let medianBytes { words.append("--data-size=\(medianBytes)") }
    for (command, rate) in commands {
      words.append("--command='\(Self.memtier[command] ?? "")'")
      words.append("--command-ratio=\(min(1000, max(1, Int(clamping: (rate / least).rounded()))))")
    }
    return words
  }

  /// The arguments of redis-benchmark or valkey-benchmark, one list for each command, to be run side by side.
  public var benchmarkArguments: [[String]] {
    let commands = made { Self.benchmark.contains($0) }
    let total = commands.reduce(0) { $0 + $1.rate }
    return commands.map { command, rate in
      let clients = max(1, Int(clamping: (Double(Self.connections) * rate / total).rounded()))
      var words = ["-t", command, "-c", "\(clients)", "-n", "1000000000", "-r", "1000000", "-q"]
      if let medianBytes { words += ["-d", "\(medianBytes)"] }
      return words
    }
  }

  private static func list(_ shares: [(command: String, share: Double)]) -> String {
    let named = shares.prefix(8).map { "\($0.command.uppercased()) \(BackupWords.percent($0.share))" }
    return named.joined(separator: ", ") + (shares.count > 8 ? " and \(shares.count - 8) more" : "")
  }

  /// For people.
  public var text: String {
    var lines = ["\(Int(clamping: callsPerSecond.rounded())) calls per second; \(factor) times that are wanted"]
    lines += made { _ in true }.prefix(12).map {
      "  \($0.command.uppercased()) \(BackupWords.percent($0.rate / callsPerSecond))"
    }
    if let medianBytes, let last = valueBytes.last {
      lines.append("strings: half of \(valueBytes.count) have \(medianBytes) bytes or more, the longest \(last)")
    } else {
      lines.append("lengths of strings are not known: +randomkey and +strlen tell them")
    }
    lines += ["", "memtier_benchmark \(memtierArguments.joined(separator: " "))"]
    lines.append(
      leftOutOfMemtier.isEmpty
        ? "  makes all of these commands" : "  does not make \(Self.list(leftOutOfMemtier))")
    lines.append("")
    lines += benchmarkArguments.map { "redis-benchmark \($0.joined(separator: " "))" }
    lines.append("  (valkey-benchmark takes the same) goes as fast as it can")
    if !leftOutOfBenchmark.isEmpty { lines.append("  does not make \(Self.list(leftOutOfBenchmark))") }
    if leftOutShare > Self.leftOutLimit {
      lines += [
        "", "\(BackupWords.percent(leftOutShare)) of calls are made by none of them: what such a test shows is unknown",
      ]
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

/// What a server says of its commands.
public struct CommandMix: Sendable {
  /// Calls over the server's life, by command in lower case.
  let calls: [String: Int]
  let at: Monotonic

  /// `cmdstat_get:calls=7,usec=…` lines.
  init(_ info: InfoText, at: Monotonic) {
    self.at = at
    var calls: [String: Int] = [:]
    for field in info.fields {
      let name = info.name(of: field)
      guard name.starts(with: "cmdstat_".utf8), calls.count < 1000 else { continue }
      for pair in InfoPairs(info.value(of: field)) where pair.key.elementsEqual("calls".utf8) {
        calls[String(foreign: name.dropFirst(8)).lowercased()] = parseInteger(pair.value)
      }
    }
    self.calls = calls
  }

  /// Calls per second between two looks, of what was called.
  func rates(since other: CommandMix) -> [String: Double] {
    let seconds = at - other.at
    guard seconds > 0 else { return [:] }
    return calls.compactMapValues { $0 }.reduce(into: [:]) { rates, entry in
      let count = entry.value - (other.calls[entry.key] ?? 0)
      if count > 0 { rates[entry.key] = Double(count) / seconds }
    }
  }
}
