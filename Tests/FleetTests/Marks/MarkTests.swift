import Config
import Logging
import Metrics
import Runtime
import Storage
import Testing

@testable import Fleet

/// What is made of a mark that somebody hands in, and the windows that come of marks. All clocks are parameters.
@Suite struct MarkTests {
  private static let now = WallTime(epochMs: 1_790_000_000_000)

  private static func read(_ json: String) throws -> Mark.Read { try Mark.read(Array(json.utf8), now: now) }

  @Test func grafanasFormIsUnderstood() throws {
    let read = try Self.read(
      """
      {"dashboardUID": "x", "panelId": 2, "time": 1790000001000, "timeEnd": 1790000061000, "text": " a\\nb ",
       "tags": ["workload=carts", "node: 10.0.0.1:6379", "Kind:deploy", "team:web", "team:web"]}
      """)
    let mark = read.mark
    #expect(mark.at == Self.now + 1 && mark.until == Self.now + 61)
    #expect((mark.workload, mark.node, mark.kind, mark.text) == ("carts", "10.0.0.1:6379", .deploy, "a b"))
    #expect(mark.tags == ["workload=carts", "node: 10.0.0.1:6379", "Kind:deploy", "team:web"])
    #expect(read.notices.isEmpty)
    // Nothing but a text: now, of all, of no kind.
    let least = try Self.read(#"{"text": "x", "time": 0, "timeEnd": null}"#).mark
    #expect(least.at == Self.now && least.until == nil && least.workload.isEmpty && least.kind == .other)
  }

  @Test(arguments: [
    ("x", "the mark is no JSON"), ("[]", "the mark is no object"), (#"{"text": 5}"#, "text is no text"),
    (#"{"text": "\u0020\n"}"#, "text is empty"), (#"{"text": "x", "tags": "a"}"#, "tags is no list"),
    (#"{"text": "x", "tags": [1]}"#, "tags has an entry that is no text"),
    (#"{"text": "x", "when": 1}"#, #"the mark: "when" is no field"#),
    (#"{"text": "x", "time": "now"}"#, "time is no time"), (#"{"text": "x", "time": -1}"#, "time is no time"),
    (#"{"text": "x", "time": 1790000000}"#, #"time: "1790000000" is in seconds"#),
    (#"{"text": "x", "time": 1790000000000000000}"#, "is in nanoseconds"),
    (#"{"text": "x", "time": 1780000000000}"#, "is more than 7 days ago"),
    (#"{"text": "x", "timeEnd": 1e300}"#, "is more than 7 days ahead"),
    (#"{"text": "x", "timeEnd": 1789999999999}"#, "timeEnd lies before time"),
    (#"{"text": "x", "tags": ["node:a", "node:b"]}"#, #"tags: "b" is a second node"#),
  ])
  func whatIsWrongIsNamed(json: String, problem: String) {
    let error = #expect(throws: IntakeError.self) { try Self.read(json) }
    #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
  }

  @Test func textsAreBoundedShownAndWithoutSecrets() throws {
    KnownSecrets.add("planted-secret-of-marks")
    let text = "a\u{1B}[31m planted-secret-of-marks" + String(repeating: "ö", count: 500)
    let tags = (0..<30).map { "\"t\($0)\"" }.joined(separator: ",")
    let read = try Self.read("{\"text\": \(JSONWriter.text { $0.string(text) }), \"tags\": [\(tags)]}")
    #expect(read.mark.text.utf8.count <= 400 && read.mark.text.hasPrefix("a\u{FFFD}[31m <secret>"))
    #expect(read.mark.tags.count == 20)
    #expect(read.notices.count == 4, "\(read.notices)")
  }

  // MARK: Windows

  private static func mark(
    _ kind: String, _ workload: String? = "carts", at seconds: Double = 0, until: Double? = nil
  ) throws -> Mark {
    let tags = ["\"kind:\(kind)\""] + (workload.map { ["\"workload:\($0)\""] } ?? [])
    let end = until.map { ", \"timeEnd\": \((now + $0).epochMs)" } ?? ""
    return try read(
      "{\"text\": \"x\", \"time\": \((now + seconds).epochMs)\(end), \"tags\": [\(tags.joined(separator: ","))]}"
    ).mark
  }

  private static func windows(_ marks: [Mark], after seconds: Double) -> [ClosedRange<Double>] {
    var log = MarkLog()
    for mark in marks { _ = log.take(mark, at: now) }
    return (log.windows(at: now + seconds)["carts"] ?? []).map { ($0.from - now)...($0.until - now) }
  }

  @Test func aChangeOpensAWindow() throws {
    #expect(Self.windows([try Self.mark("change")], after: 1) == [0...3600])
    #expect(Self.windows([try Self.mark("change")], after: 3600).isEmpty)
    #expect(Self.windows([try Self.mark("change", until: 60)], after: 1) == [0...60])
    #expect(Self.windows([try Self.mark("change", until: 90_000)], after: 1) == [0...14_400])
    #expect(Self.windows([try Self.mark("change", at: 600, until: 900)], after: 1) == [600...900])
    #expect(Self.windows([try Self.mark("deploy")], after: 1).isEmpty)
    #expect(Self.windows([try Self.mark("change", nil)], after: 1).isEmpty)
    #expect(Self.windows([try Self.mark("change", "pages")], after: 1).isEmpty)
  }

  @Test func itsEndClosesWhatWasOpenedBefore() throws {
    let (change, end) = (try Self.mark("change"), try Self.mark("change-end", at: 120))
    #expect(Self.windows([change, end], after: 1) == [0...120])
    #expect(Self.windows([change, end], after: 121).isEmpty)
    // One that is opened anew is not closed by an end that came before.
    #expect(Self.windows([end, change], after: 1) == [0...3600])
    #expect(Self.windows([change, try Self.mark("change-end", "pages", at: 120)], after: 121) == [0...3600])
    #expect(Self.windows([change, try Self.mark("change-end", nil, at: 120)], after: 121) == [0...3600])
    // Two changes at once: each has its window.
    #expect(Self.windows([change, try Self.mark("change", at: 5, until: 10)], after: 1) == [0...3600, 5...10])
  }

  @Test func theLogIsBoundedAndKeepsWhatIsSentTwiceOnce() throws {
    var log = MarkLog()
    let one = try Self.mark("deploy")
    let first = log.take(one, at: Self.now)
    let second = log.take(one, at: Self.now + 5)
    #expect(first.isNew && !second.isNew && first.mark.id == second.mark.id)
    for index in 0..<1100 { _ = log.take(try Self.mark("test", at: Double(index)), at: Self.now) }
    #expect(log.marks.count == MarkLog.limit)
    #expect(zip(log.marks, log.marks.dropFirst()).allSatisfy { $0.id < $1.id })
    var query = MarkQuery()
    query.limit = 2
    #expect(log.newest(query).map { $0.at - Self.now } == [1099, 1098])
    query.offset = 1
    #expect(log.newest(query).map { $0.at - Self.now } == [1098, 1097])
    (query.from, query.to) = (Self.now + 500, Self.now + 501)
    #expect(log.newest(query).map { $0.at - Self.now } == [500])
    query = MarkQuery()
    query.kind = .deploy
    #expect(log.newest(query).isEmpty)
    // Ninety days later, the next one finds none of them.
    _ = log.take(try Self.mark("test"), at: Self.now + 91 * 86_400)
    #expect(log.marks.isEmpty)
  }

  @Test func aMarkIsTheSameAfterItWasKept() throws {
    var mark = try Self.mark("change", until: 60)
    mark.id = 7
    #expect(Mark(StoredMark(mark)) == mark)
    #expect(mark.event.summary == "change until 14:14:20: x" || mark.event.summary.hasPrefix("change until "))
    let details = MarkDetails(try JSONReader.value(Array(mark.event.details.utf8)))
    #expect(details?.kind == .change && details?.until == mark.until)
  }

  // MARK: The store

  private static func store(_ store: Store? = nil, marks: String = "{token_env: T}") throws -> (MarkStore, Registry) {
    let text =
      "workloads: [{name: carts, kind: queue, seeds: [a]}, {name: pages, kind: queue, seeds: [b]}]\nmarks: \(marks)\n"
    let registry = Registry()
    let config = try FleetConfig.parse(Array(text.utf8), file: "redline.yml")
    return (
      MarkStore(
        config, store: store, registry: registry, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        clock: { now }), registry
    )
  }

  @Test func unknownWorkloadsAndFloodsAreRefused() async throws {
    let (marks, _) = try Self.store()
    await #expect(throws: MarkStore.Refusal.self) {
      try await marks.take(Mark.Read(mark: try Self.mark("deploy", "others")))
    }
    var refusals = 0
    for index in 0..<Int(MarkStore.burst) + 5 {
      do { _ = try await marks.take(Mark.Read(mark: try Self.mark("test", at: Double(index)))) } catch { refusals += 1 }
    }
    #expect(refusals == 5)
    #expect(
      try await Self.store().0.take(Mark.Read(mark: try Self.mark("test"))).notices.first?.contains("memory alone")
        == true)
  }
}
