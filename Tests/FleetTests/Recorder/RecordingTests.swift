import Config
import Logging
import Metrics
import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

#if canImport(Glibc)
  import Glibc
#endif

/// What a recorder writes is read again; what is cut or damaged is read as far as it is whole.
@Suite(.timeLimit(.minutes(1)))
struct RecordingTests {
  private static let node = RecordedNode(
    workload: "carts", role: .member, address: NodeAddress(host: "10.0.0.1", port: 6379), instance: "carts-1")

  private static func poll(_ count: Int, _ replies: RecordedPoll.Replies?) -> RecordedPoll {
    RecordedPoll(
      replies: replies, state: replies == nil ? .unknown : .up, began: Monotonic(seconds: Double(count) * 5),
      ended: WallTime(seconds: 1_700_000_000 + Double(count) * 5), durationSeconds: 0.001)
  }

  private static func surroundings(_ texts: [FlightRecorder.Text] = []) -> FlightRecorder.Surroundings {
    FlightRecorder.Surroundings(
      texts: { _ in texts }, families: FamilySelection(namespace: "redis") { _ in true }, namespace: "redis",
      areEdgesFloats: true, labelNames: [], values: [])
  }

  private static func folder() -> String { "/tmp/redline-recorder-\(UInt64.random(in: 0 ... .max))" }

  private static func remove(_ folder: String) {
    for name in SmallFile.names(inDirectory: folder, limit: 1000) { try? Folder.remove(file: "\(folder)/\(name)") }
    unsafe rmdir(folder)
  }

  private static func work(
    _ folder: String, _ state: Lock<RecorderState>, sizeBytes: Int = 16 << 20
  ) -> RecorderWork {
    RecorderWork(
      FlightRecorder.Options(folder: folder, keepSeconds: 3600, sizeBytes: sizeBytes), sharing: state,
      log: Logger(label: "recorder"))
  }

  /// - Parameter codesAtOnce: everything but the first item comes while a file is open.
  private func write(_ items: [RecorderState.Item], to folder: String, codesAtOnce: Bool = false) async {
    let state = Lock(RecorderState())
    let work = Self.work(folder, state)
    await work.open()
    for (index, item) in items.enumerated() {
      if codesAtOnce, index == 1 { await work.write() }
      switch item {
      case .poll(let poll, let node) where codesAtOnce: state.withLock { $0.code(poll, of: node) }
      case .probe where codesAtOnce, .gone where codesAtOnce:
        state.withLock { $0.code(item) }
      default: state.withLock { $0.add(item) }
      }
    }
    await work.write()
    await work.close()
  }

  private func events(_ folder: String) throws -> (events: [RecordedEvent], problems: [String]) {
    var events: [RecordedEvent] = []
    let problems = try Recording(folder).read { events.append($0) }
    return (events, problems)
  }

  @Test(arguments: [false, true]) func pollsPagesAndTextsComeBack(_ codesAtOnce: Bool) async throws {
    let folder = Self.folder()
    defer { Self.remove(folder) }
    let replies = TranscriptTests.poll("servers/redis-7.4.1")
    var sink = SampleSink()
    let family = Family.gauge("recorder_test", "Of a test.", labels: ["instance", "key"])
    sink.add(family, 1.5, ["carts-1", "user:alice@example.org"])
    let page = Registry.Page(generation: 1, sources: [sink.finish()], keys: ["a"])
    var later = SampleSink()
    later.add(family, 7, ["carts-1", "user:alice@example.org"])
    let second = Registry.Page(generation: 2, sources: [later.finish()], keys: ["a"])
    let evaluation = RecordedEvaluation(file: "a.yml", group: "g", timeMilliseconds: 1_700_000_005_000, places: [1, 3])
    _ = await write(
      [
        .surroundings(Self.surroundings([FlightRecorder.Text(name: "rules a.yml", bytes: Array("groups: []".utf8))])),
        .poll(Self.poll(0, replies), of: Self.node), .page(page, nil, atMilliseconds: 1_700_000_001_000),
        .poll(Self.poll(1, nil), of: Self.node), .probe(isAnswered: false, of: Self.node),
        .page(second, nil, atMilliseconds: 1_700_000_006_000), .evaluation(evaluation),
        .poll(Self.poll(2, replies), of: Self.node),
        .gone(Self.node),
      ], to: folder, codesAtOnce: codesAtOnce)
    let (events, problems) = try events(folder)
    #expect(problems.isEmpty)
    var polls: [ReplayedPoll] = []
    var pages: [[Int: RecordedSource]] = []
    for event in events {
      switch event {
      case .poll(let poll): polls.append(poll)
      case .page(let page, _): pages.append(page)
      case .evaluation(let read): #expect(read == evaluation)
      case .text(let text): #expect(text.name == "rules a.yml")
      case .probe(let isAnswered, let node): #expect(!isAnswered && node.instance == "carts-1")
      default: break
      }
    }
    #expect(polls.map(\.state) == ["up", "unknown", "up"])
    #expect(polls.map(\.ended.seconds) == [1_700_000_000, 1_700_000_005, 1_700_000_010])
    #expect(polls[0].transcript == polls[2].transcript)
    #expect(pages.map { $0[0]?.values } == [[1.5], [7]])
    let series = try #require(pages[1][0]?.series.first)
    #expect(series.name == "redis_recorder_test")
    #expect(series.labels.first == RecordedSource.Label(name: "instance", value: "carts-1"))
    #expect(series.labels.last?.value.hasPrefix("~") == true, "the name of a key is in no recording")
    #expect(pages[0][0]?.series == pages[1][0]?.series)
  }

