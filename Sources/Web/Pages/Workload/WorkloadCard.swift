import Runtime

/// One workload on a page: a line of figures, and folded below it what is found of it and its servers.
struct WorkloadCard {
  /// What a page still has room for.
  typealias Room = (nodes: Int, runbooks: Int)

  let workload: TopologyPage.Workload
  /// Seconds since the epoch.
  let now: Double
  var isOpen: Bool

  /// One that is not well is open.
  init(_ workload: TopologyPage.Workload, now: Double) {
    self.workload = workload
    self.now = now
    isOpen = workload.state != .healthy
  }

  /// What the numbers of the lines are, above them on a wide screen.
  static func heads(of example: TopologyPage.Workload) -> HTML {
    let titles: [HTML] = example.figures.map { "<span>\($0.title)</span>" }
    return "<div class=\"line heads\" aria-hidden=\"true\"><span>Workload</span>\(HTML.joined(titles))</div>\n"
  }

  func html(_ room: inout Room) -> HTML {
    let age: HTML = workload.stateAgeSeconds.map { " <span class=\"dim since\">for \(span($0))</span>" } ?? ""
    let windows: [HTML] = workload.windows.map { " <span class=\"tag\">\(clipped($0))</span>" }
    let findings = findings(&room.runbooks)
    let nodes = nodes(&room.nodes)
    return """
      <details class="workload \(workload.state.level.style)" id="w-\(pathEncoded(workload.name))" \
      data-name="\(clipped(workload.name))"\(html: isOpen ? " open" : "")>
      <summary class="line"><h2 class="who"><i class="dot"></i><b>\(clipped(workload.name))</b> \
      <span class="verdict">\(workload.state.rawValue)</span>\(age)\(HTML.joined(windows))</h2>\
      \(HTML.joined(workload.figures.map(figure)))</summary>
      \(findings)<p class="dim">\(about)\(links)</p>
      \(BudgetBar.list(workload.budgets, now: now))\(nodes)</details>

      """
  }

  private var links: HTML {
    guard let site = workload.elsewhere.map(\.site) ?? "" else { return "" }
    let name = pathEncoded(workload.name)
    return """
       · <a href="\(site)/workload/\(name)">Timeline</a> · <a href="\(site)/events?workload=\(name)">Events</a> · \
      <a href="\(site)/checks?workload=\(name)">Checks</a> · <a href="\(site)/keys/\(name)">Keys</a>
      """
  }

  private func figure(_ figure: TopologyPage.Figure) -> HTML {
    let value: HTML =
      figure.value.map { "<b class=\"\(figure.isMissed ? "warning" : "plain")\">\(clipped($0))</b>" }
      ?? "<b class=\"dim\">–</b>"
    let objective: HTML = figure.objective.isEmpty ? "" : " <small>\(clipped(figure.objective))</small>"
    return "<span class=\"number\"><span class=\"label\">\(figure.title) </span>\(value)\(objective)</span>"
  }

  private var about: HTML {
    let traits = workload.traits.map { clipped($0) }.joined(separator: " · ")
    // Of a daemon that gives no answer nobody knows what is up.
    if let elsewhere = workload.elsewhere, elsewhere.site == nil { return "\(traits)" }
    return "\(traits) · \(members)\(failovers)"
  }

  private var members: HTML {
    "\(workload.presentCount)\(workload.expectedCount.map { " of \($0)" } ?? "") up"
  }

  private var failovers: HTML {
    guard let failovers = workload.failovers else { return "" }
    guard let age = failovers.lastAgeSeconds else { return " · no failover since it is watched" }
    let count = failovers.count
    let what = failovers.last.isEmpty ? "" : " (\(clipped(failovers.last)))"
    return " · \(count) \(count == 1 ? "failover" : "failovers"), the last \(Web.age(age))\(what)"
  }

  // MARK: What is found

  static func ranked(_ findings: [TopologyPage.Finding]) -> [TopologyPage.Finding] {
    findings.enumerated().sorted { ($1.element.level, $0.offset) < ($0.element.level, $1.offset) }.map(\.element)
  }

  private func findings(_ runbooks: inout Int) -> HTML {
    // One text for all alerts of a name.
    var shown: Set<String> = []
    let findings = workload.findings.map { finding in
      var finding = finding
      if finding.runbook == nil { return finding }
      if runbooks > 0, isOpen, shown.insert(finding.alert).inserted {
        runbooks -= 1
      } else {
        finding.runbook = nil
      }
      return finding
    }
    return Self.list(findings, limit: TopologyPage.findingLimit, now: now)
  }

  /// What is found, the worst first; below it what is found of the setup.
  static func list(_ findings: [TopologyPage.Finding], limit: Int, now: Double) -> HTML {
    let ranked = ranked(findings)
    let posture = ranked.filter(\.isPosture)
    let apart: HTML =
      posture.isEmpty ? "" : "<h3>How it is set up</h3>\n\(items(posture, limit: limit, now: now))"
    return "\(items(ranked.filter { !$0.isPosture }, limit: limit, now: now))\(apart)"
  }

  private static func items(_ findings: [TopologyPage.Finding], limit: Int, now: Double) -> HTML {
    guard !findings.isEmpty else { return "" }
    let hidden = findings.count - limit
    let items: [HTML] = findings.prefix(limit).map { item($0, now: now) }
    return """
      <ul class="findings">
      \(HTML.joined(items))\(html: hidden > 0 ? "<li class=\"dim\">\(hidden) further findings are not listed.</li>\n" : "")</ul>

      """
  }

