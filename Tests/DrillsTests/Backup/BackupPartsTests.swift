import Fleet
import Runtime
import TestSupport
import Testing

@testable import Drills
@testable import Redis

@Suite struct AOFManifestTests {
  private func read(_ text: String) throws -> AOFManifest {
    try AOFManifest(fileName: "appendonly.aof.manifest", Array(text.utf8))
  }

  @Test func partsAreInTheirOrder() throws {
    let manifest = try read(
      """
      # a remark
      file appendonly.aof.2.incr.aof seq 2 type i
      file appendonly.aof.1.incr.aof seq 1 type i startoffset 0
      file appendonly.aof.1.base.rdb seq 1 type b
      file appendonly.aof.0.base.rdb seq 0 type h
      """)
    #expect(manifest.name == "appendonly.aof" && manifest.base == "appendonly.aof.1.base.rdb")
    #expect(
      manifest.parts == ["appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof", "appendonly.aof.2.incr.aof"])
  }

  @Test(
    arguments: [
      "", "\n", "file ../x seq 1 type b", "file a/b seq 1 type i", "file .x seq 1 type i", "file \"a b\" seq 1 type i",
      "file a seq 1", "file a seq x type b", "file a seq 1 type q", "file a seq 1 type b\nfile b seq 2 type b",
      "file a seq 1 type h",
    ])
  func whatIsNoneIsRefused(_ text: String) { #expect(throws: AOFManifest.Failure.self) { try read(text) } }
}

@Suite struct ServerBinaryTests {
  private let redis = ServerBinary(
    path: "/usr/bin/redis-server", told: "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64")
  private let valkey = ServerBinary(
    path: "/opt/valkey-server", told: "Valkey server v=9.1.2 sha=0:0 malloc=libc bits=64")

  @Test func itsVersionIsRead() throws {
    #expect(redis?.version == Version(7, 0, 15) && redis?.isValkey == false)
    #expect(valkey?.version == Version(9, 1, 2) && valkey?.isValkey == true)
    #expect(ServerBinary(path: "/bin/cat", told: "cat (GNU coreutils) 9.1") == nil)
    #expect(redis?.title == "redis-server 7.0.15")
    #expect(valkey?.checkName("aof") == "valkey-check-aof")
  }

  private func header(_ magic: String, _ name: String, _ version: String) throws -> RDBHeader {
    try RDBHeader(Array(magic.utf8) + RDBHeaderTests.field(name, RDBHeaderTests.text(version)) + [255])
  }

  @Test func itMustBeTheProductAndNoOlder() throws {
    let (redis, valkey) = (try #require(redis), try #require(valkey))
    #expect(redis.mismatch(nil) == nil)
    #expect(redis.mismatch(try header("REDIS0010", "redis-ver", "7.0.99")) == nil)
    #expect(redis.mismatch(try header("REDIS0009", "redis-ver", "6.2.1")) == nil)
    #expect(redis.mismatch(try header("REDIS0011", "redis-ver", "7.2.1")) != nil)
    #expect(redis.mismatch(try header("VALKEY080", "valkey-ver", "9.0.0")) != nil)
    #expect(valkey.mismatch(try header("VALKEY080", "valkey-ver", "9.1.9")) == nil)
    // Valkey came from Redis 7.2; what came later there it need not read.
    #expect(valkey.mismatch(try header("REDIS0011", "redis-ver", "7.2.4")) == nil)
    #expect(valkey.mismatch(try header("REDIS0012", "redis-ver", "7.4.1")) != nil)
  }
}

@Suite struct BackupTroubleTests {
  private let server = ServerBinary(path: "/x", told: "Redis server v=7.0.15 sha=0")!

  private func kind(_ output: String) -> BackupTrouble.Kind {
    BackupTrouble(output: output, server: server, fallback: .loadFailed).kind
  }

  @Test(
    arguments: [
      ("--- RDB ERROR DETECTED ---\n[offset 9] Can't handle RDB format version 12\n", BackupTrouble.Kind.newerFormat),
      ("12:S 1 Jan 2026 00:00:00.000 # Can't handle RDB format version 12\n", .newerFormat),
      ("[offset 80] Unexpected EOF reading RDB file\n[additional info] While doing: read-type\n", .truncated),
      ("12:S # Unexpected end of file reading the append only file. You can: 1) Make a backup\n", .truncated),
      ("12:S # Short read or OOM loading DB. Unrecoverable error, aborting now.\n", .truncated),
      ("[offset 0] Wrong signature trying to load DB from file\n", .foreign),
      ("[offset 900] RDB CRC error\n", .damaged),
      ("12:S # Bad file format reading the append only file: make a backup\n", .damaged),
      ("# The RDB file contains module data I can't load: no matching module type 'ReJSON-RL'\n", .modules),
      ("12:S # Out Of Memory allocating 123456 bytes!\n", .memory),
      ("12:S # The AOF file appendonly.aof.1.base.rdb doesn't exist\n", .partMissing),
      ("something else\n", .loadFailed), ("", .loadFailed),
    ])
  func outputsHaveNames(_ output: String, _ kind: BackupTrouble.Kind) { #expect(self.kind(output) == kind) }

  @Test func keysAreNotTold() {
    let trouble = BackupTrouble(
      output: "[offset 9] Internal error in RDB, Key 'x'\n[info] Reading key 'session:alice@example.org' wrong type",
      server: server, fallback: .damaged)
    #expect(!trouble.text.contains("alice"))
  }
}

@Suite struct LastBackupTests {
  @Test func itIsReadAsItWasWritten() async throws {
    let folder = TemporaryFolder()
    let last = LastBackup(at: WallTime(seconds: 1000), keys: [0: 5, 3: 7], prefixShares: ["a:": 0.5, "q\"x:": 0.25])
    #expect(await LastBackup.read(folder.path, workload: "carts") == nil)
    try await last.write(folder.path, workload: "carts")
    #expect(await LastBackup.read(folder.path, workload: "carts") == last)
    #expect(await LastBackup.read(folder.path, workload: "other") == nil)
  }

