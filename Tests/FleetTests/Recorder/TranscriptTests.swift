import Metrics
import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// Replies in, the same replies out, but for what is not to be kept.
@Suite(.timeLimit(.minutes(1)))
struct TranscriptTests {
  /// What the collectors ask a captured server, with its replies.
  static func poll(_ folder: String, _ options: CollectorOptions = CollectorOptions()) -> RecordedPoll.Replies {
    let server = CapturedServer(folder: folder)
    let info = server.infoText
    let facts = ServerFacts(info)
    var steps: [Plan.Step] = []
    var all: [Reply] = []
    for collector in CollectorCatalogue.all {
      let commands = collector.commands(for: facts, options)
      let replies = commands.compactMap { command in
        (server.files[command.words] ?? server.files[command.description]).flatMap { server.reply($0) }
      }
      guard replies.count == commands.count, collector.readsInfoOnly || !commands.isEmpty else { continue }
      steps.append(
        Plan.Step(collector: collector, replies: all.count..<(all.count + replies.count), commands: commands))
      all += replies
    }
    let config = server.reply("config-get").flatMap { ServerConfig($0) }
    return RecordedPoll.Replies(info: info, steps: steps, replies: all, config: config)
  }

  static func poll(info text: String, _ asked: [(any Collector, Command, String)] = []) throws -> RecordedPoll.Replies {
    var steps: [Plan.Step] = []
    var replies: [Reply] = []
    for (collector, command, resp) in asked {
      steps.append(
        Plan.Step(collector: collector, replies: replies.count..<(replies.count + 1), commands: [command]))
      replies.append(try Replies.read(Array(resp.utf8))[0])
    }
    let config = replies.first.flatMap { ServerConfig($0) }
    return RecordedPoll.Replies(info: InfoText(bytes: Array(text.utf8)), steps: steps, replies: replies, config: config)
  }

  /// Through a delta from nothing and back.
  static func readBack(_ poll: RecordedPoll.Replies) throws -> PollTranscript {
    var (transcriber, room) = (PollTranscriber(), PollTranscriber.Room())
    var output = ByteWriter()
    TranscriptDelta.write(transcriber.transcript(poll, using: &room), after: Transcript(), to: &output)
    var input = ByteReader(output.bytes)
    let read = try TranscriptDelta.read(&input, after: Transcript())
    #expect(input.isAtEnd)
    return try PollTranscript(read)
  }

