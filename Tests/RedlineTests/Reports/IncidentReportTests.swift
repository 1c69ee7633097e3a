import API
import Fleet
import Runtime
import Testing
import Web

@testable import redline

/// Answers of a daemon in, reports out.
@Suite struct IncidentReportTests {
  private func json(_ report: IncidentReport) throws -> JSONValue {
    let found = try JSONReader.value(Array(report.json.utf8))
    return try #require(found["report"])
  }

  @Test func goldenOfAFailover() async throws {
    let report = IncidentReport(try await RecordedDaemon.failover().reader(seconds: 1800).read())
    GoldenReport.expect(report.page.markdown, "failover.md")
    GoldenReport.expect(report.page.html, "failover.html")
    GoldenReport.expect(report.json, "failover.json")
  }

  @Test func goldenOfAPeak() async throws {
    let report = IncidentReport(try await RecordedDaemon.peak().reader(seconds: 7200, workload: "cache").read())
    GoldenReport.expect(report.page.markdown, "peak.md")
    GoldenReport.expect(report.page.html, "peak.html")
  }

  @Test func whatAFailoverCost() async throws {
    let report = IncidentReport(try await RecordedDaemon.failover().reader(seconds: 1800).read())
    let impact = try #require(try json(report)["impact"])
    #expect(impact["outageSeconds"]?.number == 2.6)
    #expect(impact["failedProbes"]?["total"]?.number == 3)
    #expect(impact["probesNotSent"]?["total"]?.number == 164)
    // A counter that came while its server was watched began at 0; one of a new process counts from 0; ERR refuses nothing.
    #expect(impact["refusedCommands"]?["by"]?["READONLY"]?.number == 12)
    #expect(impact["refusedCommands"]?["by"]?["LOADING"]?.number == 3)
    #expect(impact["refusedCommands"]?["by"]?["ERR"] == nil)
    #expect(impact["evictedKeys"]?["total"]?.number == 0)
    #expect(report.results.map(\.check) == ["objective-availability"])
    #expect(report.results[0].severity == .warning)
    #expect(ReportOptions.status(of: report.results, failOn: .warning) == 1)
    #expect(ReportOptions.status(of: report.results, failOn: .critical) == 0)
  }

  @Test func whatIsNotKnownIsNoZero() async throws {
    let daemon = RecordedDaemon.failover()
    daemon.answers["evidence"] = nil
    daemon.answers["budgets"] = nil
    daemon.answers["runbooks/RedisDown"] = nil
    daemon.series = []
    daemon.answers["events"] = daemon.answers["events"]?.replacing("2026-09-01T", with: "2026-11-30T")
      .replacing("keptSince\":\"2026-11-30T00:00", with: "keptSince\":\"2026-11-30T03:05")
    let report = IncidentReport(try await daemon.reader(seconds: 1800).read())
    let found = try json(report)
    for name in ["failedProbes", "probes", "refusedCommands", "refusedConnections", "evictedKeys"] {
      #expect(found["impact"]?[name]?["unknown"]?.string?.isEmpty == false, "\(name)")
      #expect(found["impact"]?[name]?["total"] == nil, "\(name)")
    }
    #expect(found["evidence"]?["unknown"]?.string == "this daemon gathers no evidence")
    #expect(found["impact"]?["budgets"]?["unknown"]?.string == "this daemon gathers no error budgets")
    #expect(found["timeline"]?["remark"]?.string == "kept only since 2026-11-30T03:05:00Z")
    let text = report.page.markdown
    #expect(text.contains("Events are kept only since 2026-11-30T03:05:00Z"))
    #expect(text.contains("there is no /api/v1/runbooks/RedisDown here"))
    #expect(!text.contains("probes failed"))
  }

  @Test func withoutAStoreNothingIsClaimed() async throws {
    let daemon = RecordedDaemon.failover()
    daemon.answers["events"] = #"{"events":[],"page":1,"hasMore":false}"#
    let report = IncidentReport(try await daemon.reader(seconds: 1800).read())
    #expect(report.page.lead.hasPrefix("What happened to sessions is not known"))
    #expect(try json(report)["timeline"]?["unknown"]?.string?.isEmpty == false)
    #expect(!report.page.markdown.contains("No trouble"))
  }

