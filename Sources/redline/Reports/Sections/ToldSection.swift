import Runtime
import Web

/// Who was told what and when, and how long that took.
enum ToldSection: ReportSection {
  static let id = "told"
  static let title = "What was told when"
  private static let rowLimit = 100

  static func part(of facts: ReportFacts, _ incident: ReportIncident) -> ReportPart? {
    guard let all = facts.notices.value else {
      return ReportPart(blocks: [.unknown("What was told is", facts.notices.remark)]) { json in
        json.object { $0.field("unknown", facts.notices.remark) }
      }
    }
    let notices = all.sorted { ($0.at, $0.alert, $0.node) < ($1.at, $1.alert, $1.node) }
    let words = ReportWords(span: facts.span)
    var blocks: [ReportPage.Block] = []
    if !facts.notices.remark.isEmpty { blocks.append(.text("What was told is \(facts.notices.remark).")) }
    if notices.isEmpty {
      blocks.append(.text("Nobody was told anything about this workload in this span."))
    } else {
      if let sentence = first(notices, incident, words) { blocks.append(.text(sentence)) }
      let rows = notices.prefix(rowLimit).map { one in
        ReportPage.Row(
          [words.time(one.at), one.alert, one.state, one.severity, one.node, one.receiver, one.outcome],
          one.isAccepted ? nil : .grave)
      }
      blocks.append(
        .table(.init(["Time", "Alert", "State", "Severity", "Server", "Alertmanager", "Outcome"], Array(rows))))
      if notices.count > rows.count {
        blocks.append(.text("\(notices.count - rows.count) further notices are left out."))
      }
    }
    return ReportPart(blocks: blocks) { json in
      json.object { json in
        if !facts.notices.remark.isEmpty { json.field("remark", facts.notices.remark) }
        json.key("notices")
        json.lines { json in for one in notices { write(one, to: &json) } }
      }
    }
  }

  /// How long it took from the first sign until somebody could know.
  private static func first(_ notices: [ReportNotice], _ incident: ReportIncident, _ words: ReportWords) -> String? {
    guard let first = notices.first(where: { $0.state == "firing" && $0.isAccepted }) else {
      return "No Alertmanager accepted a notice of an alert that fired."
    }
    let after = incident.began.flatMap { began in
      first.at >= began ? ", \(ReportWords.seconds(first.at - began)) after the first sign" : nil
    }
    return "The first notice, of \(first.alert), was accepted at \(words.time(first.at))\(after ?? "")."
  }

  private static func write(_ one: ReportNotice, to json: inout JSONWriter) {
    json.object { json in
      json.field("time", stamp: one.at)
      json.field("alert", foreign: one.alert)
      json.field("state", foreign: one.state)
      json.field("severity", foreign: one.severity)
      if !one.node.isEmpty { json.field("node", foreign: one.node) }
      json.field("startsAt", stamp: one.startsAt)
      json.field("alertmanager", foreign: one.receiver)
      json.field("outcome", foreign: one.outcome)
    }
  }
}
