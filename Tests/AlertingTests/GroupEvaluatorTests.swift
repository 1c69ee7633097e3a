import PromQL
import Runtime
import Testing

@testable import Alerting

@Suite(.timeLimit(.minutes(1))) struct GroupEvaluatorTests {
  /// Series that rules write into, over input that tests set.
  final class Store: SeriesSource {
    struct State {
      var series = ArraySource()
      var appended: [String] = []
      var isBroken = false
    }
    let state = Lock(State())

    func select(_ matchers: [LabelMatcher], fromMilliseconds: Int64, throughMilliseconds: Int64) throws -> [Series] {
      let (series, isBroken) = state.withLock { ($0.series, $0.isBroken) }
      if isBroken { throw RuleError("the store is closed") }
      return try series.select(
        matchers, fromMilliseconds: fromMilliseconds, throughMilliseconds: throughMilliseconds)
    }

    func put(_ labels: Labels, _ value: Double, atSeconds time: Int64) {
      state.withLock {
        $0.series.append([Sample(timestampMilliseconds: time * 1000, value: value)], to: labels)
      }
    }

    func append(_ labels: Labels, _ sample: Sample) {
      state.withLock {
        $0.series.append([sample], to: labels)
        $0.appended.append(
          "\(labels) \(sample.isStale ? "stale" : "\(sample.value)")@\(sample.timestampMilliseconds / 1000)")
      }
    }

    /// What was appended since it was last asked.
    func takeAppended() -> [String] {
      state.withLock { state in
        defer { state.appended = [] }
        return state.appended
      }
    }
  }

  let store = Store()

  func evaluator(offsetMilliseconds: Int64 = 0) -> GroupEvaluator {
    let store = store
    return GroupEvaluator(
      source: store, externalLabels: ["region": "eu"], externalURL: "http://r.example",
      queryOffsetMilliseconds: offsetMilliseconds
    ) { store.append($0, $1) }
  }

  func group(_ rules: String, further: String = "") throws -> RuleGroup {
    let text = "groups: [{name: g\(further), rules: [\(rules)]}]"
    return try RuleFile.parse(Array(text.utf8), file: "a.yml").groups[0]
  }

  @Test func rulesSeeWhatThoseBeforeThemRecord() throws {
    store.put(["__name__": "x", "job": "a"], 2, atSeconds: 0)
    var state = GroupState(
      try group("{record: y, expr: x * 2, labels: {l: m}}, {record: z, expr: y + 1}, {record: w, expr: '7'}"))
    evaluator().evaluate(&state, atMilliseconds: 0)
    let expected = [#"y{job="a", l="m"} 4.0@0"#, #"z{job="a", l="m"} 5.0@0"#, "w 7.0@0"]
    #expect(store.takeAppended() == expected)
    #expect(state.rules.map(\.health) == [.good, .good, .good])
  }

  @Test func alertsAreSeries() throws {
    store.put(["__name__": "redis_up", "instance": "a"], 0, atSeconds: 1_700_000_000)
    var state = GroupState(
      try group(
        #"{alert: Down, expr: redis_up == 0, for: 1m, labels: {severity: page, instance: 'x{{ $labels.instance }}'}}"#))
    let evaluator = evaluator()
    evaluator.evaluate(&state, atMilliseconds: 1_700_000_000_500)
    #expect(
      store.takeAppended() == [
        #"ALERTS{alertname="Down", alertstate="pending", instance="xa", severity="page"} 1.0@1700000000"#,
        #"ALERTS_FOR_STATE{alertname="Down", instance="xa", severity="page"} 1700000000.0@1700000000"#,
      ])
    evaluator.evaluate(&state, atMilliseconds: 1_700_000_060_500)
    #expect(
      store.takeAppended() == [
        #"ALERTS{alertname="Down", alertstate="firing", instance="xa", severity="page"} 1.0@1700000060"#,
        #"ALERTS_FOR_STATE{alertname="Down", instance="xa", severity="page"} 1700000000.0@1700000060"#,
        #"ALERTS{alertname="Down", alertstate="pending", instance="xa", severity="page"} stale@1700000060"#,
      ])
  }

  @Test func vanishedSeriesEnd() throws {
    store.put(["__name__": "x", "job": "a"], 1, atSeconds: 0)
    store.put(["__name__": "x", "job": "b"], 1, atSeconds: 0)
    var state = GroupState(try group("{record: y, expr: x > 0}"))
    let evaluator = evaluator()
    evaluator.evaluate(&state, atMilliseconds: 0)
    _ = store.takeAppended()
    store.put(["__name__": "x", "job": "b"], 0, atSeconds: 60)
    evaluator.evaluate(&state, atMilliseconds: 60_000)
    #expect(store.takeAppended() == [#"y{job="a"} 1.0@60"#, #"y{job="b"} stale@60"#])
    evaluator.evaluate(&state, atMilliseconds: 120_000)
    #expect(store.takeAppended() == [#"y{job="a"} 1.0@120"#])
  }

  @Test func failingQueryKeepsTheAlerts() throws {
    store.put(["__name__": "x"], 1, atSeconds: 0)
    var state = GroupState(try group("{alert: A, expr: x > 0}"))
    let evaluator = evaluator()
    evaluator.evaluate(&state, atMilliseconds: 0)
    store.state.withLock { $0.isBroken = true }
    _ = store.takeAppended()
    evaluator.evaluate(&state, atMilliseconds: 60_000)
    #expect(state.rules[0].health == .bad)
    #expect(state.rules[0].lastError == "the store is closed")
    #expect(state.rules[0].tracker.active.map(\.state) == [.firing])
    #expect(store.takeAppended() == [])
    store.state.withLock { $0.isBroken = false }
    evaluator.evaluate(&state, atMilliseconds: 120_000)
    #expect(state.rules[0].health == .good)
    #expect(state.rules[0].tracker.active.first?.firedAtMilliseconds == 0)
  }

  static let clashes = [
    (
      "{alert: A, expr: x, labels: {y: ''}}",
      "vector contains metrics with the same labelset after applying alert labels"
    ),
    (
      "{record: z, expr: x, labels: {y: ''}}",
      "vector contains metrics with the same labelset after applying rule labels"
    ),
    ("{record: z, expr: x}", "exceeded limit of 1 with 2 series"),
    ("{alert: A, expr: x}", "exceeded limit of 1 with 2 alerts"),
    (#"{record: z, expr: '"text"'}"#, "rule result is not a vector or scalar"),
  ]

  @Test(arguments: clashes)
  func ruleThatCannotBeEvaluatedSaysWhy(rule: String, error: String) throws {
    store.put(["__name__": "x", "y": "1"], 1, atSeconds: 0)
    store.put(["__name__": "x", "y": "2"], 1, atSeconds: 0)
    var state = GroupState(try group(rule, further: ", limit: 1"))
    evaluator().evaluate(&state, atMilliseconds: 0)
    #expect(state.rules[0].lastError == error)
    #expect(store.takeAppended() == [])
  }

  @Test func offsetMovesQueryAndSamples() throws {
    store.put(["__name__": "x"], 1, atSeconds: 0)
    store.put(["__name__": "x"], 2, atSeconds: 60)
    var own = GroupState(try group("{record: y, expr: x}", further: ", query_offset: 30s"))
    var plain = GroupState(try group("{record: z, expr: x}"))
    evaluator(offsetMilliseconds: 45_000).evaluate(&own, atMilliseconds: 60_000)
    evaluator(offsetMilliseconds: 45_000).evaluate(&plain, atMilliseconds: 60_000)
    #expect(store.takeAppended() == ["y 1.0@30", "z 1.0@15"])
  }

  @Test func templatesReachQueriesAndLabels() throws {
    store.put(["__name__": "x", "job": "a"], 3, atSeconds: 0)
    store.put(["__name__": "total"], 7, atSeconds: 0)
    var state = GroupState(
      try group(
        #"{alert: A, expr: x, annotations: {s: '{{ $labels.__name__ }} {{ $value }} of {{ query "total" | first | value }} in {{ $externalLabels.region }} {{ externalURL }}', e: '{{ query "sum(" }}'}}"#
      ))
    evaluator().evaluate(&state, atMilliseconds: 0)
    let annotations = try #require(state.rules[0].tracker.active.first?.annotations)
    #expect(annotations["s"] == "x 3 of 7 in eu http://r.example")
    #expect(annotations["e"]?.hasPrefix("<error expanding template: ") == true)
  }

  @Test func eventsRunAlertingRulesAlone() throws {
    store.put(["__name__": "x"], 1, atSeconds: 0)
    var state = GroupState(try group("{record: y, expr: x}, {alert: A, expr: x}"))
    evaluator().evaluate(&state, atMilliseconds: 0, scope: .alerting)
    #expect(store.takeAppended().allSatisfy { $0.hasPrefix("ALERTS") })
    #expect(state.rules[1].tracker.active.count == 1)
  }

  @Test func reloadCarriesStateOverByNameAndLabels() throws {
    func file(_ rules: String, name: String = "g") throws -> RuleFile {
      try RuleFile.parse(Array("groups: [{name: \(name), rules: [\(rules)]}]".utf8), file: "a.yml")
    }
    store.put(["__name__": "x"], 1, atSeconds: 0)
    let evaluator = evaluator()
    var old = RuleSet([try file("{alert: A, expr: x}, {alert: B, expr: x}, {record: y, expr: x}, {record: z, expr: x}")]
    )
    old.withGroup(0) { evaluator.evaluate(&$0, atMilliseconds: 0) }
    _ = store.takeAppended()

    // A has another expression, B another label, y stays and z is gone.
    var new = RuleSet(
      [try file("{record: y, expr: x}, {alert: A, expr: x > 0, for: 0s}, {alert: B, expr: x, labels: {a: b}}")],
      carryingOver: old)
    #expect(new.groups[0].rules[1].tracker.active.first?.firedAtMilliseconds == 0)
    #expect(new.groups[0].rules[2].tracker.all.isEmpty)
    new.withGroup(0) { evaluator.evaluate(&$0, atMilliseconds: 60_000) }
    let ended = store.takeAppended().filter { $0.contains("stale") }
    #expect(
      ended == [
        #"ALERTS{alertname="B", alertstate="firing"} stale@60"#, #"ALERTS_FOR_STATE{alertname="B"} stale@60"#,
        "z stale@60",
      ])

    var renamed = RuleSet([try file("{record: v, expr: x}", name: "other")], carryingOver: new)
    #expect(renamed.takeOrphans().map(\.description).contains("y"))
    #expect(renamed.takeOrphans().isEmpty)
  }
}
