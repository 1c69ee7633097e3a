extension EventsPage {
  var content: HTML {
    let items: [HTML] = events.prefix(Self.pageSize).map { $0.html(now: nowSeconds, linkedNodes: nodes) }
    let list: HTML =
      events.isEmpty
      ? "<p class=\"dim\">\(notice.isEmpty ? "No event is kept that matches." : notice)</p>\n"
      : "<ol class=\"events\">\n\(HTML.joined(items))</ol>\n"
    return """
      \(choices("Workload", workloads, filter.workload) { $0.workload = $1 })\
      \(choices("Kind", kinds, filter.kind) { $0.kind = $1 })\(nodeChoice)\
      <p class="dim screen">As of \(utc(nowSeconds)) UTC.</p>
      \(list)\(pages)
      """
  }

  /// Links that choose one of a few.
  private func choices(
    _ title: String, _ names: [String], _ chosen: String, _ set: (inout Filter, String) -> Void
  ) -> HTML {
    guard names.count > 1 || !chosen.isEmpty else { return "" }
    var all = [""] + names.prefix(40)
    if !all.contains(chosen) { all.append(chosen) }
    let links: [HTML] = all.map { name in
      var filter = filter
      filter.page = 1
      set(&filter, name)
      let mark: HTML = name == chosen ? " aria-current=\"true\"" : ""
      let text = name.isEmpty ? "Any" : clipped(name.replacing("_", with: " "), to: 60)
      return "<li><a href=\"\(Self.address(filter))\"\(mark)>\(text)</a></li>\n"
    }
    return """
      <nav class="choice" aria-label="\(title)"><b>\(title)</b><ul class="filters">
      \(HTML.joined(links))</ul></nav>

      """
  }

  private var nodeChoice: HTML {
    guard !filter.node.isEmpty else { return "" }
    var without = filter
    without.node = ""
    without.page = 1
    return """
      <p>Only of <b>\(clipped(filter.node))</b>. <a href="\(Self.address(without))">Of all nodes</a></p>

      """
  }

  private var pages: HTML {
    func link(_ page: Int, _ text: HTML, _ relation: HTML) -> HTML {
      var filter = filter
      filter.page = page
      return "<li><a rel=\"\(relation)\" href=\"\(Self.address(filter))\">\(text)</a></li>\n"
    }
    let newer = filter.page > 1 ? link(filter.page - 1, "Newer", "prev") : ""
    let older = hasMore && filter.page < Self.pageLimit ? link(filter.page + 1, "Older", "next") : ""
    guard newer != "" || older != "" else { return "" }
    return "<nav aria-label=\"Pages of events\"><ul class=\"filters\">\n\(newer)\(older)</ul></nav>\n"
  }

  static func address(_ filter: Filter) -> String {
    let items =
      [("workload", filter.workload), ("node", filter.node), ("kind", filter.kind)].filter { !$0.1.isEmpty }
      .map { "\($0.0)=\(pathEncoded($0.1))" } + (filter.page > 1 ? ["page=\(filter.page)"] : [])
    return "/events" + (items.isEmpty ? "" : "?\(items.joined(separator: "&"))")
  }

  static let eventStyles: HTML = """
    .choice { margin: .4rem 0; } .choice b { color: var(--dim); font-weight: 600; font-size: .85rem; }
    .choice .filters { margin: .2rem 0; gap: .35rem; } .choice .filters a { padding: .2rem .6rem; }
    .events { list-style: none; padding: 0; margin: 1rem 0; }
    .events > li { border-left: .25rem solid var(--tone, var(--line)); padding: .1rem 0 .5rem .8rem; margin: 0 0 .4rem; }
    .events p { margin: .1rem 0; } .events b { font-weight: 600; }
    .phases { display: block; width: 100%; height: .9rem; margin: .35rem 0; background: var(--track); border-radius: .2rem; }
    .phases rect { fill: var(--link); stroke: var(--page); stroke-width: .4; }
    .phases rect:nth-of-type(3n) { fill: var(--warning); } .phases rect:nth-of-type(3n+2) { fill: var(--good); }
    .steps { display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none; margin: .2rem 0; padding: 0; }
    .events table { width: auto; margin: .3rem 0; } .events td, .events th { padding: .1rem 1.2rem .1rem 0; }
    """
}

