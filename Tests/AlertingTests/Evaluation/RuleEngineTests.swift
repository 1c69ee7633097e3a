import Glibc
import Logging
import Metrics
import Runtime
import Storage
import TestSupport
import Testing

@testable import Alerting
@testable import PromQL

/// The engine over a real registry, series store and SQLite file.
@Suite(.timeLimit(.minutes(1))) struct RuleEngineTests {
  static let up = Family.gauge("engine_test_up", "Whether it is up.", labels: ["instance"])

  /// What was handed on, as `alertname startsAt resolved`.
  final class Outbox: Sendable {
    let notices = Lock<[Notification]>([])
    let expressions = Lock<Set<String>>([])
    var all: [Notification] { notices.withLock { $0 } }
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
    RuleEngine(options, registry: registry, storage: storage, log: Logger(label: "test")) { notices, expression in
      outbox.notices.withLock { $0 += notices }
      outbox.expressions.withLock { _ = $0.insert(expression) }
    }
  }

  /// Waits for up to half a minute.
  static func eventually(_ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<1500 {
      if condition() { return true }
      try await Task.sleep(for: .milliseconds(20))
    }
    return condition()
  }

  static let down = "rules: [{alert: Down, expr: redis_engine_test_up==0}]"

  /// An engine at work, with a server that is down and somebody who has been told.
  static func firing(
    _ rules: [RuleFile], _ registry: Registry, _ store: Store?, _ outbox: Outbox
  ) async throws -> RuleEngine {
    let engine = engine(registry, store, outbox, options())
    publish(0, to: registry)
    await engine.apply(rules, options: options())
    await engine.start()
    #expect(try await eventually { outbox.all.count == 1 })
    return engine
  }

  @Test func aRuleFiresAndResolves() async throws {
    let (registry, outbox) = (Registry(), Outbox())
    let engine = try await Self.firing(try Self.rules(Self.down), registry, nil, outbox)
    #expect(outbox.all[0].labels == ["alertname": "Down", "instance": "a\"b", "job": "redline"])
    // As it is printed, so that the link of an alert reads the same as Prometheus' own.
    #expect(outbox.expressions.withLock { $0 } == ["redis_engine_test_up == 0"])
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
    #expect(engine.views[0].counts.iterations == 1)
    await engine.stop()
  }

  @Test func alertsLiveOnAfterARestartWithoutSamples() async throws {
    let folder = TemporaryFolder()
    let path = "\(folder.path)/redline.db"
    let rules = try Self.rules(Self.down)
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
    let alert = try #require(restarted.groups[0].rules[0].tracker.all.first)
    #expect(alert.state == .firing)
    #expect(alert.firedAtMilliseconds == first.all[0].startsAtMilliseconds)
    #expect(second.all.allSatisfy { !$0.isResolved })
    await restarted.stop()
    await again.close()
  }

  @Test func aReloadKeepsWhatFires() async throws {
    let (registry, outbox) = (Registry(), Outbox())
    let engine = try await Self.firing(try Self.rules(Self.down), registry, nil, outbox)
    let fired = engine.groups[0].rules[0].tracker.all[0].firedAtMilliseconds
    await engine.apply(
      try Self.rules("rules: [{alert: New, expr: vector(1)}, {alert: Down, expr: redis_engine_test_up < 1}]"),
      options: Self.options())
    #expect(try await Self.eventually { outbox.all.contains { $0.labels["alertname"] == "New" } })
    #expect(engine.groups[0].rules[1].tracker.all.map(\.firedAtMilliseconds) == [fired])
    await engine.stop()
  }

  /// What a rule recorded goes on under the new group, and ends where the rule is gone.
  @Test func aReloadHandsSeriesOnAndEndsThoseOfRulesThatAreGone() async throws {
    let registry = Registry()
    let engine = Self.engine(registry, nil, Outbox(), Self.options())
    Self.publish(0, to: registry)
    let files = try Self.rules(
      "rules: [{record: stays, expr: vector(1)}, {record: goes, expr: vector(1)}, {alert: Up, expr: vector(1)}]")
    await engine.apply(files, options: Self.options())
    await engine.start()
    #expect(try await Self.eventually { engine.series.newest("goes") != nil })
    let origins = engine.series.contents.withLock { $0.origins.count { $0.isOpen } }
    for _ in 0..<5 { await engine.apply(files, options: Self.options()) }
    #expect(engine.series.contents.withLock { $0.origins.count { $0.isOpen } } <= origins)

    let before = try #require(engine.series.newest("stays")).timestampMilliseconds
    await engine.apply(
      try Self.rules("rules: [{record: stays, expr: vector(2)}, {alert: Up, expr: vector(1)}]"), options: Self.options()
    )
    #expect(try await Self.eventually { engine.series.newest("goes")?.isStale == true })
    #expect(try await Self.eventually { engine.series.newest("stays")?.value == 2 })
    #expect(try #require(engine.series.newest("stays")).timestampMilliseconds > before)
    #expect(engine.groups[0].rules.allSatisfy { $0.health == .good })

    // The whole group makes way for one of another name with the same rule.
    await engine.apply(
      [try RuleFile.parse(Array("groups: [{name: h, rules: [{record: stays, expr: vector(3)}]}]".utf8), file: "x")],
      options: Self.options())
    #expect(engine.series.newest("ALERTS")?.isStale == true)
    #expect(try await Self.eventually { engine.series.newest("stays")?.value == 3 })
    #expect(try await Self.eventually { engine.groups[0].rules[0].health == .good })
    await engine.stop()
  }

  @Test func firedAndResolvedAreEvents() async throws {
    let (registry, outbox) = (Registry(), Outbox())
    let folder = TemporaryFolder()
    let store = try await Store.open("\(folder.path)/redline.db") { _ in }
    let engine = Self.engine(registry, store, outbox, Self.options())
    Self.publish(0, to: registry)
    await engine.apply(
      try Self.rules(
        "rules: [{alert: Down, expr: redis_engine_test_up == 0, annotations: {summary: '{{ $labels.instance }} fell'}}]"
      ),
      options: Self.options())
    await engine.start()
    #expect(try await Self.eventually { outbox.all.count == 1 })
    // In the file before anybody is told.
    #expect(await store.events.newest(EventQuery(node: "a\"b")).map(\.kind) == [.alertFired])
    Self.publish(1, to: registry)
    #expect(try await Self.eventually { outbox.all.last?.isResolved == true })
    let events = await store.events.newest(EventQuery(node: "a\"b"))
    #expect(events.map(\.kind) == [.alertResolved, .alertFired])
    #expect(events.last?.summary == "Down: a\"b fell")
    #expect(events.last.map { $0.at.epochMs } == outbox.all[0].startsAtMilliseconds)
    await engine.stop()
    await store.close()
  }

  /// Leaves a firing alert in a file, as a run before would.
  static func leaveAlert(_ rules: [RuleFile], in path: String) async throws -> Int64 {
    let (registry, outbox) = (Registry(), Outbox())
    let store = try await Store.open(path) { _ in }
    let engine = try await firing(rules, registry, store, outbox)
    await engine.stop()
    await store.close()
    return outbox.all[0].startsAtMilliseconds
  }

  /// The file turns up a moment after the start: its alerts go on. Once it is decided what they mean, no later file counts.
  @Test func alertsOfAFileThatComesLateAreTakenUp() async throws {
    let rules = try Self.rules(Self.down)
    let folder = TemporaryFolder()
    let (early, late) = ("\(folder.path)/early", "\(folder.path)/late")
    #expect(unsafe mkdir(early, 0o700) == 0)
    let began = try await Self.leaveAlert(rules, in: "\(early)/a/redline.db")
    var options = StoreOptions()
    (options.retryMs, options.retryMaxMs) = (20, 20)
    let store = try await Store.open("\(late)/a/redline.db", options: options) { _ in }
    #expect(!store.alerts.isRestored)
    let outbox = Outbox()
    let engine = Self.engine(Registry(), store, outbox, Self.options())
    await engine.apply(rules, options: Self.options())
    await engine.start()
    #expect(try await Self.eventually { engine.groups[0].lastEvaluationMilliseconds != nil })
    #expect(engine.groups[0].rules[0].tracker.all.isEmpty)
    #expect(unsafe rename(early, late) == 0)
    #expect(try await Self.eventually { !engine.groups[0].rules[0].tracker.all.isEmpty })
    #expect(engine.groups[0].rules[0].tracker.all.map(\.firedAtMilliseconds) == [began])
    #expect(outbox.all.allSatisfy { !$0.isResolved })
    await engine.stop()
    await store.close()
  }
}

extension SeriesStore {
  /// The newest sample of any series of a metric.
  fileprivate func newest(_ name: String) -> Sample? {
    guard let matcher = try? LabelMatcher(Labels.metricName, .equal, name) else { return nil }
    return try? select([matcher], fromMilliseconds: .min, throughMilliseconds: .max).flatMap(\.samples)
      .max { $0.timestampMilliseconds < $1.timestampMilliseconds }
  }
}