  /// Fields that facts are made of come back as they were sent.
  @Test(arguments: GoldenTests.servers)
  func captured(_ name: String) throws {
    let poll = Self.poll("servers/\(name)")
    let read = try Self.readBack(poll)
    #expect(ServerFacts(read.info) == ServerFacts(poll.info))
    for field in [
      "used_memory", "maxmemory_policy", "master_replid", "db0", "cmdstat_get", "instantaneous_ops_per_sec",
      "rdb_last_save_time",
      "used_cpu_sys", "mem_fragmentation_ratio",
    ] {
      #expect(read.info.text(field) == poll.info.text(field), "\(field)")
    }
    #expect(read.info.text("executable") == nil, "a path is nobody's to keep")
    #expect(read.info.text("config_file") == nil)
    let slow = try #require(read.replies.first { $0.collector == "slowlog" }?.replies.last?.elements)
    for entry in slow { #expect(entry.elements?.count == 3) }
  }

  /// The page that today's collectors make of a recording is that of the poll, but for what is never kept.
  @Test(arguments: GoldenTests.servers)
  func pageOfRecording(_ name: String) throws {
    let poll = Self.poll("servers/\(name)")
    let read = try Self.readBack(poll)
    let context = read.context(CollectorCatalogue.all, CollectorOptions(), at: Fixture.now)
    let original = PollContext(
      info: poll.info, server: ServerFacts(poll.info), steps: poll.steps, replies: poll.replies,
      options: CollectorOptions(), now: Fixture.now)
    let (before, after) = (Self.lines(original), Self.lines(context))
    #expect(after.subtracting(before).isEmpty, "\(after.subtracting(before).sorted().prefix(5))")
    let lost = before.subtracting(after).filter { line in
      !Self.neverKept.contains { line.hasPrefix($0) }
    }
    #expect(lost.isEmpty, "\(lost.sorted().prefix(20))")
  }

  /// Families of replies that are not recorded, or that hold what is not.
  private static let neverKept = [
    "redis_connected_client", "redis_module", "redis_search", "redis_errors_total", "redis_db_large_keys",
  ]

  private static func lines(_ poll: PollContext) -> Set<String> {
    var sink = SampleSink()
    var reading = PollReading()
    reading.read(poll, into: &sink)
    let page = String(decoding: Exposition().page([sink.finish()]), as: UTF8.self)
    return Set(Fixture.lines(page).filter { !$0.hasPrefix("#") })
  }

  @Test func nothingThatSomebodySentIsKept() throws {
    let secret = "hunter2-eyJhbGciOi"
    let entry =
      "*1\r\n*6\r\n:14\r\n:1700000000\r\n:12345\r\n*3\r\n$3\r\nSET\r\n$17\r\nuser:alice@ex.org\r\n$18\r\n\(secret)\r\n$14\r\n10.0.0.1:33333\r\n$5\r\njob-7\r\n"
    let config = "*4\r\n$11\r\nrequirepass\r\n$18\r\n\(secret)\r\n$9\r\nmaxmemory\r\n$4\r\n1024\r\n"
    let poll = try Self.poll(
      info:
        "# Server\r\nredis_version:7.0.0\r\nused_memory:\(secret)\r\nmy_own:\(secret)\r\n# Errorstats\r\nerrorstat_\(secret):count=1\r\nerrorstat_ERR:count=3\r\n",
      [
        (ConfigCollector(), ["CONFIG", "GET", "*"], config), (SlowlogCollector(), ["SLOWLOG", "GET", "1"], entry),
        (
          MembershipCollector(masters: MasterNames()), ["CLUSTER", "NODES"],
          "$20\r\nnot nodes but \(secret.prefix(6))\r\n"
        ),
      ])
    var (transcriber, room) = (PollTranscriber(), PollTranscriber.Room())
    let transcript = transcriber.transcript(poll, using: &room)
    for bytes in [transcript.names, transcript.text] {
      let text = String(decoding: bytes, as: UTF8.self)
      for part in [secret, "hunter", "alice", "SET", "job", "requirepass", "my_own"] {
        #expect(!text.contains(part), "\(text)")
      }
    }
    let read = try Self.readBack(poll)
    #expect(read.info.text("errorstat_ERR") == "count=3")
    #expect(read.replies.first { $0.collector == "config" }?.replies.first?.stringRanges?.count == 2)
    #expect(
      read.replies.first { $0.collector == "slowlog" }?.replies.first?.elements?[0]?.elements?[2]?.integer == 12345)
  }

  /// A secret that the daemon knows is left out wherever it stands, with its digits.
  @Test func knownSecretsAreMasked() throws {
    KnownSecrets.add("pw-918273-recorder")
    let read = try Self.readBack(
      try Self.poll(info: "# Server\r\nredis_version:7.0.0\r\nos:Linux pw-918273-recorder x86\r\nrole:master\r\n"))
    #expect(read.info.text("os")?.contains("918273") == false)
    #expect(read.info.text("os")?.hasPrefix("Linux ") == true)
  }

  static let values = [
    "0", "7", "007", "1.05", "0.00", "100.0", "-3", "3.14.15", "12345678901234567890123", "a1b2", "1a", "slave0",
    "1,2,3", "5 %",
    "ip=10.0.0.1,port=6379,state=online,offset=42,lag=-1", "1.1234567", "0.000001", "9.", ".9", "", "é9è",
    "2026-11-30T04:05:06Z",
  ]

  @Test func valuesComeBackAsTheyWere() throws {
    var transcript = Transcript()
    for value in Self.values { transcript.add(Array(value.utf8)[...]) }
    var reader = TranscriptReader(transcript)
    for value in Self.values {
      #expect(try reader.value().map { String(decoding: $0, as: UTF8.self) } == value)
    }
    #expect(reader.isAtEnd)
  }

