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
    let sections = listed.map { WorkloadCard($0, now: nowSeconds).html(&room) }
    let hidden = matching.count - listed.count
    let nothing: HTML =
      workloads.isEmpty ? "" : "<p class=\"dim\">No workload is like that. <a href=\"/\">Show all</a></p>"
    return """
      \(FleetSentence(workloads.map(\.standing)).html)\(Receiver.banner(receivers, now: nowSeconds))\(workloads.isEmpty ? "" : filters)\
      \(listed.isEmpty ? nothing : "\(WorkloadCard.heads(of: listed[listed.startIndex]))<div class=\"workloads\">\n\(HTML.joined(sections))</div>\n")\
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further workloads are not listed.</p>\n" : "")\
      <p class="dim foot">Redline \(version) · \(time) · reloads every \(Self.refreshSeconds) s · \
      <a href="/sd">Discovered targets</a> · <a href="/health">Health</a>\(broken)</p>
      """
  }

  private var time: HTML { "\(moment(nowSeconds, now: nowSeconds))" }

  private var broken: HTML {
    brokenRuleCount == 0
      ? ""
      : " · <a class=\"bad\" href=\"/rules?state=broken\">\(RulesPage.failing(brokenRuleCount))</a>"
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
