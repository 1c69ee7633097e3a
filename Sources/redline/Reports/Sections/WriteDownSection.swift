import Runtime
import Web

/// What the runbooks of the alerts that fired ask to be written down: answered as far as is known, the rest left blank.
enum WriteDownSection: ReportSection {
  static let id = "writeDown"
  static let title = "Write down"

  private struct Entry {
    let alert: String
    let when: String
    let text: Known<WriteDownText>
    let questions: [ReportPage.Question]
  }

  static func part(of facts: ReportFacts, _ incident: ReportIncident) -> ReportPart? {
    guard facts.events.value != nil else { return nil }
    let entries = entries(facts, incident)
    var blocks: [ReportPage.Block] = []
    if entries.isEmpty { blocks.append(.text("No alert fired in this span.")) }
    for entry in entries {
      blocks.append(.text("\(entry.alert), \(entry.when)"))
      guard let text = entry.text.value else {
        blocks.append(.unknown("What its runbook asks is", entry.text.remark))
        continue
      }
      if entry.questions.isEmpty {
        blocks.append(.text("Its runbook asks for nothing."))
      } else {
        blocks.append(.questions(entry.questions))
      }
      blocks += text.advice.filter { !$0.hasPrefix("Nothing") }.map { .text("\($0).") }
    }
    return ReportPart(blocks: blocks) { json in
      json.lines { json in for entry in entries { write(entry, to: &json) } }
    }
  }

  private static func entries(_ facts: ReportFacts, _ incident: ReportIncident) -> [Entry] {
    let words = ReportWords(span: facts.span)
    return facts.runbooks.keys.sorted().map { name in
      let alerts = incident.alerts(named: name)
      let known = WriteDownFacts(facts: facts, incident: incident, alerts: alerts)
      let first = alerts.compactMap(\.fired).min()
      let last = alerts.contains { $0.ended == nil } ? nil : alerts.compactMap(\.ended).max()
      let text = (facts.runbooks[name] ?? .unknown("not asked")).map { WriteDownText(runbook: $0) }
      return Entry(
        alert: name, when: words.span(first, last), text: text,
        questions: (text.value?.questions ?? []).map { question in
          let rule = WriteDownRule.rule(for: question)
          let answer = rule?.answer(known)
          let hint = answer == nil && rule != nil ? "Redline does not know it of this span" : ""
          return ReportPage.Question(question, answer: answer, hint: hint)
        })
    }.sorted { (incident.firing($0.alert), $0.alert) < (incident.firing($1.alert), $1.alert) }
  }

  private static func write(_ entry: Entry, to json: inout JSONWriter) {
    json.object { json in
      json.field("alert", foreign: entry.alert)
      json.field("when", foreign: entry.when)
      if entry.text.value == nil { json.field("unknown", entry.text.remark) }
      json.key("questions")
      json.array { json in
        for question in entry.questions {
          json.object { json in
            json.field("question", foreign: question.text)
            json.key("answer")
            if let answer = question.answer {
              json.string(KnownSecrets.masked(answer, sparesWords: true))
            } else {
              json.null()
            }
          }
        }
      }
    }
  }
}

extension ReportIncident {
  /// When an alert of that name first fired, for an order.
  fileprivate func firing(_ name: String) -> Double {
    alerts(named: name).compactMap { $0.fired?.seconds }.min() ?? 0
  }
}
