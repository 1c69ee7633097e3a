extension NodePage {
  var content: HTML {
    """
    \(lead)\(links)\(factList)\(silence)\(findingList)\(masterList)\(figureList)\(StreamRow.table(streams))\(slow)\(clientList)\
    \(settingList)\(eventList)
    <p class="dim foot">As of \(utc(nowSeconds)) UTC, reloads every \(Self.refreshSeconds) s</p>
    """
  }

  // MARK: What it is

  private var lead: HTML {
    let what: HTML = identity.role.isEmpty ? "" : "<span>\(clipped(identity.role, to: 40))</span>"
    let whose: HTML = identity.workload.map { " of <a href=\"/workload/\(pathEncoded($0))\">\(clipped($0))</a>" } ?? ""
    let master: HTML =
      identity.master.map { ", follows <a href=\"/node/\(pathEncoded($0))\">\(clipped($0))</a>" } ?? ""
    let place: HTML = what == "" && whose == "" ? "" : " · \(what)\(whose)\(master)"
    let reason: HTML = condition.reason.isEmpty ? "" : "<p>\(clipped(condition.reason, to: 400))</p>\n"
    return """
      <p class="lead"><span class="state \(condition.level.style)"><i class="dot"></i>\(clipped(condition.state))</span>\(place)</p>
      \(reason)
      """
  }

  private var links: HTML {
    let timeline: HTML =
      identity.workload.map { "<a href=\"/workload/\(pathEncoded($0))\">Timeline</a> · " } ?? ""
    return """
      <p class="screen">\(timeline)<a href="/events?node=\(pathEncoded(name))">Events</a> · \
      <a href="/evidence?node=\(pathEncoded(name))">Evidence</a> · <a href="/alerts">Alerts</a> · \
      <a href="/runbooks">Runbooks</a></p>

      """
  }

  private var factList: HTML {
    let pairs: [HTML] = identity.facts.map { "<div><dt>\($0.name)</dt><dd>\(clipped($0.value))</dd></div>\n" }
    return pairs.isEmpty ? "" : "<dl class=\"facts\">\n\(HTML.joined(pairs))</dl>\n"
  }

  private var silence: HTML {
    condition.asOfSeconds.map {
      "<p class=\"dim\">It last answered at \(moment($0, now: nowSeconds)): figures in grey are not current.</p>\n"
    } ?? ""
  }

  private var findingList: HTML {
    findings.isEmpty
      ? "" : "<h2>What is found</h2>\n\(WorkloadCard.list(findings, limit: Self.findingLimit, now: nowSeconds))"
  }

  // MARK: How it does

  private var figureList: HTML {
    guard !figures.isEmpty || !notice.isEmpty else { return "" }
    let marks = EventsPage.marks(of: events, from: nowSeconds - spanSeconds, seconds: spanSeconds)
    let drawn: [HTML] = figures.map { figure in
      if let series = figure.series {
        var chart = Chart(title: figure.title, series: series)
        (chart.value, chart.note, chart.level) = (figure.value, figure.note, figure.level)
        (chart.objective, chart.marks) = (figure.objective, marks)
        chart.asOf = time(figure.asOfSeconds)
        return chart.html
      }
      let note: HTML = figure.note.isEmpty ? "" : " <small class=\"dim\">\(clipped(figure.note))</small>"
      let value: HTML =
        figure.value.isEmpty
        ? "<span class=\"dim\">not known</span>"
        : "<b class=\"\(figure.level == .good ? "plain" : figure.level.style)\">\(clipped(figure.value))</b>"
      let time: HTML = time(figure.asOfSeconds).map { " \($0)" } ?? ""
      return """
        <section class="chart\(figure.asOfSeconds == nil ? "" : " stale")"><h3>\(figure.title) \(value)\(note)\(time)</h3></section>

        """
    }
    let isDrawn = figures.contains { $0.series != nil } && spanSeconds > 0
    let ticks = Chart.ticks(from: nowSeconds - spanSeconds, seconds: spanSeconds)
    let scale: HTML = isDrawn ? "<div>\(ticks)</div><div>\(ticks)</div>" : ""
    return """
      <h2>Key figures\(html: isDrawn ? " <small class=\"dim\">last \(span(spanSeconds)), times in UTC</small>" : "")</h2>
      \(html: notice.isEmpty ? "" : "<p class=\"dim\">\(notice)</p>\n")<div class="charts">
      \(HTML.joined(drawn))\(scale)</div>

      """
  }

  /// Of when a figure is that is not current; nil for one that is.
  private func time(_ asOfSeconds: Double?) -> HTML? { asOfSeconds.map { asOf($0, now: nowSeconds) } }

  private var heading: HTML { time(condition.asOfSeconds).map { " \($0)" } ?? "" }

  private var slow: HTML {
    guard let slowLog else { return "" }
    let count: HTML = slowLog.entryCount.map { "\(number($0)) entries" } ?? "not known"
    let added: HTML = slowLog.addedInHour.map { ", \(number($0.rounded())) more within the last hour" } ?? ""
    let newest: HTML =
      slowLog.newestSeconds.map { seconds in
        "<p>The newest took \(slowLog.newestDurationSeconds.map(fineSpan) ?? "a time not known"), at \(moment(seconds, now: nowSeconds))</p>\n"
      } ?? ""
    return """
      <h2>Slow log\(heading)</h2>
      <p\(html: condition.asOfSeconds == nil ? "" : " class=\"stale\"")>\(count)\(added).</p>
      \(newest)<p class="dim">Commands and their arguments are not shown: <code>SLOWLOG GET</code> on the server has \
      them.</p>

      """
  }

  private var clientList: HTML {
    let ranked = clients.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    let rows: [HTML] = ranked.prefix(Self.clientLimit).map { client in
      let name: HTML =
        client.name.isEmpty ? "<span class=\"dim\">without a name</span>" : "\(clipped(client.name, to: 80))"
      return "<tr><td>\(name)</td><td>\(number(client.count))</td></tr>\n"
    }
    return table("Clients by name", ["Name", "Connections"], rows, hidden: ranked.count - rows.count, "names")
  }

  /// Numbers that the server was configured with.
  private var settingList: HTML {
    let rows: [HTML] = settings.prefix(Self.settingLimit).map {
      "<tr><td>\(clipped($0.name, to: 80))</td><td>\(clipped($0.value, to: 120))</td></tr>\n"
    }
    return table("Configuration", ["Setting", "Value"], rows, hidden: settings.count - rows.count, "settings")
  }

  private func table(_ title: HTML, _ columns: [String], _ rows: [HTML], hidden: Int, _ things: String) -> HTML {
    guard !rows.isEmpty else { return "" }
    let heads: [HTML] = columns.map { "<th scope=\"col\">\($0)</th>" }
    return """
      <h2>\(title)\(heading)</h2>
      <div class="table\(html: condition.asOfSeconds == nil ? "" : " stale")" tabindex="0"><table>
      <thead><tr>\(HTML.joined(heads))</tr></thead>
      <tbody>
      \(HTML.joined(rows))</tbody></table></div>
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further \(things) are not listed.</p>\n" : "")
      """
  }

  // MARK: A Sentinel

  private var masterList: HTML {
    func share(_ well: Double?, _ all: Double?) -> HTML {
      guard let all else { return "<span class=\"dim\">–</span>" }
      guard let well else { return "\(number(all))" }
      return well < all
        ? "<b class=\"warning\">\(number(well)) of \(number(all)) ok</b>" : "\(number(all)), all ok"
    }
    let rows: [HTML] = sentinel.masters.prefix(Self.masterLimit).map { master in
      let agreement: HTML =
        master.agreement.isEmpty
        ? "" : "<small class=\"\(master.canAgree ? "dim" : "bad")\">\(clipped(master.agreement, to: 200))</small>"
      return """
        <tr><td>\(clipped(master.name, to: 120))</td><td>\(clipped(master.address, to: 120))</td>\
        <td class="\(master.isWell ? "good" : "bad")">\(clipped(master.status, to: 80))</td>\
        <td>\(share(master.wellReplicas, master.replicas))</td><td>\(share(master.wellSentinels, master.sentinels))</td>\
        <td>\(master.quorum.map { "\(number($0))" } ?? "–") \(agreement)</td></tr>

        """
    }
    let list = table(
      "Masters that it watches", ["Master", "Address", "State", "Replicas", "Sentinels", "Quorum"], rows,
      hidden: sentinel.masters.count - rows.count, "masters")
    guard !sentinel.peers.isEmpty else { return list }
    let links: [HTML] = sentinel.peers.prefix(50).map {
      "<a href=\"/node/\(pathEncoded($0))\">\(clipped($0, to: 120))</a>"
    }
    let listed = HTML.joined(Array(links.flatMap { [", ", $0] }.dropFirst()))
    return "\(list)<p>Other Sentinels of \(identity.workload.map { clipped($0) } ?? "its master"): \(listed)</p>\n"
  }

  private var eventList: HTML {
    guard !events.isEmpty else { return "" }
    return """
      <h2>Newest events</h2>
      <ol class="events">
      \(HTML.joined(events.map { $0.html(now: nowSeconds, linkedNodes: nil) }))</ol>
      <p><a href="/events?node=\(pathEncoded(name))">All events of this node</a></p>

      """
  }

  static let styles: HTML = """

    .lead { margin: -.6rem 0 .3rem; } .lead + p { margin: .2rem 0; }
    .dot { display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; background: var(--tone); margin-right: .45rem; }
    .facts { display: flex; flex-wrap: wrap; gap: .3rem 2rem; margin: .6rem 0; }
    .facts dt { color: var(--dim); font-size: .85rem; } .facts dd { margin: 0; }
    .findings small { color: var(--dim); } h2 small { font-weight: 400; font-size: .85rem; }
    \(Chart.styles)
    .charts { display: grid; gap: 0 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(30rem, 100%), 1fr)); }
    @media (max-width: 52rem) { .charts > div + div { display: none; } }
    td small { display: block; } .foot { font-size: .85rem; margin-top: 1.5rem; }
    \(RunbookPage.markdownStyles)
    \(EventsPage.eventStyles)
    """
}
