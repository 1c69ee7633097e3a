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
  /// What answers queries and knows of deliveries; nil where one server is watched by flags.
  let api: HTTPAPI?

  public init(
    version: String, metricsPath: String, namespace: String, subject: Subject,
    groups: @escaping @Sendable () -> [GroupState], store: @escaping @Sendable () -> SeriesStore?, events: EventStore?,
    api: HTTPAPI?
  ) {
    self.version = version
    self.metricsPath = metricsPath
    self.namespace = namespace
    self.subject = subject
    self.groups = groups
    self.store = store
    self.events = events
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
    ]
      + EvidencePages(
        gatherer: evidence, isStored: events != nil, fleet: fleet, runbooks: runbookSource, metricsPath: metricsPath
      ).routes
      + CheckPages(
        verified: api?.intakes?.checks, fleet: fleet, isStored: events != nil, metricsPath: metricsPath
      ).routes
      + AuditPages(fleet: fleet, isStored: events != nil, metricsPath: metricsPath).routes
      + KeyspacePages(fleet: fleet, metricsPath: metricsPath).routes
      + RunbookPages(source: runbookSource, fleet: fleet, metricsPath: metricsPath).routes
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
  func runbookNames() async -> Set<String> { await runbookSource.read(orElse: []) { Set($0.names()) } }

  var runbookSource: RunbookSource { api?.runbooks ?? .empty }

  var others: OtherShards { fleet?.others ?? .none }

  /// nil where none is gathered.
  var evidence: EvidenceGatherer? { api?.evidence }

  func notFound(_ what: String) -> Response {
    ErrorPage(status: 404, title: "Not found", explanation: what, metricsPath: metricsPath).response()
  }
}
