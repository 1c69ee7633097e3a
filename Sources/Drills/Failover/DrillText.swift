import Fleet
import Runtime

/// A drill as it is printed.
public struct DrillText: Sendable {
  private let outcome: DrillOutcome

  public init(_ outcome: DrillOutcome) { self.outcome = outcome }

  private var title: String { "Drill of \(outcome.workload): \(outcome.settings.fault.rawValue)" }

  /// What is measured, in the order of what happens.
  private var figures: [(name: String, value: String)] {
    func time(_ seconds: Double?) -> String { seconds.map { DrillOutcome.words($0) } ?? "not seen" }
    var figures = [
      ("found down", time(outcome.times.detect)), ("found down by a quorum", time(outcome.times.quorum)),
      ("another master", time(outcome.times.switched)), ("first write it acknowledged", time(outcome.times.firstAck)),
      ("longest time without one", time(outcome.times.outage)), ("acknowledged writes", "\(outcome.writes.ackCount)"),
      ("of them lost", outcome.writes.isReadBack ? "\(outcome.lostCount)" : "not known"),
      ("errors of canaries", "\(outcome.errors.total)"),
    ]
    if let path = outcome.writes.ledgerPath { figures.append(("ledger", path)) }
    return figures
  }

  private func level(_ result: CheckResult) -> String { result.severity?.name ?? result.answer.rawValue }
  private func text(_ result: CheckResult) -> String { result.reason ?? result.text }

  public var plain: String {
    var lines = ["\(title), run \(outcome.run)"]
    lines += figures.map { "  \(Self.padded($0.name, 28))\($0.value)" }
    lines += outcome.results.map { "  \(Self.padded(level($0), 9))\(text($0)) [\($0.check)]" }
    lines += outcome.notes.map { "  - \($0)" }
    if !outcome.timeline.isEmpty { lines.append("  seconds since the fault:") }
    lines += outcome.timeline.map { "  \(Self.padded(DrillOutcome.signed($0.seconds), 9))\($0.text)" }
    return masked(lines)
  }

  public var markdown: String {
    func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
    var lines = ["# \(title)", "", "Run \(outcome.run).", "", "| figure | value |", "|---|---|"]
    lines += figures.map { "| \($0.name) | \(cell($0.value)) |" }
    lines += ["", "| verdict | check | what |", "|---|---|---|"]
    lines += outcome.results.map { "| \(level($0)) | \($0.check) | \(cell(text($0))) |" }
    lines += [""] + outcome.notes.map { "- \($0)" }
    lines += ["", "| seconds since the fault | what |", "|---|---|"]
    lines += outcome.timeline.map { "| \(DrillOutcome.signed($0.seconds)) | \(cell($0.text)) |" }
    return masked(lines)
  }

  private func masked(_ lines: [String]) -> String {
    KnownSecrets.masked(lines.joined(separator: "\n") + "\n", sparesWords: true)
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  /// One object: `results` as every command has them, `numbers` as the daemon keeps them, and the rest.
  public var json: String {
    var json = JSONWriter()
    func shown(_ text: String) -> String { KnownSecrets.masked(text, sparesWords: true) }
    json.object { json in
      json.key("results")
      json.lines { json in for result in outcome.results { result.write(to: &json) } }
      json.field("run", outcome.run)
      json.field("fault", outcome.settings.fault.rawValue)
      if let at = outcome.faultWall { json.field("faultAt", at.seconds) }
      json.key("numbers")
      json.object { json in
        for (name, value) in outcome.numbers.sorted(by: { $0.key < $1.key }) { json.field(name, value) }
      }
      json.key("lost")
      json.lines { json in
        for loss in outcome.writes.losses {
          json.object { json in
            json.field("master", loss.master.address)
            json.field("runID", loss.master.runID)
            json.field("writes", loss.count)
            json.field("firstSeconds", loss.firstSeconds)
            json.field("lastSeconds", loss.lastSeconds)
          }
        }
      }
      json.key("errors")
      json.lines { json in
        for (key, count) in outcome.errors.counts.sorted(by: { ($0.key.kind, $0.key.node) < ($1.key.kind, $1.key.node) }
        ) {
          json.object { json in
            json.field("kind", key.kind)
            json.field("node", key.node)
            json.field("count", count)
          }
        }
      }
      json.key("readOnly")
      json.object { json in
        for (node, count) in outcome.readOnly.sorted(by: { $0.key < $1.key }) { json.field(node, count) }
      }
      if let path = outcome.writes.ledgerPath { json.field("ledger", path) }
      json.key("notes")
      json.lines { json in for note in outcome.notes { json.string(shown(note)) } }
      json.key("timeline")
      json.lines { json in
        for moment in outcome.timeline {
          json.object { json in
            json.field("seconds", moment.seconds)
            json.field("text", shown(moment.text))
          }
        }
      }
    }
    json.verbatim("\n")
    return json.text
  }
}
