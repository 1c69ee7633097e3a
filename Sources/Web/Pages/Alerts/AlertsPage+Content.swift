extension AlertsPage {
  var content: HTML {
    let sections = filter == .resolved ? [] : sections
    var room = Self.alertLimit
    // The worst is open: who comes here at night reads on without a tap.
    var isFirst = true
    let shown = sections.map { section in
      defer { isFirst = false }
      return html(section, &room, opensRunbook: isFirst)
    }
    return """
      \(sentence)\(Receiver.banner(receivers, now: nowSeconds))\
      \(html: notice.isEmpty ? "" : "<p class=\"warning\">\(notice)</p>\n")\(filters)\(unknown)\(HTML.joined(shown))\
      \(HTML.joined(filter == nil || filter == .firing ? elsewhere.map { $0.html(now: nowSeconds) } : []))\
      \(html: room <= 0 ? "<p class=\"dim\">Further alerts are not listed.</p>\n" : "")\
      \(filter == nil || filter == .resolved ? ended : "")\(foot)
      """
  }

  /// `1 critical and 2 further alerts fire, for sessions and queues. 1 waits to fire.`
  private var sentence: HTML {
    let firing = alerts.filter { $0.state == .firing && !$0.isHeartbeat }
    let pending = alerts.count { $0.state == .pending && !$0.isHeartbeat }
    let waiting: HTML =
      pending == 0 ? "" : " \(pending) \(pending == 1 ? "waits" : "wait") to fire."
    guard !firing.isEmpty else {
      if !elsewhere.allSatisfy(\.isQuiet) {
        return "<p class=\"lead\"><b>Nothing fires here</b>; what other shards say is below.\(waiting)</p>\n"
      }
      return "<p class=\"lead\"><b class=\"good\">Nothing fires.</b>\(waiting)</p>\n"
    }
    let critical = firing.count { $0.level == .grave }
    let others = firing.count - critical
    func fire(_ count: Int) -> String { count == 1 ? "alert fires" : "alerts fire" }
    let counts: HTML =
      switch (critical, others) {
      case (0, _): "<b class=\"warning\">\(others) \(fire(others))</b>"
      case (_, 0): "<b class=\"bad\">\(critical) critical \(fire(critical))</b>"
      default: "<b class=\"bad\">\(critical) critical</b> and \(others) further \(fire(critical + others))"
      }
    let names = Set(firing.map(\.workload)).subtracting([""]).sorted()
    let listed = names.prefix(3).map { clipped($0, to: 60) } + (names.count > 3 ? ["\(names.count - 3) more"] : [])
    let whose: HTML =
      listed.isEmpty
      ? ""
      : ", for \(listed.count == 1 ? listed[0] : "\(listed.dropLast().joined(separator: ", ")) and \(listed.last ?? "")")"
    let muted = firing.count { !$0.delivery.mutes.isEmpty }
    let silent: HTML =
      muted == 0
      ? ""
      : " Alertmanager tells nobody of \(muted == firing.count ? (muted == 1 ? "it" : "them") : "\(muted) of them")."
    return "<p class=\"lead\">\(counts)\(whose).\(silent)\(waiting)</p>\n"
  }

  private var filters: HTML {
    let own = alerts.filter { !$0.isHeartbeat }
    let counts: [(Filter?, String)] = [
      (nil, "All"), (.firing, "\(own.count { $0.state == .firing }) firing"),
      (.pending, "\(own.count { $0.state == .pending }) pending"),
      (.resolved, "\(own.count { $0.state == .inactive }) ended"),
    ]
    let links: [HTML] = counts.map { filter, text in
      let mark: HTML = filter == self.filter ? " aria-current=\"true\"" : ""
      let address = filter.map { "/alerts?state=\($0.rawValue)" } ?? "/alerts"
      return "<li><a href=\"\(address)\"\(mark)>\(text)</a></li>\n"
    }
    return "<nav aria-label=\"By state\"><ul class=\"filters\">\n\(HTML.joined(links))</ul></nav>\n"
  }

  /// Whose silences are not known: what is shown may be silenced.
  private var unknown: HTML {
    let lines: [HTML] = unknownMutes.prefix(5).map {
      "<p class=\"note dim\">What is silenced in \(clipped($0.receiver)) is not known: \(clipped($0.problem, to: 300))</p>\n"
    }
    return HTML.joined(lines)
  }

  private var foot: HTML {
    let beats = alerts.filter { $0.isHeartbeat && $0.state == .firing }
    let always: HTML =
      beats.isEmpty
      ? ""
      : "\(Set(beats.map(\.name)).sorted().prefix(5).map { clipped($0, to: 80) }.joined(separator: ", ")) always \(Set(beats.map(\.name)).count == 1 ? "fires" : "fire"), so that silence is noticed. "
    let broken: HTML =
      brokenRuleCount == 0
      ? "" : " · <a class=\"bad\" href=\"/rules?state=broken\">\(RulesPage.failing(brokenRuleCount))</a>"
    return """
      <p class="dim foot">\(always)As of \(utc(nowSeconds)) UTC, reloads every \(Self.refreshSeconds) s · \
      <a href="/notifications">Who was told what</a> · <a href="/rules">Rules</a>\(broken)</p>
      """
  }

  // MARK: What fires

  private func html(_ section: Section, _ room: inout Int, opensRunbook: Bool) -> HTML {
    var isFirst = opensRunbook
    let groups = section.groups.map { group in
      defer { isFirst = false }
      return html(group, section, &room, opensRunbook: isFirst)
    }
    let title: HTML =
      section.workload.isEmpty
      ? "Of no workload"
      : workloads.contains(section.workload)
        ? "<a href=\"/workload/\(pathEncoded(section.workload))\">\(clipped(section.workload))</a>"
        : "\(clipped(section.workload))"
    let environments = Set(section.groups.flatMap(\.alerts).compactMap { $0.label("environment") }).sorted()
    let place: HTML =
      environments.isEmpty ? "" : " <span class=\"dim\">\(clipped(environments.joined(separator: ", "), to: 80))</span>"
    return """
      <section class="\(section.level.style)">
      <h2>\(title)\(place)</h2>
      \(HTML.joined(groups))</section>

      """
  }

  private func html(_ group: Group, _ section: Section, _ room: inout Int, opensRunbook: Bool) -> HTML {
    let listed = group.alerts.prefix(max(0, min(room, Self.alertsOfGroupLimit)))
    room -= listed.count
    guard !listed.isEmpty else { return "" }
    let hidden = group.alerts.count - listed.count
    let firing = group.alerts.count { $0.state == .firing }
    let pending = group.alerts.count - firing
    let counts = [
      firing == 0 ? nil : "\(firing) firing", pending == 0 ? nil : "\(pending) pending",
    ].compactMap { $0 }.joined(separator: ", ")
    let severity = group.alerts.first?.severity ?? ""
    // What it is comes before what to do, in a line.
    let worst = group.alerts.first
    let what = worst?.summary ?? ""
    let whatLine: HTML =
      what.isEmpty
      ? ""
      : "<p class=\"what\"><b>\(clipped(what, to: 400))</b> <span class=\"since\">\(worst.map { AlertRow(alert: $0, page: self).since } ?? "")</span></p>\n"
    return """
      <article class="card \(group.level.style)" id="a-\(pathEncoded(section.workload))-\(pathEncoded(group.name))">
      <h3>\(clipped(group.name)) <span class="state">\(clipped(severity, to: 40))</span> <span class="dim">\(counts)</span></h3>
      \(whatLine)\(runbook(group, isOpen: opensRunbook))<ul class="rows">
      \(HTML.joined(listed.map { AlertRow(alert: $0, page: self).html(isSaid: !what.isEmpty && $0.summary == what) }))</ul>
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further alerts of this name are not listed.</p>\n" : "")\
      \(actions(group, section))</article>

      """
  }

  private func runbook(_ group: Group, isOpen: Bool) -> HTML {
    let own: HTML =
      group.alerts.lazy.compactMap { runbooks[group.name + $0.runbookQuery] }.first.map { text in
        """
        <details class="runbook"\(html: isOpen ? " open" : "")><summary>Runbook: what to do</summary>
        <div class="markdown">\(text.html)</div></details>

        """
      }
      ?? (runbookNames.contains(group.name)
        ? "<p><a href=\"\(Self.address(of: group.name, true, query: group.alerts.first?.runbookQuery ?? ""))\">Runbook: what to do</a></p>\n"
        : "")
    let others = Set(group.alerts.compactMap(\.runbookAddress)).sorted().prefix(3)
    let outward: [HTML] = others.map { "<p>Runbook of the rule's author: \(outwardLink($0))</p>\n" }
    return "\(own)\(HTML.joined(outward))"
  }

  /// Links of a whole group: to be silent about it, and where it comes from.
  private func actions(_ group: Group, _ section: Section) -> HTML {
    let silence = Receiver.silenceLink(
      in: receivers, [("alertname", group.name)] + (section.workload.isEmpty ? [] : [("workload", section.workload)]),
      "Silence all of \(clipped(group.name, to: 80))")
    let events: HTML =
      section.workload.isEmpty ? "" : " · <a href=\"/events?workload=\(pathEncoded(section.workload))\">Events</a>"
    return """
      <p class="actions">\(silence)\(html: silence == "" ? "" : " · ")<a href="/notifications?alert=\(pathEncoded(group.name))">Who was told</a> · \
      <a href="/rules#r-\(pathEncoded(group.name))">Rule</a>\(events)</p>

      """
  }

  // MARK: What has ended

  /// Names and times only: a summary would say of what is over that it is.
  private var ended: HTML {
    let over = alerts.filter { $0.state == .inactive && !$0.isHeartbeat }
      .sorted { ($0.resolvedSeconds ?? 0, $1.name) > ($1.resolvedSeconds ?? 0, $0.name) }
    guard !over.isEmpty else {
      return filter == .resolved ? "<p class=\"dim\">Nothing has ended lately.</p>\n" : ""
    }
    let rows: [HTML] = over.prefix(Self.endedLimit).map { alert in
      let whose = [alert.workload, alert.instance ?? ""].filter { !$0.isEmpty }.map { clipped($0, to: 120) }
      let tags: [HTML] = alert.labels.filter { !AlertRow.saidLabels.contains($0.name) }.prefix(6).map {
        " <span class=\"tag\">\(clipped($0.name, to: 80))=\(clipped($0.value, to: 120))</span>"
      }
      let begin = alert.sinceSeconds
      let lasted: HTML = alert.resolvedSeconds.map { " for \(span(max(0, $0 - begin)))" } ?? ""
      return """
        <li class="note"><b>\(clipped(alert.name, to: 120))</b> \(whose.joined(separator: " · "))\(HTML.joined(tags)) \
        <span class="dim">fired\(lasted), ended \(alert.resolvedSeconds.map { moment($0, now: nowSeconds) } ?? "")</span></li>

        """
    }
    let hidden = over.count - Self.endedLimit
    return """
      <h2>Ended lately</h2>
      <ul class="findings">
      \(HTML.joined(rows))</ul>
      \(html: hidden > 0 ? "<p class=\"dim\">\(hidden) further alerts that have ended are not listed.</p>\n" : "")
      """
  }
}
