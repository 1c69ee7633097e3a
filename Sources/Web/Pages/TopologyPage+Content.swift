import Runtime

extension TopologyPage {
  var content: HTML {
    // The worst come first where the page has no room for all.
    let ranked = workloads.sorted { ($0.state, $1.name) > ($1.state, $0.name) }
    let listed = ranked.prefix(Self.workloadLimit).sorted { $0.name < $1.name }
    var room = Self.nodeLimit
    let sections = listed.enumerated().map { section($0.offset, $0.element, &room) }
    let hidden = workloads.count - listed.count
    return """
      <p><a href="/sd">Discovered targets</a> · <a href="/health">Health</a> \
      <span class="dim">· reloads every \(Self.refreshSeconds) s</span></p>
      \(Receiver.banner(receivers, now: nowSeconds))\(alerts?.html ?? "")\
      \(listed.isEmpty ? "<p class=\"dim\">No workload is watched.</p>" : summary(listed))
      \(HTML.joined(sections))\
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further workloads are not listed.</p>" : "")
      """
  }

  /// One tile for each workload.
  private func summary(_ listed: [Workload]) -> HTML {
    let tiles: [HTML] = listed.enumerated().map { index, workload in
      """
      <a class="tile \(workload.state.level.style)" href="#w\(index)"><b>\(clipped(workload.name))</b> \
      <span>\(workload.state.rawValue)</span> <span class="dim">\(members(workload))</span></a>

      """
    }
    return "<nav class=\"tiles\">\n\(HTML.joined(tiles))</nav>"
  }

  private func members(_ workload: Workload) -> HTML {
    "\(workload.presentCount)\(workload.expectedCount.map { " of \($0)" } ?? "") up"
  }

  private func section(_ index: Int, _ workload: Workload, _ room: inout Int) -> HTML {
    let traits = workload.traits.map { clipped($0) }.joined(separator: " · ")
    let age: HTML = workload.stateAgeSeconds.map { " <span class=\"dim since\">for \(span($0))</span>" } ?? ""
    let windows: [HTML] = workload.windows.map { " <span class=\"tag\">\(clipped($0))</span>" }
    let head: HTML = """
      <section id="w\(index)" class="\(workload.state.level.style)">
      <h2>\(clipped(workload.name)) <span class="verdict">\(workload.state.rawValue)</span>\(age)\(HTML.joined(windows))</h2>
      <p class="dim">\(traits) · \(members(workload))\(failovers(workload))\(objectives(workload))</p>
      \(Self.list(workload.findings, limit: Self.findingLimit))
      """
    let nodes = table(workload, &room)
    return "\(head)\(nodes)</section>\n"
  }

  private func failovers(_ workload: Workload) -> HTML {
    guard let count = workload.failoverCount else { return "" }
    guard let age = workload.lastFailoverAgeSeconds else { return " · no failover since it is watched" }
    let what = workload.lastFailover.isEmpty ? "" : " (\(clipped(workload.lastFailover)))"
    return " · \(count) \(count == 1 ? "failover" : "failovers"), the last \(Web.age(age))\(what)"
  }

  private func objectives(_ workload: Workload) -> HTML {
    let lag = workload.lagObjectiveSeconds.map { "lag up to \(span($0))" }
    let memory = workload.memoryObjectiveRatio.map { "memory up to \(percent($0))" }
    let wanted = [lag, memory].compactMap { $0 }
    return wanted.isEmpty ? "" : " · wanted: \(wanted.joined(separator: ", "))"
  }

  /// What is found, the worst first; below it what is found of the setup.
  static func list(_ findings: [Finding], limit: Int) -> HTML {
    let ranked = findings.enumerated().sorted { ($1.element.level, $0.offset) < ($0.element.level, $1.offset) }
      .map(\.element)
    let posture = ranked.filter(\.isPosture)
    let apart: HTML =
      posture.isEmpty ? "" : "<h3>How it is set up</h3>\n\(items(posture, limit: limit))"
    return "\(items(ranked.filter { !$0.isPosture }, limit: limit))\(apart)"
  }

