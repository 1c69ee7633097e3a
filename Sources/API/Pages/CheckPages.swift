import Fleet
import Runtime
import Web

/// The page `/checks`.
struct CheckPages: Sendable {
  /// Nil where no fleet is watched.
  let verified: VerifiedChecks?
  let fleet: FleetView?
  let isStored: Bool
  let metricsPath: String

  var routes: [Route] { [Route("/checks") { request in await page(request) }] }

  /// `/checks?workload=W`
  private func page(_ request: Request) async -> Response {
    let now = WallTime.now
    let workload = request.queryValue("workload") ?? ""
    let states = await verified?.reports.states(of: workload.isEmpty ? nil : workload) ?? []
    var page = ChecksPage(
      states.map { ChecksPage.Entry($0, now: now) }, metricsPath: metricsPath, nowSeconds: now.seconds)
    page.workload = workload
    page.workloads = await fleet?.names() ?? []
    page.refused = await (verified?.reports.refused ?? []).map {
      ChecksPage.RefusedFile(seconds: $0.at.seconds, name: $0.name, reason: $0.reason)
    }
    page.notice =
      verified == nil
      ? "Checks are for a fleet: start redline with --config.file."
      : isStored ? "" : "Results are kept in memory until redline ends: start it with --storage.path to keep them."
    return page.response()
  }
}

extension ChecksPage.Entry {
  fileprivate init(_ state: CheckState, now: WallTime) {
    self.init(workload: state.workload, check: state.check, title: state.title)
    newest = state.newest.map { report in
      ChecksPage.Run(
        verdict: report.verdict.rawValue, startSeconds: report.startedAt.seconds, endSeconds: report.endedAt.seconds,
        numbers: report.numbers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
        lines: report.lines.map { ChecksPage.Line($0.verdict.rawValue, $0.text) })
    }
    if let decisive = state.decisive, decisive != state.newest {
      lastVerdict = (decisive.verdict.rawValue, decisive.endedAt.seconds)
    }
    objectiveSeconds = state.objectiveSeconds
    overdueSeconds = state.overdueSeconds(at: now)
    command = state.command
  }
}
