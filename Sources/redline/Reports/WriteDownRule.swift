import Runtime
import Web

/// What is known about an alert that fired, for the questions of its runbook.
struct WriteDownFacts {
  let facts: ReportFacts
  let incident: ReportIncident
  /// All of one name.
  let alerts: [ReportIncident.Alert]

  var words: ReportWords { ReportWords(span: facts.span) }
  var nodes: [String] { Set(alerts.map(\.node)).filter { !$0.isEmpty }.sorted() }
}

/// Which questions of runbooks Redline can answer, by their words; the first rule that fits counts. What fits none is for
/// people.
struct WriteDownRule: Sendable {
  /// Such as `who took over`.
  let name: String
  /// One of them is in the question, in lower case; one that ends with a stop is the whole question, one with `^` in front
  /// its beginning.
  let words: [String]
  /// Nil where it is not known.
  let answer: @Sendable (WriteDownFacts) -> String?

  static func rule(for question: String) -> WriteDownRule? {
    let text = question.lowercased()
    return all.first { rule in rule.words.contains { fits(text, $0) } }
  }

  fileprivate static func names(_ questions: [String]) -> [String] { questions.compactMap { rule(for: $0)?.name } }

  private static func fits(_ question: String, _ words: String) -> Bool {
    if words.hasSuffix(".") { return question == words.dropLast() }
    return words.hasPrefix("^") ? question.hasPrefix(words.dropFirst()) : question.contains(words)
  }

  static let all: [WriteDownRule] = [
    .init(name: "phases", words: ["+sdown"]) { phases($0) },
    .init(name: "new master", words: ["who took over", "who was promoted", "promoted by"]) { known in
      let changes = known.incident.failovers.compactMap(\.failover)
      return changes.isEmpty ? nil : changes.map { "\($0.to) after \($0.from) (\($0.kind))" }.joined(separator: "; ")
    },
    .init(name: "budget", words: ["budget"]) { known in
      guard let budgets = known.facts.budgets.value, budgets.contains(where: { $0.usedRatio != nil }) else {
        return nil
      }
      return budgets.compactMap { one in one.usedRatio.map { "\(one.objective): \(ReportWords.share($0)) in this span" }
      }
      .joined(separator: ", ")
    },
    .init(
      name: "clients' errors", words: ["what clients saw", "clients' errors", "writes refused", "waiting clients saw"]
    ) { clientErrors($0) },
    .init(name: "lost", words: ["keys were lost", "offset of the old"]) { known in
      let lost = known.incident.failovers.compactMap(\.failover?.lostWords)
      return lost.isEmpty ? nil : lost.joined(separator: "; ")
    },
    .init(name: "outage", words: ["minutes without a master"]) { known in
      known.incident.outageSeconds.map { ReportWords.seconds($0) }
    },
    .init(name: "died and came back", words: ["died and came back"]) { known in
      let own = known.incident.silences.filter { known.nodes.isEmpty || known.nodes.contains($0.node) }
      return own.isEmpty ? nil : own.map { "\($0.node) \(known.words.span($0.from, $0.to))" }.joined(separator: "; ")
    },
    .init(name: "latency", words: ["p99 before"]) { known in
      course(known, .latency, worst: \.highest) { ReportWords.seconds($0) }
    },
    .init(name: "hit ratio", words: ["ratio and database load"]) { known in
      course(known, .hitRatio, worst: \.lowest) { ReportWords.share($0) }
        .map { "\($0); the load of the database is for you to add" }
    },
    .init(name: "growth", words: ["growth per day"]) { known in
      guard let days = known.facts.peak.days[.memoryBytes]?.value, let trend = ReportTrend(days.points) else {
        return nil
      }
      return "\(TimeSeries.Unit.bytes.words(abs(trend.perDay))) a day \(trend.perDay < 0 ? "less" : "more")"
    },
    .init(name: "lag", words: ["largest lag"]) { known in
      known.facts.one(.lag)?.highest.map { "\(ReportWords.seconds($0.value)) at \(known.words.time(seconds: $0.at))" }
    },
    .init(name: "evicted", words: ["how many keys"]) { known in
      known.facts.rises(.evicted).value.map { "\(ReportWords.count($0.values.reduce(0, +), "key")) evicted" }
    },
    .init(name: "planned", words: ["failovers were the planned"]) { known in
      let kinds = known.incident.failovers.compactMap(\.failover?.kind)
      return kinds.isEmpty ? "no failover in this span" : kinds.map { "\($0) failover" }.joined(separator: ", ")
    },
    .init(
      name: "culprit",
      words: [
        "by whom", "who paused", "who held", "cause", "^why ", "the reason", "the command or", "what carried",
        "what grew",
        "from where",
      ]
    ) { culprit($0) },
    .init(name: "node", words: ["the node", "which shard"]) { known in
      known.nodes.isEmpty ? nil : known.nodes.joined(separator: ", ")
    },
    .init(
      name: "times",
      words: [
        "^how long the", "how long.", "for how long.", "no failover was possible", "^since when", "^from when",
        "the times", "^minutes",
        "at which hour",
        "when.",
      ]
    ) { known in
      known.alerts.isEmpty
        ? nil
        : known.alerts.prefix(4).map { alert in
          let place = alert.node.isEmpty ? "" : "\(alert.node) "
          let length = alert.fired.flatMap { fired in alert.ended.map { ", \(ReportWords.seconds($0 - fired))" } } ?? ""
          return "\(place)\(known.words.span(alert.fired, alert.ended))\(length)"
        }.joined(separator: "; ") + ", by this alert"
    },
  ]

