import Config
import Runtime

/// Asks a daemon, and where it does not know far enough back a Prometheus, for all that a report is made of.
struct ReportReader {
  /// Answers of `/api/v1/`, by what stands behind that.
  typealias Ask = (_ target: String) async throws -> (data: JSONValue, warnings: [String])

  let workload: String
  let span: ReportSpan
  let now: WallTime
  /// Where it is asked, for people.
  let daemonName: String
  let daemon: Ask
  /// Nil where none is given.
  var prometheus: (name: String, ask: Ask)?
  var isPeakWanted = false
  var growth: Double?

  typealias Failure = AskedServer.Failure

  /// Pages of lists that are read at most; the daemon has no more.
  private static let pageLimit = 100

  func read() async throws -> ReportFacts {
    var facts = ReportFacts(workload: workload, span: span, made: now)
    let standing = try await daemon("fleet/\(workload.percentEncoded())").data["workloads"]?.elements.first
    let environment = standing?["environment"]?.string
    facts.about = [standing?["kind"]?.string, standing?["topology"]?.string].compactMap { $0 }.joined(separator: ", ")
    facts.degraded = standing?["degraded"]?["text"]?.string ?? ""
    facts.events = try await list("events", ReportEvent.init)
    facts.changes = try await changes()
    facts.notices = try await list("notifications", ReportNotice.init)
    facts.evidence = try await evidence()
    facts.budgets = try await budgets()
    facts.runbooks = try await runbooks(ReportIncident(facts.events.value ?? []))
    var series = ReportSeriesReader(
      span: span, matchers: ReportSeriesReader.matchers(workload: workload, environment: environment),
      namespace: try await namespace(), daemon: daemon, prometheus: prometheus?.ask)
    try await series.findBegin()
    for measure in ReportMeasure.allCases { facts.series[measure] = try await series.range(measure.query) }
    facts.peak = try await peak(facts, &series)
    facts.sources = ["the daemon at \(daemonName)"]
    if let prometheus, series.isPrometheusUsed { facts.sources.append("the Prometheus at \(prometheus.name)") }
    return facts
  }

  private var times: String { Self.times(span.from, span.to) }

  private static func times(_ from: WallTime, _ to: WallTime) -> String {
    "from=\(ReportWords.stamp(from).percentEncoded())&to=\(ReportWords.stamp(to).percentEncoded())"
  }

  private func changes() async throws -> Known<[ReportEvent]> {
    var all: [ReportEvent] = []
    for kind in ["mark", "config_change"] {
      // One page of each: with more than 50, nobody looks for the one.
      let target =
        "events?workload=\(workload.percentEncoded())&kind=\(kind)&\(Self.times(span.from - 86_400, span.to))"
      do {
        let (data, warnings) = try await daemon(target)
        if let warning = warnings.first { return .unknown(oneLine(warning)) }
        all += (data["events"]?.elements ?? []).compactMap(ReportEvent.init).filter { $0.kind == kind }
      } catch is Failure where kind == "mark" {
        // An older daemon knows no marks.
        continue
      }
    }
    return Known(all.sorted { $1.at < $0.at })
  }

  /// All pages of a list that is told newest first.
  private func list<One>(_ path: String, _ one: (JSONValue) -> One?) async throws -> Known<[One]> {
    var all: [One] = []
    var remark = ""
    for page in 1...Self.pageLimit {
      let (data, warnings) = try await daemon("\(path)?workload=\(workload.percentEncoded())&\(times)&page=\(page)")
      // Without storage.path nothing is kept.
      if let warning = warnings.first { return .unknown(oneLine(warning)) }
      all += (data[path]?.elements ?? []).compactMap(one)
      if let since = data["keptSince"]?.string {
        if let kept = Self.time(since), kept > span.from { remark = "kept only since \(ReportWords.shortStamp(kept))" }
      } else {
        return .unknown("the daemon does not say since when they are kept: is it of this version?")
      }
      guard case .boolean(true) = data["hasMore"] else { return Known(all, remark: remark) }
    }
    return Known(all, remark: "the newest \(all.count) only: there were more")
  }

  static func time(_ text: String) -> WallTime? {
    Timestamp.parse(text).map { WallTime(epochMs: $0.epochMs) }
  }

  /// An answer that not every daemon has.
  private func optional(_ target: String, _ what: String) async throws -> Known<JSONValue> {
    do {
      return Known(try await daemon(target).data)
    } catch let failure as Failure where failure.isNotFound {
      return .unknown("this daemon gathers no \(what)")
    }
  }

