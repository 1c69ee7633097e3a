import Config
import Fleet
import Runtime
import Storage
import Web

/// What commands verified, and who may hand in more.
public struct VerifiedChecks: Sendable {
  let reports: CheckReportStore
  let token: Intakes.Token

  public init(_ reports: CheckReportStore, token: @escaping Intakes.Token) {
    self.reports = reports
    self.token = token
  }
}

/// Results of checks: handed in by `POST /api/v1/results`, told by GET.
struct ResultAnswers: Sendable {
  /// Nil where no fleet is watched.
  let verified: VerifiedChecks?

  private static let intake = Intake(
    name: "results", one: "result", closed: "results are taken from files alone: set results.token_file",
    limitBytes: CheckReport.limitBytes, hint: "leave out numbers and lines that nobody needs")

  /// `results?workload=NAME&check=NAME&limit=N`: how each check stands, and the newest results as they were left.
  func list(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    func given(_ name: String) -> String? { parameters.text(name).isEmpty ? nil : parameters.text(name) }
    var query = CheckResultQuery(check: given("check"), workload: given("workload"))
    let wanted = try parameters.limit()
    if wanted > 0 { query.limit = wanted }
    guard let reports = verified?.reports else { throw APIError(.notFound, "no fleet is watched") }
    let now = WallTime(epochMs: parameters.nowMilliseconds)
    let states = await reports.states(of: query.workload).filter { query.check == nil || $0.check == query.check }
    let found = await reports.newest(query)
    let refused = await reports.refused
    let bounds = answer.limit
    try answer.data.object { json throws(APIError) in
      json.key("checks")
      try json.list(states, within: bounds) { Self.write($1, now: now, to: &$0) }
      json.key("results")
      try json.list(found, within: bounds) { $1.write(to: &$0) }
      json.key("refusedFiles")
      json.array { json in
        for file in refused.reversed() {
          json.object { json in
            json.field("at", at: file.at)
            json.field("name", shown: file.name)
            json.field("reason", shown: file.reason)
          }
        }
      }
    }
  }

  private static func write(_ state: CheckState, now: WallTime, to json: inout JSONWriter) {
    json.object { json in
      json.field("workload", state.workload)
      json.field("check", state.check)
      json.field("title", state.title)
      json.field("verdict", state.newest?.verdict.rawValue ?? "never ran")
      if let newest = state.newest { json.field("ended", at: newest.endedAt) }
      if let decisive = state.decisive, decisive != state.newest {
        json.field("lastVerdict", decisive.verdict.rawValue)
        json.field("lastVerdictEnded", at: decisive.endedAt)
      }
      if let seconds = state.objectiveSeconds { json.field("objectiveSeconds", seconds) }
      if let time = state.configuredAt { json.field("configured", at: time) }
      if let seconds = state.overdueSeconds(at: now) { json.field("overdueSeconds", seconds) }
      if let command = state.command { json.field("command", shown: command) }
    }
  }

  /// A result that a client hands in: one JSON object with the token of `results.token_file`.
  func take(_ request: Request) async -> Response {
    do {
      let report = try await report(of: request)
      return .api(
        Array(
          JSONWriter.text(escaping: .go) { json in
            json.object { json in
              json.field("status", "success")
              json.key("data")
              json.object { json in
                json.field("check", report.check)
                json.field("workload", report.workload)
                json.field("verdict", report.verdict.rawValue)
              }
            }
          }.utf8))
    } catch {
      return APIError(error).response
    }
  }

  private func report(of request: Request) async throws -> CheckReport {
    guard let verified else { throw APIError(.notFound, "no fleet is watched") }
    let body = try await Self.intake.body(of: request, token: verified.token)
    let report: CheckReport
    do throws(IntakeError) { report = try CheckReport(json: body, now: .now) } catch {
      throw APIError(.badData, error.description)
    }
    do throws(CheckReportStore.Refusal) { try await verified.reports.take(report) } catch {
      throw APIError(error.isPassing ? .unavailable : .badData, error.description)
    }
    return report
  }
}
