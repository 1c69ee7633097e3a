import Fleet
import Runtime
import Web

/// The peak beside a good outcome: p99 1.8 ms, hit ratio 94 %, no evictions, no failover.
enum OutcomeSection: ReportSection {
  static let id = "outcome"
  static let title = "Beside a good outcome"

  static let goodLatencySeconds = 0.0018
  static let goodHitRatio = 0.94

  private struct Line {
    let id: String
    let name: String
    let value: Double?
    let text: String
    let good: String
    let isGood: Bool?
  }

  static func part(of facts: ReportFacts, _ incident: ReportIncident) -> ReportPart? {
    guard facts.peak.isTold else { return nil }
    let lines = lines(facts, incident)
    let rows = lines.map { line in
      let verdict = line.isGood.map { $0 ? "as good" : "not as good" } ?? "not known"
      return ReportPage.Row(
        [line.name, line.text, line.good, verdict], line.isGood.map { $0 ? .good : .warning } ?? .note)
    }
    return ReportPart(
      blocks: [.table(.init(["What", "This peak", "A good outcome", "Verdict"], rows))],
      json: { json in
        json.object { json in
          for line in lines {
            json.key(line.id)
            json.object { json in
              if let value = line.value { json.field("value", value) } else { json.field("unknown", line.text) }
              json.field("good", line.good)
              if let isGood = line.isGood { json.field("asGood", isGood) }
            }
          }
        }
      })
  }

  private static func lines(_ facts: ReportFacts, _ incident: ReportIncident) -> [Line] {
    let span = facts.peak.whole(facts.span)
    func sum(_ measure: ReportMeasure) -> Known<Double> {
      facts.rises(measure, in: span).map { $0.values.reduce(0, +) }
    }
    let latency = facts.peak.latency
    let (hits, misses) = (sum(.hits), sum(.misses))
    let lookups = (hits.value ?? 0) + (misses.value ?? 0)
    let ratio = hits.value.flatMap { lookups > 0 ? $0 / lookups : nil }
    let evicted = sum(.evicted)
    let failovers: Double? =
      facts.events.value == nil
      ? nil
      : Double(incident.failovers.count { $0.at >= span.from && $0.at <= span.to })
    return [
      Line(
        id: "latencyP99Seconds", name: "Probe, 99th percentile of the whole peak", value: latency.value,
        text: latency.value.map(ReportWords.seconds) ?? "not known: \(latency.remark)",
        good: ReportWords.seconds(goodLatencySeconds), isGood: latency.value.map { $0 <= goodLatencySeconds }),
      Line(
        id: "hitRatio", name: "Hit ratio of the whole peak", value: ratio,
        text: ratio.map(ReportWords.share) ?? "not known: \(hits.value == nil ? hits.remark : "nothing was looked up")",
        good: ReportWords.share(goodHitRatio), isGood: ratio.map { $0 >= goodHitRatio }),
      Line(
        id: "evictedKeys", name: "Keys evicted", value: evicted.value,
        text: evicted.value.map(ReportWords.count) ?? "not known: \(evicted.remark)", good: "none",
        isGood: evicted.value.map { $0 == 0 }),
      Line(
        id: "failovers", name: "Failovers", value: failovers,
        text: failovers.map(ReportWords.count) ?? "not known: \(facts.events.remark)", good: "none",
        isGood: failovers.map { $0 == 0 }),
    ]
  }
}