  private func evidence() async throws -> Known<[ReportEvidence]> {
    let since = ReportWords.stamp(span.from).percentEncoded()
    let until = ReportWords.stamp(span.to).percentEncoded()
    let data = try await optional(
      "evidence?workload=\(workload.percentEncoded())&since=\(since)&until=\(until)&limit=500", "evidence")
    guard let found = data.value else { return .unknown(data.remark) }
    let days = found["limits"]?["days"]?.number
    let isOld = days.map { span.from < now - $0 * 86_400 } ?? false
    let all = (found["evidence"]?.elements ?? []).compactMap(ReportEvidence.init)
    return Known(
      all.sorted { ($0.fired ?? $0.pending ?? .distantPast) < ($1.fired ?? $1.pending ?? .distantPast) },
      remark: isOld ? "kept for \(ReportWords.count(days ?? 0)) days only" : "")
  }

  private func budgets() async throws -> Known<[ReportBudget]> {
    let data = try await optional("budgets?workload=\(workload.percentEncoded())&\(times)", "error budgets")
    return data.map { ($0["budgets"]?.elements ?? []).compactMap(ReportBudget.init) }
  }

  private func runbooks(_ incident: ReportIncident) async throws -> [String: Known<String>] {
    var books: [String: Known<String>] = [:]
    for alert in incident.alerts where !alert.name.isEmpty && books[alert.name] == nil {
      do {
        let target = "runbooks/\(alert.name.percentEncoded())?workload=\(workload.percentEncoded())"
        let text = try await daemon(target).data["text"]?.string
        books[alert.name] = text.map { Known($0) } ?? .unknown("the answer has no text")
      } catch let failure as Failure where failure.isNotFound {
        books[alert.name] = .unknown(failure.reason)
      }
    }
    return books
  }

  /// What metrics of the daemon begin with.
  private func namespace() async throws -> String {
    do {
      return try await daemon("status/flags").data["namespace"]?.string ?? "redis"
    } catch let failure as Failure where failure.isNotFound {
      return "redis"
    }
  }

  // MARK: A peak

  private func peak(_ facts: ReportFacts, _ series: inout ReportSeriesReader) async throws -> ReportPeakFacts {
    var peak = ReportPeakFacts()
    peak.windows = Self.windows(facts.one(.inPeak))
    (peak.isWanted, peak.growth) = (isPeakWanted, growth)
    let asksForGrowth = facts.runbooks.values.compactMap(\.value).contains { WriteDownText(runbook: $0).asks("growth") }
    if asksForGrowth { peak.days[.memoryBytes] = try await series.days(ReportMeasure.memoryBytes.query) }
    guard peak.isTold else { return peak }
    let whole = peak.whole(span)
    let bucket = "histogram_quantile(0.99, sum by (le) (increase($probe_duration_seconds_bucket@[^])))"
    let latency = try await series.instant(bucket, over: whole)
    let value = latency.value?.first?.value
    peak.latency =
      value.map { Known($0, remark: latency.remark) }
      ?? .unknown(latency.value == nil ? latency.remark : "no probe was sent")
    peak.commands = try await commands(whole, &series)
    for measure in [ReportMeasure.memoryBytes, .operations, .clientTotal] {
      if peak.days[measure] == nil { peak.days[measure] = try await series.days(measure.query) }
      if let before = try await series.yearBefore(measure.query) { peak.yearBefore[measure] = before }
    }
    return peak
  }

  private func commands(
    _ span: ReportSpan, _ series: inout ReportSeriesReader
  ) async throws -> Known<[ReportPeakFacts.Command]> {
    let times = try await series.instant(
      "topk(10, sum by (cmd) (increase($commands_duration_seconds_total@[^])))", over: span)
    guard let found = times.value else { return .unknown(times.remark) }
    let calls = try await series.instant("sum by (cmd) (increase($commands_total@[^]))", over: span).value ?? []
    let commands = found.compactMap { one -> ReportPeakFacts.Command? in
      guard let name = one.labels["cmd"], one.value > 0 else { return nil }
      return .init(name: name, seconds: one.value, calls: calls.first { $0.labels["cmd"] == name }?.value)
    }
    return Known(commands.sorted { ($1.seconds, $0.name) < ($0.seconds, $1.name) }, remark: times.remark)
  }

  /// When a value was above 0, from the first point to the last.
  static func windows(_ series: ReportSeries?) -> [ReportSpan] {
    var windows: [ReportSpan] = []
    var isOpen = false
    for point in series?.points ?? [] {
      let at = WallTime(seconds: point.at)
      guard point.value > 0 else {
        isOpen = false
        continue
      }
      if isOpen, let last = windows.popLast() {
        windows.append(ReportSpan(from: last.from, to: at))
      } else {
        windows.append(ReportSpan(from: at, to: at))
      }
      isOpen = true
    }
    // One point has no length.
    return windows.filter { $0.seconds > 0 }
  }
}
