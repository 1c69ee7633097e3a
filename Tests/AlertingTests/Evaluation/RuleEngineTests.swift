import Glibc
import Logging
import Metrics
import PromQL
import Runtime
import Storage
import Testing

@testable import Alerting

/// The engine over a real registry, series store and SQLite file.
@Suite(.timeLimit(.minutes(1))) struct RuleEngineTests {
  static let up = Family.gauge("engine_test_up", "Whether it is up.", labels: ["instance"])

  /// What was handed on, as `alertname startsAt resolved`.
  final class Outbox: Sendable {
    let notices = Lock<[AlertNotice]>([])
    var all: [AlertNotice] { notices.withLock { $0 } }
  }

  static func options(event: Bool = false) -> RuleEngine.Options {
    var options = RuleEngine.Options()
    options.intervalMilliseconds = 1_000
    options.scrapeMilliseconds = 200
    options.eventMetrics = event ? ["redis_engine_test_up"] : []
    return options
  }

  static func rules(_ lines: String) throws -> [RuleFile] {
    [try RuleFile.parse(Array("groups: [{name: g, \(lines)}]".utf8), file: "engine.yml")]
  }

  static func publish(_ value: Double, to registry: Registry) {
    var sink = SampleSink()
    sink.add(up, value, .text("a\"b"))
    registry.publish(sink.finish(), under: "node")
  }

  static func engine(_ registry: Registry, _ storage: Store?, _ outbox: Outbox, _ options: RuleEngine.Options)
    -> RuleEngine
  {
    RuleEngine(options, registry: registry, storage: storage, log: Logger(label: "test")) { notices, _ in
      outbox.notices.withLock { $0 += notices }
    }
  }

  /// Waits for up to ten seconds.
  static func eventually(_ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<500 {
      if condition() { return true }
      try await Task.sleep(for: .milliseconds(20))
    }
    return condition()
  }

  static func scratchFile() -> String {
    var template = Array("/tmp/redline-engine.XXXXXX".utf8CString)
    let folder = unsafe template.withUnsafeMutableBufferPointer { unsafe String(cString: mkdtemp($0.baseAddress!)) }
    return folder + "/redline.db"
  }

  @Test func aRuleFiresAndResolves() async throws {
    let (registry, outbox) = (Registry(), Outbox())
    let engine = Self.engine(registry, nil, outbox, Self.options())
    Self.publish(0, to: registry)
    await engine.apply(
      try Self.rules("rules: [{alert: Down, expr: redis_engine_test_up == 0}]"), options: Self.options())
    await engine.start()
    #expect(try await Self.eventually { outbox.all.count == 1 })
    #expect(outbox.all[0].labels == ["alertname": "Down", "instance": "a\"b", "job": "redline"])
    Self.publish(1, to: registry)
    #expect(try await Self.eventually { outbox.all.last?.isResolved == true })
    #expect(outbox.all.last?.startsAtMilliseconds == outbox.all.first?.startsAtMilliseconds)
    await engine.stop()
  }

  /// The group's own turn comes in an hour.
  @Test func anEventDoesNotWaitForItsTurn() async throws {
    let (registry, outbox) = (Registry(), Outbox())
    let options = Self.options(event: true)
    let engine = Self.engine(registry, nil, outbox, options)
    Self.publish(1, to: registry)
    let lines = "interval: 1h, rules: [{alert: Down, expr: redis_engine_test_up == 0}, {record: r, expr: vector(1)}]"
    await engine.apply(try Self.rules(lines), options: options)
    await engine.start()
    #expect(try await Self.eventually { engine.groups[0].lastEvaluationMilliseconds != nil })
    Self.publish(1, to: registry)
    Self.publish(0, to: registry)
    #expect(try await Self.eventually { outbox.all.count == 1 })
    #expect(engine.views[0].tally.iterations == 1)
    await engine.stop()
  }

  @Test func alertsLiveOnAfterARestartWithoutSamples() async throws {
    let path = Self.scratchFile()
    let rules = try Self.rules("rules: [{alert: Down, expr: redis_engine_test_up == 0}]")
    let first = Outbox()
    let registry = Registry()
    Self.publish(0, to: registry)
    let store = try await Store.open(path) { _ in }
    let engine = Self.engine(registry, store, first, Self.options())
    await engine.apply(rules, options: Self.options())
    await engine.start()
    #expect(try await Self.eventually { first.all.count == 1 })
    await engine.stop()
    await store.close()

    let second = Outbox()
    let again = try await Store.open(path) { _ in }
    let restarted = Self.engine(Registry(), again, second, Self.options())
    await restarted.apply(rules, options: Self.options())
    await restarted.start()
    #expect(try await Self.eventually { restarted.groups[0].lastEvaluationMilliseconds != nil })
    let alert = try #require(restarted.groups[0].rules[0].book.all.first)
    #expect(alert.state == .firing)
    #expect(alert.firedAtMilliseconds == first.all[0].startsAtMilliseconds)
    #expect(second.all.allSatisfy { !$0.isResolved })
    await restarted.stop()
    await again.close()
  }

  @Test func aReloadKeepsWhatFires() async throws {
    let (registry, outbox) = (Registry(), Outbox())
    let engine = Self.engine(registry, nil, outbox, Self.options())
    Self.publish(0, to: registry)
    await engine.apply(
      try Self.rules("rules: [{alert: Down, expr: redis_engine_test_up == 0}]"), options: Self.options())
    await engine.start()
    #expect(try await Self.eventually { outbox.all.count == 1 })
    let fired = engine.groups[0].rules[0].book.all[0].firedAtMilliseconds
    await engine.apply(
      try Self.rules("rules: [{alert: New, expr: vector(1)}, {alert: Down, expr: redis_engine_test_up < 1}]"),
      options: Self.options())
    #expect(try await Self.eventually { outbox.all.contains { $0.labels["alertname"] == "New" } })
    #expect(engine.groups[0].rules[1].book.all.map(\.firedAtMilliseconds) == [fired])
    await engine.stop()
  }
}
