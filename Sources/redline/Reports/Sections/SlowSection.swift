import Runtime
import Web

/// The slow-log review: which commands were slow, how many calls, and what took the most time.
enum SlowSection: ReportSection {
  static let id = "slow"
  static let title = "Slow commands"

  static func part(of facts: ReportFacts, _ incident: ReportIncident) -> ReportPart? {
    guard facts.peak.isTold else { return nil }
    let span = facts.peak.whole(facts.span)
    let slow = facts.rises(.slowCalls, in: span)
    let entries = facts.rises(.slowLogEntries, in: span)
    let edge = facts.one(.slowEdge)?.lowest?.value
    let culprits = (facts.evidence.value ?? []).flatMap(\.culprits).filter {
      $0.restsOn.lowercased().contains("slow log")
    }
    let rows = [
      count("Calls slower than \(edge.map(ReportWords.seconds) ?? "the objective")", slow),
      count("Entries of slow logs", entries),
    ]
    var blocks: [ReportPage.Block] = [.table(.init(["What", "How many"], rows))]
    if facts.evidence.value == nil {
      blocks.append(.unknown("Slow logs of evidence are", facts.evidence.remark))
    } else if culprits.isEmpty {
      blocks.append(.text("No evidence of this span names a slow command."))
    } else {
      blocks.append(.list(culprits.map { .init($0.text, .warning, note: $0.restsOn) }))
    }
    if let commands = facts.peak.commands.value, !commands.isEmpty {
      let rows = commands.map { one in
        let mean = one.calls.flatMap { $0 > 0 ? ReportWords.seconds(one.seconds / $0) : nil }
        return ReportPage.Row([
          one.name, ReportWords.seconds(one.seconds), one.calls.map { ReportWords.count($0.rounded()) } ?? "–",
          mean ?? "–",
        ])
      }
      blocks += [
        .text("What took the most time of the servers:"), .table(.init(["Command", "Time", "Calls", "Mean"], rows)),
      ]
    } else {
      blocks.append(
        .unknown(
          "Time by command is", facts.peak.commands.value == nil ? facts.peak.commands.remark : "no server counts it"))
    }
    return ReportPart(blocks: blocks) { json in
      json.object { json in
        json.field("edgeSeconds", known: edge)
        ImpactSection.write("slowCalls", slow, to: &json)
        ImpactSection.write("slowLogEntries", entries, to: &json)
        json.key("culprits")
        json.array { json in for one in culprits { json.string(KnownSecrets.masked(one.text, sparesWords: true)) } }
        json.key("commands")
        json.array { json in
          for one in facts.peak.commands.value ?? [] {
            json.object { json in
              json.field("command", foreign: one.name)
              json.field("seconds", one.seconds)
              json.field("calls", known: one.calls)
            }
          }
        }
      }
    }
  }

  private static func count(_ name: String, _ known: Known<[String: Double]>) -> ReportPage.Row {
    guard let counts = known.value else { return .init([name, "not known: \(known.remark)"]) }
    let remark = known.remark.isEmpty ? "" : " (\(known.remark))"
    return .init([name, "\(ReportWords.count(counts.values.reduce(0, +)))\(remark)"])
  }
}
