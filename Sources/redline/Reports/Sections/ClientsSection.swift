import Runtime
import Web

/// Who was connected before and after: whether clients found the new master.
enum ClientsSection: ReportSection {
  static let id = "clients"
  static let title = "Clients before and after"

  private struct Node {
    let name: String
    let before: Double?
    let lowest: Double?
    let highest: Double?
    let after: Double?
    /// New connections a second.
    let rateBefore: Double?
    let rateAfter: Double?
  }

  static func part(of facts: ReportFacts, _ incident: ReportIncident) -> ReportPart? {
    let failovers = incident.failovers.filter { !$0.clients.isEmpty }
    let known = facts.known(.clients)
    let nodes = known.value.map { Self.nodes($0, facts, incident) } ?? []
    var blocks: [ReportPage.Block] = failovers.flatMap { event -> [ReportPage.Block] in
      let rows = event.clients.prefix(24).map { one in
        ReportPage.Row([one.node, one.before.map { "\($0)" } ?? "–", one.after.map { "\($0)" } ?? "–"])
      }
      let time = ReportWords(span: facts.span).time(event.at)
      return [
        .text("Around the failover of \(time), by the last poll before it and the first that is 8 s after it:"),
        .table(.init(["Clients of", "before", "after"], Array(rows))),
      ]
    }
    if known.value == nil {
      blocks.append(.unknown("Clients over time are", known.remark))
    } else if nodes.isEmpty {
      blocks.append(.text("No client count is kept of this span."))
    } else {
      func text(_ value: Double?) -> String { value.map(ReportWords.count) ?? "–" }
      func rate(_ value: Double?) -> String { value.map { TimeSeries.Unit.perSecond.words($0) } ?? "–" }
      let rows = nodes.prefix(24).map { node in
        ReportPage.Row([
          node.name, text(node.before), text(node.lowest), text(node.highest), text(node.after), rate(node.rateBefore),
          rate(node.rateAfter),
        ])
      }
      let when =
        incident.began == nil
        ? "at the beginning and the end of the span" : "before the trouble and at the end of the span"
      blocks += [
        .text("Connected clients \(when)\(known.remark.isEmpty ? "" : ", \(known.remark)"):"),
        .table(
          .init(["Server", "before", "lowest", "highest", "after", "new before", "new after"], Array(rows))),
      ]
      if nodes.count > rows.count { blocks.append(.text("\(nodes.count - rows.count) further servers are left out.")) }
    }
    return ReportPart(blocks: blocks) { json in
      json.object { json in
        json.key("failovers")
        json.array { json in for event in failovers { write(event, to: &json) } }
        guard known.value != nil else { return json.field("unknown", known.remark) }
        if !known.remark.isEmpty { json.field("remark", known.remark) }
        json.key("nodes")
        json.lines { json in
          for node in nodes {
            json.object { json in
              json.field("node", foreign: node.name)
              for (name, value) in [
                ("before", node.before), ("lowest", node.lowest), ("highest", node.highest), ("after", node.after),
                ("connectionsPerSecondBefore", node.rateBefore), ("connectionsPerSecondAfter", node.rateAfter),
              ] { json.field(name, known: value) }
            }
          }
        }
      }
    }
  }

  private static func nodes(
    _ all: [ReportSeries], _ facts: ReportFacts, _ incident: ReportIncident
  ) -> [Node] {
    let span = facts.span
    // The first sign is what a poll or a Sentinel saw: a poll earlier nobody had noticed.
    let begin = incident.began.map { max(span.from, $0 - 1) } ?? span.from
    let end = incident.ended.map { min(span.to, $0) } ?? span.to
    let connections = facts.known(.connections).value ?? []
    func rate(_ instance: String?, _ part: ReportSpan) -> Double? {
      let one = connections.first { $0.labels["instance"] == instance }?.counted(in: part)
      guard let one, let first = one.points.first, let last = one.points.last, last.at > first.at else { return nil }
      return one.rise(countsFirst: false) / (last.at - first.at)
    }
    return all.filter { !$0.points.isEmpty }.map { one in
      let instance = one.labels["instance"]
      let during = one.within(ReportSpan(from: begin, to: span.to))
      let last = one.points.last.flatMap { $0.at >= span.to.seconds - stale(span) ? $0.value : nil }
      return Node(
        name: instance ?? "",
        before: one.value(at: begin.seconds) ?? (incident.began == nil ? one.points.first?.value : nil),
        lowest: during.lowest?.value, highest: during.highest?.value, after: last,
        rateBefore: incident.began == nil ? nil : rate(instance, ReportSpan(from: span.from, to: begin)),
        rateAfter: end < span.to ? rate(instance, ReportSpan(from: end, to: span.to)) : nil)
    }.sorted { $0.name < $1.name }
  }

  /// A value that is older than this is none of the end.
  private static func stale(_ span: ReportSpan) -> Double { max(60, span.seconds / 100) }

  private static func write(_ event: ReportEvent, to json: inout JSONWriter) {
    json.object { json in
      json.field("time", stamp: event.at)
      json.key("nodes")
      json.array { json in
        for one in event.clients {
          json.object { json in
            json.field("node", foreign: one.node)
            if let before = one.before { json.field("before", before) }
            if let after = one.after { json.field("after", after) }
          }
        }
      }
    }
  }
}
