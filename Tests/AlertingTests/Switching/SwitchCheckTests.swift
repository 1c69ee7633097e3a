import Config
import PromQL
import Runtime
import Testing

@testable import Alerting

/// What redis_exporter and Redline serve of one server, as far as the tests need it.
enum SwitchPages {
  static let old = """
    # HELP redis_up x
    # TYPE redis_up gauge
    redis_up 1
    # TYPE redis_instance_info gauge
    redis_instance_info{role="master",run_id="r1"} 1
    # TYPE redis_db_keys gauge
    redis_db_keys{db="db0"} 5
    redis_db_keys{db="db1"} 0
    # TYPE redis_db_keys_cached gauge
    redis_db_keys_cached{db="db0"} 1
    # TYPE redis_expired_time_cap_reached_total gauge
    redis_expired_time_cap_reached_total 0
    # TYPE redis_total_system_memory_bytes gauge
    redis_total_system_memory_bytes 1e9
    # TYPE redis_renamed gauge
    redis_renamed{kind="a b",path="C:\\\\x\\n\\"q\\""} 1
    # TYPE go_goroutines gauge
    go_goroutines 9 1700000000000

    """
  static let new = """
    # TYPE redis_up gauge
    redis_up 1
    # TYPE redis_instance_info gauge
    redis_instance_info{role="master",run_id="r1",master_replid="m1"} 1
    # TYPE redis_db_keys gauge
    redis_db_keys{db="db0"} 5
    redis_db_keys{db="db1"} 0
    redis_db_keys{db="db2"} 0
    # TYPE redis_expired_time_cap_reached_total counter
    redis_expired_time_cap_reached_total 0
    # TYPE redis_renamed gauge
    redis_renamed{path="C:\\\\x\\n\\"q\\""} 1
    redis_exporter_target_state{state="up"} 1
    """

  static let catalogue = MetricCatalogue(
    [
      .init("redis_up", .gauge), .init("redis_instance_info", .gauge, labels: ["role", "run_id", "master_replid"]),
      .init("redis_db_keys", .gauge, labels: ["db"]), .init("redis_total_system_memory_bytes", .gauge),
    ], targetLabels: ["job", "instance"])

  static func comparison(old: String = old, new: String? = new) throws -> SeriesComparison {
    SeriesComparison(
      old: try ServedSeries(page: Array(old.utf8)), new: try new.map { try ServedSeries(page: Array($0.utf8)) },
      catalogue: catalogue, flags: ["redis_total_system_memory_bytes": "`--include-system-metrics`"])
  }

  static let oldTarget = SwitchTarget(
    labels: ["job": "redis", "instance": "a:9121"], runID: "r1", isRedline: false)
  static let newTarget = SwitchTarget(
    labels: ["job": "redline", "instance": "a:9122", "extra": "x"], runID: "r1", isRedline: true)

  static func rules(_ text: String) throws -> PrometheusAnswer.Rules {
    PrometheusAnswer.rules(try JSONReader.value(Array(text.utf8)), dialect: .prometheus2)
  }
}

