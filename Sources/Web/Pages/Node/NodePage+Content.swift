extension NodePage {
  var content: HTML {
    let path = "/node/\(pathEncoded(name))"
    let refresh: HTML =
      isRefreshed
      ? "Reloads every \(Self.refreshSeconds) s. <a href=\"\(path)\">Stop</a>"
      : "<a href=\"\(path)?refresh=\(Self.refreshSeconds)\">Reload every \(Self.refreshSeconds) s</a>"
    let pairs: [HTML] = facts.map { "<div><dt>\($0.name)</dt><dd>\(clipped($0.value))</dd></div>\n" }
    let silence: HTML =
      condition.asOfSeconds.map {
        "<p class=\"dim\">It last answered at \(moment($0, now: nowSeconds)): figures in grey are not current.</p>\n"
      } ?? ""
    return """
      <p class="lead"><span class="state \(condition.level.style)">\(clipped(condition.state))</span>\
      \(html: condition.reason.isEmpty ? "" : " <span>\(clipped(condition.reason, to: 400))</span>")</p>
      <dl class="facts">
      \(HTML.joined(pairs))</dl>
      \(silence)<p class="dim screen">As of \(utc(nowSeconds)) UTC. \(refresh)</p>
      \(alertList)\(findingList)\(figureList)\(slow)\(clientList)\(eventList)
      """
  }

  private var figureList: HTML {
    let tiles: [HTML] = figures.map { figure in
      let note: HTML = figure.note.isEmpty ? "" : " <span class=\"dim\">\(clipped(figure.note))</span>"
      let line: HTML = figure.series.map { SparkLine(series: $0, title: figure.title).html } ?? ""
      let value: HTML = figure.value.isEmpty ? "<span class=\"dim\">not known</span>" : "\(clipped(figure.value))"
      let style = figure.asOfSeconds != nil ? "stale" : figure.level == .good ? "plain" : figure.level.style
      return """
        <section class="figure\(figure.asOfSeconds == nil ? "" : " stale")"><h3>\(figure.title)</h3>
        <p class="value \(style)">\(value)\(note)\(time(figure.asOfSeconds))</p>
        \(line)</section>

        """
    }
    guard !tiles.isEmpty || !notice.isEmpty else { return "" }
    return """
      <h2>Key figures</h2>
      \(html: notice.isEmpty ? "" : "<p class=\"dim\">\(notice)</p>\n")<div class="figures">
      \(HTML.joined(tiles))</div>

      """
  }

  /// Of when a figure is that is not current.
  private func time(_ asOfSeconds: Double?) -> HTML { asOfSeconds.map { " \(asOf($0, now: nowSeconds))" } ?? "" }

  private var findingList: HTML {
    findings.isEmpty
      ? "" : "<h2>Findings</h2>\n\(WorkloadCard.list(findings, limit: Self.findingLimit, now: nowSeconds))"
  }

  private var alertList: HTML {
    guard !alerts.isEmpty else { return "" }
    var page = AlertsPage(metricsPath: metricsPath, groups: [], nowSeconds: nowSeconds)
    page.nodes = [name]
    let hidden = alerts.count - Self.alertLimit
    let cards: [HTML] = alerts.prefix(Self.alertLimit).map { entry in
      page.article(
        entry.alert,
        title: "<p><a href=\"\(AlertsPage.address(of: entry.rule, entry.hasRunbook))\">\(clipped(entry.rule))</a></p>\n"
      )
    }
    return """
      <h2>Alerts</h2>
      \(HTML.joined(cards))\(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further alerts are not listed.</p>\n" : "")
      """
  }

  private var slow: HTML {
    guard let slowLog else { return "" }
    let count: HTML = slowLog.entryCount.map { "\(number($0)) entries" } ?? "not known"
    let added: HTML = slowLog.addedInHour.map { ", \(number($0.rounded())) more within the last hour" } ?? ""
    let newest: HTML =
      slowLog.newestSeconds.map { seconds in
        "<p>The newest took \(slowLog.newestDurationSeconds.map(fineSpan) ?? "a time not known"), at \(moment(seconds, now: nowSeconds))</p>\n"
      } ?? ""
    return """
      <h2>Slow log\(time(condition.asOfSeconds))</h2>
      <p\(html: stale)>\(count)\(added).</p>
      \(newest)<p class="dim">Commands and their arguments are not shown: <code>SLOWLOG GET</code> on the server has \
      them.</p>

      """
  }

  private var stale: HTML { condition.asOfSeconds == nil ? "" : " class=\"stale\"" }

  private var clientList: HTML {
    guard !clients.isEmpty else { return "" }
    let ranked = clients.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    let hidden = ranked.count - Self.clientLimit
    let rows: [HTML] = ranked.prefix(Self.clientLimit).map { client in
      let name: HTML =
        client.name.isEmpty ? "<span class=\"dim\">without a name</span>" : "\(clipped(client.name, to: 80))"
      return "<tr><td>\(name)</td><td>\(number(client.count))</td></tr>\n"
    }
    return """
      <h2>Clients by name\(time(condition.asOfSeconds))</h2>
      <div class="table\(condition.asOfSeconds == nil ? "" : " stale")"><table>
      <thead><tr><th scope="col">Name</th><th scope="col">Connections</th></tr></thead>
      <tbody>
      \(HTML.joined(rows))</tbody></table></div>
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further names are not listed.</p>\n" : "")
      """
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

    .lead { font-size: 1.1rem; margin: -.6rem 0 .8rem; }
    .facts { display: flex; flex-wrap: wrap; gap: .3rem 2rem; margin: 0; }
    .facts dt { color: var(--dim); font-size: .85rem; } .facts dd { margin: 0; }
    .figures { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); }
    .figure { background: var(--card); border: 1px solid var(--line); border-radius: .3rem; padding: .4rem .8rem; }
    .figure h3 { margin: 0; font-size: .9rem; color: var(--dim); font-weight: 600; }
    .value { font-size: 1.25rem; margin: 0; font-variant-numeric: tabular-nums; } .value .dim { font-size: .85rem; }
    .small { font-size: .8rem; margin: 0; }
    .spark { display: block; width: 100%; height: 2.75rem; margin: .2rem 0; border-bottom: 1px solid var(--line); }
    .spark path { fill: none; stroke: var(--link); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round;
      vector-effect: non-scaling-stroke; } .spark .now { stroke-width: 6; }
    \(AlertsPage.cardStyles)
    \(EventsPage.eventStyles)
    """
}
