import Runtime

extension EvidencePage {
  var content: HTML {
    let details: [HTML] = looks.enumerated().map { place, look in html(look, isOpen: place == 0) }
    return """
      \(lead)<h2>What stands out</h2>
      \(Self.list(record.culprits))\(comparison)\(html: looks.isEmpty ? "<p class=\"dim\">Nothing is gathered yet.</p>\n" : "")\(HTML.joined(details))\(foot)
      """
  }

  private var lead: HTML {
    let server: HTML? = record.node.map { name in
      nodes.contains(name) ? "<a href=\"/node/\(pathEncoded(name))\">\(clipped(name))</a>" : "\(clipped(name))"
    }
    let node: HTML = server.map { " · \($0)" } ?? ""
    let workload: HTML =
      workloads.contains(record.workload)
      ? "<a href=\"/workload/\(pathEncoded(record.workload))\">\(clipped(record.workload))</a>"
      : "\(clipped(record.workload))"
    let fired: HTML =
      record.firedSeconds.map { "fires since \(moment($0, now: nowSeconds))" } ?? "it has not fired"
    let runbook: HTML =
      runbookNames.contains(record.alert)
      ? " · <a href=\"/runbooks/\(pathEncoded(record.alert))?workload=\(pathEncoded(record.workload))\(record.node.map { "&node=\(pathEncoded($0))" } ?? "")\">Runbook</a>"
      : ""
    let others: HTML =
      record.otherAlerts.isEmpty
      ? ""
      : "<p class=\"dim\">Also about \(record.otherAlerts.prefix(12).map { clipped($0, to: 80) }.joined(separator: ", ")), which began within the same minute.</p>\n"
    return """
      <p class="lead"><span class="state \(record.level.style)">\(clipped(record.severity, to: 40))</span> · \(workload)\(node)</p>
      <p>Pending since \(moment(record.seconds, now: nowSeconds)), \(fired).</p>
      \(others)<p class="screen"><a href="/alerts">Alerts</a> · <a href="/events?workload=\(pathEncoded(record.workload))">Events</a> · \
      <a href="/evidence?workload=\(pathEncoded(record.workload))">All evidence of \(clipped(record.workload, to: 80))</a>\(runbook)</p>

      """
  }

  /// Sentences about what may be the cause, the likeliest first.
  static func list(_ culprits: [Culprit]) -> HTML {
    guard !culprits.isEmpty else {
      return "<p class=\"dim\">Nothing: no command, client or server is out of the ordinary in what was gathered.</p>\n"
    }
    let items: [HTML] = culprits.enumerated().map { place, culprit in
      """
      <li\(html: place == 0 ? " class=\"first\"" : "")>\(clipped(culprit.text, to: 600)) \
      <small class="dim">rests on: \(clipped(culprit.restsOn, to: 160))</small></li>

      """
    }
    return "<ol class=\"culprits\">\n\(HTML.joined(items))</ol>\n"
  }

  // MARK: Before against after

  /// The figures of each server, a column for each look.
  private var comparison: HTML {
    guard looks.count > 0, looks.contains(where: { $0.nodes.contains { !$0.figures.isEmpty } }) else { return "" }
    let heads: [HTML] = looks.map { look in
      "<th scope=\"col\">\(utc(look.seconds).suffix(8).description)<br><small>\(clipped(look.reason, to: 60))</small></th>"
    }
    var names: [String] = []
    for node in looks.flatMap(\.nodes) where !names.contains(node.name) { names.append(node.name) }
    let bodies: [HTML] = names.prefix(Self.nodeLimit).map { name in body(of: name) }
    let rest = names.count - Self.nodeLimit
    return """
      <h2>Before against after</h2>
      <div class="table" tabindex="0"><table class="compare">
      <thead><tr><th scope="col">Figure</th>\(HTML.joined(heads))</tr></thead>
      \(HTML.joined(bodies))</table></div>
      \(html: rest > 0 ? "<p class=\"dim\">\(rest) further servers are not listed.</p>\n" : "")
      """
  }

  private static let nodeLimit = 8