  /// What others took of a page gives the same series as what the recorder takes itself, whoever takes which page.
  @Test func pagesOfOthersAreTheSame() async throws {
    var random = FixedRandom(state: 3)
    let family = Family.gauge("recorder_page_test", "Of a test.", labels: ["instance"])
    let other = Family.gauge("recorder_other_test", "Of a test.")
    let edges = HistogramEdges(["1", "2.5"])
    let timed = Family.histogram("recorder_timed_test", "Of a test.", labels: ["cmd"])
    func selection(_ isWanted: @escaping @Sendable (String) -> Bool) -> FamilySelection {
      FamilySelection(namespace: "redis", where: isWanted)
    }
    let read: @Sendable (String) -> Bool = { $0 != "redis_recorder_other_test" }
    var fed = PageValuesReader(selection(read))
    var unlike = PageValuesReader(selection { _ in true })
    var (mixed, alone) = (
      PageWriter(selection(read), namespace: "redis", areEdgesFloats: true),
      PageWriter(selection(read), namespace: "redis", areEdgesFloats: true)
    )
    var (ofMixed, ofAlone): ([Int: RecordedSource], [Int: RecordedSource]) = ([:], [:])
    var counts: [Int] = []
    for round in 0..<share(200, full: 3_000) {
      var sources: [String: Samples] = [:]
      for key in 0..<6 where Int.random(in: 0..<8, using: &random) > 0 {
        var sink = SampleSink()
        for label in 0..<(Int.random(in: 0..<9, using: &random) == 0 ? 2 : 3) {
          sink.add(family, Double(Int.random(in: 0..<4, using: &random)) / 2, [.text("\(key)-\(label)")])
        }
        sink.add(other, 1)
        sink.addHistogram(timed, [.text("get")], edges: edges, cumulative: [1, 2], count: Double(round), sum: 4)
        sources["\(key)"] = key == 5 ? .none : sink.finish()
      }
      let sorted = sources.sorted { $0.key < $1.key }
      let page = Registry.Page(generation: UInt64(round), sources: sorted.map(\.value), keys: sorted.map(\.key))
      // Some pages are not recorded, and some come with values of other families.
      let values = fed.values(of: page)
      if round % 11 == 10 { continue }
      let given = round % 17 < 14 ? values : round % 17 == 14 ? nil : unlike.values(of: page)
      counts.append(0)
      try ofMixed.take(page, given, &mixed, count: &counts[counts.count - 1])
      var ignored = 0
      try ofAlone.take(page, nil, &alone, count: &ignored)
      #expect(Set(ofMixed.texts) == Set(ofAlone.texts), "round \(round)")
    }
    #expect(counts.contains { $0 < 5 }, "what is the same is not told again")
  }