  @Test func aPeakIsToldWhereAWindowWasOpenOrOneAsks() async throws {
    let daemon = RecordedDaemon.failover()
    var reader = daemon.reader(seconds: 1800)
    #expect(try json(IncidentReport(try await reader.read()))["peak"] == nil)
    reader.isPeakWanted = true
    #expect(try json(IncidentReport(try await reader.read()))["peak"] != nil)
    let found = try json(
      IncidentReport(try await RecordedDaemon.peak().reader(seconds: 7200, workload: "cache").read()))
    #expect(found["peak"]?["windows"]?.elements.count == 1)
    // What was worse outside of the window does not count, nor does a milder objective.
    #expect(found["peak"]?["latencyP99Seconds"]?["worst"]?.number == 0.0064)
    #expect(found["peak"]?["latencyP99Seconds"]?["objective"]?.number == 0.005)
    #expect(found["peak"]?["evictedKeys"]?["total"]?.number == 0)
    #expect(found["outcome"]?["hitRatio"]?["value"]?.number == 2720.0 / 2890)
    #expect(found["outcome"]?["failovers"]?["value"]?.number == 0)
    #expect(found["slow"]?["slowCalls"]?["total"]?.number == 60)
  }

  @Test func nextYearsNeed() async throws {
    var reader = RecordedDaemon.peak().reader(seconds: 7200, workload: "cache")
    let told = try json(IncidentReport(try await reader.read()))["capacity"]
    #expect(told?["memoryBytes"]?["peak"]?.number == 8e9)
    // 8.38e9 on the newest day, 2e7 more a day.
    let growth = try #require(told?["memoryBytes"]?["growth"]?.number)
    #expect(abs(growth - (8.38e9 + 365 * 2e7) / 8.38e9) < 1e-9)
    #expect(try #require(told?["memoryBytes"]?["nextYear"]?.number) == 8e9 * growth / 0.8)
    #expect(told?["clients"]?["growth"] == nil && told?["clients"]?["nextYear"] == nil)
    #expect(told?["clients"]?["reason"]?.string?.contains("only 1 day is kept") == true)
    reader.growth = 1.5
    let given = try json(IncidentReport(try await reader.read()))["capacity"]
    #expect(given?["clients"]?["nextYear"]?.number == 2400 * 1.5 / 0.8)
  }

  @Test func aPrometheusIsAskedForWhatTheDaemonDoesNotKeep() async throws {
    let (daemon, prometheus) = (RecordedDaemon.failover(), RecordedDaemon.failover())
    daemon.series = daemon.series.map { one in
      (one.part, one.series.map { ($0.labels, $0.points.filter { $0.0 >= 1000 }) })
    }
    daemon.warning = "history of redis_up begins at 2026-11-30T03:16:40Z: the query reads from earlier on"
    var reader = daemon.reader(seconds: 1800)
    let alone = try json(IncidentReport(try await reader.read()))
    #expect(alone["impact"]?["failedProbes"]?["total"]?.number == 0)
    #expect(alone["impact"]?["failedProbes"]?["remark"]?.string == "kept only since 2026-11-30T03:30:00Z")
    reader.prometheus = ("http://prometheus:9090", { try prometheus.answer($0) })
    let both = try json(IncidentReport(try await reader.read()))
    #expect(both["impact"]?["failedProbes"]?["total"]?.number == 3)
    #expect(both["sources"]?.elements.last?.string == "the Prometheus at http://prometheus:9090")
    // What the daemon keeps it is not asked for.
    let whole = RecordedDaemon.failover()
    let silent = RecordedDaemon.failover()
    var other = whole.reader(seconds: 1800)
    other.prometheus = ("http://prometheus:9090", { try silent.answer($0) })
    let own = try json(IncidentReport(try await other.read()))
    #expect(own["sources"]?.elements.count == 1 && silent.asked.isEmpty)
  }

  @Test func whatServersSayIsOnlyText() async throws {
    let daemon = RecordedDaemon.failover()
    let evil = "<script>alert(1)</script> [x](http://evil) |\\n*"
    daemon.answers["events"] = daemon.answers["events"]?.replacing("10.0.1.1:6379 does not answer", with: evil)
    daemon.answers["evidence"] = daemon.answers["evidence"]?.replacing("`KEYS` from job-7", with: evil)
    let report = IncidentReport(try await daemon.reader(seconds: 1800).read())
    let (html, markdown) = (report.page.html, report.page.markdown)
    #expect(!html.contains("<script") && !html.contains("href=") && !html.contains("src="))
    #expect(html.contains("&lt;script&gt;"))
    #expect(markdown.contains("\\<script>alert(1)\\</script> \\[x\\](http://evil) \\|"))
  }
}

@Suite struct ReportSpanTests {
  private let now = WallTime(epochMs: 1_796_007_600_000)

  @Test(
    arguments: [
      ("2026-11-30T02:00:00Z", -3600), ("2026-11-30T04:00:00+02:00", -3600), ("-2h", -7200), ("-1d12h", -129_600),
      ("now-90m", -5400),
    ] as [(String, Double)])
  func times(text: String, seconds: Double) throws {
    let span = try ReportSpan(from: text, to: "now", now: now)
    #expect(span.from - now == seconds && span.to == now)
  }

