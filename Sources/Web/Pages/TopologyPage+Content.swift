import Runtime

extension TopologyPage {
  /// The worst first, by name among equals.
  private var ranked: [Workload] { workloads.sorted { ($1.state, $0.name) < ($0.state, $1.name) } }

  /// Of all workloads.
  var worst: State { workloads.map(\.state).max() ?? .healthy }

  /// `critical: sessions`
  var windowTitle: String {
    guard let first = ranked.first else { return "Redline" }
    let sick = workloads.count { $0.state != .healthy }
    if sick == 0 { return "healthy · Redline" }
    return "\(first.state.rawValue): \(clipped(first.name, to: 60))\(sick > 1 ? " and \(sick - 1) more" : "") · Redline"
  }

  var content: HTML {
    let matching = ranked.filter(filter.matches)
    // The worst come first where the page has no room for all.
    let listed = matching.prefix(Self.workloadLimit)
    var room = (nodes: Self.nodeLimit, runbooks: Self.runbookLimit)
    let sections = listed.map { section($0, &room) }
    let hidden = matching.count - listed.count
    let nothing: HTML =
      workloads.isEmpty ? "" : "<p class=\"dim\">No workload is like that. <a href=\"/\">Show all</a></p>"
    return """
      \(sentence)\(Receiver.banner(receivers, now: nowSeconds))\(workloads.isEmpty ? "" : filters)\
      \(listed.isEmpty ? nothing : "\(columns(listed[listed.startIndex]))<div class=\"workloads\">\n\(HTML.joined(sections))</div>\n")\
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further workloads are not listed.</p>\n" : "")\
      <p class="dim foot">Redline \(version) · \(time) · reloads every \(Self.refreshSeconds) s · \
      <a href="/sd">Discovered targets</a> · <a href="/health">Health</a>\(broken)</p>
      """
  }

  private var time: HTML { "\(moment(nowSeconds, now: nowSeconds))" }

  private var broken: HTML {
    guard let alerts, alerts.broken > 0 else { return "" }
    return " · <a class=\"bad\" href=\"/alerts?state=broken\">\(AlertsPage.Summary.failing(alerts.broken))</a>"
  }

  // MARK: The sentence

  /// What somebody has to know who reads nothing else: `sessions is critical for 14 s: no master answers. 2 of 3 workloads are
  /// healthy.`
  public var summary: String { summaryParts.map(\.text).joined(separator: " ") }

  private var sentence: HTML {
    let parts: [HTML] = summaryParts.map { part in
      part.state.map { "<b class=\"\($0.level.style)\">\(part.text)</b>" } ?? HTML(text: part.text)
    }
    return "<p class=\"lead\">\(HTML.joined(Array(parts.flatMap { [" ", $0] }.dropFirst())))</p>\n"
  }

  /// What is said of a state with that state, and what is said beside it.
  private var summaryParts: [(text: String, state: State?)] {
    let all = workloads.count
    let healthy = workloads.count { $0.state == .healthy }
    guard let first = ranked.first else { return [("No workload is watched.", nil)] }
    guard healthy < all else {
      return [(all == 1 ? "\(clipped(first.name)) is healthy." : "All \(all) workloads are healthy.", .healthy)]
    }
    let age = first.stateAgeSeconds.map { " for \(span($0))" } ?? ""
    let why = Self.ranked(first.findings.filter { !$0.isPosture }).first.map { clipped($0.text, to: 300) }
    let said = "\(clipped(first.name)) is \(first.state.rawValue)\(age)"
    var parts: [(String, State?)] =
      why.map { [("\(said):", first.state), ($0.hasSuffix(".") ? $0 : "\($0).", nil)] }
      ?? [("\(said).", first.state)]
    let others = ranked.dropFirst().filter { $0.state != .healthy }
    for other in others.prefix(2) { parts.append(("\(clipped(other.name)) is \(other.state.rawValue).", other.state)) }
    if others.count > 2 {
      parts.append(("\(others.count - 2) more \(others.count == 3 ? "is" : "are") not healthy.", nil))
    }
    if all > 1 { parts.append(("\(healthy) of \(all) workloads \(healthy == 1 ? "is" : "are") healthy.", nil)) }
    return parts
  }

  // MARK: Filters

