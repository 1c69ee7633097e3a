import PromQL
import Runtime
import Testing

@testable import Alerting

/// Rules over a past in which one exporter is scraped, or both.
@Suite(.timeLimit(.minutes(1))) struct SwitchReplayTests {
  private static let minute: Int64 = 60_000
  private static let start: Int64 = 1_700_000_040_000

  /// A series with a sample each minute.
  private static func series(_ labels: Labels, from first: Int = 0, _ values: [Double]) -> Series {
    Series(
      labels: labels,
      samples: values.enumerated().map {
        Sample(timestampMilliseconds: start + Int64(first + $0.offset) * minute, value: $0.element)
      })
  }

  private static func labels(_ name: String, _ target: SwitchTarget, _ own: Labels = [:]) -> Labels {
    Labels(target.labels.pairs + own.pairs + [Labels.Pair(Labels.metricName, name)])
  }

  private static func report(
    _ rules: String, _ targets: [SwitchTarget], _ series: [Series], minutes: Int64 = 30
  ) throws -> SwitchReport {
    let text = #"{"groups": [{"name": "g", "file": "r.yml", "interval": 60, "rules": [\#(rules)]}]}"#
    let check = SwitchCheck(
      comparison: try SwitchPages.comparison(), targets: targets, rules: try SwitchPages.rules(text), dashboards: [])
    var replay = SwitchReplay(
      check.groups, history: SwitchHistory(targets, comparison: check.comparison), dialect: .prometheus2,
      beginMilliseconds: start,
      startMilliseconds: start, endMilliseconds: start + minutes * minute)
    // In two windows, which overlap at their edge as answers of Prometheus do.
    let middle = start + minutes / 2 * minute
    func window(_ range: ClosedRange<Int64>) -> [Series] {
      series.map { one in
        Series(labels: one.labels, samples: one.samples.filter { range.contains($0.timestampMilliseconds) })
      }
    }
    try replay.run(window(start...middle), throughMilliseconds: middle)
    try replay.run(window(middle...start + minutes * minute), throughMilliseconds: start + minutes * minute)
    return SwitchReport(
      check, dashboards: 0,
      replay: .init(rules: replay.finish(), times: replay.comparedMilliseconds, assumptions: []))
  }

  private static let old = SwitchPages.oldTarget
  private static let new = SwitchPages.newTarget

  private static func alert(_ name: String, _ query: String, seconds: Int = 0) -> String {
    #"{"type": "alerting", "name": "\#(name)", "query": "\#(query)", "duration": \#(seconds), "labels": {}}"#
  }

  @Test func whatIsTheSameIsCounted() throws {
    let report = try Self.report(
      Self.alert("Down", #"redis_up{job=\"redis\"} == 0"#, seconds: 120), [Self.old],
      [
        Self.series(
          Self.labels("redis_up", Self.old), [Double](repeating: 1, count: 10) + [0, 0, 0, 0, 0, 0] + [1, 1]),
        Self.series(Self.labels("up", Self.old), [Double](repeating: 1, count: 18)),
      ])
    #expect(report.items.isEmpty)
    #expect(report.status == 0)
    #expect(report.sentence.hasPrefix("Switch: nothing is lost: 1 selector, 1 rule, 0 dashboards; 0 rules change"))
  }

  /// Of the past there is only redis_exporter's: what its page has and Redline's has not is absent.
  @Test func whatIsLostSilencesItsRule() throws {
    let report = try Self.report(
      Self.alert("Cached", "redis_db_keys_cached > 1"), [Self.old],
      [Self.series(Self.labels("redis_db_keys_cached", Self.old, ["db": "db0"]), [0, 2, 2, 2, 0, 0])])
    #expect(report.items.map(\.grade) == [.lost, .changed])
    #expect(report.items.last?.what == "it fired once with redis_exporter and would never have fired with Redline")
    #expect(report.status == 1)
    #expect(report.sentence.contains("1 rule changes its verdict"))
  }

  /// Containers come and go: the past has targets that are no more.
  @Test func targetsThatAreGoneAreJudgedToo() throws {
    let gone = SwitchTarget(labels: ["job": "redis", "instance": "gone:9121"], runID: nil, isRedline: false)
    let series = [Self.series(Self.labels("redis_db_keys_cached", gone, ["db": "db0"]), [0, 2, 2, 2, 0, 0])]
    let report = try Self.report(Self.alert("Cached", "redis_db_keys_cached > 1"), [Self.old], series)
    #expect(report.items.map(\.grade) == [.lost, .changed])
  }

  @Test func labelsThatComeOnTopAreNoLoss() throws {
    let report = try Self.report(
      Self.alert("Master", #"redis_instance_info{role=\"master\"} == 1"#), [Self.old],
      [
        Self.series(
          Self.labels("redis_instance_info", Self.old, ["role": "master", "run_id": "r1"]),
          [Double](repeating: 1, count: 10))
      ])
    #expect(report.items.map(\.grade) == [.differs, .differs])
    #expect(report.items.last?.what.contains("has also master_replid") == true)
    #expect(report.status == 0)
  }

  /// Where both are scraped, Redline's own samples are what is judged, by the labels of the target that it replaces.
  @Test func besideOneAnotherTheRealSeriesAreJudged() throws {
    func clients(_ values: [Double]) -> [Series] {
      [
        Self.series(Self.labels("redis_up", Self.old), [Double](repeating: 1, count: 30)),
        Self.series(Self.labels("redis_up", Self.new), from: 5, values),
      ]
    }
    let rule = Self.alert("Down", #"redis_up{job=\"redis\"} == 0"#)
    let alike = try Self.report(rule, [Self.old, Self.new], clients([Double](repeating: 1, count: 25)))
    #expect(alike.status == 0)
    // For longer than what two scrapes may be apart.
    let other = try Self.report(
      rule, [Self.old, Self.new],
      clients([1, 1, 1] + [Double](repeating: 0, count: 10) + [Double](repeating: 1, count: 12)))
    #expect(other.items.map(\.grade) == [.changed])
    #expect(other.items.first?.what == "it never fired with redis_exporter and would have fired once with Redline")
    #expect(other.items.first?.why.contains(#"instance="a:9121""#) == true)
    let brief = try Self.report(
      rule, [Self.old, Self.new], clients([1, 1, 1, 0, 0] + [Double](repeating: 1, count: 20)))
    #expect(brief.status == 0)
  }

  /// Each alert is over before the next scrape, and Redline's never comes.
  @Test func whatComesAgainAndAgainIsNoMatterOfMoments() throws {
    let up = [Double](repeating: 1, count: 30)
    let brief = (0..<30).map { minute in
      Self.series(Self.labels("redis_db_keys_cached", Self.old, ["db": "db\(minute)"]), from: minute, [2])
    }
    let report = try Self.report(
      Self.alert("Cached", "redis_db_keys_cached > 1"), [Self.old, Self.new],
      [Self.series(Self.labels("redis_up", Self.old), up), Self.series(Self.labels("redis_up", Self.new), up)] + brief)
    #expect(report.items.map(\.grade) == [.lost, .changed])
    #expect(report.items.last?.what == "it fired 30 times with redis_exporter and would never have fired with Redline")
  }

  /// A rule may read what another records.
  @Test func recordedSeriesAreFollowed() throws {
    let recording = #"{"type": "recording", "name": "job:cached:sum", "query": "sum by (job) (redis_db_keys_cached)"}"#
    let foreign = #"{"type": "recording", "name": "node:load", "query": "node_load1 * 2"}"#
    let report = try Self.report(
      [recording, foreign, Self.alert("Cached", "job:cached:sum > 1")].joined(separator: ","), [Self.old],
      [Self.series(Self.labels("redis_db_keys_cached", Self.old, ["db": "db0"]), [2, 2, 2, 2])])
    #expect(report.ruleCount == 2)
    #expect(report.items.map(\.query.name) == ["job:cached:sum", "job:cached:sum", "Cached"])
    #expect(report.items.map(\.grade) == [.lost, .changed, .changed])
  }

  @Test func whatTheEngineRefusesIsNotJudged() throws {
    let report = try Self.report(
      Self.alert("Odd", "histogram_fraction_of(redis_up)") + "," + Self.alert("Up", "redis_up == 0"), [Self.old],
      [Self.series(Self.labels("redis_up", Self.old), [1, 1, 1])])
    #expect(report.items.map(\.grade) == [.unknown])
    #expect(report.status == 3)
    #expect(report.sentence.hasSuffix("; 1 could not be judged"))
  }

  /// A Prometheus that has nothing to do with Redis proves nothing.
  @Test func withoutAQueryNothingIsProved() throws {
    let report = try Self.report(Self.alert("Load", "node_load1 > 5"), [Self.old], [])
    #expect(report.status == 3)
    #expect(report.sentence.hasSuffix("nothing was compared"))
    let idle = try Self.report(Self.alert("Down", "redis_never_there == 0"), [Self.old], [])
    #expect(idle.status == 3)
    let past = try Self.report(Self.alert("Down", "redis_up == 0"), [Self.old], [])
    #expect(past.status == 3)
    #expect(past.sentence.hasSuffix("no rule could be replayed"))
  }

  @Test func linesFitATerminal() throws {
    let report = try Self.report(
      Self.alert("Cached", "redis_db_keys_cached > 1"), [Self.old, Self.new],
      [Self.series(Self.labels("redis_db_keys_cached", Self.old, ["db": "db0"]), [0, 2, 2, 2, 0, 0])])
    let lines = report.text().split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(lines.first?.hasPrefix("lost     alert Cached (g): redis_db_keys_cached: its one series") == true)
    #expect(report.text().contains("why: redis_exporter: since Redis 7.4"))
    let json = try JSONReader.value(Array(report.json.utf8))
    #expect(json["items"]?.elements.count == report.items.count)
    #expect(json["selectors"]?.elements.map { $0["effect"]?.string } == ["lost"])
  }
}