  private func body(of name: String) -> HTML {
    let columns = looks.map { look in look.nodes.first { $0.name == name } }
    var titles: [String] = []
    for figure in columns.compactMap({ $0 }).flatMap(\.figures) where !titles.contains(figure.title) {
      titles.append(figure.title)
    }
    let role = columns.lazy.compactMap { $0?.role }.first ?? ""
    let rows: [HTML] = titles.prefix(30).map { title in
      var before: Double?
      let cells: [HTML] = columns.map { node in
        guard let figure = node?.figures.first(where: { $0.title == title }) else { return "<td class=\"dim\">–</td>" }
        defer { before = figure.value }
        return "<td>\(Self.words(figure))\(Self.change(from: before, to: figure.value))</td>"
      }
      return "<tr><th scope=\"row\">\(clipped(title, to: 80))</th>\(HTML.joined(cells))</tr>\n"
    }
    let silent: [HTML] = columns.map { node in
      node.map { $0.silence == nil ? "<td></td>" : "<td class=\"bad\">no answer</td>" }
        ?? "<td class=\"dim\">not asked</td>"
    }
    let heading: HTML =
      "<tr class=\"server\"><th scope=\"rowgroup\">\(clipped(name, to: 120)) <small>\(clipped(role, to: 40))</small></th>\(HTML.joined(silent))</tr>\n"
    return "<tbody>\(heading)\(HTML.joined(rows))</tbody>\n"
  }

  private static func words(_ figure: Figure) -> String {
    switch figure.unit {
    case "bytes": size(Int(clamping: figure.value))
    case "seconds": fineSpan(figure.value)
    case "ratio": percent(figure.value)
    case "per_second": "\(number((figure.value * 10).rounded() / 10)) a second"
    default: number(figure.value)
    }
  }

  /// By how much it changed, where that is a tenth or more.
  private static func change(from before: Double?, to now: Double) -> HTML {
    guard let before, before.isFinite, now.isFinite, before != now else { return "" }
    guard before > 0 else { return now > 0 ? " <small class=\"change\">from 0</small>" : "" }
    let ratio = now / before
    guard ratio >= 1.1 || ratio <= 0.9 else { return "" }
    let text = ratio >= 10 ? "×\(number(ratio.rounded()))" : "\(ratio > 1 ? "+" : "−")\(percent(abs(ratio - 1)))"
    return " <small class=\"change\">\(text)</small>"
  }

  // MARK: A look

  private func html(_ look: Look, isOpen: Bool) -> HTML {
    let nodes: [HTML] = look.nodes.prefix(Self.nodeLimit).map { html($0) }
    return """
      <details class="look"\(html: isOpen ? " open" : "")><summary><b>\(utc(look.seconds).suffix(8).description)&nbsp;UTC</b>, \
      \(clipped(look.reason, to: 80)): what each server said</summary>
      \(HTML.joined(look.sections.map { html($0, below: 2) }))\(HTML.joined(nodes))</details>

      """
  }

  private func html(_ node: Node) -> HTML {
    let name: HTML =
      nodes.contains(node.name)
      ? "<a href=\"/node/\(pathEncoded(node.name))\">\(clipped(node.name, to: 120))</a>"
      : "\(clipped(node.name, to: 120))"
    let silence: HTML = node.silence.map { "<p class=\"bad\">It did not answer: \(clipped($0, to: 400))</p>\n" } ?? ""
    return """
      <section class="server"><h3>\(name) <span class="dim">\(clipped(node.role, to: 40))</span></h3>
      \(silence)\(HTML.joined(node.sections.map { html($0, below: 3) }))</section>

      """
  }

  /// - Parameter level: of the heading above it.
  private func html(_ section: Section, below level: Int) -> HTML {
    let heading: HTML = "<h\(level + 1)>\(clipped(section.title, to: 80))</h\(level + 1)>"
    let lines: [HTML] = section.lines.prefix(40).map { "<p>\(clipped($0, to: 400))</p>\n" }
    guard !section.columns.isEmpty, !section.rows.isEmpty else {
      return "\(heading)\n\(HTML.joined(lines))"
    }
    let heads: [HTML] = section.columns.map { "<th scope=\"col\">\(clipped($0, to: 60))</th>" }
    let rows: [HTML] = section.rows.prefix(40).map { row in
      let cells: [HTML] = row.map { "<td>\(clipped($0, to: 160))</td>" }
      return "<tr>\(HTML.joined(cells))</tr>\n"
    }
    let hidden = section.omittedRowCount
    return """
      \(heading)
      \(HTML.joined(lines))<div class="table" tabindex="0"><table><thead><tr>\(HTML.joined(heads))</tr></thead>
      <tbody>
      \(HTML.joined(rows))</tbody></table></div>
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further rows are left out.</p>\n" : "")
      """
  }

