import Runtime
import Web

/// What was gathered when alerts fired: the sentences that name a culprit, each with what it rests on.
enum EvidenceSection: ReportSection {
  static let id = "evidence"
  static let title = "Evidence"

  static func part(of facts: ReportFacts, _ incident: ReportIncident) -> ReportPart? {
    guard let evidence = facts.evidence.value else {
      return ReportPart(blocks: [.unknown("Evidence is", facts.evidence.remark)]) { json in
        json.object { $0.field("unknown", facts.evidence.remark) }
      }
    }
    let words = ReportWords(span: facts.span)
    var blocks: [ReportPage.Block] = []
    if !facts.evidence.remark.isEmpty { blocks.append(.text("Evidence is \(facts.evidence.remark).")) }
    // What names a culprit comes first.
    let ranked = evidence.filter { !$0.culprits.isEmpty } + evidence.filter(\.culprits.isEmpty)
    let items = ranked.flatMap { one -> [ReportPage.Item] in
      let time = (one.fired ?? one.pending).map { ", \(words.time($0))" } ?? ""
      let place = one.node.isEmpty ? "" : " of \(one.node)"
      let from = "\(one.alert)\(place)\(time), /evidence/\(one.id)"
      guard !one.culprits.isEmpty else {
        return [.init("Nothing stands out in what was gathered", .note, note: from)]
      }
      return one.culprits.map { culprit in
        let rests = culprit.restsOn.isEmpty ? "" : "rests on \(culprit.restsOn); "
        return .init(culprit.text, .warning, note: "\(rests)\(from)")
      }
    }
    blocks.append(items.isEmpty ? .text("Nothing was gathered in this span.") : .list(items))
    return ReportPart(blocks: blocks) { json in
      json.object { json in
        if !facts.evidence.remark.isEmpty { json.field("remark", facts.evidence.remark) }
        json.key("evidence")
        json.lines { json in for one in evidence { write(one, to: &json) } }
      }
    }
  }

  private static func write(_ one: ReportEvidence, to json: inout JSONWriter) {
    json.object { json in
      json.field("id", foreign: one.id)
      json.field("alert", foreign: one.alert)
      if !one.node.isEmpty { json.field("node", foreign: one.node) }
      json.field("pending", stamp: one.pending)
      json.field("fired", stamp: one.fired)
      json.field("looks", one.lookCount)
      json.key("culprits")
      json.array { json in
        for culprit in one.culprits {
          json.object { json in
            json.field("text", foreign: culprit.text)
            json.field("restsOn", foreign: culprit.restsOn)
          }
        }
      }
    }
  }
}
