import Runtime
import Web

/// What was marked and which settings changed, from a day before the span on.
enum ChangesSection: ReportSection {
  static let id = "changes"
  static let title = "What changed before and meanwhile"
  private static let rowLimit = 50

  static func part(of facts: ReportFacts, _ incident: ReportIncident) -> ReportPart? {
    guard let changes = facts.changes.value else {
      return ReportPart(blocks: [.unknown("Changes are", facts.changes.remark)]) { json in
        json.object { json in json.field("unknown", facts.changes.remark) }
      }
    }
    let words = ReportWords(span: ReportSpan(from: facts.span.from - 86_400, to: facts.span.to))
    let told = changes.prefix(rowLimit)
    let rows = told.map { change in
      ReportPage.Row([
        words.time(change.at), change.until.map(words.time) ?? "–", change.summary,
        change.mark.isEmpty ? "setting" : change.mark,
      ])
    }
    var blocks: [ReportPage.Block] = [
      rows.isEmpty
        ? .text("Nothing was marked, and no setting changed, since a day before.")
        : .table(.init(["Time", "Until", "What", "Kind"], rows))
    ]
    if changes.count > told.count { blocks.append(.text("\(changes.count - told.count) earlier ones are left out.")) }
    return ReportPart(blocks: blocks) { json in
      json.object { json in
        json.key("changes")
        json.lines { json in
          for change in told {
            json.object { json in
              json.field("time", stamp: change.at)
              json.field("until", stamp: change.until)
              json.field("kind", foreign: change.kind)
              if !change.mark.isEmpty { json.field("mark", foreign: change.mark) }
              if !change.node.isEmpty { json.field("node", foreign: change.node) }
              json.field("text", foreign: change.summary)
            }
          }
        }
        json.field("omitted", changes.count - told.count)
      }
    }
  }
}