  private var foot: HTML {
    let cut: HTML = isCut ? "Long tables were shortened to keep it small. " : ""
    let open: HTML = isOpen ? "Five minutes after the alert fires there is another look. " : ""
    return """
      <p class="dim foot">\(cut)\(open)Commands are kept without keys and values, clients by name, user and network. \
      \(Self.retention(limits)) As of \(utc(nowSeconds)) UTC.</p>

      """
  }

  static func retention(_ limits: (count: Int, days: Int)) -> HTML {
    limits.days == 0
      ? "Kept in memory until redline ends: start it with --storage.path to keep more."
      : "Kept for \(limits.days) days, \(limits.count) at most."
  }

  static let styles: HTML = """

    .lead { margin: -.6rem 0 .3rem; } .culprits { margin: .3rem 0 1rem; padding-left: 1.4rem; } .culprits li { margin: .3rem 0; }
    .culprits .first { font-size: 1.1rem; font-weight: 600; } .culprits small { display: block; font-weight: 400; }
    .compare th[scope=row] { font-weight: 400; color: var(--text); } .compare th small { font-weight: 400; }
    .compare .server th { color: var(--text); padding-top: .9rem; } .change { color: var(--warning); white-space: nowrap; }
    .look { margin: 1rem 0; border-top: 1px solid var(--line); } .look > h3, h4 { margin: .8rem 0 .2rem; font-size: .95rem; }
    .look p { margin: .15rem 0; } section.server { border-left: .25rem solid var(--line); padding-left: .8rem; margin: 1rem 0; }
    .records { list-style: none; margin: .6rem 0; padding: 0; } .records li { border-left: .25rem solid var(--tone);
      background: var(--card); padding: .3rem .8rem; margin: .5rem 0; color: inherit; } .records p { margin: .15rem 0; }
    .foot { font-size: .85rem; margin-top: 1.5rem; }
    @media (max-width: 42rem) { .records a { display: inline-flex; align-items: center; min-height: 44px; min-width: 44px; } }
    """
}

extension EvidenceListPage {
  var content: HTML {
    let items: [HTML] = records.map { record in
      let address = EvidencePage.Record.address(record.id)
      let what: HTML =
        record.culprits.first.map { "<p>\(clipped($0.text, to: 400))</p>\n" }
        ?? "<p class=\"dim\">Nothing stands out.</p>\n"
      let node: HTML = record.node.map { " · \(clipped($0, to: 120))" } ?? ""
      let others: HTML =
        record.otherAlerts.isEmpty ? "" : " <span class=\"dim\">and \(record.otherAlerts.count) more</span>"
      return """
        <li class="\(record.level.style)"><p><a href="\(address)"><b>\(clipped(record.alert, to: 120))</b></a>\(others) · \
        \(clipped(record.workload, to: 120))\(node)</p>
        \(what)<p class="dim">\(moment(record.seconds, now: nowSeconds))\(html: record.firedSeconds == nil ? ", did not fire" : "")</p></li>

        """
    }
    let list: HTML =
      records.isEmpty
      ? "<p class=\"dim\">\(notice.isEmpty ? "Nothing is kept that matches." : notice)</p>\n"
      : "<ol class=\"records\">\n\(HTML.joined(items))</ol>\n"
    let more: HTML = hasMore ? "<p class=\"dim\">There is older evidence: choose a workload to see it.</p>\n" : ""
    return """
      \(choice)\(list)\(more)<p class="dim foot">\(EvidencePage.retention(limits)) As of \(utc(nowSeconds)) UTC.</p>

      """
  }

  private var choice: HTML {
    let only: HTML =
      node.isEmpty ? "" : "<p>Only of <b>\(clipped(node))</b>. <a href=\"/evidence\">Of all servers</a></p>\n"
    guard workloads.count > 1 || !workload.isEmpty else { return only }
    var all = [""] + workloads.prefix(40)
    if !all.contains(workload) { all.append(workload) }
    let links: [HTML] = all.map { name in
      let mark: HTML = name == workload ? " aria-current=\"true\"" : ""
      let address = name.isEmpty ? "/evidence" : "/evidence?workload=\(pathEncoded(name))"
      return "<li><a href=\"\(address)\"\(mark)>\(name.isEmpty ? "Any" : clipped(name, to: 60))</a></li>\n"
    }
    return """
      \(only)<nav aria-label="Workload"><ul class="filters">
      \(HTML.joined(links))</ul></nav>

      """
  }
}