  private static func items(_ findings: [Finding], limit: Int) -> HTML {
    guard !findings.isEmpty else { return "" }
    let hidden = findings.count - limit
    let items: [HTML] = findings.prefix(limit).map { finding in
      let alert: HTML =
        finding.alert.isEmpty
        ? ""
        : "<a href=\"\(AlertsPage.address(of: finding.alert, finding.hasRunbook))\">\(clipped(finding.alert, to: 120))</a> fires: "
      return "<li class=\"\(finding.level.style)\">\(alert)\(clipped(finding.text, to: 400))</li>\n"
    }
    return """
      <ul class="findings">
      \(HTML.joined(items))\(html: hidden > 0 ? "<li class=\"dim\">\(hidden) further findings are not listed.</li>\n" : "")</ul>

      """
  }

  private func table(_ workload: Workload, _ room: inout Int) -> HTML {
    var bodies: [HTML] = []
    var hidden = 0
    for group in workload.groups where !group.nodes.isEmpty {
      let listed = group.nodes.prefix(room)
      room -= listed.count
      hidden += group.nodes.count - listed.count
      guard !listed.isEmpty else { continue }
      let title: HTML =
        group.title.isEmpty ? "" : "<tr class=\"group\"><th colspan=\"5\">\(clipped(group.title))</th></tr>\n"
      bodies.append("<tbody>\n\(title)\(HTML.joined(listed.map { row($0, workload) }))</tbody>\n")
    }
    guard !bodies.isEmpty || hidden > 0 else { return "<p class=\"dim\">No node is known yet.</p>\n" }
    let note: HTML = hidden > 0 ? "<p class=\"dim\">\(hidden) further nodes are not listed.</p>\n" : ""
    return """
      <div class="table"><table>
      <thead><tr><th>Node</th><th>Role</th><th>State</th><th>Lag</th><th>Memory</th></tr></thead>
      \(HTML.joined(bodies))</table></div>
      \(note)
      """
  }

  private func row(_ node: Node, _ workload: Workload) -> HTML {
    let reason: HTML = node.reason.isEmpty ? "" : "<small>\(clipped(node.reason))</small>"
    return """
      <tr><td><a href="/node/\(pathEncoded(node.name))">\(clipped(node.name))</a></td><td class="role">\(clipped(node.role))</td>\
      <td class="state \(node.level.style)"><i class="dot"></i>\(clipped(node.state))\(reason)</td>\
      <td>\(lag(node))</td><td>\(memory(node, workload.memoryObjectiveRatio))</td></tr>

      """
  }

  private func lag(_ node: Node) -> HTML {
    guard let seconds = node.lagSeconds else { return "" }
    let note = node.lagNote.isEmpty ? "" : "\(clipped(node.lagNote)) "
    let style = node.lagAsOfSeconds != nil ? "stale" : node.isLagHigh ? "warning" : "plain"
    let time: HTML = node.lagAsOfSeconds.map { " \(asOf($0, now: nowSeconds))" } ?? ""
    return "<span class=\"\(style)\"><span class=\"phone\">lag </span>\(note)\(span(seconds))\(time)</span>"
  }

  /// A bar with the objective as a mark on it.
  private func memory(_ node: Node, _ objective: Double?) -> HTML {
    guard let bytes = node.usedMemoryBytes else { return "" }
    let time: HTML = node.memoryAsOfSeconds.map { " \(asOf($0, now: nowSeconds))" } ?? ""
    let content: HTML = "\(memory(bytes, node, objective))\(time)"
    return node.memoryAsOfSeconds == nil ? content : "<span class=\"stale\">\(content)</span>"
  }

  private func memory(_ bytes: Int, _ node: Node, _ objective: Double?) -> HTML {
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

extension TopologyPage.Level {
  /// The class of what it colours.
  var style: String {
    switch self {
    case .good: "good"
    case .note: "note"
    case .warning: "warning"
    case .grave: "bad"
    }
  }
}
