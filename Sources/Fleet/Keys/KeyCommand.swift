import Redis

/// The commands of key work, without values of keys ever being written to.
enum KeyCommand {
  static func type(_ key: [UInt8]) -> Command { make("TYPE", key) }
  static func memoryUsage(_ key: [UInt8]) -> Command { make("MEMORY", "USAGE", key) }
  /// - Parameter samples: elements that are looked at; 0 for all.
  static func memoryUsage(_ key: [UInt8], samples: Int) -> Command {
    make("MEMORY", "USAGE", key, words: ["SAMPLES", "\(samples)"])
  }
  static func hyperLogLogCount(_ key: [UInt8]) -> Command { make("PFCOUNT", key) }
  static func xinfoStream(_ key: [UInt8]) -> Command { make("XINFO", "STREAM", key) }
  static func xinfoStreamFull(_ key: [UInt8]) -> Command {
    make("XINFO", "STREAM", key, words: ["FULL", "COUNT", "1"])
  }
  static func xinfoGroups(_ key: [UInt8]) -> Command { make("XINFO", "GROUPS", key) }
  static func xinfoConsumers(_ key: [UInt8], _ group: [UInt8]) -> Command { make("XINFO", "CONSUMERS", key, group) }
  static func xpending(_ key: [UInt8], _ group: [UInt8]) -> Command {
    Command(bytes: [Array("XPENDING".utf8), key, group])
  }

  /// The command that tells the size of a key of this type, or nil for types without one (those of modules).
  static func size(_ key: [UInt8], ofType type: String) -> Command? {
    switch type {
    case "string": make("STRLEN", key)
    case "list": make("LLEN", key)
    case "set": make("SCARD", key)
    case "zset": make("ZCARD", key)
    case "hash": make("HLEN", key)
    case "stream": make("XLEN", key)
    case "array": make("ARCOUNT", key)
    case "vectorset": make("VCARD", key)
    default: nil
    }
  }

  /// The first `count` bytes of a string: a value of any size costs no more than that.
  static func prefix(_ key: [UInt8], count: Int) -> Command { make("GETRANGE", key, words: ["0", "\(count - 1)"]) }

  /// How long a key has still to live, in milliseconds; -1 for ever, -2 for a key that is not there.
  static func remainingLife(_ key: [UInt8]) -> Command { make("PTTL", key) }

  static func scan(_ cursor: [UInt8], match: [UInt8]?, count: Int, type: String? = nil) -> Command {
    var arguments = [Array("SCAN".utf8), cursor]
    if let match { arguments += [Array("MATCH".utf8), match] }
    if let type { arguments += [Array("TYPE".utf8), Array(type.utf8)] }
    return Command(bytes: arguments + [Array("COUNT".utf8), Array("\(count)".utf8)])
  }

  private static func make(_ name: String, _ key: [UInt8], words: [String] = []) -> Command {
    Command(bytes: [Array(name.utf8), key] + words.map { Array($0.utf8) })
  }

  private static func make(_ name: String, _ second: String, _ key: [UInt8], words: [String] = []) -> Command {
    Command(bytes: [Array(name.utf8), Array(second.utf8), key] + words.map { Array($0.utf8) })
  }

  private static func make(_ name: String, _ second: String, _ key: [UInt8], _ group: [UInt8]) -> Command {
    Command(bytes: [Array(name.utf8), Array(second.utf8), key, group])
  }
}

extension Reply {
  /// What TIME answers, seconds and microseconds, in whole milliseconds since the epoch; nil for anything else.
  var clockMilliseconds: Double? {
    guard !isError, let parts = elements, parts.count == 2, let seconds = parts[0]?.double,
      let microseconds = parts[1]?.double, 0..<0x1p40 ~= seconds
    else { return nil }
    return seconds * 1000 + (microseconds / 1000).rounded(.down)
  }
}

extension Command {
  /// What the command is refused and counted by: its name, with the subcommand where there is one. Never holds a key.
  var verb: String {
    guard let first = arguments.first else { return "" }
    let name = String(decoding: first, as: UTF8.self)
    guard ["MEMORY", "XINFO", "CLUSTER", "CLIENT"].contains(name), arguments.count > 1 else { return name }
    let subcommand = name + " " + String(decoding: arguments[1], as: UTF8.self)
    return subcommand == "XINFO STREAM" && arguments.count > 3 ? subcommand + " FULL" : subcommand
  }

  /// Whether the server counts it as a hit or miss. MEMORY USAGE leaves the counts alone.
  var countsAsLookup: Bool {
    switch arguments.first.map({ String(decoding: $0, as: UTF8.self) }) {
    case "MEMORY", "SCAN", "SELECT", "TIME", "INFO", "CLUSTER", "EVAL", "EVAL_RO", "CONFIG", "PING", "CLIENT", nil:
      false
    default: true
    }
  }
}
