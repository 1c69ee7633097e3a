import Config
import Runtime

/// Reads series over the API that a daemon and a Prometheus have in common: first of the daemon, whose polls are closer
/// together, and of the Prometheus what the daemon does not keep that far back.
struct ReportSeriesReader {
  struct Value {
    let labels: [String: String]
    let value: Double
  }

  let span: ReportSpan
  /// Of the workload, without braces.
  let matchers: String
  let namespace: String
  let daemon: ReportReader.Ask
  var prometheus: ReportReader.Ask?
  private(set) var isPrometheusUsed = false
  /// From when on the daemon has samples of the span; nil before it is asked.
  private var ownBegin: Double?

  /// Points of one series of a report at most.
  private static let pointLimit = 1200.0
  private static let leastStepSeconds = 1.0
  private static let daySeconds = 86_400.0
  /// How far back growth is looked for.
  private static let growthDays = 180.0
  private static let yearSeconds = 364 * daySeconds

  init(
    span: ReportSpan, matchers: String, namespace: String, daemon: @escaping ReportReader.Ask,
    prometheus: ReportReader.Ask?
  ) {
    (self.span, self.matchers, self.namespace) = (span, matchers, namespace)
    (self.daemon, self.prometheus) = (daemon, prometheus)
  }

  static func matchers(workload: String, environment: String?) -> String {
    (["workload=\(quoted(workload))"] + (environment.map { ["environment=\(quoted($0))"] } ?? []))
      .joined(separator: ",")
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
  }

  private var stepSeconds: Double {
    max(Self.leastStepSeconds, (span.seconds / Self.pointLimit).rounded(.up))
  }

  private enum Source { case daemon, prometheus }

  /// - Parameter rangeSeconds: of rates. What the last run of a daemon left has a sample a minute, as a Prometheus may have.
  private func text(_ query: String, rangeSeconds: Double) -> String {
    let prefix = namespace.isEmpty ? "" : "\(namespace)_"
    return query.replacing("$", with: prefix).replacing("@", with: "{\(matchers)}").replacing("&", with: matchers)
      .replacing("%", with: "\(Int(clamping: rangeSeconds))s")
  }

  private func rangeSeconds(_ source: Source, step: Double, isLong: Bool) -> Double {
    max(2 * step, source == .prometheus ? 300 : isLong ? 150 : 60)
  }

  // MARK: Over a span

  /// Finds out from when on the daemon has samples of the workload: it remarks only what is missing for longer than 30 s.
  mutating func findBegin() async throws {
    let own = try await range(ReportMeasure.up.query, over: span, step: stepSeconds, of: .daemon).known
    ownBegin = own.value?.compactMap { $0.points.first?.at }.min() ?? span.to.seconds
  }

  private func isMissing(in span: ReportSpan, step: Double) -> Bool {
    ownBegin.map { $0 > span.from.seconds + max(10, 2 * step) } ?? false
  }

  /// The series of a query over the span.
  mutating func range(_ query: String) async throws -> Known<[ReportSeries]> {
    try await range(query, over: span, step: stepSeconds)
  }

  private mutating func range(
    _ query: String, over span: ReportSpan, step: Double
  ) async throws -> Known<[ReportSeries]> {
    let own = try await range(query, over: span, step: step, of: .daemon)
    guard own.isShort, prometheus != nil else { return own.known }
    let other = try await range(query, over: span, step: step, of: .prometheus)
    // Where neither has any, the daemon says why.
    guard let found = other.known.value, !found.isEmpty else { return own.known }
    isPrometheusUsed = true
    return other.known
  }

  private func range(
    _ query: String, over span: ReportSpan, step: Double, of source: Source
  ) async throws -> (known: Known<[ReportSeries]>, isShort: Bool) {
    let range = rangeSeconds(source, step: step, isLong: span.seconds > 3600)
    let target =
      "query_range?query=\(text(query, rangeSeconds: range).percentEncoded())"
      + "&start=\(Self.seconds(span.from))&end=\(Self.seconds(span.to))&step=\(Int(clamping: step))"
    let answer = try await ask(target, of: source)
    guard let data = answer.data.value else { return (.unknown(answer.data.remark), true) }
    let series = Self.series(data)
    let first = series.compactMap { $0.points.first?.at }.min()
    let since = first.map { WallTime(seconds: $0) }
    let isShort =
      source == .daemon
      ? answer.isShort || isMissing(in: span, step: step)
      : first.map { $0 > span.from.seconds + max(300, 2 * step) } ?? false
    guard isShort else { return (Known(series), false) }
    guard let since else { return (.unknown("samples are not kept that far back"), true) }
    let isWhole = since <= span.from
    return (Known(series, remark: isWhole ? "" : "kept only since \(ReportWords.shortStamp(since))"), !isWhole)
  }

