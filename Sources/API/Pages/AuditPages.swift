import Fleet
import Runtime
import Web

/// The page `/audit`.
struct AuditPages: Sendable {
  /// Nil where no fleet is watched.
  let fleet: FleetView?
  let isStored: Bool
  let metricsPath: String

  var routes: [Route] { [Route("/audit") { request in await page(request) }] }

  /// `/audit?workload=W`
  private func page(_ request: Request) async -> Response {
    let now = WallTime.now
    let workload = request.queryValue("workload") ?? ""
    let overviews = await fleet?.workloads(named: workload.isEmpty ? nil : workload).map(\.overview) ?? []
    var page = AuditPage(
      overviews.map { AuditPage.Workload($0.name, $0.audit) }, metricsPath: metricsPath, nowSeconds: now.seconds)
    page.workload = workload
    page.names = await fleet?.names() ?? []
    page.notice =
      fleet == nil
      ? "The audit is for a fleet: start redline with --config.file."
      : isStored
        ? "" : "What is known of first looks is lost when redline ends: start it with --storage.path to keep it."
    return page.response()
  }
}

extension AuditPage.Workload {
  fileprivate init(_ name: String, _ audit: AuditOverview) {
    self.init(name)
    serverCount = audit.servers.count
    let looks = audit.servers.compactMap(\.at)
    lookedOverCount = looks.count
    oldestLookSeconds = looks.min()?.seconds
    intervalSeconds = audit.interval.map { $0 / .seconds(1) }
    findings = Self.merged(
      audit.findings.map { finding in
        var entry = AuditPage.Entry(
          finding.severity.level, finding.severity.name, check: finding.check,
          text: Self.text(finding.text, of: finding.subject), servers: [finding.subject.instance ?? name])
        (entry.isKnown, entry.sinceSeconds) = (finding.isKnown, finding.since.seconds)
        return entry
      }
    ).enumerated().sorted { left, right in
      (right.element.level.rawValue, left.element.isKnown ? 1 : 0, left.offset)
        < (left.element.level.rawValue, right.element.isKnown ? 1 : 0, right.offset)
    }.map(\.element)
    unknown = Self.merged(
      audit.unknowns.map { blindness in
        AuditPage.Entry(
          .note, "unknown", check: blindness.check, text: blindness.reason,
          servers: [blindness.subject.instance ?? name])
      })
    asides = Self.merged(
      audit.asides.map { aside in
        AuditPage.Entry(
          .good, aside.answer.rawValue, check: aside.check, text: Self.text(aside.text, of: aside.subject),
          servers: [aside.subject.instance ?? name])
      })
  }

  /// The sentence without the name that begins it.
  private static func text(_ text: String, of subject: Finding.Subject) -> String {
    guard let instance = subject.instance, text.hasPrefix(instance + " ") else { return text }
    return String(text.dropFirst(instance.count + 1))
  }

  /// Those that say the same of several servers are one.
  private static func merged(_ entries: [AuditPage.Entry]) -> [AuditPage.Entry] {
    struct Key: Hashable {
      let verdict: String
      let check: String
      let text: String
      let isKnown: Bool
    }
    var order: [Key] = []
    var merged: [Key: AuditPage.Entry] = [:]
    for entry in entries {
      let key = Key(verdict: entry.verdict, check: entry.check, text: entry.text, isKnown: entry.isKnown)
      if merged[key] == nil {
        order.append(key)
        merged[key] = entry
      } else {
        merged[key]?.servers += entry.servers
        let since = [merged[key]?.sinceSeconds, entry.sinceSeconds].compactMap { $0 }.min()
        merged[key]?.sinceSeconds = since
      }
    }
    return order.compactMap { merged[$0] }
  }
}
