import Config
import Runtime
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(1))) struct DeclaredSettingsTests {
  private static func values(_ text: String) throws -> [String] {
    try ConfFolder.settings(text).settings.map { "\($0.name) = \($0.value)" }
  }

  /// A line and the answers of a server that mean the same; then some that do not.
  @Test(
    arguments: [
      ("maxmemory 64m", ["64000000"], ["67108864", ""]),
      ("maxmemory 64MB", ["67108864"], ["64000000"]), ("maxmemory 1gb", ["1073741824"], ["1000000000"]),
      ("maxmemory 1K", ["1000"], ["1024"]), ("maxmemory 1Kb", ["1024"], ["1000"]), ("maxmemory 5b", ["5"], ["6"]),
      ("maxmemory \"\"", ["0"], ["1"]), ("maxmemory-clients 5%", ["5%"], ["5", "-5"]),
      ("maxmemory-clients 1g", ["1000000000"], ["1%"]), ("maxmemory-clients 0%", ["0"], ["1%"]),
      ("appendonly YES", ["yes"], ["no"]), ("maxmemory-policy ALLKEYS-LRU", ["allkeys-lru"], ["allkeys-lfu"]),
      ("oom-score-adj relative", ["yes", "relative"], ["no", "absolute"]), ("hz 700", ["500"], ["700x", "10"]),
      ("unixsocketperm 0700", ["700"], ["0", "770"]), ("timeout 300", ["300"], ["0", "30"]),
      ("save 900 1 300 10", ["900 1 300 10", "300 10 900 1"], ["900 1", ""]),
      ("save \"900 1 300 10\"", ["900 1 300 10"], [""]),
      ("save \"\"", [""], ["900 1"]), ("bind 127.0.0.1 -::1", ["127.0.0.1 -::1"], ["127.0.0.1", "-::1 127.0.0.1"]),
      ("bind \"127.0.0.1 -::1\"", ["127.0.0.1 -::1"], ["127.0.0.1"]), ("bind \"\"", [""], ["*"]),
      ("notify-keyspace-events Ex", ["xE"], ["xEK", ""]),
      ("notify-keyspace-events AKE", ["AKE", "g$lshzxetdKE"], ["KE"]),
      ("notify-keyspace-events mnAKE", ["AKEm"], ["AKE"]), ("notify-keyspace-events \"\"", [""], ["K"]),
      ("shutdown-on-sigterm nosave FORCE", ["force nosave", "nosave force"], ["default"]),
      ("latency-tracking-info-percentiles 50 99.90", ["50 99.9"], ["50 99"]),
      ("latency-tracking-info-percentiles \"\"", [""], ["50"]),
      ("oom-score-adj-values 0 200 800", ["0 200 800"], ["0 200 8"]),
      ("tls-protocols \"TLSv1.2 TLSv1.3\"", ["TLSv1.3 TLSv1.2"], ["TLSv1.3"]),
      ("dbfilename Dump.rdb", ["Dump.rdb"], ["dump.rdb"]),
      ("proc-title-template \"{title} {config-file}\"", ["{title} {config-file}"], ["{title}"]),
      ("logfile \"\"", [""], ["/x"]), ("client-query-buffer-limit 1gb", ["1073741824"], ["1"]),
      // Of no server that is known here.
      ("brand-new 4mb", ["4194304", "4mb"], ["4000000"]), ("brand-new Yes", ["yes"], ["no"]),
      ("brand-new a b", ["a b"], ["b a"]),
    ] as [(String, ArraySlice<String>, ArraySlice<String>)])
  func meansTheSame(line: String, same: ArraySlice<String>, other: ArraySlice<String>) throws {
    let setting = try #require(ConfFolder.settings(line).settings.first)
    for answer in same { #expect(setting.kind.isSame(setting.value, answer: answer), "\(line) is \(answer)") }
    for answer in other { #expect(!setting.kind.isSame(setting.value, answer: answer), "\(line) is not \(answer)") }
  }

  @Test(arguments: [
    ("maxmemory", "has no value; give one, in quotes where it has blanks"),
    ("maxmemory 1 gb", "has more than one value; give one, in quotes where it has blanks"),
    ("maxmemory 1gb # the half", "has more than one value; a comment stands on a line of its own"),
    ("maxmemory -1", "is no number of bytes; write it like 512mb, 1gb or 1048576"),
    ("maxmemory 1tb", "is no number of bytes; write it like 512mb, 1gb or 1048576"),
    ("maxmemory 99999999999999999999", "is too large"), ("maxmemory 99999999999999gb", "is too large"),
    ("appendonly on", "is neither yes nor no"),
    ("port 07", "is no whole number; write digits alone, with no zeros in front"),
    ("port +7", "is no whole number; write digits alone, with no zeros in front"),
    ("unixsocketperm 9", "is no octal number"),
    ("maxmemory-clients 5.5%", "is no whole number; write digits alone, with no zeros in front"),
    ("save 900", "has an odd number of values; write seconds and changes, such as 3600 1"),
    ("save 0 1", "is no rule for saving; write seconds and changes, such as 3600 1"),
    ("save 1 -1", "is no rule for saving; write seconds and changes, such as 3600 1"),
    (
      "client-output-buffer-limit master 0 0 0",
      "names a class of clients that there is none of; use normal, replica or pubsub"
    ),
    (
      "client-output-buffer-limit normal 0 0",
      "has not four values for each class; write class, hard limit, soft limit and seconds, such as replica 256mb 64mb 60"
    ),
    (
      "notify-keyspace-events E-x",
      "has letters that are no class of events; write letters such as Ex, or \"\" for none"
    ),
    ("latency-tracking-info-percentiles 101", "is no percentile; write numbers from 0 to 100, such as 50 99 99.9"),
    ("oom-score-adj-values 1 2", "has not 3 numbers but 2"), ("brand-new", "has no value"),
    ("search.x", "has no value"),
    ("rename-command CONFIG", "has not two values; write the command and its new name, or \"\" for none"),
    ("sentinel monitor m h 1 1", "is no directive of redis.conf; name the file as sentinel_conf"),
  ])
  func refusesWhatRedisRefuses(line: String, problem: String) throws {
    let error = try #require(throws: ConfigErrors.self) { try ConfFolder.settings("\n\(line)\n") }
    #expect(error.errors.count == 1)
    let mismatch = error.errors[0]
    #expect(mismatch.problem + (mismatch.hint.map { "; \($0)" } ?? "") == problem)
    #expect(mismatch.path == line.split(separator: " ")[0])
    #expect(mismatch.description.contains("redis.conf:2:1: "))
  }

  @Test func theLastLineCounts() throws {
    #expect(
      try Self.values("maxmemory 1gb\nhz 10\nMAXMEMORY 2gb\nslave-priority 5\nreplica-priority 7\n") == [
        "hz = 10", "maxmemory = 2147483648", "replica-priority = 7",
      ])
    #expect(
      try Self.values("save 900 1\nsave 300 10\nhz 10\n") == ["save = 300 10, 900 1", "hz = 10"])
    #expect(try Self.values("save 900 1\nsave \"\"\nsave 60 5\n") == ["save = 60 5"])
    #expect(try Self.values("save 900 1\nsave \"\"\n") == ["save = "])
    #expect(
      try Self.values(
        """
        client-output-buffer-limit normal 0 0 0 slave 1mb 1mb 1
        client-output-buffer-limit replica 256mb 64mb 60
        client-output-buffer-limit PubSub 32m 8m 60
        """) == [
          "client-output-buffer-limit normal = 0 0 0",
          "client-output-buffer-limit replica = 268435456 67108864 60",
          "client-output-buffer-limit pubsub = 32000000 8000000 60",
        ])
  }

  @Test func asksByEveryName() throws {
    let settings = try ConfFolder.settings(
      "hash-max-ziplist-entries 5\nlua-time-limit 9\nslave-read-only no\nclient-output-buffer-limit normal 0 0 0 pubsub 0 0 0\n"
    )
    #expect(
      settings.names == [
        "busy-reply-threshold", "client-output-buffer-limit", "hash-max-listpack-entries", "hash-max-ziplist-entries",
        "lua-time-limit", "replica-read-only", "slave-read-only",
      ])
  }

  @Test func whatIsNotComparedSaysWhy() throws {
    let settings = try ConfFolder.settings(
      """
      requirepass hunter2-declared
      masterauth "hunter2-master"
      masteruser someone
      tls-key-file-pass x
      user alice on >hunter2-alice ~* +@all
      user bob off
      loadmodule /usr/lib/x.so a b
      search.timeout 5
      dir /var/lib/redis
      slaveof 10.0.0.1 6379
      replica-announce-ip 10.0.0.9
      cluster-announce-port 1
      pidfile /x
      bind 10.0.0.9
      port 6379
      """, ignored: ["bind", "port"])
    #expect(settings.settings.isEmpty && settings.names.isEmpty)
    let reasons = Dictionary(uniqueKeysWithValues: settings.exempt.map { ($0.name, $0.reason) })
    #expect(
      reasons == [
        "requirepass": "a secret", "masterauth": "a secret", "masteruser": "a secret", "tls-key-file-pass": "a secret",
        "user": "users of the ACL are looked at by the audit", "loadmodule": "modules and what they are set to",
        "search.timeout": "modules and what they are set to", "dir": "each server has its own",
        "replicaof": "each server has its own", "replica-announce-ip": "each server has its own",
        "cluster-announce-port": "each server has its own", "pidfile": "each server has its own",
        "bind": "the configuration leaves it out", "port": "the configuration leaves it out",
      ])
    let dumped = "\(settings)"
    #expect(!dumped.contains("hunter2") && !dumped.contains("someone"))
    // What others say may not repeat them either.
    #expect(
      KnownSecrets.masked("it was hunter2-declared, hunter2-master, hunter2-alice")
        == "it was <secret>, <secret>, <secret>")
  }

  @Test func errorsShowNoSecret() throws {
    let error = try #require(throws: ConfigErrors.self) {
      try ConfFolder.settings("requirepass\nuser\nrename-command FLUSHALL hunter2 x\nmaxmemory hunter3\n")
    }
    #expect(error.errors.count == 4)
    #expect(!error.description.contains("hunter2"))
    #expect(error.description.contains("\"hunter3\" is no number of bytes"))
  }

  @Test func renames() throws {
    func renamed(_ text: String) throws -> [String] {
      try ConfFolder.settings(text).renamed.map { "\($0.command) \($0.isRemoved)" }
    }
    #expect(
      try renamed("rename-command CONFIG \"\"\nrename-command FlushAll xyzzy\n") == ["config true", "flushall false"])
    // Its name was given to another.
    #expect(try renamed("rename-command FLUSHALL tmp\nrename-command FLUSHDB FLUSHALL\n") == ["flushdb false"])
    #expect(try renamed("rename-command KEYS KEYS\n") == [])
    let settings = try ConfFolder.settings("rename-command CONFIG xyzzy\n")
    #expect(!"\(settings)".contains("xyzzy"))
  }
}