  private static func item(_ finding: TopologyPage.Finding, now: Double) -> HTML {
    let alert: HTML =
      finding.alert.isEmpty
      ? ""
      : "<a href=\"\(AlertsPage.address(of: finding.alert, finding.hasRunbook, query: finding.runbookQuery))\">\(clipped(finding.alert, to: 120))</a> fires: "
    let since: HTML = finding.sinceSeconds.map { " <small>since \(moment($0, now: now))</small>" } ?? ""
    let node: HTML =
      finding.node.map { " <small><a href=\"/node/\(pathEncoded($0))\">\(clipped($0, to: 80))</a></small>" } ?? ""
    let runbook: HTML =
      finding.runbook.map {
        "<details class=\"runbook\"><summary>What to do: \(clipped(finding.alert, to: 120))</summary>\n<div class=\"markdown\">\($0.html)</div></details>"
      } ?? ""
    return
      "<li class=\"\(finding.level.style)\">\(alert)\(clipped(finding.text, to: 400))\(since)\(node)\(runbook)</li>\n"
  }

  // MARK: Nodes

  private func nodes(_ room: inout Int) -> HTML {
    let groups = workload.groups.filter { !$0.nodes.isEmpty }
    guard !groups.isEmpty else {
      return "<p class=\"dim\">\(workload.elsewhere?.note ?? "No node is known yet.")</p>\n"
    }
    var parts: [HTML] = []
    var hidden = 0
    for group in groups {
      let listed = group.nodes.prefix(room)
      room -= listed.count
      hidden += group.nodes.count - listed.count
      guard !listed.isEmpty else { continue }
      let table = table(Array(listed))
      parts.append(groups.count == 1 ? table : folded(group, table))
    }
    let note: HTML = hidden > 0 ? "<p class=\"dim\">\(hidden) further nodes are not listed.</p>\n" : ""
    return "\(HTML.joined(parts))\(note)"
  }

  /// A shard is open where one of its nodes is not well.
  private func folded(_ group: TopologyPage.Group, _ table: HTML) -> HTML {
    let sick = group.nodes.count { $0.level > .good }
    let title = group.title.isEmpty ? "Nodes" : group.title
    let count = "\(group.nodes.count) \(group.nodes.count == 1 ? "node" : "nodes")"
    let state: HTML = sick == 0 ? "\(count), all well" : "<b class=\"warning\">\(sick) of \(count) not well</b>"
    return """
      <details class="shard"\(html: sick > 0 ? " open" : "")><summary>\(clipped(title)) <span class="dim">· </span>\
      \(state)</summary>
      \(table)</details>

      """
  }

  private func table(_ nodes: [TopologyPage.Node]) -> HTML {
    """
    <div class="table"><table>
    <thead><tr><th>Node</th><th>Role</th><th>State</th><th>Lag</th><th>Memory</th></tr></thead>
    <tbody>
    \(HTML.joined(nodes.map { row($0) }))</tbody></table></div>

    """
  }

  private func row(_ node: TopologyPage.Node) -> HTML {
    let reason: HTML = node.reason.isEmpty ? "" : "<small>\(clipped(node.reason))</small>"
    return """
      <tr><td><a href="/node/\(pathEncoded(node.name))">\(clipped(node.name))</a></td><td class="role">\(clipped(node.role))</td>\
      <td class="state \(node.level.style)"><i class="dot"></i>\(clipped(node.state))\(reason)</td>\
      <td>\(lag(node))</td><td>\(memory(node, workload.memoryObjectiveRatio))</td></tr>

      """
  }

  private func lag(_ node: TopologyPage.Node) -> HTML {
    guard let seconds = node.lagSeconds else { return "" }
    let note = node.lagNote.isEmpty ? "" : "\(clipped(node.lagNote)) "
    let style = node.lagAsOfSeconds != nil ? "stale" : node.isLagHigh ? "warning" : "plain"
    let time: HTML = node.lagAsOfSeconds.map { " \(asOf($0, now: now))" } ?? ""
    return "<span class=\"\(style)\"><span class=\"phone\">lag </span>\(note)\(span(seconds))\(time)</span>"
  }

  /// A bar with the objective as a mark on it.
  private func memory(_ node: TopologyPage.Node, _ objective: Double?) -> HTML {
    guard let bytes = node.usedMemoryBytes else { return "" }
    let time: HTML = node.memoryAsOfSeconds.map { " \(asOf($0, now: now))" } ?? ""
    let content: HTML = "\(memory(bytes, node, objective))\(time)"
    return node.memoryAsOfSeconds == nil ? content : "<span class=\"stale\">\(content)</span>"
  }

  private func memory(_ bytes: Int, _ node: TopologyPage.Node, _ objective: Double?) -> HTML {
    guard let ratio = node.memoryUsedRatio else { return "\(size(bytes)) <small>no limit is set</small>" }
    let share = Int(clamping: (min(max(0, ratio.isFinite ? ratio : 1), 1) * 100).rounded())
    let mark: HTML =
      objective.map {
        "<rect class=\"mark\" x=\"\(Int(clamping: (min(max(0, $0), 1) * 100).rounded()))\" width=\"2\" height=\"10\"/>"
      } ?? ""
    return """
      <svg class="bar\(node.isMemoryHigh ? " high" : "")" viewBox="0 0 100 10" preserveAspectRatio="none" \
      aria-hidden="true"><rect width="\(share)" height="10"/>\(mark)</svg>\
      <span class="\(node.isMemoryHigh ? "warning" : "plain")">\(percent(ratio))</span> \
      <span class="dim">\(size(bytes))</span>
      """
  }
}
