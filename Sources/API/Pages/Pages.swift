import Alerting
import Fleet
import NIOCore
import PromQL
import Runtime
import Storage
import Web

/// The pages for people, with what they are filled from.
public struct Pages: Sendable {
  /// What the daemon watches.
  public enum Subject: Sendable {
    case fleet(FleetView)
    /// The one server that flags name. It is polled when a page is asked for, unless its newest poll is younger.
    case server(Node, maxAge: TimeAmount)
    case nothing
  }

  let version: String
  let metricsPath: String
  /// Before the names of all series: `redis`.
  let namespace: String
  let subject: Subject
  /// The rules as they stand now; none where no rules are evaluated.
  let groups: @Sendable () -> [GroupState]
  /// Nil while no history is kept.
  let store: @Sendable () -> SeriesStore?
  /// Nil without storage.path.
  let events: EventStore?
  /// The directory of runbooks; nil while none is known.
  let runbookFolder: @Sendable () -> String?
  /// What answers queries and knows of deliveries; nil where one server is watched by flags.
  let api: HTTPAPI?

  public init(
    version: String, metricsPath: String, namespace: String, subject: Subject,
    groups: @escaping @Sendable () -> [GroupState], store: @escaping @Sendable () -> SeriesStore?, events: EventStore?,
    runbookFolder: @escaping @Sendable () -> String?, api: HTTPAPI?
  ) {
    self.version = version
    self.metricsPath = metricsPath
    self.namespace = namespace
    self.subject = subject
    self.groups = groups
    self.store = store
    self.events = events
    self.runbookFolder = runbookFolder
    self.api = api
  }

  public var routes: [Route] {
    [
      Route("/") { request in await start(request) }, StateIcon.route, PageScript.route,
      Route("/alerts") { request in await alerts(request) },
      Route("/rules") { request in await rules(request) },
      Route("/notifications") { request in await notifications(request) },
      Route("/graph") { request in await graph(request) },
      Route("/events") { request in await eventList(request) },
      Route(under: "/node/") { request in await node(request) },
      Route(under: "/workload/") { request in await workload(request) },
      Route("/runbooks") { _ in await runbookIndex() },
      Route("/runbooks/all") { _ in await allRunbooks() },
      Route(under: "/runbooks/") { request in await runbook(request) },
    ]
  }

  /// What links to the runbooks of this program begin with; nil where that is not known.
  var runbookAddress: String? {
    guard var url = api?.judging.settings().externalURL, !url.isEmpty else { return nil }
    if url.hasSuffix("/") { url.removeLast() }
    return url + "/runbooks/"
  }

  static let noHistory = "No history is kept here: name rule files in redline.yml, under rules.files."

  /// nil where no fleet is watched.
  var fleet: FleetView? {
    guard case .fleet(let fleet) = subject else { return nil }
    return fleet
  }

  /// The alerts that have a runbook here.
  func runbookNames() async -> Set<String> { await onFiles(runbooks(), orElse: []) { Set($0.names()) } }

  /// Which alerts have a runbook here, and the texts of those that are shown in place.
  struct Runbooks: Sendable {
    var names: Set<String> = []
    var texts: [String: Markdown] = [:]
  }

  /// - Parameters:
  ///   - alerts: whose texts are read, the first few by name.
  ///   - headingOffset: how far below the page's own heading those of the texts are.
  func runbooks(
    withTextsOf alerts: Set<String>, headingOffset: Int, limit: Int = .max
  ) async -> Runbooks {
    await onFiles(runbooks(), orElse: Runbooks()) { library in
      let names = Set(library.names())
      let texts = alerts.intersection(names).sorted().prefix(limit).compactMap { name in
        library.text(name, headingOffset: headingOffset, pages: names).map { (name, $0) }
      }
      return Runbooks(names: names, texts: Dictionary(uniqueKeysWithValues: texts))
    }
  }

  func runbooks() -> RunbookLibrary? { runbookFolder().map { RunbookLibrary(directory: $0) } }

  func notFound(_ what: String) -> Response {
    ErrorPage(status: 404, title: "Not found", explanation: what, metricsPath: metricsPath).response()
  }

  // MARK: Runbooks

  private static let noRunbooks = "No directory of runbooks is known: name one in redline.yml, under rules.runbooks."

  private func runbookIndex() async -> Response {
    let runbooks = runbooks()
    let names = await onFiles(runbooks, orElse: []) { $0.names() }
    let notice = runbooks.map { "There is no runbook in \($0.directory)." } ?? Self.noRunbooks
    return RunbookPage(index: names, notice: notice, metricsPath: metricsPath).response()
  }

  private func allRunbooks() async -> Response {
    let runbooks = runbooks()
    let texts = await onFiles(runbooks, orElse: []) { runbooks -> [RunbookPage.Runbook] in
      let names = runbooks.names()
      return names.compactMap { name in
        runbooks.text(name, headingOffset: 1, pages: Set(names)).map { RunbookPage.Runbook(name, $0) }
      }
    }
    guard !texts.isEmpty else { return await runbookIndex() }
    return RunbookPage(all: texts, metricsPath: metricsPath).response()
  }

  private func runbook(_ request: Request) async -> Response {
    let name = request.rest(under: "/runbooks/") ?? ""
    let runbooks = runbooks()
    let text = await onFiles(runbooks, orElse: nil) { $0.text(name, pages: Set($0.names())) }
    guard let text else { return notFound("There is no runbook of this name. The list is at /runbooks.") }
    return RunbookPage(RunbookPage.Runbook(name, text), metricsPath: metricsPath).response()
  }

  /// What is read from the folder of runbooks; `missing` where there is none, and while its disk does not answer.
  func onFiles<Value: Sendable>(
    _ runbooks: RunbookLibrary?, orElse missing: Value, _ body: @escaping @Sendable (RunbookLibrary) -> Value
  ) async -> Value {
    guard let runbooks else { return missing }
    do throws(FileProblem) {
      return try await FileWork.shared.value(
        of: runbooks.directory, within: .seconds(10)
      ) { () throws(FileProblem) in body(runbooks) }
    } catch {
      return missing
    }
  }
}
