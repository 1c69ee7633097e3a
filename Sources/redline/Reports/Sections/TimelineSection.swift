import Runtime
import Web

/// What happened, in the order of time, with the phases of failovers.
enum TimelineSection: ReportSection {
  static let id = "timeline"
  static let title = "Timeline"
  private static let rowLimit = 200

  private struct Entry {
    let at: WallTime
    let kind: String
    let node: String
    let text: String
    let level: TopologyPage.Level?
  }

  static func part(of facts: ReportFacts, _ incident: ReportIncident) -> ReportPart? {
    guard let events = facts.events.value else {
      return ReportPart(blocks: [.unknown("Events are", facts.events.remark)]) { json in
        json.object { json in json.field("unknown", facts.events.remark) }
      }
    }
    let entries = entries(events)
    let words = ReportWords(span: facts.span)
    let told = chosen(entries)
    let rows = told.map { entry in
      ReportPage.Row([words.time(entry.at), entry.text, entry.kind.replacing("_", with: " ")], entry.level)
    }
    var blocks: [ReportPage.Block] = []
    if !facts.events.remark.isEmpty { blocks.append(.text("Events are \(facts.events.remark).")) }
    if entries.isEmpty {
      blocks.append(.text("No event is kept of this span."))
    } else {
      blocks += [.timeline(drawing(facts, incident, entries)), .table(.init(["Time", "What", "Kind"], rows))]
    }
    if told.count < entries.count {
      blocks.append(.text("\(entries.count - told.count) further entries are left out."))
    }
    return ReportPart(blocks: blocks) { json in
      json.object { json in
        if !facts.events.remark.isEmpty { json.field("remark", facts.events.remark) }
        json.field("began", stamp: incident.began)
        json.field("ended", stamp: incident.ended)
        json.key("entries")
        json.lines { json in
          for entry in told {
            json.object { json in
              json.field("time", stamp: entry.at)
              json.field("kind", foreign: entry.kind)
              if !entry.node.isEmpty { json.field("node", foreign: entry.node) }
              json.field("text", foreign: entry.text)
            }
          }
        }
        json.field("omitted", entries.count - told.count)
        json.key("failovers")
        json.lines { json in for event in incident.failovers { write(event, to: &json) } }
      }
    }
  }

  private static func entries(_ events: [ReportEvent]) -> [Entry] {
    let all = events.flatMap { event -> [Entry] in
      let level: TopologyPage.Level? =
        switch event.gravity {
        case .grave: .grave
        case .warning: .warning
        case .over: .good
        case nil: nil
        }
      let phases = event.phases.map { phase in
        Entry(at: phase.at, kind: "phase", node: "", text: "failover: \(phase.name)", level: nil)
      }
      // A summary would say of what is over that it is.
      let isOver = event.kind == "alert_resolved" && !event.alert.isEmpty
      let text = isOver ? "\(event.alert)\(event.node.isEmpty ? "" : " of \(event.node)") is over" : event.summary
      return phases + [Entry(at: event.at, kind: event.kind, node: event.node, text: text, level: level)]
    }
    return all.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
  }

  /// Of too many, those that begin or end trouble first.
  private static func chosen(_ entries: [Entry]) -> [Entry] {
    guard entries.count > rowLimit else { return entries }
    let ranked = entries.enumerated().sorted { one, other in
      let (left, right) = (one.element.level?.rawValue ?? -1, other.element.level?.rawValue ?? -1)
      return (right, one.offset) < (left, other.offset)
    }
    return ranked.prefix(rowLimit).sorted { $0.offset < $1.offset }.map(\.element)
  }

  private static func drawing(
    _ facts: ReportFacts, _ incident: ReportIncident, _ entries: [Entry]
  ) -> ReportPage.Timeline {
    var timeline = axis(facts, incident)
    func bar(_ from: WallTime?, _ to: WallTime?) -> (from: Double, to: Double) {
      (timeline.share(from?.seconds ?? 0), timeline.share(to?.seconds ?? .infinity))
    }
    func lanes<One>(
      _ all: [One], _ title: (One) -> String, _ level: (One) -> TopologyPage.Level, _ bar: (One) -> (Double, Double)
    ) -> [Lane] {
      var titles: [String] = []
      for one in all where !titles.contains(title(one)) { titles.append(title(one)) }
      return titles.prefix(12).map { name in
        let own = all.filter { title($0) == name }
        return Lane(name, own.map(level).max() ?? .note, bars: own.map(bar).sorted { $0.0 < $1.0 })
      }
    }
    let marks = (facts.events.value ?? []).filter { $0.until != nil }
    let failovers = incident.failovers.filter { $0.phases.count > 1 }
    timeline.lanes =
      lanes(incident.silences, { "\($0.node) did not answer" }, { _ in .grave }, { bar($0.from, $0.to) })
      + lanes(failovers, { _ in "Failover" }, { _ in .warning }, { bar($0.phases.first?.at, $0.phases.last?.at) })
      + lanes(
        incident.alerts, { $0.name },
        { $0.severity == "critical" ? .grave : $0.severity == "warning" ? .warning : .note },
        { bar($0.fired, $0.ended) })
      + lanes(marks, { "Marked: \($0.mark)" }, { _ in .note }, { bar($0.at, $0.until) })
      + (facts.peak.windows.isEmpty
        ? [] : [Lane("Peak", .note, bars: facts.peak.windows.map { bar($0.from, $0.to) })])
    timeline.marks = entries.compactMap { entry in
      (entry.level ?? (entry.kind == "mark" ? .note : nil)).map { (entry.at.seconds, $0) }
    }
    return timeline
  }

  /// Trouble of minutes within a span of hours is drawn on an axis of its own.
  static func axis(_ facts: ReportFacts, _ incident: ReportIncident) -> ReportPage.Timeline {
    let (from, to) = (facts.span.from.seconds, facts.span.to.seconds)
    guard facts.peak.windows.isEmpty, let began = incident.began?.seconds, let ended = incident.ended?.seconds,
      (ended - began) * 8 < to - from
    else { return ReportPage.Timeline(from: from, to: to) }
    let margin = max(30, (ended - began) / 4)
    return ReportPage.Timeline(from: max(from, began - margin), to: min(to, ended + margin))
  }

  private static func write(_ event: ReportEvent, to json: inout JSONWriter) {
    guard let failover = event.failover else { return }
    json.object { json in
      json.field("time", stamp: event.at)
      json.field("kind", foreign: failover.kind)
      json.field("from", foreign: failover.from)
      json.field("to", foreign: failover.to)
      json.field("outageSeconds", known: failover.outageSeconds)
      for (name, loss) in [("lostBytes", failover.lostBytes), ("lostWrites", failover.lostWrites)] {
        guard let loss else { continue }
        json.key(name)
        json.object { json in
          json.field("least", loss.least)
          if let most = loss.most { json.field("most", most) }
        }
      }
      json.key("phases")
      json.array { json in
        for phase in event.phases {
          json.object { json in
            json.field("name", foreign: phase.name)
            json.field("time", stamp: phase.at)
          }
        }
      }
    }
  }
}