extension EventsPage.Event {
  /// - Parameter nodes: those that have a page of their own; nil where the node is not named.
  func html(now: Double, linkedNodes nodes: Set<String>?) -> HTML {
    let place: HTML =
      node.isEmpty || nodes == nil
      ? ""
      : nodes?.contains(node) == false
        ? " · \(clipped(node, to: 120))" : " · <a href=\"/node/\(pathEncoded(node))\">\(clipped(node, to: 120))</a>"
    let origin: HTML = workload.isEmpty ? "" : " · \(clipped(workload, to: 120))"
    return """
      <li class="\(level.style)"><p>\(moment(seconds, now: now))</p>
      <p><b>\(kind.replacing("_", with: " "))</b>\(origin)\(place)</p>
      <p>\(clipped(summary, to: 600))</p>
      \(costLines)\(phaseBar)\(clientTable)\(evidenceLink)</li>

      """
  }

  private var evidenceLink: HTML {
    evidence.map { "<p><a href=\"\(EvidencePage.Record.address($0))\">Evidence</a></p>\n" } ?? ""
  }

  /// What a failover cost.
  private var costLines: HTML {
    let outage: HTML =
      outageSeconds.map { seconds in
        seconds == 0
          ? "<p>The old master served until the new one did.</p>\n"
          : "<p>From the last answer of the old master to the first of the new one: \(fineSpan(seconds))</p>\n"
      } ?? ""
    let lost: HTML = lost.map { "<p>\(clipped($0.prefix(1).uppercased() + $0.dropFirst(), to: 300)).</p>\n" } ?? ""
    return "\(outage)\(lost)"
  }

  /// How long it took from phase to phase: as a bar, and in words.
  private var phaseBar: HTML {
    guard let first = phases.first, let last = phases.last else { return "" }
    let whole = max(0, last.seconds - first.seconds)
    var bars: [HTML] = []
    var words: [HTML] = ["<li>\(clipped(first.name, to: 60)) at \(utc(first.seconds).suffix(8).description)</li>\n"]
    for (from, to) in zip(phases, phases.dropFirst()) {
      let length = max(0, to.seconds - from.seconds)
      words.append("<li>\(clipped(to.name, to: 60)) <span class=\"dim\">after \(fineSpan(length))</span></li>\n")
      guard whole > 0 else { continue }
      let start = (from.seconds - first.seconds) / whole * 200
      bars.append("<rect x=\"\(number(start))\" width=\"\(number(length / whole * 200))\" height=\"8\"/>")
    }
    let bar: HTML =
      bars.isEmpty
      ? ""
      : """
      <svg class="phases" viewBox="0 0 200 8" preserveAspectRatio="none" aria-hidden="true">\(HTML.joined(bars))</svg>

      """
    return """
      \(bar)<ol class="steps">
      \(HTML.joined(words))</ol>

      """
  }

  private var clientTable: HTML {
    guard !clients.isEmpty else { return "" }
    let rows: [HTML] = clients.prefix(EventsPage.clientLimit).map { entry in
      """
      <tr><td>\(clipped(entry.node, to: 120))</td><td>\(entry.before.map { "\($0)" } ?? "–")</td>\
      <td>\(entry.after.map { "\($0)" } ?? "–")</td></tr>

      """
    }
    let hidden = clients.count - EventsPage.clientLimit
    return """
      <div class="table"><table>
      <thead><tr><th scope="col">Clients of</th><th scope="col">before</th><th scope="col">after</th></tr></thead>
      <tbody>
      \(HTML.joined(rows))</tbody></table></div>
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further nodes are not listed.</p>\n" : "")
      """
  }
}
