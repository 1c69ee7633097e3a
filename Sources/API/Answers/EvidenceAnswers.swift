import Fleet
import Runtime
import Storage
import Web

/// What was gathered about alerts: what `/evidence` shows.
struct EvidenceAnswers: Sendable {
  /// Nil where none is gathered.
  let gatherer: EvidenceGatherer?
  let isStored: Bool

  /// What lists show, the newest first.
  func list(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    var query = EvidenceQuery(limit: 100)
    func given(_ name: String) -> String? { parameters.text(name).isEmpty ? nil : parameters.text(name) }
    (query.workload, query.node, query.alert) = (given("workload"), given("node"), given("alert"))
    if given("since") != nil { query.sinceMs = try parameters.time("since") }
    if given("until") != nil { query.untilMs = try parameters.time("until") }
    let limit = try parameters.limit()
    if limit > 0 { query.limit = min(limit, StoreLimits.evidence) }
    if !isStored { answer.warn("evidence is kept in memory alone: start redline with --storage.path") }
    let found = await gatherer?.newest(query) ?? []
    let bounds = answer.limit
    try answer.data.object { json throws(APIError) in
      json.key("evidence")
      try json.list(found, within: bounds) { json, evidence in
        json.object { json in Self.writeHead(of: evidence, to: &json) }
      }
      json.key("limits")
      json.object { json in
        json.field("count", EvidenceLimits.count(isStored: isStored))
        if isStored { json.field("days", EvidenceLimits.days) }
      }
    }
  }

  /// `evidence/ID`: all of one.
  func one(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    var query = EvidenceQuery(limit: 1)
    query.id = parameters.rest
    query.hasBodies = true
    guard let evidence = await gatherer?.newest(query).first else {
      throw APIError(
        .notFound, "there is no evidence \(parameters.shown(parameters.rest)): all are at \(HTTPAPI.prefix)evidence")
    }
    answer.data.object { json in
      Self.writeHead(of: evidence, to: &json)
      json.field("isCut", evidence.isCut)
      json.key("details")
      json.array { json in for look in evidence.looks { look.write(to: &json) } }
    }
  }

  private static func writeHead(of evidence: Evidence, to json: inout JSONWriter) {
    json.field("id", evidence.id)
    json.field("alert", evidence.alert)
    json.key("alerts")
    json.strings(evidence.alerts)
    json.field("severity", evidence.severity)
    json.field("workload", shown: evidence.workload)
    if let node = evidence.node { json.field("node", shown: node) }
    json.field("pending", atMilliseconds: evidence.atMs)
    if let fired = evidence.firedAtMs { json.field("fired", atMilliseconds: fired) }
    json.key("looks")
    json.array { json in for look in evidence.looks { json.string(RFC3339.text(milliseconds: look.atMs)) } }
    json.key("culprits")
    json.array { json in
      for culprit in evidence.culprits {
        json.object { json in
          json.field("text", shown: culprit.text)
          json.field("restsOn", shown: culprit.restsOn)
        }
      }
    }
  }
}

/// How much evidence is kept.
enum EvidenceLimits {
  static let days = Int(clamping: StoreOptions().eventAgeDays)

  static func count(isStored: Bool) -> Int { isStored ? StoreLimits.evidence : EvidenceGatherer.memoryLimit }
}
