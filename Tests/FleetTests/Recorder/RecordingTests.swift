import Config
import Logging
import Metrics
import Redis
import Runtime
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

  private func write(_ items: [FlightRecorder.Item], to folder: String, sizeBytes: Int = 16 << 20) async
    -> FlightRecorder.Shown
  {
    let work = RecorderWork(
      FlightRecorder.Options(folder: folder, keepSeconds: 3600, sizeBytes: sizeBytes), log: Logger(label: "recorder"))
    await work.open()
    let shown = await work.write(items, droppedCount: 0)
    await work.close()
    return shown
  }

  private func events(_ folder: String) throws -> (events: [RecordedEvent], problems: [String]) {
    var events: [RecordedEvent] = []
    let problems = try Recording(folder).read { events.append($0) }
    return (events, problems)
  }

  @Test func pollsPagesAndTextsComeBack() async throws {
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
        .poll(Self.poll(0, replies), of: Self.node), .page(page, atMilliseconds: 1_700_000_001_000),
        .poll(Self.poll(1, nil), of: Self.node), .probe(isAnswered: false, of: Self.node),
        .page(second, atMilliseconds: 1_700_000_006_000), .evaluation(evaluation),
        .poll(Self.poll(2, replies), of: Self.node),
        .gone(Self.node),
      ], to: folder)
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

  /// Cut at any byte, the rest of before is read; with any byte changed, nothing ends the process.
  @Test func damage() async throws {
    let folder = Self.folder()
    defer { Self.remove(folder) }
    let replies = TranscriptTests.poll("servers/redis-6.2.16")
    var items: [FlightRecorder.Item] = [.surroundings(Self.surroundings())]
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
    var items: [FlightRecorder.Item] = [.surroundings(Self.surroundings())]
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