  private var filters: HTML {
    let environments = Set(workloads.compactMap(\.environment)).sorted().prefix(12)
    let states = State.allCases.filter { state in state == filter.state || workloads.contains { $0.state == state } }
    guard workloads.count > 1 || filter != Filter() else { return "" }
    var links: [HTML] = [link("All \(workloads.count)", filter.with(state: nil), isChosen: filter.state == nil)]
    for state in states.reversed() {
      let count = workloads.count { $0.state == state }
      links.append(link("\(count) \(state.rawValue)", filter.with(state: state), isChosen: filter.state == state))
    }
    if environments.count > 1 || filter.environment != nil {
      links.append(link("any environment", filter.with(environment: nil), isChosen: filter.environment == nil))
      links += environments.map { link($0, filter.with(environment: $0), isChosen: filter.environment == $0) }
    }
    return """
      <div class="chooser"><ul class="filters">
      \(HTML.joined(links))</ul>
      \(workloads.count > Self.manyWorkloads || !filter.name.isEmpty ? search : "")</div>

      """
  }

  /// For one among many, by a part of its name.
  private var search: HTML {
    let kept: [HTML] = [("environment", filter.environment), ("state", filter.state?.rawValue)].compactMap {
      name, value in
      value.map { "<input type=\"hidden\" name=\"\(name)\" value=\"\(clipped($0))\">" }
    }
    return """
      <form role="search" action="/">\(HTML.joined(kept))<label>Name <input name="name" type="search" \
      value="\(clipped(filter.name, to: 100))" autocomplete="off" data-filter></label></form>
      """
  }

  private func link(_ text: String, _ filter: Filter, isChosen: Bool) -> HTML {
    let mark: HTML = isChosen ? " aria-current=\"true\"" : ""
    return "<li><a href=\"\(filter.address)\"\(mark)>\(clipped(text, to: 40))</a></li>\n"
  }

  // MARK: Workloads

  /// What the numbers of the lines are, above them on a wide screen.
  private func columns(_ example: Workload) -> HTML {
    let titles: [HTML] = example.figures.map { "<span>\($0.title)</span>" }
    return "<div class=\"line heads\" aria-hidden=\"true\"><span>Workload</span>\(HTML.joined(titles))</div>\n"
  }

  private func section(_ workload: Workload, _ room: inout (nodes: Int, runbooks: Int)) -> HTML {
    let isSick = workload.state != .healthy
    let age: HTML = workload.stateAgeSeconds.map { " <span class=\"dim since\">for \(span($0))</span>" } ?? ""
    let windows: [HTML] = workload.windows.map { " <span class=\"tag\">\(clipped($0))</span>" }
    let findings = list(workload, &room.runbooks)
    let nodes = nodes(workload, &room.nodes)
    return """
      <details class="workload \(workload.state.level.style)" id="w-\(pathEncoded(workload.name))" \
      data-name="\(clipped(workload.name))"\(html: isSick ? " open" : "")>
      <summary class="line"><span class="who"><i class="dot"></i><b>\(clipped(workload.name))</b> \
      <span class="verdict">\(workload.state.rawValue)</span>\(age)\(HTML.joined(windows))</span>\
      \(HTML.joined(workload.figures.map(figure)))</summary>
      \(findings)<p class="dim">\(about(workload)) · \
      <a href="/events?workload=\(pathEncoded(workload.name))">Events</a></p>
      \(nodes)</details>

      """
  }

  private func figure(_ figure: Figure) -> HTML {
    let value: HTML =
      figure.value.map { "<b class=\"\(figure.isMissed ? "warning" : "plain")\">\(clipped($0))</b>" }
      ?? "<b class=\"dim\">–</b>"
    let objective: HTML = figure.objective.isEmpty ? "" : " <small>\(clipped(figure.objective))</small>"
    return "<span class=\"number\"><span class=\"label\">\(figure.title) </span>\(value)\(objective)</span>"
  }

  private func about(_ workload: Workload) -> HTML {
    let traits = workload.traits.map { clipped($0) }.joined(separator: " · ")
    return "\(traits) · \(members(workload))\(failovers(workload))"
  }

  private func members(_ workload: Workload) -> HTML {
    "\(workload.presentCount)\(workload.expectedCount.map { " of \($0)" } ?? "") up"
  }

