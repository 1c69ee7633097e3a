import Fleet
import Runtime
import Web

/// The highest values of a peak beside the objectives that were in force.
enum PeakSection: ReportSection {
  static let id = "peak"
  static let title = "Peaks and objectives"

  /// A number of the peak, when it was worst, and what it should have been.
  struct Figure {
    let id: String
    let name: String
    let unit: TimeSeries.Unit
    let worst: ReportSeries.Point?
    let objective: Double?
    /// Whether less is worse.
    let isFloor: Bool
    /// Why there is no value, or what is missing in it.
    let remark: String
    let series: ReportSeries?

    /// Nil where one of both is not known.
    var isKept: Bool? {
      guard let worst, let objective else { return nil }
      return isFloor ? worst.value >= objective : worst.value <= objective
    }

    func text(_ value: Double) -> String {
      switch unit {
      case .seconds: ReportWords.seconds(value)
      case .ratio: ReportWords.share(value)
      default: unit.words(value)
      }
    }
  }

  static func part(of facts: ReportFacts, _ incident: ReportIncident) -> ReportPart? {
    guard facts.peak.isTold else { return nil }
    let words = ReportWords(span: facts.span)
    let figures = figures(facts)
    let evictions = evictions(facts)
    let span = facts.peak.whole(facts.span)
    let heading =
      facts.peak.windows.isEmpty
      ? "No peak window was open: these are of the whole span."
      : "Objectives of a peak were in force \(facts.peak.windows.map { words.span($0.from, $0.to) }.joined(separator: ", "))."
    let rows =
      figures.map { row($0, words) } + [
        .init(
          [
            "Keys evicted", evictions.count.map(ReportWords.count) ?? "not known: \(evictions.remark)", "",
            evictions.objective, verdict(evictions.isKept),
          ],
          evictions.isKept.map { $0 ? .good : .grave })
      ]
    let drawn = figures.compactMap { figure in
      figure.series.map { series in
        let worst = figure.worst.map { "worst \(figure.text($0.value)) at \(words.time(seconds: $0.at))" } ?? ""
        return WorkloadPage.Figure(
          figure.name,
          TimeSeries(
            series.grid(facts.span, count: TimeSeries.pointLimit), unit: figure.unit,
            stepSeconds: facts.span.seconds / Double(TimeSeries.pointLimit - 1)), objective: figure.objective,
          note: worst)
      }
    }
    var timeline = ReportPage.Timeline(from: facts.span.from.seconds, to: facts.span.to.seconds)
    if !facts.peak.windows.isEmpty { timeline.marks = [span.from, span.to].map { ($0.seconds, .note) } }
    return ReportPart(
      blocks: [
        .text(heading), .table(.init(["What", "Worst", "At", "Objective", "Verdict"], rows)), .figures(drawn, timeline),
      ], json: { write(facts, figures, evictions, to: &$0) }, results: results(facts, figures, evictions))
  }

  static func figures(_ facts: ReportFacts) -> [Figure] {
    func figure(
      _ id: String, _ name: String, _ measure: ReportMeasure, _ unit: TimeSeries.Unit,
      _ objective: ReportMeasure? = nil,
      isFloor: Bool = false
    ) -> Figure {
      let known = facts.known(measure)
      let all = facts.one(measure)
      let series = all.map { inPeak($0, facts) }
      let remark = known.value == nil ? known.remark : all == nil ? "no sample is kept" : known.remark
      return Figure(
        id: id, name: name, unit: unit, worst: isFloor ? series?.lowest : series?.highest,
        objective: objective.flatMap { limit(facts, $0, isFloor: isFloor) }, isFloor: isFloor, remark: remark,
        series: all)
    }
    return [
      figure("operationsPerSecond", "Operations", .operations, .perSecond),
      figure("latencyP99Seconds", "Probe, 99th percentile", .latency, .seconds, .latencyObjective),
      figure("hitRatio", "Hit ratio over 15 minutes", .hitRatio, .ratio, .hitRatioObjective, isFloor: true),
      figure("memoryUsedRatio", "Memory of maxmemory, fullest member", .memoryRatio, .ratio, .memoryObjective),
      figure("lagSeconds", "Lag of the worst replica", .lag, .seconds, .lagObjective),
      figure("clients", "Clients", .clientTotal, .count),
    ]
  }