  /// Segments begin while many servers are polled at once: each file says by itself what was polled.
  @Test func segmentsBeginWhilePollsCome() async throws {
    let folder = Self.folder()
    defer { Self.remove(folder) }
    let state = Lock(RecorderState())
    let work = Self.work(folder, state)
    await work.open()
    state.withLock { $0.add(.surroundings(Self.surroundings())) }
    await work.write()
    let replies = TranscriptTests.poll("servers/redis-7.4.1")
    let pollCount = share(200, full: 2_000)
    await withTaskGroup { group in
      for server in 0..<4 {
        let node = RecordedNode(
          workload: "carts", role: .member, address: NodeAddress(host: "10.0.0.1", port: 6379 + server),
          instance: "carts-\(server)")
        group.addTask {
          for count in 0..<pollCount {
            state.withLock { $0.code(Self.poll(count, count % 5 == 4 ? nil : replies), of: node) }
            if count % 10 == 0 { await Task.yield() }
          }
        }
      }
      group.addTask {
        for _ in 0..<20 {
          state.withLock { $0.add(.surroundings(Self.surroundings())) }
          await work.write()
          try? await Task.sleep(for: .milliseconds(1))
        }
      }
    }
    await work.write()
    await work.close()
    var (whole, room) = (PollTranscriber(), PollTranscriber.Room())
    let transcript = whole.transcript(replies, using: &room)
    var times: [String: [Double]] = [:]
    let recording = try Recording(folder)
    #expect(recording.files.count > 1)
    for file in recording.files {
      let problems = try Recording(file).read { event in
        guard case .poll(let poll) = event else { return }
        times[poll.node.instance, default: []].append(poll.ended.seconds)
        #expect(poll.transcript == (poll.state == "up" ? transcript : nil))
      }
      #expect(problems.isEmpty)
    }
    let expected = (0..<pollCount).map { 1_700_000_000 + Double($0) * 5 }
    for server in 0..<4 { #expect(times["carts-\(server)"] == expected, "all of them, in their order") }
    #expect(state.withLock(\.shown).dropped == 0)
  }

  /// While nothing is written, polls are dropped and counted; the next one that is recorded is read back whole.
  @Test func droppedPolls() async throws {
    let folder = Self.folder()
    defer { Self.remove(folder) }
    let state = Lock(RecorderState(blockBytesLimit: 70_000))
    let work = Self.work(folder, state)
    await work.open()
    state.withLock { $0.add(.surroundings(Self.surroundings())) }
    await work.write()
    func replies(_ count: Int, _ fieldCount: Int = 5) throws -> RecordedPoll.Replies {
      let fields = (0..<fieldCount).map { "cmdstat_command_\($0):calls=\(count)\r\n" }
      return try TranscriptTests.poll(info: "# Commandstats\r\n" + fields.joined())
    }
    func code(_ count: Int, _ replies: RecordedPoll.Replies, of node: RecordedNode) {
      state.withLock { $0.code(Self.poll(count, replies), of: node) }
    }
    code(0, try replies(10), of: Self.node)
    let other = RecordedNode(
      workload: "carts", role: .member, address: NodeAddress(host: "10.0.0.2", port: 6379), instance: "carts-2")
    // Told whole again and again, since its fields differ from poll to poll.
    let others = try [replies(1, 40), replies(1, 41)]
    for count in 0..<400 { code(count, others[count % 2], of: other) }
    code(1, try replies(11), of: Self.node)
    await work.write()
    let dropped = state.withLock(\.shown).dropped
    #expect(dropped > 0 && dropped < 400)
    code(2, try replies(22), of: Self.node)
    await work.write()
    await work.close()
    var (values, told): ([String?], Int) = ([], 0)
    for event in try events(folder).events {
      if case .dropped(let count) = event { told += count }
      guard case .poll(let poll) = event, poll.node.instance == "carts-1" else { continue }
      values.append(try PollTranscript(#require(poll.transcript)).info.text("cmdstat_command_3"))
    }
    #expect(values == ["calls=10", "calls=22"])
    #expect(told == dropped)
  }

  /// A folder that cannot be written to: what was coded and what comes is counted, and later a file begins whole.
  @Test func lostFolder() async throws {
    let state = Lock(RecorderState())
    let work = Self.work("/dev/null/recorder", state)
    await work.open()
    state.withLock { $0.add(.surroundings(Self.surroundings())) }
    await work.write()
    state.withLock { $0.code(Self.poll(0, nil), of: Self.node) }
    await work.write()
    let shown = state.withLock(\.shown)
    #expect(!shown.isWriting && shown.dropped == 1)
    #expect(state.withLock(\.block.byteCount) == 0)
  }

  /// Cut at any byte, the rest of before is read; with any byte changed, nothing ends the process.
  @Test func damage() async throws {
    let folder = Self.folder()
    defer { Self.remove(folder) }
    let replies = TranscriptTests.poll("servers/redis-6.2.16")
    var items: [RecorderState.Item] = [.surroundings(Self.surroundings())]
    items += (0..<3).map { .poll(Self.poll($0, replies), of: Self.node) }
    _ = await write(items, to: folder)
    let file = try Recording(folder).files[0]
    let bytes = try RegularFile.bytes(file, limitBytes: 1 << 20)
    for length in stride(from: 0, to: bytes.count, by: 37) {
      var count = 0
      let problem = try Recording.read(Array(bytes[..<length])) { if case .poll = $0 { count += 1 } }
      #expect(length == SegmentLayout.headerBytes || problem != nil, "cut at \(length)")
      #expect(count <= 3)
    }
    for place in stride(from: 0, to: bytes.count, by: 11) {
      var damaged = bytes
      damaged[place] ^= 0x55
      _ = try Recording.read(damaged) { _ in }
    }
  }

  /// The oldest files go once all are too large, and what is left begins whole.
  @Test func ring() async throws {
    let folder = Self.folder()
    defer { Self.remove(folder) }
    var ring = SegmentRing(folder, keepSeconds: 100, sizeBytes: 1 << 20)
    try ring.open()
    let block = (0..<30_000).map { _ in UInt8.random(in: 0...255) }
    for turn in 0..<100 {
      let now = Int64(turn) * 1000
      if ring.isDue(atMilliseconds: now) { try ring.begin(atMilliseconds: now) }
      try ring.append(block, atMilliseconds: now)
      #expect(ring.byteCount <= 1 << 20)
    }
    #expect(ring.segments.count > 4)
    #expect(ring.oldestMilliseconds ?? 0 > 0)
    var next = SegmentRing(folder, keepSeconds: 10, sizeBytes: 1 << 20)
    try next.open()
    #expect(next.byteCount == ring.byteCount)
    try next.begin(atMilliseconds: 1_000_000)
    #expect(next.segments.count == 2, "what ended too long ago has gone")
  }

  /// A scenario that was cut plays as a file of the tests does, to the findings that it says.
  @Test func cutScenarioPlays() async throws {
    let folder = Self.folder()
    defer { Self.remove(folder) }
    let replies = TranscriptTests.poll("servers/redis-7.4.1")
    let config = "workloads: [{name: carts, kind: cache, seeds: ['10.0.0.1:6379'], topology: static}]"
    var items: [RecorderState.Item] = [.surroundings(Self.surroundings())]
    items += (0..<6).map { .poll(Self.poll($0, (2...3).contains($0) ? nil : replies), of: Self.node) }
    _ = await write(items, to: folder)
    var cut = ScenarioCut(workload: "carts", check: "no-member-answers")
    cut.config = try FleetConfig.parse(Array(config.utf8), file: "test").workloads[0]
    for event in try events(folder).events { try cut.take(event, isShown: true) }
    let text = try #require(try cut.text())
    #expect(!text.contains("10.0.0.1"))
    let looks = try Scenario("no-member-answers", text: text).looks()
    #expect(looks.count == 6)
    for look in looks {
      #expect(look.seen.state == look.expected.state)
      #expect(look.seen.findings == look.expected.findings)
    }
    #expect(looks[2].expected.findings.count == 1)
    #expect(looks[5].expected.findings.isEmpty)
  }
}

extension [Int: RecordedSource] {
  /// - Parameter count: of the records.
  fileprivate mutating func take(
    _ page: Registry.Page, _ values: PageValues?, _ writer: inout PageWriter, count: inout Int
  ) throws {
    var records: [[UInt8]] = []
    writer.write(page, values, RecordedLabels()) { records.append($0.bytes) }
    for record in records {
      var input = ByteReader(record)
      count += 1
      try PageWriter.read(&input, stamp: count, into: &self)
    }
  }

  /// Each series with its value.
  fileprivate var texts: [String] {
    values.flatMap { source in
      zip(source.series, source.values).map { series, value in
        series.name + series.labels.map { " \($0.name)=\($0.value)" }.joined() + " \(value)"
      }
    }
  }
}