  private static func phases(_ known: WriteDownFacts) -> String? {
    let told = known.incident.failovers.filter { !$0.phases.isEmpty }.map { event in
      let phases = event.phases.map { "\($0.name) \(known.words.time($0.at))" }.joined(separator: ", ")
      let outage = event.failover?.outageSeconds.map { "; no master answered for \(ReportWords.seconds($0))" } ?? ""
      return "\(phases)\(outage)"
    }
    return told.isEmpty ? nil : told.joined(separator: "; ")
  }

  private static func clientErrors(_ known: WriteDownFacts) -> String? {
    let facts = known.facts
    var parts: [String] = []
    if let failed = facts.rises(.probeFailures).value {
      parts.append("\(ReportWords.count(failed.values.reduce(0, +))) of Redline's own probes failed")
    }
    if let refused = ImpactSection.refused(facts).value {
      let listed = refused.sorted { $0.key < $1.key }.map { "\($0.key) \(ReportWords.count($0.value))" }
      parts.append(
        listed.isEmpty ? "no command was refused" : "servers refused commands: \(listed.joined(separator: ", "))")
    }
    if let rejected = facts.rises(.rejected).value {
      parts.append("\(ReportWords.count(rejected.values.reduce(0, +), "connection")) refused")
    }
    return parts.isEmpty ? nil : "\(parts.joined(separator: "; ")); what applications logged is for you to add"
  }

  /// Before the trouble, at its worst, at the end.
  private static func course(
    _ known: WriteDownFacts, _ measure: ReportMeasure, worst: (ReportSeries) -> ReportSeries.Point?,
    _ text: (Double) -> String
  ) -> String? {
    guard let series = known.facts.one(measure), let worst = worst(series) else { return nil }
    let before = known.incident.began.flatMap { series.value(at: $0.seconds - 1) }
    let after = series.points.last
    return "before \(before.map(text) ?? "not known"), worst \(text(worst.value)) at "
      + "\(known.words.time(seconds: worst.at)), at the end \(after.map { text($0.value) } ?? "not known")"
  }

  /// What the evidence of this alert says first.
  private static func culprit(_ known: WriteDownFacts) -> String? {
    let names = Set(known.alerts.map(\.name))
    let own = (known.facts.evidence.value ?? []).filter { names.contains($0.alert) }
    return own.lazy.compactMap(\.culprits.first).first.map { "likely: \($0.text) (\($0.restsOn))" }
  }
}

extension WriteDownText {
  /// Whether a question is for the rule of that name.
  func asks(_ name: String) -> Bool { WriteDownRule.names(questions).contains(name) }
}