  /// The points while a window was open; all of them where there is none.
  private static func inPeak(_ series: ReportSeries, _ facts: ReportFacts) -> ReportSeries {
    let windows = facts.peak.windows
    guard !windows.isEmpty else { return series }
    return ReportSeries(labels: series.labels, points: windows.flatMap { series.within($0).points })
  }

  /// The strictest that was in force.
  private static func limit(_ facts: ReportFacts, _ measure: ReportMeasure, isFloor: Bool) -> Double? {
    let points = facts.one(measure).map { inPeak($0, facts) }
    return isFloor ? points?.highest?.value : points?.lowest?.value
  }

  struct Evictions {
    let count: Double?
    let remark: String
    /// What the workload says; nil where evictions are not judged.
    let areAllowed: Bool?

    var objective: String { areAllowed.map { $0 ? "allowed" : "none" } ?? "" }
    var isKept: Bool? {
      guard let count, let areAllowed else { return nil }
      return areAllowed || count == 0
    }
  }

  static func evictions(_ facts: ReportFacts) -> Evictions {
    let known = facts.rises(.evicted, in: facts.peak.whole(facts.span))
    return Evictions(
      count: known.value?.values.reduce(0, +), remark: known.remark,
      areAllowed: limit(facts, .evictionsAllowed, isFloor: false).map { $0 > 0 })
  }

  private static func verdict(_ isKept: Bool?) -> String { isKept.map { $0 ? "kept" : "missed" } ?? "" }

  private static func row(_ figure: Figure, _ words: ReportWords) -> ReportPage.Row {
    let remark = figure.remark.isEmpty ? "" : " (\(figure.remark))"
    return .init(
      [
        figure.name, figure.worst.map { "\(figure.text($0.value))\(remark)" } ?? "not known: \(figure.remark)",
        figure.worst.map { words.time(seconds: $0.at) } ?? "",
        figure.objective.map { "\(figure.isFloor ? "at least" : "at most") \(figure.text($0))" } ?? "",
        verdict(figure.isKept),
      ], figure.isKept.map { $0 ? .good : .grave })
  }

  private static func results(
    _ facts: ReportFacts, _ figures: [Figure], _ evictions: Evictions
  ) -> [CheckResult] {
    let names = [
      "latencyP99Seconds": "objective-latency-p99", "hitRatio": "objective-hit-ratio",
      "memoryUsedRatio": "objective-memory-used", "lagSeconds": "objective-replication-lag",
    ]
    var results = figures.compactMap { figure -> CheckResult? in
      guard let check = names[figure.id], let objective = figure.objective else { return nil }
      guard let worst = figure.worst else {
        return CheckResult(report: check, facts.workload, unknown: "\(figure.name): \(figure.remark)")
      }
      let text = "\(figure.name): \(figure.text(worst.value)), the objective is \(figure.text(objective))"
      return CheckResult(report: check, facts.workload, figure.isKept == true ? nil : .warning, text)
    }
    if let isKept = evictions.isKept {
      let text = "\(ReportWords.count(evictions.count ?? 0, "key")) evicted, \(evictions.objective) by the objective"
      results.append(CheckResult(report: "objective-evictions", facts.workload, isKept ? nil : .warning, text))
    } else if evictions.areAllowed == false {
      results.append(CheckResult(report: "objective-evictions", facts.workload, unknown: evictions.remark))
    }
    return results
  }

  private static func write(
    _ facts: ReportFacts, _ figures: [Figure], _ evictions: Evictions, to json: inout JSONWriter
  ) {
    json.object { json in
      json.key("windows")
      json.array { json in
        for window in facts.peak.windows {
          json.object { json in
            json.field("from", stamp: window.from)
            json.field("to", stamp: window.to)
          }
        }
      }
      for figure in figures {
        json.key(figure.id)
        json.object { json in
          if let worst = figure.worst {
            json.field("worst", worst.value)
            json.field("at", stamp: WallTime(seconds: worst.at))
          }
          json.field("objective", known: figure.objective)
          if let isKept = figure.isKept { json.field("kept", isKept) }
          if !figure.remark.isEmpty { json.field(figure.worst == nil ? "unknown" : "remark", figure.remark) }
        }
      }
      json.key("evictedKeys")
      json.object { json in
        if let count = evictions.count { json.field("total", count) } else { json.field("unknown", evictions.remark) }
        if let areAllowed = evictions.areAllowed { json.field("allowed", areAllowed) }
      }
    }
  }
}
