import Fleet
import Runtime
import Web

/// What it cost: outage, failed probes, refused and lost writes, and how much of the error budgets was used.
enum ImpactSection: ReportSection {
  static let id = "impact"
  static let title = "Impact"

  static func part(of facts: ReportFacts, _ incident: ReportIncident) -> ReportPart? {
    let words = ReportWords(span: facts.span)
    let rows =
      outages(facts, incident)
      + incident.silences.map { silence in
        let length = silence.seconds.map { "\(ReportWords.seconds($0)), " } ?? ""
        return ReportPage.Row(["\(silence.node) did not answer", "\(length)\(words.span(silence.from, silence.to))"])
      } + probes(facts) + refusals(facts) + losses(facts, incident) + budgets(facts)
    return ReportPart(
      blocks: [.table(.init(["What", "How much"], rows))], json: { write(facts, incident, to: &$0) },
      results: results(facts))
  }

  private static func outages(_ facts: ReportFacts, _ incident: ReportIncident) -> [ReportPage.Row] {
    guard facts.events.value != nil else {
      return [.init(["No master answered", "not known: \(facts.events.remark)"])]
    }
    return incident.failovers.map { event in
      let name = "No master answered, failover to \(event.failover?.to ?? "?")"
      guard let seconds = event.failover?.outageSeconds else { return .init([name, "not known"]) }
      return .init([name, seconds == 0 ? "0 s: the old master served until then" : ReportWords.seconds(seconds)])
    }
  }

  private static func probes(_ facts: ReportFacts) -> [ReportPage.Row] {
    let failed = facts.rises(.probeFailures)
    guard let counts = failed.value else { return [.init(["Failed probes", "not known: \(failed.remark)"])] }
    let all = facts.rises(.probes).value?.values.reduce(0, +)
    let total = counts.values.reduce(0, +)
    let nodes = listed(counts)
    let remark = failed.remark.isEmpty ? "" : " (\(failed.remark))"
    let ofAll = all.map { " of \(ReportWords.count($0))" } ?? ""
    var rows = [
      ReportPage.Row(["Failed probes", "\(ReportWords.count(total))\(ofAll)\(nodes)\(remark)"])
    ]
    if let notSent = facts.rises(.probesNotSent).value, notSent.values.contains(where: { $0 > 0 }) {
      rows.append(
        .init([
          "Probes not sent, to servers that were down",
          "\(ReportWords.count(notSent.values.reduce(0, +)))\(listed(notSent))",
        ]))
    }
    return rows
  }

  private static func listed(_ counts: [String: Double]) -> String {
    let some = counts.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    guard !some.isEmpty else { return "" }
    let more = some.count > 6 ? " and \(some.count - 6) more" : ""
    return ": " + some.prefix(6).map { "\($0.key) \(ReportWords.count($0.value))" }.joined(separator: ", ") + more
  }

  /// By the reason that the server gave; only those that refuse commands.
  static func refused(_ facts: ReportFacts) -> Known<[String: Double]> {
    if facts.known(.refusals).value?.isEmpty ?? false {
      return .unknown("no server counts errors by kind, as Redis does from 6.2 on, or none had an error")
    }
    let errors = facts.rises(.refusals, by: "err")
    guard let all = errors.value else { return .unknown(errors.remark) }
    return Known(all.filter { ReportMeasure.refusalKinds.contains($0.key) && $0.value > 0 }, remark: errors.remark)
  }

  private static func refusals(_ facts: ReportFacts) -> [ReportPage.Row] {
    func row(_ name: String, _ known: Known<[String: Double]>) -> ReportPage.Row {
      guard let counts = known.value else { return .init([name, "not known: \(known.remark)"]) }
      let total = counts.values.reduce(0, +)
      let remark = known.remark.isEmpty ? "" : " (\(known.remark))"
      return .init([name, "\(ReportWords.count(total))\(listed(counts))\(remark)"])
    }
    return [
      row("Commands refused by servers", refused(facts)),
      row("Connections refused", facts.rises(.rejected)),
      row("Keys evicted", facts.rises(.evicted)),
    ]
  }

  private static func losses(_ facts: ReportFacts, _ incident: ReportIncident) -> [ReportPage.Row] {
    incident.failovers.compactMap { event in
      event.failover.map { .init(["Writes lost, failover to \($0.to)", $0.lostWords]) }
    }
  }