@Suite(.timeLimit(.minutes(1))) struct SwitchCheckTests {
  private let targets = [SwitchPages.oldTarget, SwitchPages.newTarget]

  /// A selector, what becomes of it, and words of what is said.
  @Test(
    arguments: [
      (#"redis_up{job="redis"}"#, .same, ""),
      (#"redis_db_keys{db=~"db0|db1",instance=~"a.*"}"#, .different, "1 series more"),
      (#"redis_db_keys{db="db7"}"#, .idle, ""),
      ("redis_never_there", .idle, ""), (#"redis_up{job="other"}"#, .idle, ""),
      // Every program in Go has it.
      ("go_goroutines", .foreign, ""), (#"go_goroutines{job="node"}"#, .foreign, ""), ("node_load1", .foreign, ""),
      (#"up{job="redis"}"#, .foreign, ""),
      ("redis_db_keys_cached", .lost, "KeyDB only"),
      (#"go_goroutines{job="redis"}"#, .lost, "there is no Go runtime"),
      ("redis_total_system_memory_bytes", .lost, "with --include-system-metrics only"),
      (#"redis_instance_info{role="master"}"#, .different, "has also the labels master_replid"),
      ("redis_expired_time_cap_reached_total", .different, "is a counter, no gauge"),
      (#"redis_renamed{kind="a b"}"#, .lost, "it will be redis_renamed{path="),
      ("redis_renamed", .lost, "will not have the label kind"),
      (#"{__name__=~"redis_up|redis_db_keys_cached"}"#, .lost, "redis_db_keys_cached"),
      ("redis_redline_any_value", .unknown, "a variable stands in the name"),
    ] as [(String, SelectorJudgement.Effect, String)])
  func whatBecomesOfASelector(_ text: String, _ effect: SelectorJudgement.Effect, _ words: String) throws {
    let selector = try #require(try Query(text).expression.selectors.first)
    let judgement = try SwitchPages.comparison().judgement(of: selector, targets: targets)
    #expect(judgement.effect == effect)
    #expect("\(judgement.what) \(judgement.why)".contains(words))
    #expect(judgement.effect != .lost || !judgement.advice.isEmpty)
  }

  /// Pages of two servers share no series of which something could be said: names and labels are compared.
  @Test func ofTwoServersOnlyNamesAndLabelsAreCompared() throws {
    let other = SwitchPages.new.replacing("r1", with: "r2").replacing("db1", with: "db5")
    let comparison = try SwitchPages.comparison(new: other)
    func effect(_ text: String) throws -> SelectorJudgement.Effect {
      comparison.judgement(
        of: try #require(try Query(text).expression.selectors.first), targets: targets
      ).effect
    }
    #expect(!comparison.areOfOneServer)
    #expect(try effect(#"redis_db_keys{db="db1"}"#) == .same)
    #expect(try effect("redis_db_keys_cached") == .lost)
  }

  @Test func withoutARedlineTheCatalogueSaysWhatThereWillBe() throws {
    let comparison = try SwitchPages.comparison(new: nil)
    func judgement(_ text: String) throws -> SelectorJudgement {
      comparison.judgement(
        of: try #require(try Query(text).expression.selectors.first), targets: targets)
    }
    #expect(try judgement("redis_db_keys").effect == .same)
    #expect(try judgement("redis_total_system_memory_bytes").effect == .same)
    #expect(try judgement("redis_renamed").effect == .lost)
    #expect(try judgement("redis_db_keys_cached").why.contains("KeyDB only"))
    let rules = try SwitchPages.rules(
      #"{"groups": [{"name": "g", "rules": [{"type": "alerting", "name": "Full", "query": "redis_total_system_memory_bytes < 1"}]}]}"#
    )
    let check = SwitchCheck(comparison: comparison, targets: targets, rules: rules, dashboards: [])
    let report = SwitchReport(check, dashboards: 0, replay: nil)
    #expect(report.status == 0)
    #expect(report.assumptions.first?.hasSuffix("; start it with --include-system-metrics") == true)
  }

  @Test(arguments: ["", "<html>\n<body>hello</body>", "redis_up", "redis_up{a=\"b} 1", "redis_up one"])
  func whatIsNoPageIsRefused(_ text: String) {
    #expect(throws: ServedSeries.PageError.self) { try ServedSeries(page: Array(text.utf8)) }
  }

  /// The words about a difference are those of the document.
  @Test func knownDeviationsStandInTheDocument() throws {
    let folder = String(#filePath.dropLast("Tests/AlertingTests/Switching/SwitchCheckTests.swift".count))
    let document = String(
      decoding: try readFile("\(folder)deploy/docs/switching.md", limitBytes: 1 << 20), as: UTF8.self)
    for known in KnownDeviation.all {
      #expect(document.contains("| \(known.matter) | \(known.theirs) | \(known.ours) |"))
      #expect(known.matchers(namespace: "redis").count == known.selectors.count)
    }
  }
}

@Suite(.timeLimit(.minutes(1))) struct GrafanaDashboardTests {
  @Test func everyQueryIsRead() throws {
    let text = #"""
      {"dashboard": {"title": "Redis", "templating": {"list": [
        {"name": "instance", "type": "query", "query": {"query": "label_values(redis_up{job=\"$job\"}, instance)", "refId": "A"}},
        {"name": "job", "query": "label_values(job)"}, {"name": "size", "type": "custom", "query": "redis_x,redis_y"}]},
       "annotations": {"list": [{"name": "restarts", "expr": "changes(redis_start_time_seconds[$__interval]) > 0"}]},
       "rows": [{"panels": [{"title": "old", "targets": [{"expr": "redis_old"}]}]}],
       "panels": [
        {"title": "Commands", "targets": [
          {"expr": "topk($limit, sum by ($group) (rate(redis_commands_total{instance=~\"$instance\", cmd!=\"\"}[${__rate_interval}])))"},
          {"expr": ""}, {"refId": "B"}]},
        {"type": "row", "panels": [{"title": "Inner", "targets": [{"expr": "redis_up{instance=~\"[[instance]]\"} offset $window"}]}]},
        {"title": "Broken", "targets": [{"expr": "redis_up +"}]}]}}
      """#
    let dashboard = try GrafanaDashboard(Array(text.utf8), file: "d.json", dialect: .prometheus2)
    #expect(dashboard.title == "Redis")
    let read = dashboard.queries.map { query in
      "\(query.title): \(query.expression.map { "\($0.selectors)" } == nil ? "unread" : "read")"
    }
    #expect(
      Set(read) == [
        "panel old (Redis): read", "panel Commands (Redis): read", "panel Inner (Redis): read",
        "panel Broken (Redis): unread", "variable instance (Redis): read", "annotation restarts (Redis): read",
      ])
    let variable = try #require(dashboard.queries.first { $0.kind == .variable })
    #expect(variable.listedLabel == "instance")
  }

  @Test(arguments: ["", "[]", "{}", #"{"title": "x"}"#, "{\"panels\": ["])
  func whatIsNoDashboardIsRefused(_ text: String) {
    #expect(throws: GrafanaDashboard.DashboardError.self) {
      try GrafanaDashboard(Array(text.utf8), file: "d.json", dialect: .prometheus2)
    }
  }
}
