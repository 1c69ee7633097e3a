/// Which commands have a latency histogram of their own, and into which the others are merged.
public enum LatencyCommands {
  /// The commands that applications spend their time on.
  public static let common: Set<String> = [
    "get", "set", "mget", "mset", "setex", "psetex", "setnx", "getset", "getdel", "getex", "append", "incr",
    "incrby", "incrbyfloat", "decr", "decrby", "strlen", "getrange", "setrange", "getbit", "setbit",
    "bitcount",
    "del", "unlink", "exists", "expire", "pexpire", "expireat", "persist", "ttl", "pttl", "type", "scan",
    "hget", "hset", "hmget", "hmset", "hgetall", "hdel", "hexists", "hincrby", "hlen", "hkeys", "hvals",
    "hscan",
    "lpush", "rpush", "lpop", "rpop", "lrange", "llen", "lrem", "ltrim", "lindex", "lmove",
    "sadd", "srem", "smembers", "sismember", "smismember", "scard", "spop", "srandmember", "sinter",
    "sunion", "sscan",
    "zadd", "zrem", "zrange", "zrangebyscore", "zrevrange", "zscore", "zmscore", "zincrby", "zcard",
    "zcount", "zrank", "zpopmin", "zremrangebyscore",
    "xadd", "xack", "xrange", "xlen", "xtrim", "xdel", "pfadd", "pfcount", "geoadd", "geosearch",
    "eval", "evalsha", "fcall", "exec", "publish",
  ]

  /// Where the commands outside of the list are merged.
  static let other = "other"
  /// Where commands are merged whose time includes waiting for data or replicas: a consumer that waits a second is not
  /// slow, and would hide what is slow among the others.
  static let blocking = "blocking"

  private static let blockingCommands: Set<String> = [
    "blpop", "brpop", "brpoplpush", "blmove", "blmpop", "bzpopmin", "bzpopmax", "bzmpop", "xread",
    "xreadgroup", "wait", "waitaof",
  ]

  /// The value of `cmd` for a command.
  static func label(_ command: String, allowed: Set<String>) -> String {
    if allowed.contains(command) { return command }
    return isBlocking(command) ? blocking : other
  }

  /// Whether the command's time includes waiting for data or replicas.
  static func isBlocking(_ command: String) -> Bool { blockingCommands.contains(command) }
}