  private static func budgets(_ facts: ReportFacts) -> [ReportPage.Row] {
    guard let budgets = facts.budgets.value else {
      return [.init(["Error budget used", "not known: \(facts.budgets.remark)"])]
    }
    guard !budgets.isEmpty else { return [.init(["Error budget used", "no objective has a budget"])] }
    return budgets.map { budget in
      let name = "Error budget used, \(budget.objective)"
      guard budget.knownSeconds > 0 else { return .init([name, "not known: nothing was measured in this span"]) }
      let used = budget.usedRatio.map { "\(ReportWords.share($0)) of it, " } ?? ""
      return .init([
        name,
        "\(used)\(ReportWords.seconds(budget.badSeconds)) bad of \(ReportWords.seconds(budget.knownSeconds)) known; "
          + "the objective is \(ReportWords.share(budget.target))",
      ])
    }
  }

  /// Whether what a span used is more than its own share of the budget, or all of it.
  private static func results(_ facts: ReportFacts) -> [CheckResult] {
    (facts.budgets.value ?? []).map { budget in
      let check = "objective-\(budget.objective)"
      guard budget.knownSeconds > 0 else {
        return CheckResult(report: check, facts.workload, unknown: "nothing was measured in this span")
      }
      let good = 1 - budget.badSeconds / budget.knownSeconds
      let text =
        "\(budget.objective) was \(ReportWords.share(good)) in this span, the objective is \(ReportWords.share(budget.target))"
      if let used = budget.usedRatio, used >= 1 {
        return CheckResult(report: check, facts.workload, .critical, "the whole error budget is used: \(text)")
      }
      return CheckResult(report: check, facts.workload, good < budget.target ? .warning : nil, text)
    }
  }

  private static func write(_ facts: ReportFacts, _ incident: ReportIncident, to json: inout JSONWriter) {
    json.object { json in
      json.field("outageSeconds", known: incident.outageSeconds)
      json.key("silences")
      json.array { json in
        for silence in incident.silences {
          json.object { json in
            json.field("node", foreign: silence.node)
            json.field("from", stamp: silence.from)
            json.field("to", stamp: silence.to)
            json.field("seconds", known: silence.seconds)
          }
        }
      }
      write("failedProbes", facts.rises(.probeFailures), to: &json)
      write("probes", facts.rises(.probes), to: &json)
      write("probesNotSent", facts.rises(.probesNotSent), to: &json)
      write("refusedCommands", refused(facts), to: &json)
      write("refusedConnections", facts.rises(.rejected), to: &json)
      write("evictedKeys", facts.rises(.evicted), to: &json)
      json.key("budgets")
      guard let budgets = facts.budgets.value else {
        return json.object { $0.field("unknown", facts.budgets.remark) }
      }
      json.array { json in
        for budget in budgets {
          json.object { json in
            json.field("objective", foreign: budget.objective)
            json.field("target", budget.target)
            json.field("knownSeconds", budget.knownSeconds)
            json.field("badSeconds", budget.badSeconds)
            json.field("budgetSeconds", known: budget.budgetSeconds)
            json.field("usedRatio", known: budget.usedRatio)
          }
        }
      }
    }
  }

  /// `{"total": 3, "by": {"10.0.0.1:6379": 3}}`, or `{"unknown": "…"}`
  static func write(_ name: String, _ known: Known<[String: Double]>, to json: inout JSONWriter) {
    json.key(name)
    json.object { json in
      guard let counts = known.value else { return json.field("unknown", known.remark) }
      json.field("total", counts.values.reduce(0, +))
      if !known.remark.isEmpty { json.field("remark", known.remark) }
      json.key("by")
      json.object { json in
        for (key, value) in counts.sorted(by: { $0.key < $1.key }) { json.field(KnownSecrets.masked(key), value) }
      }
    }
  }
}

extension CheckResult {
  /// What an objective came to over the span of a report.
  ///
  /// - Parameter severity: nil where it was kept.
  init(report check: String, _ workload: String, _ severity: Finding.Severity?, _ text: String) {
    self.init(
      check: check, group: .health, workload: workload, answer: severity == nil ? .ok : .finding, severity: severity,
      text: text)
  }

  init(report check: String, _ workload: String, unknown reason: String) {
    self.init(check: check, group: .health, workload: workload, answer: .unknown, reason: reason)
  }
}
