import Fleet
import Runtime
import Storage
import Web

/// What people and their tools marked, and who may mark more.
public struct KeptMarks: Sendable {
  let store: MarkStore
  let token: Intakes.Token

  public init(_ store: MarkStore, token: @escaping Intakes.Token) {
    self.store = store
    self.token = token
  }
}

/// Marks: handed in by `POST /api/v1/marks` in Grafana's form of an annotation, told by GET.
struct MarkAnswers: Sendable {
  /// Nil where no fleet is watched.
  let kept: KeptMarks?
  let view: FleetView

  private static let intake = Intake(
    name: "marks", one: "mark", closed: "marks are taken from nobody: set marks.token_file",
    limitBytes: Mark.limitBytes, hint: "shorten its text and tags")

  /// `marks?workload=NAME&node=NAME&kind=KIND&from=TIME&to=TIME&page=N`: the newest first.
  func list(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    guard let store = kept?.store else { throw APIError(.notFound, "no fleet is watched") }
    var query = MarkQuery()
    (query.workload, query.node) = (parameters.given("workload"), parameters.given("node"))
    if let kind = parameters.given("kind") {
      guard let known = Mark.Kind(rawValue: kind) else {
        throw APIError.invalid(
          "kind", "\(parameters.shown(kind)) is none of \(Mark.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      query.kind = known
    }
    let span = try parameters.span()
    query.from = span.from.map { WallTime(epochMs: $0) }
    query.to = span.to.map { WallTime(epochMs: $0) }
    let page = try parameters.page(through: EventsPage.pageLimit)
    query.limit = EventsPage.pageSize + 1
    query.offset = (page - 1) * EventsPage.pageSize
    let found = await store.newest(query)
    if !store.isKept { answer.warn("marks are kept in memory alone: start redline with --storage.path") }
    let limit = answer.limit
    try answer.data.object { json throws(APIError) in
      json.key("marks")
      try json.list(found.prefix(EventsPage.pageSize), within: limit) { $1.write(to: &$0) }
      json.field("page", page)
      json.field("hasMore", found.count > EventsPage.pageSize)
    }
  }

  /// A mark that a client hands in: one JSON object with the token of `marks.token_file`.
  func take(_ request: Request) async -> Response {
    do {
      let taken = try await taken(request)
      return .api(Array(JSONWriter.text(escaping: .go) { Self.write(taken, to: &$0) }.utf8))
    } catch {
      return APIError(error).response
    }
  }

  /// As Grafana answers, and beside it what came of the mark.
  private static func write(_ taken: MarkStore.Taken, to json: inout JSONWriter) {
    json.object { json in
      json.field("status", "success")
      json.field("message", "Annotation added")
      json.field("id", Int(clamping: taken.mark.id))
      json.key("data")
      json.object { json in
        json.key("mark")
        taken.mark.write(to: &json)
        if let window = taken.window {
          json.key("window")
          json.object { json in
            json.field("workload", taken.mark.workload)
            json.field("from", at: window.from)
            json.field("until", at: window.until)
          }
        }
        json.key("notices")
        json.strings(taken.notices)
      }
    }
  }

  private func taken(_ request: Request) async throws -> MarkStore.Taken {
    guard let kept else { throw APIError(.notFound, "no fleet is watched") }
    let body = try await Self.intake.body(of: request, token: kept.token)
    var read: Mark.Read
    do throws(IntakeError) { read = try Mark.read(body, now: .now) } catch {
      throw APIError(.badData, error.description)
    }
    if read.mark.workload.isEmpty, !read.mark.node.isEmpty {
      guard let workload = await view.workload(of: read.mark.node) else {
        throw APIError(
          .badData, "tags: the node is none that is watched; write workload:NAME beside it, or name it as its page does"
        )
      }
      read.mark.workload = workload
    }
    do throws(MarkStore.Refusal) { return try await kept.store.take(read) } catch {
      switch error {
      case .bad: throw APIError(.badData, error.description)
      case .tooMany: throw APIError(.unavailable, error.description, status: 429)
      }
    }
  }
}

/// Events and marks as annotations, for dashboards of Grafana.
struct AnnotationAnswers: Sendable {
  /// Nil without storage.path.
  let events: EventStore?

  /// `annotations?workload=NAME&node=NAME&kind=KIND&from=TIME&to=TIME&limit=N`: Grafana's form, the newest first.
  func annotations(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    var query = EventQuery(limit: EventsPage.pageSize * 20)
    (query.workload, query.node) = (parameters.given("workload"), parameters.given("node"))
    query.kind = try parameters.eventKind()
    let span = try parameters.span()
    query.since = span.from.map { WallTime(epochMs: $0) }
    query.until = span.to.map { WallTime(epochMs: $0) }
    let wanted = try parameters.limit()
    if wanted > 0 { query.limit = min(query.limit, wanted) }
    if events == nil { answer.warn("events are not kept: start redline with --storage.path") }
    let found = await events?.newest(query) ?? []
    let limit = answer.limit
    try answer.data.object { json throws(APIError) in
      json.key("annotations")
      try json.list(found, within: limit) { Self.write($1, to: &$0) }
    }
  }

  private static func write(_ event: Event, to json: inout JSONWriter) {
    let details = EventDetails(event.details)
    json.object { json in
      json.field("time", Int(clamping: event.at.epochMs))
      json.field("timeEnd", Int(clamping: (details.mark?.until ?? event.at).epochMs))
      json.field("text", shown: event.summary)
      json.key("tags")
      json.strings(
        [event.kind.rawValue, event.workload, event.node, details.mark?.kind.rawValue ?? "", details.severity]
          .filter { !$0.isEmpty }.map { KnownSecrets.masked($0, sparesWords: true) })
    }
  }
}