  @Test(arguments: [
    "", "{", "[]", "{\"at\": 1}", "{\"at\":1,\"keys\":{\"x\":1},\"prefixShares\":{}}",
    "{\"at\":1,\"keys\":{},\"prefixShares\":{\"a:\":7}}",
  ])
  func whatIsDamagedIsNone(_ text: String) { #expect(LastBackup(json: Array(text.utf8)) == nil) }
}

@Suite struct AvailableMemoryTests {
  @Test func theLeastRoomCounts() async throws {
    let folder = TemporaryFolder()
    let command = ChildCommand(
      [
        "sh", "-c",
        """
        cd "$1" && mkdir -p proc/self sys/fs/cgroup/a/b
        printf 'MemTotal: 9000 kB\\nMemAvailable:    8000 kB\\n' >proc/meminfo
        printf '0::/a/b\\n' >proc/self/cgroup
        echo 4096000 >sys/fs/cgroup/a/memory.max; echo 1000000 >sys/fs/cgroup/a/memory.current
        printf 'anon 5\\ninactive_file 96000\\n' >sys/fs/cgroup/a/memory.stat
        echo max >sys/fs/cgroup/a/b/memory.max
        """, "sh", folder.path,
      ], timeLimit: .seconds(10))
    #expect(try await command.run().isSuccess)
    #expect(AvailableMemory.bytes(root: "\(folder.path)/") == 3_192_000)
    #expect(AvailableMemory.bytes(root: "\(folder.path)/none/") == nil)
  }
}

@Suite struct OffsetPointsTests {
  private let points = OffsetPoints(
    [(100, 50), (105, 60), (110, 60), (115, 90)].map {
      OffsetPoints.Point(at: WallTime(seconds: $0.0), offset: $0.1)
    })

  @Test func theLastMomentBeforeLaterWritesCounts() {
    let now = WallTime(seconds: 500)
    #expect(points.lastCurrent(60, now: now) == WallTime(seconds: 110))
    #expect(points.lastCurrent(55, now: now) == WallTime(seconds: 100))
    // Nothing came since.
    #expect(points.lastCurrent(90, now: now) == now)
    // Before and after what is known.
    #expect(points.lastCurrent(10, now: now) == nil)
    #expect(points.lastCurrent(100, now: now) == nil)
    #expect(OffsetPoints([]).lastCurrent(1, now: now) == nil)
  }
}

@Suite struct ReplicaSourceTests {
  private func refusal(_ lines: [String], free: Double? = 1e12) -> String? {
    ReplicaSource.refusal(InfoText(bytes: Array(lines.joined(separator: "\r\n").utf8)), freeBytes: free)
  }

  private static let replica = [
    "role:slave", "used_memory:1000000000", "used_memory_rss:1000000000", "total_system_memory:8000000000",
    "maxmemory:0",
    "rdb_last_cow_size:1000000",
  ]

  private func with(_ field: String, _ value: String) -> [String] {
    Self.replica.map { $0.hasPrefix("\(field):") ? "\(field):\(value)" : $0 }
  }

  @Test func aReplicaWithRoomIsForkedAndNothingElse() {
    #expect(refusal(Self.replica) == nil)
    #expect(refusal(with("role", "master"))?.contains("no replica") == true)
    #expect(refusal([])?.contains("no replica") == true)
    #expect(refusal(with("maxmemory", "7999000000"))?.contains("fork headroom") == true)
    #expect(refusal(with("used_memory_rss", "7999999999"))?.contains("fork headroom") == true)
    // Before its first child, the whole of it may be copied.
    #expect(refusal(with("rdb_last_cow_size", "0")) == nil)
    #expect(
      refusal(
        Self.replica.map {
          $0.replacing("rss:1000000000", with: "rss:4000000000").replacing("cow_size:1000000", with: "cow_size:0")
        })?
        .contains("fork headroom") == true)
    #expect(refusal(with("total_system_memory", "0"))?.contains("not known") == true)
    #expect(refusal(Self.replica, free: 1e9)?.contains("TMPDIR") == true)
    #expect(refusal(Self.replica, free: nil) == nil)
  }

  @Test func roleIsTakenAtItsWord() throws {
    func role(_ text: String) throws -> Bool {
      let reader = ReplyReader()
      var bytes = Array(text.utf8)
      try unsafe bytes.withUnsafeMutableBytes { try unsafe reader.feed(UnsafeRawBufferPointer($0)) }
      return ReplicaSource.isReplica(reader.take()[0])
    }
    #expect(try role("*5\r\n$5\r\nslave\r\n$1\r\na\r\n:6379\r\n$9\r\nconnected\r\n:7\r\n"))
    #expect(try !role("*5\r\n$5\r\nslave\r\n$1\r\na\r\n:6379\r\n$7\r\nconnect\r\n:7\r\n"))
    #expect(try !role("*3\r\n$6\r\nmaster\r\n:7\r\n*0\r\n"))
    #expect(try !role("+OK\r\n"))
  }
}
