import Runtime

/// All that a report is made of, as it was answered.
struct ReportFacts: Sendable {
  let workload: String
  let span: ReportSpan
  let made: WallTime
  /// What is said of the workload: `session, sentinel`; empty where it is not known.
  var about = ""
  /// What applications do while Redis is lost; empty where nothing is declared.
  var degraded = ""
  var events: Known<[ReportEvent]> = .unknown("not asked")
  /// What was marked, and which settings changed, from a day before the span: the newest first.
  var changes: Known<[ReportEvent]> = .unknown("not asked")
  var notices: Known<[ReportNotice]> = .unknown("not asked")
  var evidence: Known<[ReportEvidence]> = .unknown("not asked")
  var budgets: Known<[ReportBudget]> = .unknown("not asked")
  var series: [ReportMeasure: Known<[ReportSeries]>] = [:]
  /// By the name of the alert.
  var runbooks: [String: Known<String>] = [:]
  var peak = ReportPeakFacts()
  /// From where all this is: `the daemon at http://…`.
  var sources: [String] = []

  func known(_ measure: ReportMeasure) -> Known<[ReportSeries]> { series[measure] ?? .unknown("not asked") }

  /// The one series of a measure that has no labels; nil where it has no point.
  func one(_ measure: ReportMeasure) -> ReportSeries? {
    known(measure).value?.first { !$0.points.isEmpty }
  }

  /// By how much the counters of a measure rose, by a label. Without any series that is not known: it is no 0.
  func rises(
    _ measure: ReportMeasure, by label: String = "instance", in part: ReportSpan? = nil
  ) -> Known<[String: Double]> {
    let known = known(measure)
    guard let all = known.value else { return .unknown(known.remark) }
    guard !all.isEmpty else { return .unknown("no sample is kept") }
    let span = part ?? span
    let rises = all.reduce(into: [String: Double]()) { sums, one in
      let isNew = wasWatched(one.labels["instance"], atBeginOf: span) && !one.isThere(atBeginOf: span)
      sums[one.labels[label] ?? "", default: 0] += one.counted(in: span).rise(countsFirst: isNew)
    }
    return Known(rises, remark: known.remark)
  }

  /// Whether a server was watched when the span began: a counter that came later then began at 0.
  private func wasWatched(_ instance: String?, atBeginOf span: ReportSpan) -> Bool {
    known(.up).value?.contains { $0.labels["instance"] == instance && $0.isThere(atBeginOf: span) } ?? false
  }
}

/// What only the report of a peak is made of.
struct ReportPeakFacts: Sendable {
  /// When the objectives of a peak were in force within the span; empty where they were not.
  var windows: [ReportSpan] = []
  /// Whether somebody asked for it.
  var isWanted = false
  /// The 99th percentile of the probes of the whole peak.
  var latency: Known<Double> = .unknown("not asked")
  /// Seconds and calls of the commands that took the most time.
  var commands: Known<[Command]> = .unknown("not asked")
  /// Highest values of days before, for growth: oldest first, a point a day.
  var days: [ReportMeasure: Known<ReportSeries>] = [:]
  /// Highest values in a span as long, 52 weeks before.
  var yearBefore: [ReportMeasure: Known<Double>] = [:]
  /// What somebody says of next year; nil for what the history tells.
  var growth: Double?

  struct Command: Sendable {
    let name: String
    let seconds: Double
    let calls: Double?
  }

  var isTold: Bool { isWanted || !windows.isEmpty }

  /// From the beginning of the first window to the end of the last.
  func whole(_ span: ReportSpan) -> ReportSpan {
    guard let first = windows.first, let last = windows.last else { return span }
    return ReportSpan(from: first.from, to: last.to)
  }
}
