import API
import Runtime

/// What happened, as `/api/v1/events` tells it.
struct ReportEvent: Sendable {
  /// So much was lost; the same twice where it is exact, and no most where nobody can say.
  struct Loss: Sendable, Equatable {
    let least: Int
    let most: Int?

    init?(_ json: JSONValue?) {
      guard let least = json?["least"]?.number.flatMap({ Int(exactly: $0) }) else { return nil }
      self.least = least
      most = json?["most"]?.number.flatMap { Int(exactly: $0) }
    }

    var words: String {
      guard let most else { return "at least \(least)" }
      return least == most ? "\(most)" : least == 0 ? "at most about \(most)" : "\(least) to about \(most)"
    }

    /// Where it is called an estimate already.
    var span: String {
      guard let most else { return "\(least) or more" }
      return least == 0 || least == most ? "\(most)" : "\(least) to \(most)"
    }
  }

  struct Clients: Sendable {
    let node: String
    let before: Int?
    let after: Int?
  }

  struct Phase: Sendable {
    let name: String
    let at: WallTime
  }

  let at: WallTime
  let kind: String
  let node: String
  let summary: String
  /// Of an alert.
  let alert: String
  let severity: String
  let failover: ReportFailover?
  /// Of a mark: its kind; empty for what nobody marked.
  let mark: String
  /// Of a mark that lasted.
  let until: WallTime?
  let phases: [Phase]
  let clients: [Clients]

  /// - Returns: nil for what has no time.
  init?(_ json: JSONValue) {
    guard let time = json["time"]?.string.flatMap(RFC3339.milliseconds) else { return nil }
    func text(_ name: String) -> String { json[name]?.string ?? "" }
    func count(_ json: JSONValue, _ name: String) -> Int? { json[name]?.number.flatMap { Int(exactly: $0) } }
    at = WallTime(epochMs: time)
    kind = text("kind")
    node = text("node")
    summary = text("summary")
    alert = text("alert")
    severity = text("severity")
    failover = kind == "failover" ? ReportFailover(json) : nil
    mark = text("mark")
    until = json["until"]?.string.flatMap(RFC3339.milliseconds).map { WallTime(epochMs: $0) }
    phases = (json["phases"]?.elements ?? []).compactMap { phase in
      guard let name = phase["name"]?.string, let at = phase["time"]?.string.flatMap(RFC3339.milliseconds) else {
        return nil
      }
      return Phase(name: name, at: WallTime(epochMs: at))
    }.sorted { $0.at < $1.at }
    clients = (json["clients"]?.elements ?? []).compactMap { one in
      one["node"]?.string.map { Clients(node: $0, before: count(one, "before"), after: count(one, "after")) }
    }
  }

  /// How bad it is; nil where it neither begins nor ends trouble.
  var gravity: Gravity? {
    switch kind {
    case "unreachable", "flush", "failover_aborted": .grave
    case "failover": .warning
    case "alert_fired": severity == "critical" ? .grave : severity == "warning" ? .warning : nil
    case "recovered", "alert_resolved": .over
    default: nil
    }
  }

  enum Gravity: Sendable {
    case grave, warning, over
  }
}

/// What a failover changed and cost.
struct ReportFailover: Sendable {
  /// `automatic`, `manual` or `missed`; empty where it is not known.
  let kind: String
  let from: String
  let to: String
  let outageSeconds: Double?
  let lostBytes: ReportEvent.Loss?
  let lostWrites: ReportEvent.Loss?

  init(_ json: JSONValue) {
    kind = json["failover"]?.string ?? ""
    from = json["from"]?.string ?? ""
    to = json["to"]?.string ?? ""
    outageSeconds = json["outageSeconds"]?.number
    lostBytes = ReportEvent.Loss(json["lostBytes"])
    lostWrites = ReportEvent.Loss(json["lostWrites"])
  }

  /// What was lost, as a clause.
  var lostWords: String {
    guard let lostBytes else { return "what was lost is not known" }
    if lostBytes.most == 0 || lostWrites?.most == 0 { return "no write was lost" }
    return "\(lostBytes.words) bytes\(lostWrites.map { " (about \($0.span) writes)" } ?? "") were lost"
  }
}

/// Who was told what, as `/api/v1/notifications` tells it.
struct ReportNotice: Sendable {
  let at: WallTime
  let alert: String
  let severity: String
  let node: String
  /// `firing` or `resolved`.
  let state: String
  let startsAt: WallTime?
  let receiver: String
  let outcome: String

  init?(_ json: JSONValue) {
    guard let time = json["time"]?.string.flatMap(RFC3339.milliseconds) else { return nil }
    func text(_ value: JSONValue?) -> String { value?.string ?? "" }
    at = WallTime(epochMs: time)
    alert = text(json["alert"])
    severity = text(json["labels"]?["severity"])
    node = text(json["labels"]?["instance"])
    state = text(json["state"])
    startsAt = json["startsAt"]?.string.flatMap(RFC3339.milliseconds).map { WallTime(epochMs: $0) }
    receiver = text(json["alertmanager"])
    outcome = text(json["outcome"])
  }

  var isAccepted: Bool { outcome == "accepted" }
}

/// What was gathered for an alert, as `/api/v1/evidence` lists it.
struct ReportEvidence: Sendable {
  struct Culprit: Sendable {
    let text: String
    let restsOn: String
  }

  let id: String
  let alert: String
  let node: String
  let pending: WallTime?
  let fired: WallTime?
  let lookCount: Int
  let culprits: [Culprit]

  init?(_ json: JSONValue) {
    guard let id = json["id"]?.string else { return nil }
    func time(_ name: String) -> WallTime? {
      json[name]?.string.flatMap(RFC3339.milliseconds).map { WallTime(epochMs: $0) }
    }
    self.id = id
    alert = json["alert"]?.string ?? ""
    node = json["node"]?.string ?? ""
    (pending, fired) = (time("pending"), time("fired"))
    lookCount = json["looks"]?.elements.count ?? 0
    culprits = (json["culprits"]?.elements ?? []).compactMap { one in
      one["text"]?.string.map { Culprit(text: $0, restsOn: one["restsOn"]?.string ?? "") }
    }
  }
}

/// What a span used of an error budget, as `/api/v1/budgets` tells it.
struct ReportBudget: Sendable {
  let objective: String
  let target: Double
  let knownSeconds: Double
  let badSeconds: Double
  let budgetSeconds: Double?
  let usedRatio: Double?

  init?(_ json: JSONValue) {
    guard let objective = json["objective"]?.string, let target = json["target"]?.number,
      let known = json["knownSeconds"]?.number, let bad = json["badSeconds"]?.number
    else { return nil }
    self.objective = objective
    self.target = target
    knownSeconds = known
    badSeconds = bad
    budgetSeconds = json["budgetSeconds"]?.number
    usedRatio = json["usedRatio"]?.number
  }
}
