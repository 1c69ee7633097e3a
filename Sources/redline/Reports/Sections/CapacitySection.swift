import Runtime
import Web

/// How full it was at the peak, how it grows, and what next year needs: peak x growth / 0.8.
enum CapacitySection: ReportSection {
  static let id = "capacity"
  static let title = "Capacity and growth"
  /// No more than this should be in use at the next peak.
  static let fullShare = 0.8

  struct Need {
    let id: String
    let name: String
    let unit: TimeSeries.Unit
    let peak: Double?
    let limit: Double?
    /// Times as much in a year; nil where nobody knows.
    let growth: Double?
    /// How the growth is known, or why it is not.
    let reason: String

    /// Nil where the peak or the growth is not known.
    var nextYear: Double? {
      guard let peak, let growth else { return nil }
      return peak * growth / CapacitySection.fullShare
    }
  }

  static func part(of facts: ReportFacts, _ incident: ReportIncident) -> ReportPart? {
    guard facts.peak.isTold else { return nil }
    let needs = needs(facts)
    let rows = needs.map { need in
      func text(_ value: Double?) -> String { value.map(need.unit.words) ?? "not known" }
      return ReportPage.Row([
        need.name, text(need.peak), need.limit.map(need.unit.words) ?? "no limit is known",
        need.growth.map { "x \(ReportWords.count(($0 * 100).rounded() / 100))" } ?? "not known", text(need.nextYear),
      ])
    }
    var reasons: [String] = []
    for need in needs where !reasons.contains(need.reason) { reasons.append(need.reason) }
    return ReportPart(blocks: [
      .table(.init(["What", "Peak", "Limit today", "Growth in a year", "Next year's need"], rows)),
      .text("Next year's need is peak x growth / 0.8, so that no more than 80 % is in use then."),
      .list(reasons.map { .init($0) }),
    ]) { json in
      json.object { json in
        for need in needs {
          json.key(need.id)
          json.object { json in
            json.field("peak", known: need.peak)
            json.field("limit", known: need.limit)
            json.field("growth", known: need.growth)
            json.field("nextYear", known: need.nextYear)
            json.field("reason", need.reason)
          }
        }
      }
    }
  }

  static func needs(_ facts: ReportFacts) -> [Need] {
    func need(_ id: String, _ name: String, _ unit: TimeSeries.Unit, _ measure: ReportMeasure, limit: Double?) -> Need {
      let peak = facts.one(measure).flatMap { series in
        facts.peak.windows.isEmpty
          ? series.highest?.value : facts.peak.windows.compactMap { series.within($0).highest?.value }.max()
      }
      let (growth, reason) = growth(facts, measure, name, peak)
      return Need(id: id, name: name, unit: unit, peak: peak, limit: limit, growth: growth, reason: reason)
    }
    // 0 is no limit.
    let memory = facts.one(.memoryLimit)?.points.last.flatMap { $0.value > 0 ? $0.value : nil }
    return [
      need("memoryBytes", "Memory of the masters", .bytes, .memoryBytes, limit: memory),
      need("operationsPerSecond", "Operations", .perSecond, .operations, limit: nil),
      need(
        "clients", "Clients of all members", .count, .clientTotal, limit: facts.one(.clientLimit)?.points.last?.value),
    ]
  }

  private static func growth(
    _ facts: ReportFacts, _ measure: ReportMeasure, _ name: String, _ peak: Double?
  ) -> (Double?, String) {
    if let given = facts.peak.growth { return (given, "Growth is what --growth says.") }
    if let before = facts.peak.yearBefore[measure]?.value, before > 0, let peak {
      return (peak / before, "\(name): growth is against the same span 52 weeks before.")
    }
    if let days = facts.peak.days[measure]?.value, let trend = ReportTrend(days.points), let factor = trend.yearFactor {
      return (
        factor,
        "\(name): growth is a straight line through the highest values of \(trend.dayCount) days; a season is not in it."
      )
    }
    let count = facts.peak.days[measure]?.value?.points.count ?? 0
    let kept =
      count > 0
      ? "only \(count) \(count == 1 ? "day is" : "days are") kept" : facts.peak.days[measure]?.remark ?? "not asked"
    return (
      nil,
      "Growth is not known: \(kept), a year or at least \(ReportTrend.leastDays) days are needed. "
        + "Give a Prometheus by --prometheus, or say it by --growth."
    )
  }
}
