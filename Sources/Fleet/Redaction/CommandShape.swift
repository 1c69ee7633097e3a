import Redis

/// What is kept of a command that somebody sent to a server: its name, how many arguments it had and the prefix of its
/// first key. By construction never a key and never a value.
public struct CommandShape: Sendable, Hashable {
  /// In lower case, with the subcommand behind a bar: `get`, `client|kill`; `other` for what does not look like a command.
  public let name: String
  /// Its words, the name among them.
  public let argumentCount: Int
  /// What the first key begins with, up to its first colon: `session:`; nil where that might tell a name or a number.
  public let prefix: String?

  public init(name: String, argumentCount: Int, prefix: String? = nil) {
    self.name = name
    self.argumentCount = argumentCount
    self.prefix = prefix
  }

  /// - Parameter arguments: as SLOWLOG GET shows them: of long ones and of many, the server leaves the rest out.
  public init(arguments: [ArraySlice<UInt8>]) {
    let verb = Self.word(arguments.first, upTo: 40) ?? Self.unknownName
    let isContainer = Self.containers.contains(verb)
    name =
      isContainer
      ? [verb, Self.word(arguments.dropFirst().first, upTo: 24)].compactMap { $0 }.joined(separator: "|") : verb
    argumentCount = arguments.isEmpty ? 0 : arguments.count - 1 + (Self.omittedCount(arguments.last) ?? 1)
    prefix = Self.keyPlace(verb, arguments).flatMap { place in
      arguments.indices.contains(place) ? Self.prefix(of: arguments[place]) : nil
    }
  }

  /// For people: `CLIENT KILL`.
  public var title: String { name.uppercased().replacing("|", with: " ") }

  /// A name as CLIENT LIST and INFO show it.
  ///
  /// - Returns: nil for what does not look like a command.
  public static func commandName(_ bytes: ArraySlice<UInt8>) -> String? {
    let parts = bytes.split(separator: UInt8(ascii: "|"), maxSplits: 1, omittingEmptySubsequences: false)
    let words = parts.compactMap { word($0, upTo: 40) }
    return words.count == parts.count && !words.isEmpty ? words.joined(separator: "|") : nil
  }

  // MARK: Names

  static let unknownName = "other"

  private static let containers: Set<String> = [
    "acl", "client", "cluster", "command", "config", "debug", "function", "latency", "memory", "module", "object",
    "pubsub", "script", "sentinel", "slowlog", "xgroup", "xinfo",
  ]

  /// A word that commands are named by, in lower case.
  private static func word(_ bytes: ArraySlice<UInt8>?, upTo limit: Int) -> String? {
    guard let bytes, let first = bytes.first, bytes.count <= limit, isLetter(first), bytes.allSatisfy(isOfName) else {
      return nil
    }
    return String(decoding: bytes, as: UTF8.self).lowercased()
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

  private static func isOfName(_ byte: UInt8) -> Bool {
    isLetter(byte) || byte &- UInt8(ascii: "0") < 10
      || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte)
  }

  /// `... (12 more arguments)`, which stands for that many.
  private static func omittedCount(_ last: ArraySlice<UInt8>?) -> Int? {
    let (start, end) = (Array("... (".utf8), Array(" more arguments)".utf8))
    guard let last, last.starts(with: start), last.suffix(end.count).elementsEqual(end) else { return nil }
    return parseInteger(last.dropFirst(start.count).dropLast(end.count)).map { max(0, $0) }
  }

  // MARK: Keys

  /// The longest prefix that is kept.
  private static let prefixLimit = 32

  /// Which word is the first key; nil for commands that are not known to have one, such as AUTH.
  private static func keyPlace(_ verb: String, _ arguments: [ArraySlice<UInt8>]) -> Int? {
    if firstIsKey.contains(verb) { return 1 }
    switch verb {
    case "object", "xgroup", "xinfo", "bitop": return 2
    case "memory", "debug":
      let word = word(arguments.dropFirst().first, upTo: 24)
      return word == "usage" || word == "object" ? 2 : nil
    case "eval", "evalsha", "fcall", "eval_ro", "evalsha_ro", "fcall_ro":
      return arguments.dropFirst(2).first.flatMap { parseInteger($0) }.map { $0 > 0 } == true ? 3 : nil
    default: return nil
    }
  }

  /// Commands whose first argument is a key.
  private static let firstIsKey: Set<String> = [
    "append", "bitcount", "bitfield", "bitfield_ro", "bitpos", "blmove", "blpop", "brpop", "brpoplpush", "bzpopmax",
    "bzpopmin", "copy", "decr", "decrby", "del", "dump", "exists", "expire", "expireat", "expiretime", "geoadd",
    "geodist", "geohash", "geopos", "georadius", "georadiusbymember", "geosearch", "geosearchstore", "get", "getbit",
    "getdel", "getex", "getrange", "getset", "hdel", "hexists", "hexpire", "hget", "hgetall", "hgetdel", "hgetex",
    "hincrby", "hincrbyfloat", "hkeys", "hlen", "hmget", "hmset", "hpersist", "hpexpire", "hpttl", "hrandfield",
    "hscan",
    "hset", "hsetex", "hsetnx", "hstrlen", "httl", "hvals", "incr", "incrby", "incrbyfloat", "lindex", "linsert",
    "llen",
    "lmove", "lpop", "lpos", "lpush", "lpushx", "lrange", "lrem", "lset", "ltrim", "mget", "move", "mset", "msetnx",
    "persist", "pexpire", "pexpireat", "pexpiretime", "pfadd", "pfcount", "pfmerge", "psetex", "pttl", "rename",
    "renamenx", "restore", "rpop", "rpoplpush", "rpush", "rpushx", "sadd", "scard", "sdiff", "sdiffstore", "set",
    "setbit",
    "setex", "setnx", "setrange", "sinter", "sinterstore", "sismember", "smembers", "smismember", "smove", "sort",
    "sort_ro", "spop", "srandmember", "srem", "sscan", "strlen", "substr", "sunion", "sunionstore", "touch", "ttl",
    "type",
    "unlink", "watch", "xack", "xadd", "xautoclaim", "xclaim", "xdel", "xlen", "xpending", "xrange", "xrevrange",
    "xsetid", "xtrim", "zadd", "zcard", "zcount", "zdiffstore", "zincrby", "zinterstore", "zlexcount", "zmscore",
    "zpopmax", "zpopmin", "zrandmember", "zrange", "zrangebylex", "zrangebyscore", "zrangestore", "zrank", "zrem",
    "zremrangebylex", "zremrangebyrank", "zremrangebyscore", "zrevrange", "zrevrangebylex", "zrevrangebyscore",
    "zrevrank", "zscan", "zscore", "zunionstore",
  ]

  /// A word of letters and the colon behind it: what holds a digit or an `@` may be part of somebody's name.
  public static func prefix(of key: ArraySlice<UInt8>) -> String? {
    let head = key.prefix(prefixLimit)
    guard let colon = head.firstIndex(of: UInt8(ascii: ":")), colon > head.startIndex else { return nil }
    let word = head[..<colon]
    let isPlain = word.allSatisfy { byte in
      isLetter(byte) || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte)
    }
    return isPlain ? String(decoding: head[...colon], as: UTF8.self) : nil
  }
}