  /// Whatever changes from poll to poll, what is read back is each poll as it would be told by itself.
  @Test(arguments: ["redis-7.4.1", "valkey-9.1.2"]) func pollsOneAfterAnother(_ name: String) throws {
    let first = Self.poll("servers/\(name)")
    let text = Self.text(of: first.info)
    #expect(text.count > 3_000)
    var random = FixedRandom(state: 11)
    var (transcriber, room, read, bytes) = (PollTranscriber(), PollTranscriber.Room(), Transcript(), text)
    for round in 0..<share(60, full: 2_000) {
      for _ in 0..<Int.random(in: 0..<12, using: &random) {
        let place = Int.random(in: bytes.indices, using: &random)
        if bytes[place].isASCIIDigit {
          bytes[place] = UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &random)
        } else if round % 7 == 6, bytes[place].isASCIILetter {
          bytes[place] = UInt8(ascii: "a") + UInt8.random(in: 0..<26, using: &random)
        }
      }
      if round % 20 == 19 { bytes = text }
      let poll = RecordedPoll.Replies(
        info: InfoText(bytes: bytes), steps: first.steps, replies: first.replies, config: first.config)
      var output = ByteWriter()
      transcriber.write(poll, at: Monotonic(seconds: Double(round)), using: &room, to: &output)
      var input = ByteReader(output.bytes)
      read = try TranscriptDelta.read(&input, after: read)
      #expect(input.isAtEnd)
      var alone = PollTranscriber()
      #expect(read == alone.transcript(poll, using: &room), "round \(round)")
    }
  }

  private static func text(of info: InfoText) -> [UInt8] {
    var text: [UInt8] = []
    var section: Int32 = -1
    for field in info.fields {
      if field.section != section, field.section >= 0 {
        section = field.section
        text += Array("# \(info.sections[Int(section)])\r\n".utf8)
      }
      text += info.name(of: field) + Array(":".utf8) + info.value(of: field) + Array("\r\n".utf8)
    }
    return text
  }

  /// Two values that differ in numbers alone give the numbers that differ when each is cut by itself.
  @Test func numbersOfValues() {
    var random = FixedRandom(state: 5)
    var foundCount = 0
    for _ in 0..<share(3_000, full: 100_000) {
      let before = Array(Self.values.randomElement(using: &random)!.utf8)
      var after = before
      for place in after.indices where after[place].isASCIIDigit && Bool.random(using: &random) {
        after[place] = UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &random)
      }
      switch Int.random(in: 0..<4, using: &random) {
      case 0: after.insert(UInt8(ascii: "7"), at: Int.random(in: 0...after.count, using: &random))
      case 1 where !after.isEmpty: after.remove(at: Int.random(in: after.indices, using: &random))
      case 2: after = Array(Self.values.randomElement(using: &random)!.utf8)
      default: break
      }
      var (old, new) = (Transcript(), Transcript())
      old.add(before[...])
      new.add(after[...])
      var changes = [NumberChange(index: 0, difference: 1)]
      let isFound = NumberMatch.find(
        before.span, 0..<before.count, after.span, 0..<after.count, first: 3, into: &changes)
      #expect(changes.first?.difference == 1)
      guard isFound else {
        #expect(changes.count == 1)
        continue
      }
      foundCount += 1
      #expect(old.text == new.text, "\(before) \(after)")
      for change in changes.dropFirst() { old.numbers[change.index - 3] &+= change.difference }
      #expect(old.numbers == new.numbers, "\(before) \(after)")
    }
    #expect(foundCount > share(300, full: 10_000))
    let (before, after) = (Array("calls=21,usec=1.50".utf8), Array("calls=122,usec=3.75".utf8))
    var changes: [NumberChange] = []
    #expect(
      NumberMatch.find(before.span, 0..<before.count, after.span, 0..<after.count, first: 0, into: &changes))
    #expect(changes.map(\.difference) == [101, 225])
  }

  /// Any two transcripts: the second comes back from its difference to the first.
  @Test func differences() throws {
    var random = FixedRandom(state: 7)
    var last = Transcript()
    for _ in 0..<share(300, full: 5000) {
      var next = last
      if Int.random(in: 0..<3, using: &random) == 0 {
        next = Transcript()
        for _ in 0..<Int.random(in: 0..<8, using: &random) {
          next.add(Array(Self.values.randomElement(using: &random)!.utf8)[...])
        }
        if Bool.random(using: &random) { next.names = Array("+a\n".utf8) }
      }
      for index in next.numbers.indices where Bool.random(using: &random) {
        next.numbers[index] = Int64.random(in: .min ... .max, using: &random)
      }
      var output = ByteWriter()
      TranscriptDelta.write(next, after: last, to: &output)
      var input = ByteReader(output.bytes)
      #expect(try TranscriptDelta.read(&input, after: last) == next)
      #expect(input.isAtEnd)
      // What is damaged is an error or something else, and never the end of the process.
      var damaged = output.bytes
      if !damaged.isEmpty {
        damaged[Int.random(in: damaged.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
      }
      var broken = ByteReader(damaged)
      if let read = try? TranscriptDelta.read(&broken, after: last) { _ = try? PollTranscript(read) }
      last = next
    }
  }
}

extension Command {
  /// All words of the command.
  fileprivate var words: String { arguments.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") }
}
