import Fleet
import PromQL
import Runtime
import Storage
import Web

/// The pages below `/evidence`.
struct EvidencePages: Sendable {
  /// Nil where none is gathered.
  let gatherer: EvidenceGatherer?
  let isStored: Bool
  /// nil where no fleet is watched.
  let fleet: FleetView?
  let runbooks: RunbookSource
  let metricsPath: String

  var routes: [Route] {
    [
      Route("/evidence") { request in await list(request) },
      Route(under: "/evidence/") { request in await one(request) },
    ]
  }

  /// `/evidence?workload=W&node=N`
  private func list(_ request: Request) async -> Response {
    var query = EvidenceQuery(limit: Self.listLimit + 1)
    let (workload, node) = (request.queryValue("workload") ?? "", request.queryValue("node") ?? "")
    if !workload.isEmpty { query.workload = workload }
    if !node.isEmpty { query.node = node }
    let found = await gatherer?.newest(query) ?? []
    var page = EvidenceListPage(
      found.prefix(Self.listLimit).map { EvidencePage.Record($0) }, metricsPath: metricsPath,
      nowSeconds: WallTime.now.seconds)
    (page.workload, page.node) = (workload, node)
    page.workloads = await fleet?.names() ?? []
    page.hasMore = found.count > Self.listLimit
    page.limits = limits
    if gatherer == nil { page.notice = "Evidence is gathered where a fleet is watched and rules are evaluated." }
    return page.response()
  }

  private static let listLimit = 100

  private var limits: (count: Int, days: Int) {
    !isStored
      ? (EvidenceLimits.count(isStored: false), 0) : (EvidenceLimits.count(isStored: true), EvidenceLimits.days)
  }

  /// `/evidence/ID`
  private func one(_ request: Request) async -> Response {
    var query = EvidenceQuery(limit: 1)
    query.id = request.rest(under: "/evidence/") ?? ""
    query.hasBodies = true
    guard let found = await gatherer?.newest(query).first else {
      return ErrorPage(
        status: 404, title: "Not found",
        explanation: "There is no evidence of this number, or it is past keeping. The list is at /evidence.",
        metricsPath: metricsPath
      ).response()
    }
    let now = WallTime.now
    var page = EvidencePage(
      EvidencePage.Record(found), looks: found.looks.map { EvidencePage.Look($0) }, metricsPath: metricsPath,
      nowSeconds: now.seconds)
    page.nodes = await fleet?.nodes() ?? []
    page.workloads = Set(await fleet?.names() ?? [])
    page.runbookNames = await runbooks.read(orElse: []) { Set($0.names()) }
    page.isCut = found.isCut
    page.isOpen =
      !found.looks.contains { $0.moment == .later } && now - WallTime(epochMs: found.firedAtMs ?? found.atMs) < 400
    page.limits = limits
    return page.response()
  }
}

extension EvidencePage.Record {
  init(_ evidence: Evidence) {
    self.init(
      id: evidence.id, alert: evidence.alert, severity: evidence.severity, workload: evidence.workload,
      node: evidence.node, seconds: Double(evidence.atMs) / 1000)
    otherAlerts = evidence.alerts.filter { $0 != evidence.alert }
    firedSeconds = evidence.firedAtMs.map { Double($0) / 1000 }
    culprits = evidence.culprits.map { EvidencePage.Culprit($0.text, restsOn: $0.restsOn) }
  }
}

extension EvidencePage.Look {
  fileprivate init(_ look: Evidence.Look) {
    let reason =
      switch look.moment {
      case .pending: "when it became pending"
      case .firing: "when it fired"
      case .later: "five minutes later"
      }
    self.init(
      reason, seconds: Double(look.atMs) / 1000,
      nodes: look.nodes.map { node in
        EvidencePage.Node(
          node.instance, role: node.role, silence: node.silence,
          figures: node.figures.map { EvidencePage.Figure($0.title, unit: $0.unit.rawValue, value: $0.value) },
          sections: node.sections.map { EvidencePage.Section($0) })
      }, sections: look.sections.map { EvidencePage.Section($0) })
  }
}

extension EvidencePage.Section {
  fileprivate init(_ section: Evidence.Section) {
    self.init(
      section.title, lines: section.lines, columns: section.table?.columns ?? [], rows: section.table?.rows ?? [],
      omittedRowCount: section.table?.omittedCount ?? 0)
  }
}