  // MARK: At a time

  /// The values of a query over a span, whose length `^` stands for, at its end.
  mutating func instant(_ query: String, over span: ReportSpan) async throws -> Known<[Value]> {
    let own = try await instant(query, over: span, of: .daemon)
    guard own.isShort, prometheus != nil else { return own.known }
    let other = try await instant(query, over: span, of: .prometheus)
    guard let found = other.known.value, !found.isEmpty else { return own.known }
    isPrometheusUsed = true
    return other.known
  }

  private func instant(
    _ query: String, over span: ReportSpan, of source: Source
  ) async throws -> (known: Known<[Value]>, isShort: Bool) {
    let length = "\(max(1, Int(clamping: span.seconds.rounded())))s"
    let asked = text(query.replacing("^", with: length), rangeSeconds: 300)
    let answer = try await ask("query?query=\(asked.percentEncoded())&time=\(Self.seconds(span.to))", of: source)
    guard let data = answer.data.value else { return (.unknown(answer.data.remark), true) }
    let values = (data["result"]?.elements ?? []).compactMap { one -> Value? in
      guard let point = one["value"]?.elements, point.count == 2, let value = point[1].string.flatMap(Double.init),
        value.isFinite
      else { return nil }
      return Value(labels: Self.labels(one["metric"]), value: value)
    }
    let isShort = answer.isShort || (source == .daemon && isMissing(in: span, step: stepSeconds))
    return (Known(values, remark: isShort ? "of a part of the span" : ""), isShort)
  }

  // MARK: For growth

  /// The highest value of each day, as far back as it is kept.
  mutating func days(_ query: String) async throws -> Known<ReportSeries> {
    let back = ReportSpan(from: span.to - Self.growthDays * Self.daySeconds, to: span.to)
    let source = prometheus == nil ? Source.daemon : .prometheus
    let inner = text(query, rangeSeconds: 300)
    let target =
      "query_range?query=\("max_over_time((\(inner))[1d:15m])".percentEncoded())"
      + "&start=\(Self.seconds(back.from))&end=\(Self.seconds(back.to))&step=\(Int(Self.daySeconds))"
    let answer = try await ask(target, of: source)
    guard let data = answer.data.value else { return .unknown(answer.data.remark) }
    if source == .prometheus { isPrometheusUsed = true }
    return Self.series(data).first.map { Known($0) } ?? .unknown("no day is kept")
  }

  /// The highest value 52 weeks before, on the same days of the week; nil where nobody keeps that.
  mutating func yearBefore(_ query: String) async throws -> Known<Double>? {
    guard prometheus != nil else { return nil }
    let then = ReportSpan(from: span.from - Self.yearSeconds, to: span.to - Self.yearSeconds)
    let found = try await range(query, over: then, step: stepSeconds, of: .prometheus).known
    guard let highest = found.value?.first?.highest else { return nil }
    isPrometheusUsed = true
    return Known(highest.value, remark: found.remark)
  }

  // MARK: Answers

  /// - Returns: whether samples are missing at the beginning, as a daemon says of its own.
  private func ask(_ target: String, of source: Source) async throws -> (data: Known<JSONValue>, isShort: Bool) {
    do {
      switch source {
      case .daemon:
        let (data, warnings) = try await daemon(target)
        return (Known(data), warnings.contains { $0.hasPrefix("history of ") })
      case .prometheus:
        guard let prometheus else { return (.unknown("no Prometheus is asked"), true) }
        return (Known(try await prometheus(target).data), false)
      }
    } catch let failure as ReportReader.Failure where source == .prometheus || !failure.reason.isEmpty {
      // That it refuses this very question is no reason to give up the others.
      return (.unknown(failure.reason.isEmpty ? failure.description : failure.reason), true)
    }
  }

  private static func seconds(_ time: WallTime) -> String { "\(Double(time.epochMs) / 1000)" }

  private static func labels(_ metric: JSONValue?) -> [String: String] {
    Dictionary((metric?.members ?? []).map { ($0.name, $0.value.string ?? "") }) { first, _ in first }
  }

  private static func series(_ data: JSONValue) -> [ReportSeries] {
    (data["result"]?.elements ?? []).map { one in
      let points = (one["values"]?.elements ?? []).compactMap { pair -> ReportSeries.Point? in
        let point = pair.elements
        guard point.count == 2, let at = point[0].number, let value = point[1].string.flatMap(Double.init) else {
          return nil
        }
        return ReportSeries.Point(at: at, value: value)
      }
      return ReportSeries(labels: labels(one["metric"]), points: points)
    }.filter { !$0.points.isEmpty }
  }
}