  private func failovers(_ workload: Workload) -> HTML {
    guard let count = workload.failoverCount else { return "" }
    guard let age = workload.lastFailoverAgeSeconds else { return " · no failover since it is watched" }
    let what = workload.lastFailover.isEmpty ? "" : " (\(clipped(workload.lastFailover)))"
    return " · \(count) \(count == 1 ? "failover" : "failovers"), the last \(Web.age(age))\(what)"
  }

  // MARK: What is found

  private static func ranked(_ findings: [Finding]) -> [Finding] {
    findings.enumerated().sorted { ($1.element.level, $0.offset) < ($0.element.level, $1.offset) }.map(\.element)
  }

  private func list(_ workload: Workload, _ runbooks: inout Int) -> HTML {
    // One text for all alerts of a name.
    var shown: Set<String> = []
    let findings = workload.findings.map { finding in
      var finding = finding
      if finding.runbook == nil { return finding }
      if runbooks > 0, workload.state != .healthy, shown.insert(finding.alert).inserted {
        runbooks -= 1
      } else {
        finding.runbook = nil
      }
      return finding
    }
    return Self.list(findings, limit: Self.findingLimit, now: nowSeconds)
  }

  /// What is found, the worst first; below it what is found of the setup.
  static func list(_ findings: [Finding], limit: Int, now: Double) -> HTML {
    let ranked = ranked(findings)
    let posture = ranked.filter(\.isPosture)
    let apart: HTML =
      posture.isEmpty ? "" : "<h3>How it is set up</h3>\n\(items(posture, limit: limit, now: now))"
    return "\(items(ranked.filter { !$0.isPosture }, limit: limit, now: now))\(apart)"
  }

  private static func items(_ findings: [Finding], limit: Int, now: Double) -> HTML {
    guard !findings.isEmpty else { return "" }
    let hidden = findings.count - limit
    let items: [HTML] = findings.prefix(limit).map { item($0, now: now) }
    return """
      <ul class="findings">
      \(HTML.joined(items))\(html: hidden > 0 ? "<li class=\"dim\">\(hidden) further findings are not listed.</li>\n" : "")</ul>

      """
  }

  private static func item(_ finding: Finding, now: Double) -> HTML {
    let alert: HTML =
      finding.alert.isEmpty
      ? ""
      : "<a href=\"\(AlertsPage.address(of: finding.alert, finding.hasRunbook))\">\(clipped(finding.alert, to: 120))</a> fires: "
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

  private func nodes(_ workload: Workload, _ room: inout Int) -> HTML {
    let groups = workload.groups.filter { !$0.nodes.isEmpty }
    guard !groups.isEmpty else { return "<p class=\"dim\">No node is known yet.</p>\n" }
    var parts: [HTML] = []
    var hidden = 0
    for group in groups {
      let listed = group.nodes.prefix(room)
      room -= listed.count
      hidden += group.nodes.count - listed.count
      guard !listed.isEmpty else { continue }
      let table = table(Array(listed), workload)
      parts.append(groups.count == 1 ? table : folded(group, table))
    }
    let note: HTML = hidden > 0 ? "<p class=\"dim\">\(hidden) further nodes are not listed.</p>\n" : ""
    return "\(HTML.joined(parts))\(note)"
  }

  /// A shard is open where one of its nodes is not well.
  private func folded(_ group: Group, _ table: HTML) -> HTML {
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

  private func table(_ nodes: [Node], _ workload: Workload) -> HTML {
    """
    <div class="table"><table>
    <thead><tr><th>Node</th><th>Role</th><th>State</th><th>Lag</th><th>Memory</th></tr></thead>
    <tbody>
    \(HTML.joined(nodes.map { row($0, workload) }))</tbody></table></div>

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

extension TopologyPage.Filter {
  func with(state: TopologyPage.State?) -> Self {
    var filter = self
    filter.state = state
    return filter
  }

  func with(environment: String?) -> Self {
    var filter = self
    filter.environment = environment
    return filter
  }

  /// Of the page that shows what it matches.
  var address: String {
    let parts = [("name", name.isEmpty ? nil : name), ("environment", environment), ("state", state?.rawValue)]
      .compactMap { key, value in value.map { "\(key)=\(pathEncoded($0))" } }
    return parts.isEmpty ? "/" : "/?\(parts.joined(separator: "&"))"
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
