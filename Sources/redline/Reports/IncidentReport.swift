import Config
import Fleet
import Runtime
import Web

/// The report of a span: what was answered goes in, Markdown, HTML and JSON come out. Pure.
struct IncidentReport {
  let facts: ReportFacts
  let incident: ReportIncident
  private let parts: [(section: any ReportSection.Type, part: ReportPart)]

  init(_ facts: ReportFacts) {
    let incident = ReportIncident(facts.events.value ?? [])
    (self.facts, self.incident) = (facts, incident)
    parts = ReportSectionCatalogue.all.compactMap { section in
      section.part(of: facts, incident).map { (section, $0) }
    }
  }

  var results: [CheckResult] { parts.flatMap(\.part.results) }

  var page: ReportPage {
    ReportPage(
      "\(facts.workload), \(ReportWords.shortStamp(facts.span.from)) to \(ReportWords.shortStamp(facts.span.to))",
      lead: lead, sections: parts.map { ReportPage.Section($0.section.title, $0.part.blocks) },
      foot: "Made by redline \(BuildInfo.version) at \(ReportWords.shortStamp(facts.made)) from "
        + "\(facts.sources.joined(separator: " and ")). Times are UTC.")
  }

  /// `{"report": …, "results": […]}`
  var json: String {
    var json = JSONWriter(escaping: .invisible)
    json.object { json in
      json.key("report")
      json.object { json in
        json.field("workload", foreign: facts.workload)
        json.field("from", stamp: facts.span.from)
        json.field("to", stamp: facts.span.to)
        json.field("made", stamp: facts.made)
        json.field("summary", foreign: lead)
        json.key("sources")
        json.strings(facts.sources)
        for (section, part) in parts {
          json.key(section.id)
          part.json(&json)
        }
      }
      json.key("results")
      json.lines { json in for result in results { result.write(to: &json) } }
    }
    json.verbatim("\n")
    return json.text
  }

  /// What somebody reads who reads nothing else.
  private var lead: String {
    let words = ReportWords(span: facts.span)
    guard facts.events.value != nil else {
      return "What happened to \(facts.workload) is not known: \(facts.events.remark)."
    }
    var sentences: [String] = []
    if let began = incident.began {
      let end = incident.ended.map { "was over at \(words.time($0)), after \(ReportWords.seconds($0 - began))" }
      sentences.append("Trouble began at \(words.time(began)) and \(end ?? "lasts at the end of this span")")
    } else {
      sentences.append("No trouble is known of this span")
    }
    if !facts.events.remark.isEmpty { sentences.append("Events are \(facts.events.remark)") }
    for event in incident.failovers.prefix(3) {
      guard let failover = event.failover else { continue }
      let outage = failover.outageSeconds.map { seconds in
        seconds == 0 ? "the old master served until then" : "no master answered for \(ReportWords.seconds(seconds))"
      }
      sentences.append(
        "\(failover.kind.prefix(1).uppercased())\(failover.kind.dropFirst()) failover from \(failover.from) to \(failover.to): "
          + "\(outage ?? "how long no master answered is not known"), \(failover.lostWords)")
    }
    if incident.failovers.count > 3 { sentences.append("\(incident.failovers.count - 3) more failovers followed") }
    let failed = facts.rises(.probeFailures).value.map { $0.values.reduce(0, +) }
    if let failed, incident.began != nil || failed > 0 {
      sentences.append("\(ReportWords.count(failed, "probe")) failed")
    }
    let names = Set(incident.alerts.filter { $0.fired != nil }.map(\.name)).sorted()
    if !names.isEmpty {
      let more = names.count > 6 ? " and \(names.count - 6) more" : ""
      sentences.append("These alerts fired: \(names.prefix(6).joined(separator: ", "))\(more)")
    }
    if facts.peak.isTold {
      let missed = results.filter { $0.answer == .finding }.map(\.text)
      sentences.append(
        missed.isEmpty ? "No objective is known to have been missed" : "Missed: \(missed.joined(separator: "; "))")
    }
    if !facts.degraded.isEmpty, incident.silences.count > 0 || incident.outageSeconds ?? 0 > 0 {
      sentences.append("While Redis is lost: \(facts.degraded)")
    }
    return sentences.map { $0.hasSuffix(".") ? $0 : "\($0)." }.joined(separator: " ")
  }
}