  @Test(
    arguments: [
      ("yesterday", "now", "--from yesterday is no time"), ("-1h", "2026-11-30", "--to 2026-11-30 is no time"),
      ("2026-11-30T02:00", "now", "--from 2026-11-30T02:00 is no time"), ("", "now", "--from  is no time"),
      ("now", "-1h", "--from now is not before --to -1h"), ("-1h", "2026-11-30T04:00:00Z", "lies ahead"),
      ("-500d", "now", "more than 400 days"), ("-", "now", "--from - is no time"), ("--2h", "now", "is no time"),
    ] as [(String, String, String)])
  func refusals(from: String, to: String, text: String) {
    #expect(throws: ReportSpan.Problem.self) { try ReportSpan(from: from, to: to, now: now) }
    do { _ = try ReportSpan(from: from, to: to, now: now) } catch { #expect("\(error)".contains(text), "\(error)") }
  }
}

@Suite struct WriteDownTests {
  private static let folder = String(#filePath.dropLast("Tests/RedlineTests/Reports/IncidentReportTests.swift".count))

  /// Which questions of the runbooks are answered by what, and which are for people.
  @Test func everyQuestionOfTheRunbooks() throws {
    let library = RunbookLibrary(directory: "\(Self.folder)alerts/runbooks")
    #expect(library.names().count > 40)
    var lines: [String] = []
    for name in library.names() {
      let text = try #require(library.text(name))
      let asked = WriteDownText(runbook: text)
      #expect(!asked.questions.isEmpty || !asked.advice.isEmpty, "\(name) asks for nothing and says nothing")
      lines += asked.questions.map { "\(name)\t\(WriteDownRule.rule(for: $0)?.name ?? "-")\t\($0)" }
      lines += asked.advice.map { "\(name)\tadvice\t\($0)" }
    }
    GoldenReport.expect(lines.joined(separator: "\n") + "\n", "write-down.tsv")
  }

  @Test func bracketsAndCodeStayWhole() {
    let text = WriteDownText(
      runbook:
        "# A\n\n## Write down\n\nHow many (a, b), `x, y. z` and why.\nIt will happen again.\n\n## Links\n\nNo, this.\n")
    #expect(text.questions == ["How many (a, b)", "`x, y. z` and why"])
    #expect(text.advice == ["It will happen again"])
    #expect(WriteDownText(runbook: "# A\n\nNothing here.").questions.isEmpty)
  }
}

@Suite struct ReportIncidentTests {
  private func event(_ second: Int, _ kind: String, _ node: String = "", alert: String = "", severity: String = "")
    throws
    -> ReportEvent
  {
    let text = """
      {"time":"2026-11-30T03:00:\(second < 10 ? "0" : "")\(second)Z","kind":"\(kind)","node":"\(node)","summary":"s","alert":"\(alert)","severity":"\(severity)"}
      """
    return try #require(ReportEvent(try JSONReader.value(Array(text.utf8))))
  }

  @Test func endsOutsideOfTheSpanAreOpen() throws {
    let incident = ReportIncident([
      try event(1, "recovered", "a"), try event(5, "unreachable", "b"), try event(7, "unreachable", "c"),
      try event(9, "recovered", "c"),
    ])
    #expect(incident.silences.map(\.node) == ["a", "b", "c"])
    #expect(incident.silences[0].from == nil && incident.silences[1].to == nil)
    #expect(incident.silences.map(\.seconds) == [nil, nil, 2])
    #expect(incident.began == WallTime(epochMs: 1_796_007_605_000) && incident.ended == nil)
  }

  @Test func alertsArePairedByTheirServers() throws {
    let incident = ReportIncident([
      try event(1, "alert_fired", "a", alert: "Down", severity: "critical"),
      try event(2, "alert_fired", "b", alert: "Down", severity: "critical"),
      try event(4, "alert_resolved", "a", alert: "Down", severity: "critical"),
      try event(6, "alert_resolved", "b", alert: "Down", severity: "critical"),
      try event(8, "alert_fired", "a", alert: "Note", severity: "info"),
    ])
    #expect(incident.alerts.count == 3)
    #expect(incident.alerts.map { $0.ended.map { $0.seconds.truncatingRemainder(dividingBy: 60) } } == [4, 6, nil])
    // What is for information neither begins nor prolongs trouble.
    #expect(incident.ended == WallTime(epochMs: 1_796_007_606_000))
  }

  @Test func nothingHappened() {
    let incident = ReportIncident([])
    #expect(incident.began == nil && incident.ended == nil && incident.outageSeconds == nil)
  }
}
